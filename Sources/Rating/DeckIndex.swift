public import Model

/// The entries of one deck version in memory, for questions of the kind "what if this deck ruled".
/// Live calls are priced from the rate table of the views by the same rule: a whole number goes before prefixes, the longest
/// prefix before shorter ones, any prefix before expressions, and the longest expression before the row for every number.
/// Of rows with the same number the one of the band in force goes before the one without a band.
///
/// Compact: 24 bytes a row beside the different prices and names, whatever their number. A million prefixes are found in by a
/// table of their first five digits, a few steps of bisection, and a chain from each prefix to the longest one within it.
public struct DeckIndex: Sendable {
    /// Packed numbers in ascending order, each once.
    private var numbers: [UInt64] = []
    /// Of each number: the place of the longest number that it begins with; -1: none.
    private var parents: [Int32] = []
    /// Of each number: its first row in `rows`, and one more for the end.
    private var starts: [UInt32] = [0]
    /// In the order in which they are looked at.
    private var rows: [(price: UInt32, destination: UInt32)] = []
    private var prices: [RateEntry] = []
    private var destinations: [String] = []
    /// The longest first.
    private var expressions: [RateEntry] = []
    private var compiled = RowPatterns()
    /// First number at or after each beginning of five digits.
    private var buckets: [UInt32] = []

    /// Of two entries with the same key the later one counts.
    public init(_ entries: some Sequence<RateEntry>) {
        var builder = Builder()
        for entry in entries { builder.append(entry) }
        self = builder.index()
    }

    private init() {}

    /// - Parameter digits: an E.164 number without the `+`.
    /// - Parameter band: the time band in force; 0: none.
    public func entry(for digits: some StringProtocol, band: UInt32 = 0) -> RateEntry? {
        var found: RateEntry?
        candidates(for: digits) { entry in
            guard entry.isInForce(in: band) else { return true }
            found = entry
            return false
        }
        return found
    }

    /// Every entry that the number fits, in the order in which they count; those of all time bands.
    public func candidates(for digits: some StringProtocol) -> [RateEntry] {
        var found: [RateEntry] = []
        candidates(for: digits) { entry in
            found.append(entry)
            return true
        }
        return found
    }

    /// Until `body` returns false.
    private func candidates(for digits: some StringProtocol, _ body: (RateEntry) -> Bool) {
        let wanted = PackedDigits(digits)
        var hasExpressions = !expressions.isEmpty
        var place = last(atOrBefore: wanted.packed)
        while place >= 0 {
            let number = numbers[place]
            let length = PackedDigits.count(number)
            guard PackedDigits.begins(wanted.packed, with: number, length) else {
                place = Int(parents[place])
                continue
            }
            if length == 0, hasExpressions {
                hasExpressions = false
                for entry in expressions where compiled.matches(entry, digits: digits) { guard body(entry) else { return } }
            }
            for row in starts[place]..<starts[place + 1] {
                let (price, destination) = rows[Int(row)]
                if prices[Int(price)].isExact, length != wanted.count { continue }
                var entry = prices[Int(price)]
                entry.prefix = PackedDigits.text(number, length)
                entry.destination = destinations[Int(destination)]
                guard body(entry) else { return }
            }
            place = Int(parents[place])
        }
        guard hasExpressions else { return }
        for entry in expressions where compiled.matches(entry, digits: digits) { guard body(entry) else { return } }
    }

    /// -1: there is none.
    private func last(atOrBefore wanted: UInt64) -> Int {
        guard !numbers.isEmpty else { return -1 }
        let bucket = Self.bucket(wanted)
        var low = Int(buckets[bucket])
        var high = Int(buckets[bucket + 1])
        while low < high {
            let middle = (low + high) / 2
            if wanted < numbers[middle] { high = middle } else { low = middle + 1 }
        }
        return low - 1
    }

    /// The first five digits as a number to the base of eleven: no digit is 0, the digit 0 is 1.
    private static func bucket(_ packed: UInt64) -> Int {
        var value = 0
        var shift: UInt64 = 60
        for _ in 0..<5 {
            value = value * 11 + Int(packed >> shift & 0xF)
            shift -= 4
        }
        return value
    }

    /// What it takes of memory, about.
    public var bytes: Int {
        numbers.count * 8 + parents.count * 4 + starts.count * 4 + rows.count * 8 + buckets.count * 4
            + (prices.count + expressions.count) * MemoryLayout<RateEntry>.stride + destinations.count * 64
    }

    public var rowCount: Int { rows.count + expressions.count }
}

extension DeckIndex {
    /// Takes rows in any order; in the order of their keys it is fastest.
    public struct Builder: Sendable {
        private var made = DeckIndex()
        private var entries: [(number: UInt64, rank: UInt32, price: UInt32, destination: UInt32)] = []
        private var priceNumbers: [RateEntry: UInt32] = [:]
        private var destinationNumbers: [String: UInt32] = [:]
        private var expressions: [String: RateEntry] = [:]

        public init() {}

        public mutating func append(_ entry: RateEntry) {
            guard entry.pattern.isEmpty else {
                expressions[entry.key] = entry
                return
            }
            let digits = PackedDigits(entry.prefix)
            // Whole numbers before prefixes, bands before none.
            let rank = (entry.isExact ? 0 : 100) + (entry.band == 0 ? 50 : RateEntry.bandsMax - min(entry.band, RateEntry.bandsMax))
            var price = entry
            price.prefix = ""
            price.destination = ""
            let number = priceNumbers[price] ?? UInt32(made.prices.count)
            if Int(number) == made.prices.count {
                made.prices.append(price)
                priceNumbers[price] = number
            }
            let destination = destinationNumbers[entry.destination] ?? UInt32(made.destinations.count)
            if Int(destination) == made.destinations.count {
                made.destinations.append(entry.destination)
                destinationNumbers[entry.destination] = destination
            }
            entries.append((digits.packed, rank, number, destination))
        }

        public consuming func index() -> DeckIndex {
            var index = made
            // Stable by position, so that the later of two rows with the same key is the last of them.
            let order = entries.indices.sorted {
                let (a, b) = (entries[$0], entries[$1])
                return (a.number, a.rank, $0) < (b.number, b.rank, $1)
            }
            index.numbers.reserveCapacity(order.count)
            index.rows.reserveCapacity(order.count)
            var lastRank: UInt32 = 0
            for place in order {
                let entry = entries[place]
                if index.numbers.last == entry.number {
                    if lastRank == entry.rank { index.rows.removeLast() }
                } else {
                    if !index.numbers.isEmpty { index.starts.append(UInt32(index.rows.count)) }
                    index.numbers.append(entry.number)
                }
                lastRank = entry.rank
                index.rows.append((entry.price, entry.destination))
            }
            if !index.numbers.isEmpty { index.starts.append(UInt32(index.rows.count)) }
            index.expressions = expressions.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }.map(\.value)
            index.connect()
            return index
        }
    }

    private mutating func connect() {
        parents.reserveCapacity(numbers.count)
        var open: [Int32] = []
        for (place, number) in numbers.enumerated() {
            while let last = open.last, !PackedDigits.begins(number, with: numbers[Int(last)], PackedDigits.count(numbers[Int(last)])) {
                open.removeLast()
            }
            parents.append(open.last ?? -1)
            open.append(Int32(place))
        }
        buckets = Array(repeating: 0, count: 11 * 11 * 11 * 11 * 11 + 1)
        for number in numbers { buckets[Self.bucket(number) + 1] += 1 }
        for bucket in 1..<buckets.count { buckets[bucket] += buckets[bucket - 1] }
    }
}

/// Up to 15 digits in 60 bits from the highest on, each as its value plus one: the order of the numbers is that of the texts.
struct PackedDigits {
    let packed: UInt64
    /// Of the text, which may be longer than what is packed of it.
    let count: Int

    /// Reads up to the first character that is no digit.
    init(_ text: some StringProtocol) {
        var packed: UInt64 = 0
        var shift: UInt64 = 60
        for byte in text.utf8 {
            guard shift > 0, (0x30...0x39).contains(byte) else { break }
            packed |= UInt64(byte - 0x2F) << shift
            shift -= 4
        }
        self.packed = packed
        count = text.utf8.count
    }

    static func count(_ packed: UInt64) -> Int { packed == 0 ? 0 : 16 - packed.trailingZeroBitCount / 4 }

    static func begins(_ packed: UInt64, with number: UInt64, _ length: Int) -> Bool {
        length == 0 || (packed ^ number) >> (64 - UInt64(length) * 4) == 0
    }

    static func text(_ packed: UInt64, _ length: Int) -> String {
        var text = ""
        for index in 0..<length { text.unicodeScalars.append(UnicodeScalar(UInt8(packed >> (60 - UInt64(index) * 4) & 0xF) + 0x2F)) }
        return text
    }
}
