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
        try million()
    }

    /// A deck of a million prefixes, as an import gives it: how long its file is read, what it takes of memory, and how many
    /// calls a second are rated by it on one core, each with its row found, its charge and its two postings.
    private func million() throws {
        var random = RandomSource(seed: 2)
        var prefixes: Set<String> = []
        while prefixes.count < 1_000_000 { prefixes.insert(digits(Int.random(in: 4...9, using: &random), &random)) }
        var text = "prefix,destination,rate,increments\n"
        for (number, prefix) in prefixes.sorted().enumerated() {
            text += "\(prefix),Destination \(number / 700),0.\(String(1_000 + number * 7_919 % 9_000)),\(number % 3 == 0 ? "60/60" : "30/6")\n"
        }
        let bytes = Array(text.utf8)
        let clock = ContinuousClock()
        var began = clock.now
        let file = DeckFile(bytes, DeckFile.Terms(currency: "EUR"))
        guard file.faults.isEmpty else { throw ValidationError("the file has faults: \(file.faults[0])") }
        Figure(name: "rating.million_file", value: (clock.now - began) / .seconds(1), unit: "s").print()
        let rows = file.entries(from: 0, limit: file.count)
        began = clock.now
        var packed = 0
        for start in stride(from: 0, to: rows.count, by: 2_048) {
            packed += RateDeckRowsAdded(rows: rows[start..<min(rows.count, start + 2_048)]).packed.count
        }
        Figure(name: "rating.million_packing", value: (clock.now - began) / .seconds(1), unit: "s").print()
        Figure(name: "rating.million_row", value: Double(packed) / Double(rows.count), unit: "bytes").print()
        let deck = DeckIndex(rows)
        Figure(name: "rating.million_memory", value: Double(deck.bytes) / 1_048_576, unit: "MiB").print()
        let numbers = (0..<65_536).map { _ in digits(12, &random) }
        Figure(name: "rating.million_charge", value: try rate(numbers, by: deck), unit: "calls/s").print()
    }

    /// Calls a second, of up to 1,023 seconds: the price is found, the charge computed, the two postings made.
    private func rate(_ numbers: [String], by deck: DeckIndex) throws -> Double {
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
            let charge = try Rater.charge(lock, seconds: UInt64(index & 1_023))
            use(try Rater.postings(for: [charge]))
        }
        return .seconds(1) / time
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
        Figure(name: "rating.charge", value: try rate(numbers, by: deck), unit: "calls/s").print()
    }

    private func digits(_ count: Int, _ random: inout RandomSource) -> String {
        String(decoding: (0..<count).map { _ in UInt8.random(in: 0x30...0x39, using: &random) }, as: UTF8.self)
    }
}
