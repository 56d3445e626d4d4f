import Foundation
package import Model
import Primitives
import Projections

/// The movements of one stretch of an account, added up by what they are: by whoever makes an invoice from the views, and by whoever checks
/// one from its events.
package struct InvoiceTally: Sendable {
    struct Sum {
        var micros: Int64 = 0
        var count: UInt64 = 0
        var seconds: UInt64 = 0
    }
    /// What becomes one line: what it is called, and its VAT, where lines bear one.
    struct LineKey: Hashable, Comparable {
        var name: String
        var category = ""
        var basisPoints: UInt32 = 0

        static func < (a: LineKey, b: LineKey) -> Bool { (a.name, a.category, a.basisPoints) < (b.name, b.category, b.basisPoints) }
    }
    private let account: AccountRef
    private let words: InvoiceWords
    /// nil: all lines bear the customer's own rate.
    private let rules: VATRules?
    private(set) var usage: [LineKey: Sum] = [:]
    private(set) var items: [LineKey: Sum] = [:]
    private(set) var corrections: [LineKey: Sum] = [:]
    /// What was paid in or given back.
    private(set) var payments: Int64 = 0
    /// VAT and rounding of invoices before, which were posted behind their cuts.
    private(set) var documents: Int64 = 0
    package private(set) var opening: Int64 = 0
    package private(set) var closing: Int64 = 0
    private(set) var calls: [CallList.Entry] = []
    /// Everything that moved, whichever way: while it is small no sum has overflowed.
    private var moved: UInt64 = 0
    /// Whether all of it can be added up without going beyond what an account holds.
    var isCountable: Bool { moved < 1 << 60 && opening.magnitude < 1 << 60 }
    private let keepsCalls: Bool
    private var lastCall: Data?

    /// - Parameters:
    ///   - opening: what the account stood at before. All sums are as the debtor counts them: what it has.
    ///   - keepsCalls: whether each call is wanted as well.
    ///   - rules: by which lines bear VAT; nil: they bear none of their own.
    package init(of account: AccountRef, opening: Int64, keepsCalls: Bool, language: String, rules: VATRules?) {
        self.rules = rules
        self.account = account
        self.opening = account.debtorsView(opening)
        self.keepsCalls = keepsCalls
        closing = self.opening
        words = InvoiceWords(language: language)
    }

    /// A movement of the account, in the order of the log.
    ///
    /// - Parameter cdr: of the call that was charged; nil: it is not known.
    package mutating func add(_ posting: AccountPosting, _ cdr: Cdr?) {
        let (sum, overflow) = moved.addingReportingOverflow(posting.amountMicros.magnitude)
        moved = overflow ? .max : sum
        var posting = posting
        posting.amountMicros = account.debtorsView(posting.amountMicros)
        closing &+= posting.amountMicros
        switch posting.kind {
        case .topUp, .voucher, .payment, .creditNote: payments &+= posting.amountMicros
        case .invoice: documents &+= posting.amountMicros
        case .rerating: Self.add(posting, to: &corrections, key(posting, posting.reason))
        case .adjustment, .fee, .package, .UNRECOGNIZED: Self.add(posting, to: &items, key(posting, posting.reason))
        case .call:
            guard let cdr else { return Self.add(posting, to: &usage, key(posting, words.calls)) }
            let name = key(posting, words.call(cdr.direction, cdr.place(of: account)))
            let seconds = cdr.charge(on: account)?.billedSeconds ?? 0
            usage[name, default: Sum()].micros &-= posting.amountMicros
            // Two charges of one call are one call.
            if posting.callID != lastCall {
                usage[name, default: Sum()].count += 1
                usage[name, default: Sum()].seconds += UInt64(seconds)
            }
            lastCall = posting.callID
            if keepsCalls { calls.append(CallList.Entry(cdr, posting, of: account, destination: cdr.place(of: account), seconds: seconds)) }
        }
    }

    /// - Parameter keepsCalls: whether each call is wanted as well.
    init<State: ViewQueries & ~Copyable>(
        of account: AccountRef, after: UInt64, through: UInt64, keepsCalls: Bool, language: String, rules: VATRules? = nil, in views: borrowing State
    ) throws(ViewsError) {
        var place = (sequence: after, index: UInt32.max)
        // What the account stood at: said by the first movement behind the cut before, whether it belongs here or not.
        let first = try views.postings(of: account, after: place, limit: 1).first
        let opening = if let first { first.balanceMicros - first.amountMicros } else { try views.balance(account) }
        self.init(of: account, opening: opening, keepsCalls: keepsCalls, language: language, rules: rules)
        reading: while true {
            let page = try views.postings(of: account, after: place, limit: 500)
            for posting in page {
                guard posting.sequence <= through else { break reading }
                let call = posting.kind == .call ? CallID(posting.callID) : nil
                add(posting, try call.flatMap { call throws(ViewsError) in try views.cdr(call: call) })
            }
            guard page.count == 500, let last = page.last else { break }
            place = (last.sequence, last.index)
        }
    }

    private func key(_ posting: AccountPosting, _ name: String) -> LineKey {
        guard let tax = rules?.tax(on: posting.kind, named: name) else { return LineKey(name: name) }
        return LineKey(name: name, category: tax.category, basisPoints: tax.vatBasisPoints)
    }

    private static func add(_ posting: AccountPosting, to sums: inout [LineKey: Sum], _ name: LineKey) {
        sums[name, default: Sum()].micros &-= posting.amountMicros
        sums[name, default: Sum()].count += 1
    }

    /// Each call that was charged, for an invoice with that currency and those times.
    package func callList(of invoice: InvoiceIssued) -> CallList {
        CallList(calls, currency: invoice.currency, timeZone: invoice.timeZone)
    }

    /// In the order in which they are printed: fees and items, calls, corrections, each by name.
    func lines(decimals: UInt32) -> [InvoiceLine] {
        var lines: [InvoiceLine] = []
        func add(_ sums: [LineKey: Sum], _ kind: InvoiceLineKind) {
            for (key, sum) in sums.sorted(by: { $0.key < $1.key }) {
                var line = InvoiceLine()
                line.kind = kind
                line.description_p = kind == .correction ? words.correction(key.name) : key.name
                (line.vatCategory, line.vatBasisPoints) = (key.category, key.basisPoints)
                line.calls = sum.count
                line.seconds = sum.seconds
                line.exactMicros = sum.micros
                lines.append(line)
            }
        }
        add(items, .item)
        add(usage, .usage)
        add(corrections, .correction)
        let amounts = InvoiceAmounts.apportioned(lines.map(\.exactMicros), decimals)
        for index in lines.indices { lines[index].amountMicros = amounts[index] }
        return lines
    }
}

extension Cdr {
    /// A customer pays from its account, and what a provider pays is put to what it owes.
    package func charge(on account: AccountRef) -> Charge? { charges.first { $0.payer == account || $0.payee == account } }

    /// The destination's name in the price list by which the account was charged; nobody's number.
    func place(of account: AccountRef) -> String {
        guard let entry = charge(on: account)?.entry else { return "" }
        return entry.destination.isEmpty ? (entry.prefix.isEmpty ? "" : "+" + entry.prefix) : entry.destination
    }
}
