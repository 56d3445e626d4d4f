import Model
import Rating
import Reconciliation
import Testing

/// Statements with known mistakes are made from calls, and every mistake must be found, and nothing else.
@Suite struct ReconciliationTests {
    private let euro = Currency("EUR")!

    private func check(_ made: MadeStatement, _ settings: ReconciliationSettings = ReconciliationSettings(), _ comment: Comment? = nil) -> Reconciliation {
        let result = Reconciliation(made.statement, made.own, euro, settings)
        var wrong: [String] = []
        for line in made.expected.indices where result.classes[line] != made.expected[line] {
            wrong.append("line \(made.statement.lines[line].line): \(result.classes[line]) instead of \(made.expected[line])")
        }
        #expect(wrong.isEmpty, "\(wrong.count) wrong: \(wrong.prefix(5)), shift \(result.shift)")
        for line in made.source.indices where made.expected[line] != .duplicate {
            if result.call(of: line)?.cdr != made.source[line] { Issue.record("line \(line) has the wrong call"); break }
        }
        #expect(result.missingTheirs.map { made.own.calls[$0].cdr } == made.expectedMissingTheirs)
        #expect(result.claimMicros == made.claim)
        let counted = LineClass.allCases.map { result[$0].count }.reduce(0, +)
        #expect(counted == made.statement.lines.count + made.expectedMissingTheirs.count)
        return result
    }

    @Test(arguments: 1...6 as ClosedRange<UInt64>) func everyMistakeIsFoundAndNothingElse(seed: UInt64) {
        var options = MadeStatement.Options()
        options.seed = seed
        let result = check(MadeStatement(options))
        #expect(result.shift.periods == [.init(from: .min, zoneSeconds: 0)] && result.shift.basis == .started)
        // Times are cut off to seconds, so the clock seems half a second behind.
        #expect((-1_000_000...0).contains(result.shift.skewMicroseconds))
        for kind in LineClass.allCases { #expect(result[kind].count > 0, "\(kind)") }
    }

    @Test(arguments: [-36_000, -18_000, 3_600, 7_200, 19_800, 20_700, 45_900] as [Int64], [0, 2_300, -45_000, 400_000] as [Int64])
    func theTimeZoneAndTheSkewAreFoundOut(zone: Int64, skew: Int64) {
        var options = MadeStatement.Options()
        options.zone = { _ in zone }
        options.skewMilliseconds = skew
        let result = check(MadeStatement(options))
        #expect(result.shift.periods == [.init(from: .min, zoneSeconds: zone)])
        #expect(abs(result.shift.skewMicroseconds - skew * 1_000 + 500_000) < 300_000)
    }

    @Test(arguments: ClockShift.Basis.allCases) func theMomentThatTheStatementCountsFromIsFoundOut(basis: ClockShift.Basis) {
        var options = MadeStatement.Options()
        options.basis = basis
        options.zone = { _ in 3_600 }
        #expect(check(MadeStatement(options)).shift.basis == basis)
    }

    /// Central Europe: summer time ends on 2026-10-25 at 01:00 UTC, and the hour from two to three comes twice.
    @Test(arguments: 1...4 as ClosedRange<UInt64>) func theEndOfSummerTimeWithinAStatementIsFoundOut(seed: UInt64) {
        let change: Int64 = 1_792_890_000
        var options = MadeStatement.Options()
        options.seed = seed
        options.calls = 6_000
        options.zone = { $0 < change ? 7_200 : 3_600 }
        let result = check(MadeStatement(options))
        #expect(result.shift.periods == [.init(from: .min, zoneSeconds: 7_200), .init(from: change * 1_000_000, zoneSeconds: 3_600)])
    }

    @Test func theBeginningOfSummerTimeAndBothChangesOfAYearAreFoundOut() {
        let (end, begin) = (1_792_890_000 as Int64, 1_806_195_600 as Int64)
        var options = MadeStatement.Options()
        options.calls = 20_000
        options.numbers = 1_000
        options.days = 300
        options.zone = { $0 < end || $0 >= begin ? 7_200 : 3_600 }
        let result = check(MadeStatement(options))
        #expect(result.shift.periods.map(\.zoneSeconds) == [7_200, 3_600, 7_200])
        #expect(result.shift.periods.dropFirst().map(\.from) == [end * 1_000_000, begin * 1_000_000])
    }

    @Test func callsToOneNumberAloneAreToldApart() {
        var options = MadeStatement.Options()
        options.numbers = 1
        options.calls = 3_000
        options.zone = { _ in -18_000 }
        _ = check(MadeStatement(options))
    }

    @Test func aHandfulOfLinesIsEnough() {
        var options = MadeStatement.Options()
        options.calls = 5
        options.wrongPercent = 0
        options.zone = { _ in 3_600 }
        _ = check(MadeStatement(options))
    }

    private func one(_ number: String = "+4930123", at second: Int64, lasting seconds: Int64, cdr: UInt64 = 1, _ own: inout OwnCalls) {
        let price = own.place(of: Price(connectionFeeMicros: 0, perMinuteMicros: 12_300, increments: Increments(first: 1, next: 1), decimals: 4))
        own.calls.append(
            OwnCall(
                cdr: cdr, number: NumberKey(e164: number)!, started: second * 1_000_000, answered: second * 1_000_000, milliseconds: seconds * 1_000,
                billedSeconds: UInt32(seconds), micros: MadeStatement.charge(UInt32(seconds), 12_300), price: price))
    }

    private func line(_ line: Int, _ number: String = "+4930123", at second: Int64, lasting seconds: Int64, micros: Int64? = nil) -> StatementLine {
        StatementLine(
            line: line, number: NumberKey(e164: number)!, start: second * 1_000_000, milliseconds: seconds * 1_000,
            micros: micros ?? MadeStatement.charge(UInt32(seconds), 12_300))
    }

    private func fixed() -> ReconciliationSettings {
        var settings = ReconciliationSettings()
        settings.shift = ClockShift()
        return settings
    }

    @Test func ofCallsAtOnceTheOneOfEqualDurationIsTaken() {
        var own = OwnCalls()
        one(at: 1_000, lasting: 300, cdr: 1, &own)
        one(at: 1_001, lasting: 10, cdr: 2, &own)
        let lines = [line(2, at: 1_000, lasting: 10), line(3, at: 1_001, lasting: 300)]
        let result = Reconciliation(Statement(lines: lines, decimals: 4), own, euro, fixed())
        #expect(result.call(of: 0)?.cdr == 2 && result.call(of: 1)?.cdr == 1)
        #expect(result.classes == [.agreed, .agreed])
    }

    @Test func theToleranceOfTimeIncludesItsEdge() {
        for (seconds, expected) in [(4, LineClass.agreed), (5, .agreed), (6, .missingOurs)] {
            var own = OwnCalls()
            one(at: 1_000, lasting: 60, &own)
            let statement = Statement(lines: [line(2, at: 1_000 + Int64(seconds), lasting: 60)], decimals: 4)
            #expect(Reconciliation(statement, own, euro, fixed()).classes == [expected])
        }
    }

    @Test func theSameLineTwiceIsOneCallAndOneDuplicateEvenWhereWeHaveNeither() {
        var own = OwnCalls()
        one(at: 1_000, lasting: 60, &own)
        let lines = [
            line(2, at: 1_000, lasting: 60), line(3, at: 1_000, lasting: 60), line(4, at: 1_000, lasting: 60),
            line(5, at: 9_000, lasting: 7), line(6, at: 9_000, lasting: 7),
        ]
        let result = Reconciliation(Statement(lines: lines, decimals: 4), own, euro, fixed())
        #expect(result.classes == [.agreed, .duplicate, .duplicate, .missingOurs, .duplicate])
        #expect(result.reason(of: 1) == "the same as line 2")
        #expect(result.reason(of: 4) == "the same as line 5")
    }

    @Test func aCallThatNobodyAnsweredIsNotMissedButItsChargeIsDisputed() {
        var own = OwnCalls()
        own.calls.append(OwnCall(cdr: 1, number: NumberKey(e164: "+4930123")!, started: 1_000_000_000, answered: 0, milliseconds: 0, billedSeconds: 0, micros: 0, price: nil))
        own.calls.append(OwnCall(cdr: 2, number: NumberKey(e164: "+4930124")!, started: 1_000_000_000, answered: 0, milliseconds: 0, billedSeconds: 0, micros: 0, price: nil))
        let lines = [line(2, at: 1_000, lasting: 30), line(3, "+4930124", at: 1_000, lasting: 0, micros: 0)]
        let result = Reconciliation(Statement(lines: lines, decimals: 4), own, euro, fixed())
        #expect(result.classes == [.duration, .agreed])
        #expect(result.reason(of: 0) == "nobody answered this call")
        #expect(result.claimMicros == MadeStatement.charge(30, 12_300))
        #expect(result.missingTheirs.isEmpty)
    }

    @Test func theCauseOfADifferentAmountIsSaid() {
        var own = OwnCalls()
        for index in 0..<4 { one("+493012\(index)", at: 1_000, lasting: 35, cdr: UInt64(index + 1), &own) }
        let exact = 12_300 * 35 / 60  // 7175 micros; our deck rounds to 7200
        let lines = [
            line(2, "+4930120", at: 1_000, lasting: 35, micros: MadeStatement.charge(60, 12_300)),
            line(3, "+4930121", at: 1_000, lasting: 35, micros: 24_600 * 35 / 60),
            line(4, "+4930122", at: 1_000, lasting: 35, micros: 10_000),
            line(5, "+4930123", at: 1_000, lasting: 60, micros: MadeStatement.charge(60, 12_300)),
        ]
        let result = Reconciliation(Statement(lines: lines, decimals: 2), own, euro, fixed())
        #expect(exact == 7_175)
        #expect(result.classes == [.rounding, .rounding, .rounding, .duration])
        let fine = Reconciliation(Statement(lines: lines, decimals: 4), own, euro, fixed())
        #expect(fine.classes == [.rate, .rate, .rate, .duration])
        #expect(fine.reason(of: 0) == "right for increments 60/60; agreed are 1/1")
        #expect(fine.reason(of: 1) == "as at 0.0246 a minute; agreed is 0.0123")
        #expect(fine.reason(of: 3).contains("as 60/60 increments count it"))
    }

    @Test func aStatementWithoutAmountsIsComparedByDurationAlone() {
        var own = OwnCalls()
        one(at: 1_000, lasting: 60, &own)
        var statement = Statement(lines: [line(2, at: 1_000, lasting: 60, micros: 0)], decimals: 0)
        statement.hasAmounts = false
        #expect(Reconciliation(statement, own, euro, fixed()).classes == [.agreed])
    }

    @Test func callsOutsideTheStatementsPeriodAreNotMissed() {
        var own = OwnCalls()
        for (index, second) in [500, 1_000, 1_500, 2_000, 2_500].enumerated() { one("+493012\(index)", at: Int64(second), lasting: 60, cdr: UInt64(index + 1), &own) }
        let lines = [line(2, "+4930121", at: 1_000, lasting: 60), line(3, "+4930123", at: 2_000, lasting: 60)]
        let statement = Statement(lines: lines, decimals: 4)
        #expect(Reconciliation(statement, own, euro, fixed()).missingTheirs == [2])
        #expect(Reconciliation(statement, own, euro, fixed(), period: 0..<10_000_000_000).missingTheirs == [0, 2, 4])
    }

    @Test func nothingAtAllIsReconciledToo() {
        let result = Reconciliation(Statement(lines: [], decimals: 0), OwnCalls(), euro, ReconciliationSettings())
        #expect(result.classes.isEmpty && result.claimMicros == 0)
    }
}
