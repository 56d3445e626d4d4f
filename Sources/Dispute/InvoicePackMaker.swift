package import Foundation
import Invoices
package import Ledger
package import Model
package import OpenSSL
package import Primitives
package import Projections

/// Makes the pack of an invoice or a credit note from the log and the views.
package struct InvoicePackMaker {
    private let log: any EventLog
    private let views: Views
    private let origin: String
    private let key: SigningKey

    package init(log: any EventLog, views: Views, origin: String, key: SigningKey) {
        self.log = log
        self.views = views
        self.origin = origin
        self.key = key
    }

    /// Which events there are, and what is stated beside them.
    private struct Found {
        var issued = InvoiceIssued()
        var sequence: UInt64 = 0
        var sequences: Set<UInt64> = []
        var numbers: [UUIDv7: (caller: String, called: String)] = [:]
    }

    /// - Parameter time: when the pack is made.
    package func pack(invoice id: InvoiceID, at time: WallTime) throws(DisputeError) -> Data {
        let found = try onViews { () throws(ViewsError) in
            try views.read { views throws(ViewsError) in
                Result { () throws(DisputeError) in try gather(id, in: views) }
            }
        }.get()
        let sequences = found.sequences.sorted()
        let size = log.head
        var events: [InvoicePack.ProvenEvent] = []
        events.reserveCapacity(sequences.count)
        for sequence in sequences {
            let (bytes, envelope) = try event(sequence)
            let numbers = envelope.type == "cdr.recorded" ? found.numbers[envelope.stream] : nil
            events.append(
                InvoicePack.ProvenEvent(
                    sequence: sequence, type: envelope.type, envelope: Base64.encode(bytes), caller: numbers?.caller, called: numbers?.called))
        }
        let (proof, checkpoint) = try onLog { () throws(LedgerError) in
            (try log.inclusionProof(of: sequences, size: size), Checkpoint(origin: origin, size: size, root: try log.rootHash(size: size)).signed(with: key))
        }
        let head = InvoicePack.Head(
            format: InvoicePack.format(of: found.issued), madeAt: time.rfc3339, invoice: id.description, sequence: found.sequence, events: events.count, log: origin,
            key: key.verifyingKey.noteKey(name: origin), checkpoint: checkpoint, buyer: InvoicePack.Buyer(found.issued))
        return try InvoicePack.file(head, events, proof: proof.map { Base64.encode($0.bytes) }) { PackSignature.sign($0, name: origin, key) }
    }

    // MARK: - which events

    private func gather(_ id: InvoiceID, in views: borrowing ViewSnapshot) throws(DisputeError) -> Found {
        var found = Found()
        let (sequence, invoice) = try onViews { () throws(ViewsError) in (try views.invoiceSequence(id), try views.invoice(id)) }
        guard let sequence, let invoice, let debt = invoice.debt else { throw .noRecord("there is no invoice \(id)") }
        (found.issued, found.sequence) = (invoice, sequence)
        found.sequences.insert(sequence)
        if let journal = JournalID(invoice.journalID), let place = try onViews({ () throws(ViewsError) in try views.journalSequence(journal) }) {
            found.sequences.insert(place)
        }
        try addRelated(invoice, debt, to: &found, in: views)
        try addTerms(debt.debtor, to: &found)
        if invoice.hasTaxedLines, invoice.kind == .invoice { try addBilling(invoice, to: &found) }
        if !invoice.templateHash.isEmpty { try addTemplate(invoice, to: &found) }
        guard invoice.kind == .invoice else { return found }
        var place = (sequence: invoice.afterSequence, index: UInt32.max)
        while true {
            let page = try onViews { () throws(ViewsError) in
                try views.postings(of: debt.account, after: place, limit: 500)
            }
            for posting in page where posting.sequence <= invoice.throughSequence && found.sequences.insert(posting.sequence).inserted {
                try addFacts(of: posting, on: debt.account, to: &found, in: views)
            }
            guard page.count == 500, let last = page.last, last.sequence <= invoice.throughSequence else { return found }
            place = (last.sequence, last.index)
        }
    }

    /// The one before it in the series, the debtor's one before it, the invoice that it credits, and the notes that credit the same.
    private func addRelated(
        _ invoice: InvoiceIssued, _ debt: Debt, to found: inout Found, in views: borrowing ViewSnapshot
    ) throws(DisputeError) {
        let isNote = invoice.kind == .creditNote
        let own = isNote ? invoice.creditedID : invoice.id
        var after: UInt64 = 0
        while true {
            let page = try onViews { () throws(ViewsError) in try views.invoices(to: debt.debtor, after: after, limit: 200) }
            for (sequence, other) in page {
                let isBefore = !isNote && other.kind == .invoice && other.debt == debt && sequence < found.sequence && other.throughSequence == invoice.afterSequence
                if isBefore || other.creditedID == own || (isNote && other.id == own) { found.sequences.insert(sequence) }
            }
            guard page.count == 200, let last = page.last else { break }
            after = last.sequence
        }
        guard invoice.number > 1, let provider = ProviderID(seller: invoice.providerID) else { return }
        let before = try onViews { () throws(ViewsError) in
            try views.invoice(of: provider, invoice.kind, number: invoice.number - 1).flatMap { other throws(ViewsError) in
                try InvoiceID(other.id).flatMap { id throws(ViewsError) in try views.invoiceSequence(id) }
            }
        }
        if let before { found.sequences.insert(before) }
    }

    /// What the debtor's record said when the invoice was issued.
    private func addTerms(_ debtor: Debtor, to found: inout Found) throws(DisputeError) {
        let types =
            switch debtor {
            case .customer: ["customer.created", "customer.changed"]
            case .provider: ["provider.created", "provider.changed"]
            }
        var before: UInt64?
        while true {
            let page = try onLog { () throws(LedgerError) in try log.history(of: debtor.id, before: before, limit: 32) }
            for envelope in page where envelope.sequence < found.sequence && types.contains(envelope.type) {
                found.sequences.insert(envelope.sequence)
                return
            }
            guard let last = page.last else { return }
            before = last.sequence
        }
    }

    /// The provider's rates as they were then.
    private func addBilling(_ invoice: InvoiceIssued, to found: inout Found) throws(DisputeError) {
        guard let provider = ProviderID(seller: invoice.providerID) else { return }
        let stream = InvoiceMaker.billingStream(of: provider)
        var before: UInt64?
        while true {
            let page = try onLog { () throws(LedgerError) in try log.history(of: stream, before: before, limit: 32) }
            for envelope in page where envelope.sequence < found.sequence && envelope.type == "billing.changed" {
                found.sequences.insert(envelope.sequence)
                return
            }
            guard let last = page.last else { return }
            before = last.sequence
        }
    }

    private func addTemplate(_ invoice: InvoiceIssued, to found: inout Found) throws(DisputeError) {
        guard let provider = ProviderID(seller: invoice.providerID) else { return }
        let stream = InvoiceMaker.billingStream(of: provider)
        var before: UInt64?
        while true {
            let page = try onLog { () throws(LedgerError) in try log.history(of: stream, before: before, limit: 32) }
            for envelope in page where envelope.type == "invoice_template.published" {
                guard case .invoiceTemplatePublished(let template)? = CallExplainer.decoded(envelope), template.hash == invoice.templateHash else { continue }
                found.sequences.insert(envelope.sequence)
                return
            }
            guard let last = page.last else { return }
            before = last.sequence
        }
    }

    /// What says why money was moved stands beside the movement, in the same stream and commit.
    private func addFacts(of posting: AccountPosting, on account: AccountRef, to found: inout Found, in views: borrowing ViewSnapshot) throws(DisputeError) {
        let (type, sequence): (String, UInt64)
        switch posting.kind {
        case .call: (type, sequence) = ("cdr.recorded", posting.sequence + 1)
        case .rerating: (type, sequence) = ("charge.corrected", posting.sequence + 1)
        case .fee: (type, sequence) = ("fee.charged", posting.sequence - 1)
        case .package: (type, sequence) = ("package.bought", posting.sequence - 1)
        case .topUp, .adjustment, .voucher, .invoice, .creditNote, .payment, .UNRECOGNIZED: return
        }
        let (_, journal) = try event(posting.sequence)
        let (_, fact) = try event(sequence)
        if fact.stream == journal.stream, fact.type == type { found.sequences.insert(sequence) }
        guard let call = CallID(posting.callID), posting.kind == .call || posting.kind == .rerating else { return }
        guard posting.kind == .call else {
            let history = try onViews { () throws(ViewsError) in try views.history(of: call.value, limit: 1_000) }
            for sequence in history where try event(sequence).envelope.type == "cdr.recorded" { found.sequences.insert(sequence) }
            return
        }
        guard let cdr = try onViews({ () throws(ViewsError) in try views.cdr(call: call) }) else { return }
        found.numbers[call.value] = (cdr.callerNumber(onBillOf: account), cdr.calledE164.isEmpty ? cdr.dialled : cdr.calledE164)
    }

    private func event(_ sequence: UInt64) throws(DisputeError) -> (bytes: [UInt8], envelope: Envelope) {
        let bytes = try onLog { () throws(LedgerError) in try log.bytes(at: sequence) }
        guard let bytes, let envelope = unsafe Envelope(parsing: bytes.span.bytes) else { throw .storage("event \(sequence) cannot be read") }
        return (bytes, envelope)
    }

    private func onLog<R>(_ body: () throws(LedgerError) -> R) throws(DisputeError) -> R {
        do throws(LedgerError) {
            return try body()
        } catch {
            throw .storage("the log cannot be read: \(error)")
        }
    }

    private func onViews<R>(_ body: () throws(ViewsError) -> R) throws(DisputeError) -> R {
        do throws(ViewsError) {
            return try body()
        } catch {
            throw .storage("the views cannot be read: \(error)")
        }
    }
}

extension InvoicePack.Buyer {
    /// nil of an invoice whose buyer was erased.
    init?(_ invoice: InvoiceIssued) {
        guard invoice.sealed.isEmpty else { return nil }
        let buyer = invoice.buyer
        self.init(
            name: buyer.name, company: buyer.company, street: buyer.street, postalCode: buyer.postalCode, city: buyer.city, country: buyer.country,
            vatNumber: buyer.vatNumber, email: buyer.email, externalID: buyer.externalID)
    }

    /// The invoice with its buyer in the clear.
    func filled(_ invoice: InvoiceIssued) -> InvoiceIssued {
        var invoice = invoice
        invoice.sealed = []
        invoice.buyer = BuyerParty()
        (invoice.buyer.name, invoice.buyer.company, invoice.buyer.street) = (name, company, street)
        (invoice.buyer.postalCode, invoice.buyer.city, invoice.buyer.country) = (postalCode, city, country)
        (invoice.buyer.vatNumber, invoice.buyer.email, invoice.buyer.externalID) = (vatNumber, email, externalID)
        return invoice
    }
}
