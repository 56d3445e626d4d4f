import ArgumentParser
import Glibc
import Model
import Primitives
import Rating
import Reconciliation

struct ReconcileGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reconcile", abstract: "A carrier's statement read and laid beside our calls.",
        discussion: "Example: ledgerline-bench reconcile --lines 1000000")

    @Option(help: "Lines of the statement, and calls of ours.") var lines = 1_000_000
    @Option(help: "Make this directory instead, with data/ (log and views of so many calls) and statement.csv, for ledgerline cdr reconcile.")
    var make: String?

    /// What a month's statement costs: a file of so many lines is read, its clock found, every line matched with one of as
    /// many calls and classified. Calls are to 50,000 numbers; one line in a hundred is wrong. No disk.
    mutating func run() throws {
        let (file, calls) = makeStatement()
        if let make { return try ReconcileData(directory: make).write(file, calls) }
        let clock = ContinuousClock()
        let start = clock.now
        var settings = StatementSettings()
        settings.map = "called=called,start=start,duration=duration,amount=cost"
        let reader = try StatementReader(file, settings)
        let statement = try reader.read()
        let read = clock.now
        guard let currency = Currency("EUR") else { return }
        let result = Reconciliation(statement, calls, currency, ReconciliationSettings())
        let end = clock.now
        guard result[.agreed].count > lines * 98 / 100, result.shift.periods.first?.zoneSeconds == 7_200 else {
            throw ValidationError("the statement was not recognised: \(result[.agreed].count) of \(lines) lines agree")
        }
        Figure(name: "reconcile.lines", value: Double(lines) / ((end - start) / .seconds(1)), unit: "lines/s").print()
        Figure(name: "reconcile.read", value: Double(lines) / ((read - start) / .seconds(1)), unit: "lines/s").print()
        Figure(name: "reconcile.memory", value: peakMemoryMiB(), unit: "MiB").print()
    }

    private func makeStatement() -> ([UInt8], OwnCalls) {
        var random = RandomSource(seed: 7)
        var own = OwnCalls()
        own.calls.reserveCapacity(lines)
        let place = own.place(of: Price(connectionFeeMicros: 0, perMinuteMicros: 12_300, increments: Increments(first: 1, next: 1), decimals: 4))
        var file = Array("called;start;duration;cost\r\n".utf8)
        file.reserveCapacity(lines * 64)
        // A month from 2026-11-01 on.
        let begin: Int64 = 1_793_491_200_000_000
        let step = 30 * 86_400_000_000 / Int64(lines)
        for index in 0..<lines {
            let started = begin + Int64(index) * step + Int64.random(in: 0..<step, using: &random)
            let number: UInt64 = 493_010_000_000 + UInt64.random(in: 0..<50_000, using: &random)
            let milliseconds = Int64.random(in: 1_000...600_000, using: &random)
            let billed = UInt32((milliseconds + 999) / 1_000)
            var micros = Int64(dividedHalfUp(12_300 * Int128(billed), by: 6_000) * 100)
            if let key = NumberKey(e164: "\(number)") {
                own.calls.append(
                    OwnCall(
                        cdr: UInt64(index + 1), number: key, started: started, answered: started + 3_000_000, milliseconds: milliseconds,
                        billedSeconds: billed, micros: micros, price: place))
            }
            if index % 100 == 0 { micros += 5_000 }
            let local = WallTime(microseconds: started / 1_000_000 * 1_000_000 + 7_200_000_000).rfc3339
            let amount = Money.decimalText(micros)
            file += Array("+\(number);\(local.prefix(10)) \(local.dropFirst(11).prefix(8));\(billed);\(amount)\r\n".utf8)
        }
        return (file, own)
    }

    private func peakMemoryMiB() -> Double {
        var usage = rusage()
        unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return Double(usage.ru_maxrss) / 1_024
    }
}

extension Money {
    fileprivate static func decimalText(_ micros: Int64) -> String { Currency("EUR").map { Money(micros: micros, $0).decimal } ?? "" }
}
