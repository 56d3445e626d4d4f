import Foundation
package import Invoices
import Ledger
package import Model
package import Primitives
import Projections
import Rating

/// The events of an invoice's pack, taken in one after the other in the order of the log, each checked as it comes: what it is, whose it is,
/// and that its money is what its facts come to. What is kept of a call is a line.
package struct InvoiceFacts: Sendable {
    /// A movement of the debtor's account, as a page shows it.
    package struct Row: Sendable {
        package var sequence: UInt64
        package var at: WallTime
        package var kind: JournalKind
        package var text: String
        /// Of calls.
        package var record: UInt64 = 0
        package var caller = ""
        package var called = ""
        package var seconds: UInt32 = 0
        /// Charged: positive.
        package var micros: Int64
    }

    /// What is known of a call's record, for a later correction.
    private struct Charged {
        var milliseconds: UInt64
        var number: UInt64
        var amounts: [Int64]
    }

    package let issued: InvoiceIssued
    let sequence: UInt64
    let account: AccountRef
    package private(set) var tally: InvoiceTally
    package private(set) var rows: [Row] = []
    package private(set) var notes: [(sequence: UInt64, note: InvoiceIssued)] = []
    package private(set) var credited: (sequence: UInt64, invoice: InvoiceIssued)?
    private(set) var predecessor: (sequence: UInt64, invoice: InvoiceIssued)?
    /// The debtor's invoice before.
    private(set) var before: (sequence: UInt64, invoice: InvoiceIssued)?
    private(set) var terms: DebtorTerms?
    private(set) var template: InvoiceTemplatePublished?
    /// Whose rates of VAT the lines bear.
    private(set) var billing: (sequence: UInt64, billing: Billing)?
    /// The money that the document itself moved.
    private(set) var journal: JournalPosted?

    private var charged: [Data: Charged] = [:]
    private var journals: Set<Data> = []
    /// Records of calls that were billed before, until a correction names them.
    private var spare: [Data: UInt64] = [:]
    /// A movement whose fact is the next event.
    private var waiting: (envelope: Envelope, journal: JournalPosted)?
    /// A fact whose movement is the next event.
    private var offered: (envelope: Envelope, event: Event)?

    init(_ issued: InvoiceIssued, sequence: UInt64, before: (sequence: UInt64, invoice: InvoiceIssued)?) throws(Contradiction) {
        guard let debt = issued.debt else { throw Contradiction("the invoice names no customer or provider, or no currency") }
        self.issued = issued
        self.sequence = sequence
        self.before = before
        account = debt.account
        // VAT and rounding of the one before were posted behind its cut, so they are among the movements.
        var opening = Int128(0)
        if let before = before?.invoice { opening = Int128(before.closingMicros) + Int128(before.taxMicros) + Int128(before.roundingMicros) }
        tally = InvoiceTally(of: account, opening: account.debtorsView(Int64(clamping: opening)), keepsCalls: true, language: issued.language, rules: VATRules(of: issued))
    }

    /// - Parameter item: numbers that are stated of a call.
    mutating func add(_ envelope: Envelope, _ event: Event, _ item: InvoicePack.ProvenEvent) throws(Contradiction) {
        let place = "event \(envelope.sequence)"
        if item.caller != nil || item.called != nil {
            guard case .cdrRecorded = event else { throw Contradiction("\(place) is no call's record, and numbers are stated of it") }
        }
        if let (before, journal) = waiting {
            waiting = nil
            guard envelope.stream == before.stream else { throw Contradiction("the fact that event \(before.sequence) moved money for is left out") }
            switch event {
            case .cdrRecorded(let record): return try add(record.cdr, envelope, of: before, journal, item)
            case .chargeCorrected(let correction): return try add(correction, of: before, journal)
            default: throw Contradiction("the fact that event \(before.sequence) moved money for is left out")
            }
        }
        switch event {
        case .journalPosted(let journal): try add(journal, envelope)
        case .feeCharged, .packageBought:
            guard offered == nil else { throw Contradiction("the movement of the fact before \(place) is left out") }
            offered = (envelope, event)
        case .cdrRecorded(let record):
            // Of a call that was billed before, and is put right here.
            guard record.cdr.callID == Data(envelope.stream.bytes) else { throw Contradiction("\(place) is of another call than its stream") }
            guard charged[record.cdr.callID] == nil else { throw Contradiction("\(place) is counted twice") }
            guard item.caller == nil, item.called == nil else { throw Contradiction("numbers are stated of the call of \(place), which is not on this invoice") }
            remember(record.cdr)
            spare[record.cdr.callID] = envelope.sequence
        case .invoiceIssued(let other): try add(other, envelope)
        case .invoiceTemplatePublished(let published): template = published
        case .billingChanged(let changed) where issued.hasTaxedLines: try add(changed.billing, envelope)
        case .customerCreated(let created): try add(DebtorTerms(created.customer, envelope), envelope)
        case .customerChanged(let changed): try add(DebtorTerms(changed.customer, envelope), envelope)
        case .providerCreated(let created): try add(DebtorTerms(created.provider, envelope), envelope)
        case .providerChanged(let changed): try add(DebtorTerms(changed.provider, envelope), envelope)
        default: throw Contradiction("\(place) (\(envelope.type)) is no part of an invoice")
        }
    }

    /// After the last event.
    func checkEnd() throws(Contradiction) {
        if let waiting { throw Contradiction("the fact that event \(waiting.envelope.sequence) moved money for is left out") }
        if let sequence = spare.values.min() { throw Contradiction("event \(sequence) is the record of a call that nothing on the invoice refers to") }
        if let offered { throw Contradiction("the movement of event \(offered.envelope.sequence) is left out") }
    }
}

// MARK: - documents

extension InvoiceFacts {
    private mutating func add(_ other: InvoiceIssued, _ envelope: Envelope) throws(Contradiction) {
        let place = "event \(envelope.sequence)"
        guard UUIDv7(bytes: other.id) == envelope.stream else { throw Contradiction("\(place) is of another invoice than its stream") }
        if envelope.sequence == sequence {
            if other.kind == .creditNote { notes.append((sequence, other)) }
            return
        }
        var isPart = false
        if other.providerID == issued.providerID, other.kind == issued.kind, other.number == issued.number &- 1, envelope.sequence < sequence {
            predecessor = (envelope.sequence, other)
            isPart = true
        }
        let own = issued.kind == .creditNote ? issued.creditedID : issued.id
        if other.kind == .creditNote, other.creditedID == own {
            guard other.debt == issued.debt else {
                throw Contradiction("\(place) is a credit note to somebody else, or in another currency")
            }
            notes.append((envelope.sequence, other))
            isPart = true
        }
        if issued.kind == .creditNote, other.kind == .invoice, other.id == own {
            guard other.debt == issued.debt else { throw Contradiction("\(place) is an invoice to somebody else") }
            credited = (envelope.sequence, other)
            isPart = true
        }
        if envelope.sequence == before?.sequence { isPart = true }
        guard isPart else { throw Contradiction("\(place) is an invoice that has nothing to do with this one") }
    }

    private mutating func add(_ terms: DebtorTerms, _ envelope: Envelope) throws(Contradiction) {
        guard terms.debtor == issued.debtor, terms.debtor?.id == envelope.stream else { throw Contradiction("event \(envelope.sequence) is of another customer") }
        self.terms = terms
    }
}

extension InvoiceFacts {
    private mutating func add(_ billing: Billing, _ envelope: Envelope) throws(Contradiction) {
        guard billing.providerID == issued.providerID, let provider = ProviderID(seller: issued.providerID), envelope.stream == InvoiceMaker.billingStream(of: provider),
            envelope.sequence < sequence
        else { throw Contradiction("event \(envelope.sequence) is how another provider bills, or how it bills later") }
        self.billing = (envelope.sequence, billing)
    }
}

// MARK: - movements

extension InvoiceFacts {
    private mutating func add(_ journal: JournalPosted, _ envelope: Envelope) throws(Contradiction) {
        let place = "event \(envelope.sequence)"
        if let imbalance = Posting.imbalance(of: journal.postings) { throw Contradiction("the movements of \(place) do not sum to zero in \(imbalance.currency)") }
        guard journals.insert(journal.id).inserted else { throw Contradiction("the movement of \(place) is counted twice") }
        // Without VAT and rounding it moves nothing on a provider's debt, and the whole of it on the seller's side.
        if journal.id == issued.journalID, !issued.journalID.isEmpty {
            self.journal = journal
            return
        }
        guard journal.postings.contains(where: { $0.account == account }) else {
            throw Contradiction("\(place) moved nothing on the account \(account.text): it is of another account")
        }
        guard issued.kind == .invoice, envelope.sequence > issued.afterSequence, envelope.sequence <= issued.throughSequence else {
            throw Contradiction(
                "\(place) is not between the cuts of the invoice, which are events \(issued.afterSequence) and \(issued.throughSequence)")
        }
        switch journal.kind {
        case .call, .rerating:
            waiting = (envelope, journal)
            return
        case .fee, .package: try checkOffered(journal, envelope)
        case .invoice:
            guard let before = before?.invoice, before.journalID == journal.id else {
                throw Contradiction("\(place) is the VAT of an invoice, and not of the one before")
            }
        case .topUp, .adjustment, .voucher, .creditNote, .payment, .UNRECOGNIZED: break
        }
        let text = journal.kind == .invoice ? "VAT and rounding of \(journal.reason)" : journal.reason
        count(journal, envelope, nil) { Row(sequence: envelope.sequence, at: envelope.time, kind: journal.kind, text: text, micros: $0) }
    }

    /// Each posting on the account is a movement of its own.
    private mutating func count(_ journal: JournalPosted, _ envelope: Envelope, _ cdr: Cdr?, _ row: (Int64) -> Row) {
        for posting in journal.postings where posting.account == account {
            var movement = AccountPosting()
            (movement.sequence, movement.amountMicros, movement.kind) = (envelope.sequence, posting.amountMicros, journal.kind)
            (movement.callID, movement.reason) = (journal.callID, journal.reason)
            tally.add(movement, cdr)
            let micros = account.debtorsView(posting.amountMicros)
            rows.append(row(micros == .min ? .max : -micros))
        }
    }

    /// The record of a call says what the money was moved for, and its prices and its duration come to it.
    private mutating func add(
        _ record: Cdr, _ envelope: Envelope, of moved: Envelope, _ journal: JournalPosted, _ item: InvoicePack.ProvenEvent
    ) throws(Contradiction) {
        let name = "call record \(record.number)"
        guard journal.kind == .call, envelope.previous == moved.sequence, record.callID == Data(envelope.stream.bytes), record.callID == journal.callID,
            record.journalID == journal.id
        else { throw Contradiction("\(name) and the movement of event \(moved.sequence) are not of one call") }
        guard charged[record.callID] == nil else { throw Contradiction("\(name) is counted twice") }
        guard record.durationMs == (record.answeredAt == 0 ? 0 : UInt64(clamping: Int128(record.endedAt) - Int128(record.answeredAt)) / 1_000) else {
            throw Contradiction("\(name): its duration is not the time from answer to end")
        }
        for charge in record.charges {
            guard (try? Rater.charge(RateLock(charge), milliseconds: record.durationMs, free: charge.allowances)) == charge else {
                throw Contradiction(
                    "\(name): the \(charge.edge) charge is recorded as \(CallExplanation.amount(charge.amountMicros, charge.currency)), and its price gives something else")
            }
        }
        guard (try? Rater.postings(for: record.charges)) == journal.postings else {
            throw Contradiction("\(name): the money that was moved is not that of its charges")
        }
        var cdr = record
        cdr.caller.number = record.callerNumber(onBillOf: account)
        for (stated, recorded) in [(item.caller, cdr.caller.number), (item.called, cdr.calledE164)] {
            guard recorded.isEmpty || stated == nil || stated == recorded else { throw Contradiction("\(name): another number is stated than is recorded") }
        }
        if let caller = item.caller { cdr.caller.number = caller }
        if let called = item.called { cdr.calledE164 = called }
        remember(record)
        let charge = record.charge(on: account) ?? Charge()
        let (seconds, entry) = (charge.billedSeconds, charge.entry)
        count(journal, moved, cdr) {
            Row(
                sequence: moved.sequence, at: WallTime(microseconds: record.startedAt), kind: .call,
                text: entry.destination.isEmpty ? entry.prefix : entry.destination, record: record.number, caller: cdr.caller.number, called: cdr.calledE164,
                seconds: seconds, micros: $0)
        }
    }

    private mutating func remember(_ record: Cdr) {
        charged[record.callID] = Charged(milliseconds: record.durationMs, number: record.number, amounts: record.charges.map(\.amountMicros))
    }

    /// A charge that was put right is computed again by its price, and the money is the difference.
    private mutating func add(_ event: ChargeCorrected, of moved: Envelope, _ journal: JournalPosted) throws(Contradiction) {
        let name = "correction \(event.number)"
        guard journal.kind == .rerating, event.journalID == journal.id, event.callID == journal.callID, let call = charged[event.callID],
            call.number == event.cdrNumber, call.amounts.indices.contains(Int(event.chargeIndex))
        else { throw Contradiction("\(name) and the movement of event \(moved.sequence) are not of one call, or the call's record is left out") }
        guard event.ordinal > 1 || event.beforeMicros == call.amounts[Int(event.chargeIndex)] else {
            throw Contradiction("\(name) is not the difference to what counted before it")
        }
        try event.check(milliseconds: call.milliseconds, moved: journal.postings)
        spare[event.callID] = nil
        count(journal, moved, nil) {
            Row(sequence: moved.sequence, at: moved.time, kind: .rerating, text: journal.reason, record: event.cdrNumber, micros: $0)
        }
    }

    /// A fee's lines, or a package's price, are what was moved.
    private mutating func checkOffered(_ journal: JournalPosted, _ envelope: Envelope) throws(Contradiction) {
        let fact = offered
        offered = nil
        guard let fact, fact.envelope.stream == envelope.stream else {
            throw Contradiction("event \(envelope.sequence) charges a \(journal.kind.literal), and the fact that says what for is left out")
        }
        let amount: Int64
        switch fact.event {
        case .feeCharged(let fee):
            let name = "the fee of event \(fact.envelope.sequence)"
            guard journal.kind == .fee, UUIDv7(bytes: fee.payerID) == issued.debtor?.id, fee.id == journal.id, fee.currency == issued.currency else {
                throw Contradiction("\(name) is of another customer, or of another movement")
            }
            guard fee.lines.reduce(Int128(0), { $0 + Int128($1.amountMicros) }) == Int128(fee.amountMicros) else {
                throw Contradiction("\(name): its lines do not come to its amount")
            }
            // Each is rounded to the currency's decimals, if the price has more.
            let unit = ((Currency(fee.currency)?.decimals ?? 2)..<6).reduce(Int128(1)) { unit, _ in unit * 10 }
            for line in fee.lines where line.days == line.daysOfMonth && fee.proration != .daily {
                let exact = Int128(line.monthMicros) * Int128(line.quantity)
                guard (exact - Int128(line.amountMicros)).magnitude * 2 <= (unit * Int128(line.quantity)).magnitude else {
                    throw Contradiction("\(name): \(line.quantity) × the price of a month is another amount than that of its line")
                }
            }
            amount = fee.amountMicros
        case .packageBought(let bought):
            guard journal.kind == .package, bought.customerID == issued.customerID, !bought.customerID.isEmpty, bought.journalID == journal.id else {
                throw Contradiction("the package of event \(fact.envelope.sequence) is of another customer, or of another movement")
            }
            amount = bought.package.priceMicros
        default: return
        }
        let moved = journal.postings.reduce(Int128(0)) { $1.account == account ? $0 + Int128($1.amountMicros) : $0 }
        guard moved == Int128(account.debtorsView(0 &- amount)) else {
            throw Contradiction("event \(envelope.sequence) moved another amount than \(CallExplanation.amount(amount, issued.currency))")
        }
    }
}

extension ChargeCorrected {
    /// The charge is what its price comes to, the difference is the one to what it says counted before, and the money is the difference.
    func check(milliseconds: UInt64, moved: [Posting]?) throws(Contradiction) {
        let name = "correction \(number)"
        guard (try? Rater.charge(RateLock(charge), milliseconds: milliseconds, free: charge.allowances)) == charge else {
            throw Contradiction("\(name) says \(CallExplanation.amount(charge.amountMicros, charge.currency)), and its price gives something else")
        }
        let (difference, overflow) = charge.amountMicros.subtractingReportingOverflow(beforeMicros)
        guard !overflow, difference != .min, differenceMicros == difference else { throw Contradiction("\(name) is not the difference to what counted before it") }
        guard moved == [Posting(charge.payer, micros: -difference), Posting(charge.payee, micros: difference)] else {
            throw Contradiction("\(name) moved other money than its difference")
        }
    }
}
