public import Model
import Primitives

/// What lines and customers spend: charges by the quarter of an hour, and what is held for calls that run. Only calls that
/// a security group was asked about are counted, because only its limits ask for it.
///
/// Quarters of an hour, because a day begins at one of them in every time zone. They are kept for as long as a day can ask
/// for them, and go when the same line or customer is charged again.
public enum SpendProjection: Projection {
    public static let name = "spend"
    public static let version: UInt32 = 1
    public static let tables: [Table] = [.spend, .spendHolds]

    public static let quarter: Int64 = 15 * 60 * 1_000_000
    /// A day of 25 hours, and some.
    static let quartersKept: Int64 = 3 * 24 * 4
    /// Where a party's held money stands: behind all of its quarters.
    static let held = UInt64.max

    /// Everything that it counts is a fact of a call.
    public static func evolve(
        _ event: Event, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) {}

    public static func evolve(
        _ fact: CallFact, _ payload: RawSpan, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) -> Bool {
        switch fact {
        case .callStarted: try start(payload, context, in: &views)
        case .creditRenewed: try renew(payload, context, in: &views)
        case .callEnded: try hold(nil, of: Key(try fact.callID(payload, context)), in: &views)
        case .cdrRecorded: try charge(payload, context, in: &views)
        case .callAnswered, .callUpdated, .callAdopted, .journalPosted: break
        }
        return true
    }

    /// Who pays with whose limits: the calling line and its customer.
    private struct Payer {
        var line: UUIDv7?
        var customer: UUIDv7?

        init(_ bytes: RawSpan, _ party: Range<Int>) {
            var reader = WireReader(party)
            while reader.next(in: bytes) {
                switch reader.tag {
                case 1 << 3 | 2: line = reader.id(in: bytes)
                case 3 << 3 | 2: customer = reader.id(in: bytes)
                default: break
                }
            }
        }
    }

    private static func start(
        _ payload: RawSpan, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) {
        var (call, caller, amount, isJudged): (UUIDv7?, Range<Int>, Int64?, Bool) = (nil, 0..<0, nil, false)
        var reader = WireReader(payload)
        while reader.next(in: payload) {
            switch reader.tag {
            case 1 << 3 | 2: call = reader.id(in: payload)
            case 4 << 3 | 2: caller = reader.range
            case 12 << 3 | 2: amount = self.amount(payload, reader.range)
            case 50 << 3 | 2: isJudged = !reader.range.isEmpty
            default: break
            }
        }
        guard !reader.isMalformed else { throw CallFact.callStarted.malformed(context) }
        guard isJudged, let amount, let call else { return }
        let payer = Payer(payload, caller)
        guard let line = payer.line, let customer = payer.customer else { return }
        try hold(nil, of: Key(call), in: &views)  // a second start replaces the first
        try add(amount, to: Key(line).adding(held), in: &views)
        try add(amount, to: Key(customer).adding(held), in: &views)
        let row = Key(line).adding(customer).adding(UInt64(bitPattern: amount))
        try views.put(row.bytes, Key(call), in: .spendHolds)
    }

    private static func renew(
        _ payload: RawSpan, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) {
        var (call, amount): (UUIDv7?, Int64) = (nil, 0)
        var reader = WireReader(payload)
        while reader.next(in: payload) {
            switch reader.tag {
            case 1 << 3 | 2: call = reader.id(in: payload)
            case 2 << 3 | 2: amount = self.amount(payload, reader.range)
            default: break
            }
        }
        guard !reader.isMalformed else { throw CallFact.creditRenewed.malformed(context) }
        guard let call else { throw .broken(sequence: context.sequence, .malformedField("call_id")) }
        try hold(amount, of: Key(call), in: &views)
    }

    /// What is held for a call from now on; nil: it has ended.
    private static func hold(_ amount: Int64?, of call: Key, in views: inout ViewTransaction) throws(ViewsError) {
        guard let row = try views.value(call, in: .spendHolds) else { return }
        var reader = KeyReader(row)
        guard let line = reader.id(), let customer = reader.id(), let before = reader.number64() else {
            throw .unreadable(table: .spendHolds)
        }
        let change = (amount ?? 0) &- Int64(bitPattern: before)
        try add(change, to: Key(line).adding(held), in: &views)
        try add(change, to: Key(customer).adding(held), in: &views)
        if let amount {
            try views.put(Key(line).adding(customer).adding(UInt64(bitPattern: amount)).bytes, call, in: .spendHolds)
        } else {
            try views.remove(call, in: .spendHolds)
        }
    }

    private static func charge(
        _ payload: RawSpan, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) {
        var cdr = 0..<0
        var outer = WireReader(payload)
        while outer.next(in: payload) {
            if outer.tag == 1 << 3 | 2 { cdr = outer.range }
        }
        var (caller, ended, amount, isJudged): (Range<Int>, Int64, Int64, Bool) = (0..<0, 0, 0, false)
        var reader = WireReader(cdr)
        while reader.next(in: payload) {
            switch reader.tag {
            case 4 << 3 | 2: caller = reader.range
            case 10 << 3: ended = Int64(bitPattern: reader.number)
            case 16 << 3 | 2: amount = amount &+ retail(payload, reader.range)
            case 50 << 3 | 2: isJudged = !reader.range.isEmpty
            default: break
            }
        }
        guard !outer.isMalformed, !reader.isMalformed else { throw CallFact.cdrRecorded.malformed(context) }
        guard isJudged, amount != 0 else { return }
        let payer = Payer(payload, caller)
        let quarter = max(0, ended) / Self.quarter
        for party in [payer.line, payer.customer] {
            guard let party else { continue }
            try forget(before: quarter - quartersKept, of: Key(party), in: &views)
            try add(amount, to: Key(party).adding(UInt64(quarter)), in: &views)
        }
    }

    /// At most two at a time: no more come in.
    private static func forget(
        before quarter: Int64, of party: Key, in views: inout ViewTransaction
    ) throws(ViewsError) {
        guard quarter > 0 else { return }
        for (key, _) in try views.page(.spend, prefix: party, limit: 2) {
            var reader = KeyReader(key.bytes)
            reader.skip(16)
            guard let number = reader.number64() else { throw .unreadable(table: .spend) }
            guard number < UInt64(quarter) else { return }
            try views.remove(key, in: .spend)
        }
    }

    private static func add(_ amount: Int64, to key: Key, in views: inout ViewTransaction) throws(ViewsError) {
        let before = Int64(bitPattern: try views.number(key, in: .spend) ?? 0)
        // Sums of amounts that each fit an account; the account itself refuses what does not.
        let sum = before &+ amount
        if sum == 0 {
            try views.remove(key, in: .spend)
        } else {
            try views.put(Key(UInt64(bitPattern: sum)).bytes, key, in: .spend)
        }
    }

    /// Of a `CreditHold`.
    private static func amount(_ bytes: RawSpan, _ hold: Range<Int>) -> Int64 {
        var reader = WireReader(hold)
        var amount: Int64 = 0
        while reader.next(in: bytes) {
            if reader.tag == 2 << 3 { amount = reader.signed }
        }
        return amount
    }

    /// The amount of a `Charge`, if it is what the customer pays.
    private static func retail(_ bytes: RawSpan, _ charge: Range<Int>) -> Int64 {
        var reader = WireReader(charge)
        var (amount, isRetail): (Int64, Bool) = (0, false)
        while reader.next(in: bytes) {
            switch reader.tag {
            case 1 << 3 | 2: isRetail = bytes.extracting(reader.range).isText("retail")
            case 6 << 3: amount = reader.signed
            default: break
            }
        }
        return isRetail ? amount : 0
    }
}

extension RawSpan {
    fileprivate func isText(_ text: StaticString) -> Bool {
        guard byteCount == text.utf8CodeUnitCount else { return false }
        return unsafe withUnsafeBytes { bytes in
            for index in 0..<bytes.count where unsafe bytes[index] != text.utf8Start[index] { return false }
            return true
        }
    }
}
