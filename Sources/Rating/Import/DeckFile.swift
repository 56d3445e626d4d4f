public import Model
public import Primitives
public import Tables

/// A price list in a text file, as carriers send them: read whole, and either every line of it is a row or the file is refused
/// with everything that is wrong with it.
public struct DeckFile: Sendable {
    /// What the file does not say itself.
    public struct Terms: Sendable {
        /// Of the deck.
        public var currency: String
        public var bands: [TimeBand]
        /// For files without columns of increments.
        public var increments: Increments?
        /// Columns that are passed over, as the header names them.
        public var ignored: [String]
        /// When the version comes into force; nil: now.
        public var effectiveAt: WallTime?

        public init(
            currency: String, bands: [TimeBand] = [], increments: Increments? = nil, ignored: [String] = [], effectiveAt: WallTime? = nil
        ) {
            self.currency = currency
            self.bands = bands
            self.increments = increments
            self.ignored = ignored
            self.effectiveAt = effectiveAt
        }
    }

    /// What is wrong with one place of the file.
    public struct Fault: Error, Hashable, Sendable, CustomStringConvertible {
        /// From 1.
        public let line: Int
        /// As the header names it; empty: the line as a whole.
        public let column: String
        public let reason: String

        public var description: String { "line \(line)\(column.isEmpty ? "" : ", \(column)"): \(reason)" }
    }

    public let dialect: CSVDialect
    /// In the order of the lines.
    public private(set) var faults: [Fault] = []
    private var rows: [Row] = []
    private var prices: [RateEntry] = []
    private var destinations: [String] = []
    private var expressions: [(line: Int, entry: RateEntry)] = []

    /// One line in few bytes.
    struct Row {
        let number: UInt64
        /// In the order of `RateEntry.key`.
        let rank: UInt8
        let line: UInt32
        let price: UInt32
        let destination: UInt32
    }

    /// - Parameter tell: how many bytes of the file are read, now and then.
    public init(_ file: [UInt8], _ terms: Terms, tell: (Int) -> Void = { _ in }) {
        let bytes = TextBytes.normalised(file)
        dialect = CSVDialect(detecting: bytes)
        var reader = DeckLineReader(terms, hasDecimalComma: dialect.separator != 0x2C)
        reader.read(CSVReader(bytes, dialect), tell)
        (rows, prices, destinations, expressions) = (reader.rows, reader.prices, reader.destinations, reader.expressions)
        faults = reader.faults
        rows.sort { ($0.number, $0.rank, $0.line) < ($1.number, $1.rank, $1.line) }
        expressions.sort { a, b in
            let (left, right) = (a.entry.key, b.entry.key)
            return left == right ? a.line < b.line : left.utf8.lexicographicallyPrecedes(right.utf8)
        }
        findRepetitions(reader.numberColumn)
        if rows.isEmpty, expressions.isEmpty, faults.isEmpty { faults.append(Fault(line: 1, column: "", reason: "the file has no rows")) }
        if expressions.count > RateDeckVersion.patternsMax {
            faults.append(Fault(line: expressions[RateDeckVersion.patternsMax].line, column: "", reason: "at most \(RateDeckVersion.patternsMax) expressions"))
        }
        faults.sort { ($0.line, $0.column) < ($1.line, $1.column) }
    }

    public var count: Int { rows.count + expressions.count }
    public var hasPatterns: Bool { !expressions.isEmpty }

    /// The rows in the order of their keys, from one on.
    public func entries(from start: Int, limit: Int) -> [RateEntry] {
        (start..<min(count, start + limit)).map { place in
            guard place < rows.count else { return expressions[place - rows.count].entry }
            let row = rows[place]
            var entry = prices[Int(row.price)]
            entry.prefix = PackedDigits.text(row.number, PackedDigits.count(row.number))
            entry.destination = destinations[Int(row.destination)]
            return entry
        }
    }

    private mutating func findRepetitions(_ column: String) {
        guard rows.count > 1 else { return }
        for place in 1..<rows.count {
            let (before, row) = (rows[place - 1], rows[place])
            guard row.number == before.number, row.rank == before.rank else { continue }
            let digits = PackedDigits.text(row.number, PackedDigits.count(row.number))
            faults.append(Fault(line: Int(row.line), column: column, reason: "\(digits.isEmpty ? "the row for all numbers" : digits) is in line \(before.line) already"))
        }
        guard expressions.count > 1 else { return }
        for place in 1..<expressions.count where expressions[place].entry.key == expressions[place - 1].entry.key {
            faults.append(
                Fault(line: expressions[place].line, column: "", reason: "\(expressions[place].entry.pattern) is in line \(expressions[place - 1].line) already"))
        }
    }
}
