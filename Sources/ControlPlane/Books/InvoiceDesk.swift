internal import Foundation
package import Invoices
package import Ledger
package import Model
internal import OpenSSL
package import Primitives
package import Projections
internal import Subjects

/// Works invoices out, has them issued, and keeps their files. Working one out reads and changes nothing; issuing it succeeds only if
/// nothing came in between, and is tried again if something did.
package struct InvoiceDesk: Sendable {
    private static let attemptsMax = 5
    /// Fees of longer periods than that there are none.
    private static let periodMicrosecondsMax: Int64 = 40 * 86_400_000_000
    private let views: Views
    private let log: any EventLog
    private let store: InvoiceStore
    private let tool: PDFTool

    package init(views: Views, log: any EventLog, store: InvoiceStore, tool: PDFTool = PDFTool()) {
        self.views = views
        self.log = log
        self.store = store
        self.tool = tool
    }

    /// - Parameter to: the end of the period, not included; nil: now.
    package func draft(
        of debt: Debt, to: WallTime?, at now: WallTime, in views: borrowing ViewSnapshot
    ) throws(InvoiceError) -> InvoiceIssued {
        let end = to ?? now
        let through: UInt64
        let from: WallTime
        do throws(ViewsError) {
            through = try cut(debt, before: to, in: views)
            from = try begin(debt, before: end, in: views)
        } catch {
            throw .views(error)
        }
        var random = RandomSource.system
        let id = UUIDv7(at: now, random: &random)
        return try InvoiceMaker.invoice(
            of: debt, InvoicePeriod(through: through, from: min(from, end), to: end, issuedAt: now), id: id, in: views)
    }

    /// Issues what `make` works out of the newest views; worked out again when something else was issued meanwhile.
    ///
    /// - Parameter submit: returns when the command is durable and in the views.
    package func issue(
        submit: (AdminCommand) async throws(AdminRejection) -> AdminOutcome,
        _ make: (borrowing ViewSnapshot) throws(InvoiceError) -> InvoiceIssued
    ) async throws -> AdminOutcome {
        var attempt = 1
        while true {
            let invoice: InvoiceIssued
            do {
                invoice = try worked(make)
            } catch {
                // A repetition finds nothing left to bill: what its key led to the first time is told by the key alone. Under a new key a
                // blank invoice is refused, and the reason is the one that was found.
                guard attempt == 1, let first = try? await submit(.issueInvoice(InvoiceIssued())) else { throw error }
                return first
            }
            do throws(AdminRejection) {
                return try await submit(.issueInvoice(invoice))
            } catch {
                guard case .inUse = error, attempt < Self.attemptsMax else { throw error }
                attempt += 1
            }
        }
    }

    func worked(_ make: (borrowing ViewSnapshot) throws(InvoiceError) -> InvoiceIssued) throws -> InvoiceIssued {
        try views.read { snapshot throws(ViewsError) in
            Result { () throws(InvoiceError) in try make(snapshot) }
        }.get()
    }

    /// The newest event before a time that the views have; nil: the newest of all. The fees of a period are charged when it is over, so a
    /// little behind its end: with them comes what was recorded in between.
    func cut(_ debt: Debt, before time: WallTime?, in views: borrowing ViewSnapshot) throws(ViewsError) -> UInt64 {
        guard let time else { return views.applied }
        var through: UInt64
        do throws(LedgerError) {
            through = min(views.applied, try log.sequence(asOf: WallTime(microseconds: time.microseconds - 1)))
        } catch {
            throw .log(error)
        }
        let near = WallTime(microseconds: time.microseconds - Self.periodMicrosecondsMax)
        for fee in try views.fees(of: debt.debtor.id, after: (near, .platform), limit: 1_000)
        where fee.periodEnd <= time.microseconds && fee.currency == debt.currency.code {
            guard let journal = JournalID(fee.id), let sequence = try views.journalSequence(journal) else { continue }
            through = max(through, sequence)
        }
        return through
    }

    /// Where the last invoice ended; of a debt that has none, when its account first moved.
    func begin(_ debt: Debt, before end: WallTime, in views: borrowing ViewSnapshot) throws(ViewsError) -> WallTime {
        if let head = try views.invoiceHead(of: debt), head.periodTo > 0 { return WallTime(microseconds: head.periodTo) }
        guard let first = try views.postings(of: debt.account, limit: 1).first else { return end }
        return WallTime(microseconds: first.postedAt)
    }

    // MARK: - files

    package struct Print: Sendable {
        package let bytes: [UInt8]
        package let tool: String
        /// Whether these are the bytes that were recorded when the file was first made.
        package let isOriginal: Bool
        /// To be recorded; nil: it was made before.
        package let fact: InvoicePrinted?
    }

    /// The file that was made first, as long as it is kept; else it is made again. Waits for the tool.
    package func pdf(of invoice: InvoiceIssued) throws(InvoiceError) -> Print {
        guard let id = InvoiceID(invoice.id) else { throw .noInvoice }
        let known = try reading { views throws(ViewsError) in try views.invoicePrint(id, "pdf") }
        if let known, !invoice.isErasedBuyer, let kept = store.load(invoice), Data(Hash.sha256(kept)) == known.sha256 {
            return Print(bytes: kept, tool: known.tool, isOriginal: true, fact: nil)
        }
        let template = try views.readTemplate(of: invoice)
        let made = try tool.pdf(of: InvoicePage.html(invoice, template))
        let hash = Data(Hash.sha256(made.bytes))
        if let known { return Print(bytes: made.bytes, tool: made.tool, isOriginal: hash == known.sha256, fact: nil) }
        // After an erasure nothing is kept any more, and what is made is not what was issued.
        guard !invoice.isErasedBuyer else { return Print(bytes: made.bytes, tool: made.tool, isOriginal: false, fact: nil) }
        store.save(made.bytes, of: invoice)
        var fact = InvoicePrinted()
        fact.invoiceID = invoice.id
        fact.format = "pdf"
        fact.sha256 = hash
        fact.bytes = UInt64(made.bytes.count)
        fact.tool = made.tool
        return Print(bytes: made.bytes, tool: made.tool, isOriginal: true, fact: fact)
    }

    private func reading<R>(_ body: (borrowing ViewSnapshot) throws(ViewsError) -> R) throws(InvoiceError) -> R {
        do throws(ViewsError) {
            return try views.read(body)
        } catch {
            throw .views(error)
        }
    }
}

extension Views {
    fileprivate func readTemplate(of invoice: InvoiceIssued) throws(InvoiceError) -> String {
        let result: Result<String, InvoiceError>
        do throws(ViewsError) {
            result = try read { snapshot throws(ViewsError) in
                Result { () throws(InvoiceError) in try InvoicePage.template(of: invoice, in: snapshot) }
            }
        } catch {
            throw .views(error)
        }
        return try result.get()
    }
}
