import Primitives
import Rating
import Reconciliation

/// A month of calls, and the statement that a carrier would write of them with known mistakes in it.
struct MadeStatement {
    struct Options {
        var calls = 2_000
        var numbers = 300
        var seed: UInt64 = 1
        /// Seconds that the carrier's zone is ahead of UTC, as a function of UTC seconds.
        var zone: (Int64) -> Int64 = { _ in 0 }
        var skewMilliseconds: Int64 = 0
        var basis = ClockShift.Basis.started
        /// Of a hundred lines, how many are made wrong; the kinds take turns.
        var wrongPercent = 20
        var days: Int64 = 28
    }

    private(set) var own = OwnCalls()
    private(set) var statement = Statement(lines: [], decimals: 4)
    /// What every line, and every call that is left out, must be found to be.
    private(set) var expected: [LineClass] = []
    private(set) var expectedMissingTheirs: [UInt64] = []
    private(set) var claim: Int64 = 0
    /// Of a line, the record that it was made from.
    private(set) var source: [UInt64?] = []

    /// 2026-10-12T00:00:00Z; European summer time ends on the 25th.
    static let begin: Int64 = 1_791_763_200

    init(_ options: Options) {
        var random = RandomSource(seed: options.seed)
        let price = Price(connectionFeeMicros: 0, perMinuteMicros: 12_300, increments: Increments(first: 1, next: 1), decimals: 4)
        let place = own.place(of: price)
        var numbers: [NumberKey] = []
        for index in 0..<options.numbers { numbers.append(NumberKey(e164: "+4930\(1_000_000 + index)")!) }
        // The last time that a number was called, so that two different calls are never so near that nobody could tell
        // which is which: 25 s apart, or at once and of different length.
        var last: [Int64] = Array(repeating: 0, count: numbers.count)
        var moment = Self.begin * 1_000_000
        var made: [(line: StatementLine, kind: LineClass, cdr: UInt64?)] = []
        let step = options.days * 86_400 * 1_000_000 / Int64(options.calls)
        for index in 0..<options.calls {
            moment += Int64.random(in: 1...(2 * step - 1), using: &random)
            let which = Int.random(in: 0..<numbers.count, using: &random)
            var started = moment
            if started < last[which] + 25_000_000 { started = last[which] + 25_000_000 }
            last[which] = started
            let ringing = Int64.random(in: 1_000_000...25_000_000, using: &random)
            let milliseconds = Int64.random(in: 5_000...900_000, using: &random)
            let answered = started + ringing
            last[which] = max(last[which], answered)
            let cdr = UInt64(index + 1)
            let billed = UInt32((milliseconds + 999) / 1_000)
            let micros = Self.charge(billed, 12_300)
            own.calls.append(
                OwnCall(cdr: cdr, number: numbers[which], started: started, answered: answered, milliseconds: milliseconds, billedSeconds: billed, micros: micros, price: place))
            var kind = LineClass.agreed
            if Int.random(in: 0..<100, using: &random) < options.wrongPercent { kind = LineClass.allCases[1 + index % 6] }
            // The carrier writes whole seconds, cut off.
            let utc = (options.basis == .started ? started : answered) + options.skewMilliseconds * 1_000
            let local = (utc / 1_000_000 + options.zone(utc / 1_000_000)) * 1_000_000
            var line = StatementLine(line: 0, number: numbers[which], start: local, milliseconds: Int64(billed) * 1_000, micros: micros)
            switch kind {
            case .agreed: made.append((line, .agreed, cdr))
            case .missingOurs:
                made.append((line, .agreed, cdr))
                // A call that we never made, to a number that we do call, half an hour away from it.
                line.start += 1_200_000_000
                line.number = numbers[(which + 1) % numbers.count]
                line.number = NumberKey(e164: "+4940\(1_000_000 + index)")!
                made.append((line, .missingOurs, nil))
                claim += micros
            case .missingTheirs: expectedMissingTheirs.append(cdr)
            case .duration:
                line.milliseconds += Int64.random(in: 3...60, using: &random) * 1_000
                line.micros = Self.charge(UInt32(line.milliseconds / 1_000), 12_300)
                claim += line.micros - micros
                made.append((line, .duration, cdr))
            case .rate:
                line.micros = Self.charge(billed, 14_100) + 300
                claim += line.micros - micros
                made.append((line, .rate, cdr))
            case .rounding:
                // A whole second more than we count, and it shows in the amount: within the tolerance of durations.
                line.micros = Self.charge(billed + 1, 12_300)
                line.milliseconds = Int64(billed) * 1_000
                let isSmall = abs(line.micros - micros) <= 100
                if !isSmall { claim += line.micros - micros }
                made.append((line, isSmall ? .agreed : .rounding, cdr))
            case .duplicate:
                made.append((line, .agreed, cdr))
                made.append((line, .duplicate, nil))
                claim += micros
            }
        }
        // A statement is in no order that can be relied on, but what is said twice is said first and then again.
        var order = made.indices.map { (key: made[$0].line.start / 3_600_000_000, place: $0) }
        order.sort { ($0.key, $0.place) < ($1.key, $1.place) }
        for (number, entry) in order.enumerated() {
            var line = made[entry.place].line
            line.line = number + 2
            statement.lines.append(line)
            expected.append(made[entry.place].kind)
            source.append(made[entry.place].cdr)
        }
    }

    static func charge(_ seconds: UInt32, _ perMinute: Int64) -> Int64 {
        Int64(dividedHalfUp(Int128(perMinute) * Int128(seconds), by: 60 * 100) * 100)
    }
}
