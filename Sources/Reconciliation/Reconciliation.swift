package import Model

/// A statement laid beside our calls: what every line is, and the sums.
package struct Reconciliation: Sendable {
    /// Count and sums of one class.
    package struct Total: Hashable, Sendable {
        package var count = 0
        package var theirMicros: Int64 = 0
        package var ourMicros: Int64 = 0
        package var theirMilliseconds: Int64 = 0
        package var ourMilliseconds: Int64 = 0

        package var differenceMicros: Int64 { theirMicros - ourMicros }
    }

    package let statement: Statement
    package let calls: OwnCalls
    /// Of both sides: a carrier has one cost deck.
    package let currency: Currency
    package let settings: ReconciliationSettings
    package let shift: ClockShift
    /// For every line of the statement.
    package private(set) var classes: [LineClass] = []
    /// Places of the calls that the carrier does not list, in the order of their records' numbers.
    package private(set) var missingTheirs: [Int] = []
    /// In the order of `LineClass.allCases`.
    package private(set) var totals: [Total]
    private let matcher: Matcher

    /// - Parameter period: UTC, microseconds; calls outside of it are used for matching, but not missed in the statement. nil:
    ///   from the first to the last line.
    package init(
        _ statement: Statement, _ calls: OwnCalls, _ currency: Currency, _ settings: ReconciliationSettings, period: Range<Int64>? = nil
    ) {
        self.statement = statement
        self.currency = currency
        self.calls = calls
        self.settings = settings
        shift = settings.shift ?? ShiftDetector(statement.lines, calls, settings).shift()
        matcher = Matcher(statement.lines, calls.calls, shift, settings)
        totals = Array(repeating: Total(), count: LineClass.allCases.count)
        classes.reserveCapacity(statement.lines.count)
        for place in statement.lines.indices {
            let kind = classify(place)
            classes.append(kind)
            let line = statement.lines[place]
            add(kind, line, call(of: place))
        }
        let range = period ?? Self.span(of: statement.lines, shift, settings)
        for place in calls.calls.indices where matcher.lineOfCall[place] < 0 {
            let call = calls.calls[place]
            guard call.isAnswered, range.contains(shift.moment(of: call)) else { continue }
            missingTheirs.append(place)
            add(.missingTheirs, nil, call)
        }
        missingTheirs.sort { calls.calls[$0].cdr < calls.calls[$1].cdr }
    }

    package subscript(_ kind: LineClass) -> Total { totals[Self.place(kind)] }

    package func call(of line: Int) -> OwnCall? {
        let place = matcher.callOfLine[line]
        return place < 0 ? nil : calls.calls[Int(place)]
    }

    /// The line that a duplicate repeats.
    package func original(of line: Int) -> StatementLine? {
        let place = matcher.original[line]
        return place < 0 ? nil : statement.lines[Int(place)]
    }

    /// What the carrier asks for beyond our books, for a line.
    package func difference(of line: Int) -> Int64 { statement.lines[line].micros - (call(of: line)?.micros ?? 0) }

    /// Lines that are disputed: those of a disputable class for which more is asked than is due.
    package var disputed: [Int] { statement.lines.indices.filter { classes[$0].isDisputable && difference(of: $0) > 0 } }

    package var claimMicros: Int64 { disputed.reduce(0) { $0 + difference(of: $1) } }

    /// What the carrier asks for too little, over all lines.
    package var inOurFavourMicros: Int64 {
        statement.lines.indices.reduce(0) { $0 - (classes[$1].isDisputable ? min(0, difference(of: $1)) : 0) }
    }

    private func classify(_ place: Int) -> LineClass {
        guard let call = call(of: place) else { return matcher.original[place] < 0 ? .missingOurs : .duplicate }
        let line = statement.lines[place]
        guard settings.durationAgrees(line, call) else { return .duration }
        guard statement.hasAmounts, abs(line.micros - call.micros) > settings.amountToleranceMicros else { return .agreed }
        return AmountDifference(line, call, calls.price(of: call), decimals: statement.decimals, settings).isRounding ? .rounding : .rate
    }

    private mutating func add(_ kind: LineClass, _ line: StatementLine?, _ call: OwnCall?) {
        let index = Self.place(kind)
        totals[index].count += 1
        totals[index].theirMicros += line?.micros ?? 0
        totals[index].ourMicros += call?.micros ?? 0
        totals[index].theirMilliseconds += line?.milliseconds ?? 0
        totals[index].ourMilliseconds += call?.milliseconds ?? 0
    }

    private static func place(_ kind: LineClass) -> Int {
        switch kind {
        case .agreed: 0
        case .missingOurs: 1
        case .missingTheirs: 2
        case .duration: 3
        case .rate: 4
        case .rounding: 5
        case .duplicate: 6
        }
    }

    private static func span(of lines: [StatementLine], _ shift: ClockShift, _ settings: ReconciliationSettings) -> Range<Int64> {
        guard let first = lines.map(\.start).min(), let last = lines.map(\.start).max() else { return 0..<0 }
        let tolerance = settings.timeToleranceMicroseconds
        return shift.moment(of: first) - tolerance..<shift.moment(of: last) + tolerance + 1
    }
}
