import ArgumentParser
import Model
import Primitives
import Rating

struct RatingGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rating", abstract: "Prices found and charges computed.",
        discussion: "Example: ledgerline-bench rating")

    mutating func run() throws {
        try charge()
    }

    /// What rating a finished call costs: the longest prefix is found in a deck of 100,000 entries, the charge is
    /// computed from it in 128 bits, and the two postings are made. No disk.
    private func charge() throws {
        var random = RandomSource(seed: 1)
        var prefixes: Set<String> = []
        while prefixes.count < 100_000 {
            prefixes.insert(digits(Int.random(in: 3...8, using: &random), &random))
        }
        // Sorted: a set's order differs from run to run.
        let deck = DeckIndex(
            prefixes.sorted().map { prefix in
                var entry = RateEntry()
                entry.prefix = prefix
                entry.perMinuteMicros = Int64.random(in: 1_000...500_000, using: &random)
                entry.firstIncrementSeconds = 30
                entry.nextIncrementSeconds = 6
                return entry
            })
        let numbers = (0..<4_096).map { _ in digits(12, &random) }
        var lock = RateLock()
        lock.edge = "retail"
        lock.decimals = 4
        lock.currency = "EUR"
        lock.payer.currency = "EUR"
        lock.payee.currency = "EUR"
        lock.payee.kind = .providerRevenue
        var index = 0
        let time = try timePerRun(round: 1_024) {
            index = (index + 1) % numbers.count
            guard let entry = deck.entry(for: numbers[index]) else { return }
            lock.entry = entry
            let charge = try Rater.charge(lock, seconds: UInt64(index))
            use(try Rater.postings(for: [charge]))
        }
        Figure(name: "rating.charge", value: .seconds(1) / time, unit: "calls/s").print()
    }

    private func digits(_ count: Int, _ random: inout RandomSource) -> String {
        String(decoding: (0..<count).map { _ in UInt8.random(in: 0x30...0x39, using: &random) }, as: UTF8.self)
    }
}
