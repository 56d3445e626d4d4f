import Model
import Primitives
import Projections

/// The movements of one stretch of an account, added up by what they are.
struct InvoiceTally {
    struct Sum {
        var micros: Int64 = 0
        var count: UInt64 = 0
        var seconds: UInt64 = 0
    }
    private(set) var usage: [String: Sum] = [:]
    private(set) var items: [String: Sum] = [:]
    private(set) var corrections: [String: Sum] = [:]
    /// What was paid in or given back.
    private(set) var payments: Int64 = 0
    /// VAT and rounding of invoices before, which were posted behind their cuts.
    private(set) var documents: Int64 = 0
    private(set) var opening: Int64 = 0
    private(set) var closing: Int64 = 0
    private(set) var first: Int64?
    private(set) var calls: [CallList.Entry] = []

    /// - Parameter keepsCalls: whether each call is wanted as well.
    init<State: ViewQueries & ~Copyable>(
        of account: AccountRef, after: UInt64, through: UInt64, keepsCalls: Bool, words: InvoiceWords, in views: borrowing State
    ) throws(ViewsError) {
        var place = (sequence: after, index: UInt32.max)
        var isStarted = false
        var lastCall: CallID?
        reading: while true {
            let page = try views.postings(of: account, after: place, limit: 500)
            for posting in page {
                let before = posting.balanceMicros - posting.amountMicros
                guard posting.sequence <= through else {
                    if !isStarted { (opening, closing, isStarted) = (before, before, true) }
                    break reading
                }
                if !isStarted { (opening, isStarted) = (before, true) }
                closing = posting.balanceMicros
                first = first ?? posting.postedAt
                switch posting.kind {
                case .topUp, .voucher, .creditNote: payments += posting.amountMicros
                case .invoice: documents += posting.amountMicros
                case .rerating: Self.add(posting, to: &corrections, posting.reason)
                case .adjustment, .fee, .package, .UNRECOGNIZED: Self.add(posting, to: &items, posting.reason)
                case .call:
                    guard let call = CallID(posting.callID), let cdr = try views.cdr(call: call) else {
                        Self.add(posting, to: &usage, words.calls)
                        break
                    }
                    let name = words.call(cdr.direction, cdr.place(of: account))
                    let seconds = cdr.charges.first { $0.payer == account }?.billedSeconds ?? 0
                    usage[name, default: Sum()].micros -= posting.amountMicros
                    // Two charges of one call are one call.
                    if call != lastCall {
                        usage[name, default: Sum()].count += 1
                        usage[name, default: Sum()].seconds += UInt64(seconds)
                    }
                    lastCall = call
                    if keepsCalls { calls.append(CallList.Entry(cdr, posting, destination: cdr.place(of: account), seconds: seconds)) }
                }
            }
            guard page.count == 500, let last = page.last else { break }
            place = (last.sequence, last.index)
        }
        if !isStarted {
            opening = try views.balance(account)
            closing = opening
        }
    }

    private static func add(_ posting: AccountPosting, to sums: inout [String: Sum], _ name: String) {
        sums[name, default: Sum()].micros -= posting.amountMicros
        sums[name, default: Sum()].count += 1
    }

    /// In the order in which they are printed: fees and items, calls, corrections, each by name.
    func lines(_ words: InvoiceWords, decimals: UInt32) -> [InvoiceLine] {
        var lines: [InvoiceLine] = []
        func add(_ sums: [String: Sum], _ kind: InvoiceLineKind) {
            for (name, sum) in sums.sorted(by: { $0.key < $1.key }) {
                var line = InvoiceLine()
                line.kind = kind
                line.description_p = kind == .correction ? words.correction(name) : name
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
    /// The destination's name in the price list by which the account was charged; nobody's number.
    func place(of account: AccountRef) -> String {
        guard let entry = charges.first(where: { $0.payer == account || $0.payee == account })?.entry else { return "" }
        return entry.destination.isEmpty ? (entry.prefix.isEmpty ? "" : "+" + entry.prefix) : entry.destination
    }
}
