public import Model
import Primitives

/// What calls count for in statistics: a row for every attempt, by time, parties, destination and outcome.
public enum StatisticsProjection: Projection {
    public static let name = "statistics"
    public static let version: UInt32 = 1
    public static let tables: [Table] = [.statistics, .statisticsParties]

    /// Records are facts of calls.
    public static func evolve(
        _ event: Event, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) {}

    public static func evolve(
        _ fact: CallFact, _ payload: RawSpan, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) -> Bool {
        switch fact {
        case .cdrRecorded: try record(payload, context, in: &views)
        case .callStarted, .callAnswered, .callUpdated, .callAdopted, .creditRenewed, .callEnded, .journalPosted: break
        }
        return true
    }

    private struct Party {
        var provider, customer, tenant, carrier, gateway: UUIDv7?

        init() {}

        init(_ bytes: RawSpan, _ range: Range<Int>, _ isMalformed: inout Bool) {
            var reader = WireReader(range)
            while reader.next(in: bytes) {
                switch reader.tag {
                case 2 << 3 | 2: tenant = reader.id(in: bytes)
                case 3 << 3 | 2: customer = reader.id(in: bytes)
                case 4 << 3 | 2: provider = reader.id(in: bytes)
                case 5 << 3 | 2: carrier = reader.id(in: bytes)
                case 6 << 3 | 2: gateway = reader.id(in: bytes)
                default: break
                }
            }
            if reader.isMalformed { isMalformed = true }
        }
    }

    private struct Attempt {
        var gateway: UUIDv7?
        var started, ringing, ended: Int64
        var status: UInt64

        init(_ bytes: RawSpan, _ range: Range<Int>, _ isMalformed: inout Bool) {
            (started, ringing, ended, status) = (0, 0, 0, 0)
            var reader = WireReader(range)
            while reader.next(in: bytes) {
                switch reader.tag {
                case 2 << 3 | 2: gateway = reader.id(in: bytes)
                case 4 << 3: started = Int64(bitPattern: reader.number)
                case 5 << 3: ringing = Int64(bitPattern: reader.number)
                case 6 << 3: ended = Int64(bitPattern: reader.number)
                case 7 << 3: status = reader.number
                default: break
                }
            }
            if reader.isMalformed { isMalformed = true }
        }

        var isAnswered: Bool { (200..<300).contains(status) }

        var outcome: StatisticsRow.Outcome {
            switch status {
            case 200..<300: .answered
            case 486, 600: .busy
            case 408, 480: ringing == 0 ? .failed : .noAnswer
            case 487: .cancelled
            case 603, 606: .rejected
            default: .failed
            }
        }
    }

    private static func record(
        _ payload: RawSpan, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) {
        var cdr = 0..<0
        var outer = WireReader(payload)
        while outer.next(in: payload) {
            if outer.tag == 1 << 3 | 2 { cdr = outer.range }
        }
        var (number, direction, cause, refusal, status, talk): (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0, 0)
        var (started, answered, firstRinging): (Int64, Int64, Int64) = (0, 0, 0)
        var (caller, called) = (Party(), Party())
        // Most calls go to one gateway: no array is made for it.
        var first: Attempt?
        var more: [Attempt] = []
        var answeredGateway: UUIDv7?
        var prefix: UInt32 = 0
        var isMalformed = false
        var reader = WireReader(cdr)
        while reader.next(in: payload) {
            switch reader.tag {
            case 1 << 3: number = reader.number
            case 3 << 3: direction = reader.number
            case 4 << 3 | 2: caller = Party(payload, reader.range, &isMalformed)
            case 5 << 3 | 2: called = Party(payload, reader.range, &isMalformed)
            case 8 << 3: started = Int64(bitPattern: reader.number)
            case 9 << 3: answered = Int64(bitPattern: reader.number)
            case 11 << 3: talk = reader.number
            case 12 << 3: cause = reader.number
            case 13 << 3: status = reader.number
            case 14 << 3: refusal = reader.number
            case 15 << 3 | 2:
                let attempt = Attempt(payload, reader.range, &isMalformed)
                if attempt.ringing > 0, firstRinging == 0 || attempt.ringing < firstRinging { firstRinging = attempt.ringing }
                guard attempt.gateway != nil else { break }
                if first == nil { first = attempt } else { more.append(attempt) }
            case 22 << 3 | 2: answeredGateway = reader.id(in: payload)
            case 80 << 3 | 2: prefix = digits(payload, reader.range)
            default: break
            }
        }
        guard !outer.isMalformed, !reader.isMalformed, !isMalformed else { throw CallFact.cdrRecorded.malformed(context) }

        let isInbound = direction == UInt64(CallDirection.inbound.rawValue)
        let ours = isInbound ? called : caller
        var row = StatisticsRow()
        row.startedSeconds = UInt32(clamping: started / 1_000_000)
        row.callDelay = delay(from: started, to: firstRinging > 0 ? firstRinging : answered)
        row.provider = try code(of: ours.provider ?? caller.provider, in: &views)
        row.customer = try code(of: ours.customer, in: &views)
        row.tenant = try code(of: ours.tenant, in: &views)
        row.prefix = prefix
        row.cause = UInt8(clamping: cause)
        row.refusal = UInt8(clamping: refusal)
        let flags = UInt8(truncatingIfNeeded: direction) & StatisticsRow.Flag.direction

        let rows = views.buffers.statistics
        rows.add(
            StatisticsBlock.Head(
                record: number, recordedSeconds: UInt32(clamping: context.time.microseconds / 1_000_000), rows: 1 + more.count))
        guard let first else {
            row.carrier = try code(of: isInbound ? caller.carrier : called.carrier, in: &views)
            row.gateway = try code(of: isInbound ? caller.gateway : answeredGateway, in: &views)
            row.attemptDelay = row.callDelay
            row.sipStatus = UInt16(clamping: status)
            row.talkMilliseconds = UInt32(clamping: talk)
            row.outcome = outcome(cause, isAnswered: answered != 0)
            row.flags = flags | StatisticsRow.Flag.isLast
            if row.outcome != .refused { row.flags |= StatisticsRow.Flag.isSeizure }
            if isEffective(row.outcome, hasRung: firstRinging > 0) { row.flags |= StatisticsRow.Flag.isEffective }
            return rows.add(row)
        }
        var left = more.count
        func add(_ attempt: Attempt, _ views: inout ViewTransaction) throws(ViewsError) {
            let isLast = left == 0
            left -= 1
            row.carrier = try code(of: try carrier(of: attempt.gateway, in: &views) ?? called.carrier, in: &views)
            row.gateway = try code(of: attempt.gateway, in: &views)
            row.attemptDelay = delay(from: attempt.started, to: attempt.ringing > 0 ? attempt.ringing : attempt.isAnswered ? attempt.ended : 0)
            row.sipStatus = UInt16(clamping: attempt.status)
            row.talkMilliseconds = isLast ? UInt32(clamping: talk) : 0
            row.outcome = attempt.outcome
            row.flags = flags | StatisticsRow.Flag.isSeizure | (isLast ? StatisticsRow.Flag.isLast : 0)
            if isEffective(row.outcome, hasRung: attempt.ringing > 0) { row.flags |= StatisticsRow.Flag.isEffective }
            rows.add(row)
        }
        try add(first, &views)
        for attempt in more { try add(attempt, &views) }
    }

    private static func outcome(_ cause: UInt64, isAnswered: Bool) -> StatisticsRow.Outcome {
        if isAnswered { return .answered }
        guard let cause = EndCause(rawValue: Int(truncatingIfNeeded: cause)) else { return .failed }
        return switch cause {
        case .busy: .busy
        case .noAnswer: .noAnswer
        case .rejected: .rejected
        case .cancelled, .callerHungUp: .cancelled
        case .refused: .refused
        case .unspecified, .calledHungUp, .unreachable, .creditExhausted, .mediaTimeout, .workerLost, .operator, .failed, .sessionExpired, .UNRECOGNIZED: .failed
        }
    }

    private static func isEffective(_ outcome: StatisticsRow.Outcome, hasRung: Bool) -> Bool {
        switch outcome {
        case .answered, .busy, .noAnswer, .rejected: true
        case .cancelled: hasRung
        case .failed, .refused: false
        }
    }

    private static func delay(from: Int64, to: Int64) -> UInt32 {
        guard to > 0, to >= from else { return StatisticsRow.never }
        return min(UInt32(clamping: (to - from) / 1_000), StatisticsRow.never - 1)
    }

    /// The digits behind a 1, so that zeros at the beginning count.
    private static func digits(_ bytes: RawSpan, _ range: Range<Int>) -> UInt32 {
        var number: UInt32 = 1
        for offset in range.prefix(7) {
            let byte = unsafe bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
            guard (0x30...0x39).contains(byte) else { return 0 }
            number = number * 10 + UInt32(byte - 0x30)
        }
        return number == 1 ? 0 : number
    }

    /// As the directory says when the record is made.
    private static func carrier(of gateway: UUIDv7?, in views: inout ViewTransaction) throws(ViewsError) -> UUIDv7? {
        guard let gateway else { return nil }
        if let known = views.buffers.carriers[gateway] { return known }
        guard let row = try views.value(Key(gateway), in: .gateways), let carrier = UUIDv7(bytes: row) else { return nil }
        views.buffers.carriers[gateway] = carrier
        return carrier
    }

    /// The number that stands for a party; given when it is first seen.
    private static func code(of id: UUIDv7?, in views: inout ViewTransaction) throws(ViewsError) -> UInt32 {
        guard let id else { return 0 }
        let parties = views.buffers.statisticsParties
        if let known = try views.number(FixedKey(id), in: .statisticsParties, parties) { return UInt32(truncatingIfNeeded: known) }
        let next = (try views.number(FixedKey(.platform), in: .statisticsParties, parties) ?? 0) + 1
        parties.put(FixedKey(.platform), number: next)
        parties.put(FixedKey(id), number: next)
        return UInt32(truncatingIfNeeded: next)
    }
}
