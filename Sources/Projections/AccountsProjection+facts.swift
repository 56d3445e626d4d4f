import Model
import Primitives
import SwiftProtobuf

// Rows are the protobuf messages `AccountState` and `CreditHold`, and runs of movements.
extension AccountsProjection {
    public static func evolve(
        _ fact: CallFact, _ payload: RawSpan, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) -> Bool {
        switch fact {
        case .journalPosted: try post(payload, context, in: &views)
        case .callStarted: try hold(12 << 3 | 2, fact, payload, context, in: &views)
        case .creditRenewed: try hold(2 << 3 | 2, fact, payload, context, in: &views)
        case .callEnded: try release(FixedKey(try views.callID(fact, payload, context)), context, in: &views)
        case .callAnswered, .callUpdated, .callAdopted, .cdrRecorded: break
        }
        return true
    }

    private static func post(
        _ payload: RawSpan, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) {
        let fact = CallFact.journalPosted
        var journal: UUIDv7?
        let postings = views.buffers.postings
        var reader = WireReader(payload)
        var sum: Int64 = 0
        var (firstCurrency, isMixed): (UInt32?, Bool) = (nil, false)
        var index: UInt32 = 0
        while reader.next(in: payload) {
            switch reader.tag {
            case 1 << 3 | 2: journal = reader.id(in: payload)
            case 5 << 3 | 2:
                var (account, amount): (Range<Int>, Int64) = (0..<0, 0)
                var posting = WireReader(reader.range)
                while posting.next(in: payload) {
                    switch posting.tag {
                    case 1 << 3 | 2: account = posting.range
                    case 2 << 3: amount = posting.signed
                    default: break
                    }
                }
                if posting.isMalformed { throw fact.malformed(context) }
                let fields = try self.account(payload, account, context)
                if let firstCurrency { isMixed = isMixed || firstCurrency != fields.currency }
                firstCurrency = fields.currency
                let (total, overflow) = sum.addingReportingOverflow(amount)
                (sum, isMixed) = (total, isMixed || overflow)
                let balance = try change(fields, payload, context, in: &views) { state in
                    state.postings += 1
                    return add(amount, to: &state.balance)
                }
                postings.add(fields.key, PostingRun.Movement(sequence: context.sequence, index: index, amount: amount, balance: balance))
                index += 1
            default: break
            }
        }
        guard !reader.isMalformed else { throw fact.malformed(context) }
        // Several currencies, or sums beyond 64 bits, are rare: they are counted in full.
        if sum != 0 || isMixed, let imbalance = Posting.imbalance(of: try decoded(payload, context).postings) {
            throw .broken(sequence: context.sequence, .unbalanced(imbalance))
        }
        guard let journal else { throw .broken(sequence: context.sequence, .malformedField("id")) }
        views.buffers.journals.put(FixedKey(journal), number: context.sequence)
    }

    /// A hold replaces what was held for the call before.
    private static func hold(
        _ tag: UInt64, _ fact: CallFact, _ payload: RawSpan, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) {
        var hold: Range<Int>?
        var reader = WireReader(payload)
        while reader.next(in: payload) {
            if reader.tag == tag { hold = reader.range }
        }
        guard !reader.isMalformed else { throw fact.malformed(context) }
        // A start without a hold sets nothing aside; a renewal always says what is held now.
        guard hold != nil || fact == .creditRenewed else { return }
        let call = FixedKey(try views.callID(fact, payload, context))
        try release(call, context, in: &views)
        let held = hold ?? 0..<0
        let (account, amount) = try parts(payload, held, context)
        if views.isTakingIn {
            // Most is released again before anybody asks; but the account is there from now on.
            if try views.find(account.key, in: .accounts, views.buffers.accounts) == nil {
                _ = try change(account, payload, context, in: &views) { _ in true }
            }
            let fact = WaitingFact(kind: fact, sequence: context.sequence)
            return views.buffers.holds.putWaiting(call, fact, payload.extracting(held))
        }
        _ = try change(account, payload, context, in: &views) { add(amount, to: &$0.held) }
        views.buffers.holds.put(call, payload.extracting(held))
    }

    /// Sets aside what is held for the calls that have not ended.
    public static func settle(in views: inout ViewTransaction) throws(ViewsError) {
        let holds = views.buffers.holds
        try holds.forEachWaiting { key, facts throws(ViewsError) in
            try unsafe WaitingFact.forEach(in: facts.span.bytes) { fact, hold throws(ViewsError) in
                let context = views.context(of: fact)
                let (account, amount) = try parts(hold, 0..<hold.byteCount, context)
                _ = try change(account, hold, context, in: &views) { add(amount, to: &$0.held) }
                holds.put(key, hold)
            }
        }
    }

    private static func release(
        _ call: FixedKey, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) {
        let holds = views.buffers.holds
        guard let row = try views.find(call, in: .holds, holds) else { return }
        if holds.isWaiting(row) { return holds.remove(row: row) }
        try holds.withValue(row) { bytes throws(ViewsError) in
            let (account, amount) = try parts(bytes, 0..<bytes.byteCount, context)
            _ = try change(account, bytes, context, in: &views) { state in
                let (difference, overflow) = state.held.subtractingReportingOverflow(amount)
                state.held = difference
                return !overflow
            }
        }
        holds.remove(call)
    }

    private static func parts(
        _ bytes: RawSpan, _ hold: Range<Int>, _ context: EventContext
    ) throws(ViewsError) -> (account: AccountFields, amount: Int64) {
        var (account, amount): (Range<Int>, Int64) = (0..<0, 0)
        var reader = WireReader(hold)
        while reader.next(in: bytes) {
            switch reader.tag {
            case 1 << 3 | 2: account = reader.range
            case 2 << 3: amount = reader.signed
            default: break
            }
        }
        if reader.isMalformed { throw .broken(sequence: context.sequence, .malformedField("hold")) }
        return (try self.account(bytes, account, context), amount)
    }

    private static func account(
        _ bytes: RawSpan, _ range: Range<Int>, _ context: EventContext
    ) throws(ViewsError) -> AccountFields {
        guard let account = AccountFields(bytes, range) else {
            throw .broken(sequence: context.sequence, .malformedField("account"))
        }
        return account
    }

    private struct State {
        var account = 0..<0
        var balance: Int64 = 0
        var held: Int64 = 0
        var postings: UInt64 = 0
    }

    /// - Parameter body: false if the account cannot hold it.
    /// - Returns: the balance after it.
    @inline(__always)
    private static func change(
        _ account: AccountFields, _ bytes: RawSpan, _ context: EventContext, in views: inout ViewTransaction,
        _ body: (inout State) -> Bool
    ) throws(ViewsError) -> Int64 {
        let (key, accounts, writer) = (account.key, views.buffers.accounts, views.buffers.writer)
        var state = State()
        func write(_ source: RawSpan, _ range: Range<Int>) throws(ViewsError) {
            guard body(&state) else {
                let kind = AccountKind(rawValue: account.kindNumber) ?? .UNRECOGNIZED(account.kindNumber)
                throw .broken(sequence: context.sequence, .accountOverflow(kind: kind))
            }
            writer.begin()
            writer.message(1 << 3 | 2, source, range)
            writer.signed(2 << 3, state.balance)
            writer.signed(3 << 3, state.held)
            writer.number(4 << 3, state.postings)
        }
        if let row = try views.find(key, in: .accounts, accounts) {
            try accounts.withValue(row) { old throws(ViewsError) in
                var reader = WireReader(old)
                while reader.next(in: old) {
                    switch reader.tag {
                    case 1 << 3 | 2: state.account = reader.range
                    case 2 << 3: state.balance = reader.signed
                    case 3 << 3: state.held = reader.signed
                    case 4 << 3: state.postings = reader.number
                    default: break
                    }
                }
                if reader.isMalformed { throw .unreadable(table: .accounts) }
                try write(old, state.account)
            }
        } else {
            try write(bytes, account.range)
        }
        writer.withBytes { accounts.put(key, $0) }
        return state.balance
    }

    private static func add(_ amount: Int64, to value: inout Int64) -> Bool {
        let (sum, overflow) = value.addingReportingOverflow(amount)
        value = sum
        return !overflow
    }

    private static func decoded(_ payload: RawSpan, _ context: EventContext) throws(ViewsError) -> JournalPosted {
        do {
            return try JournalPosted(serializedBytes: unsafe payload.withUnsafeBytes { unsafe Array($0) })
        } catch {
            throw CallFact.journalPosted.malformed(context)
        }
    }
}
