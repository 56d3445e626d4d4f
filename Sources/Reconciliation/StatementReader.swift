package import Tables

/// Reads a carrier's file: finds the header, the columns, and how numbers, times and amounts are written.
package struct StatementReader: Sendable {
    package let bytes: [UInt8]
    package let dialect: CSVDialect
    package let map: ColumnMap
    /// In the file's words; nil: it has none.
    package let header: [String]?
    private let times: TimeReader
    private let durations: DurationReader
    private let amounts: AmountReader
    private let numbers: NumberReader
    private let first: CSVReader  // stands before the first line of calls
    private let findings: [String]

    /// More than this is no call: a month, or a million units of the currency. With it, sums of millions of lines cannot overflow.
    private static let millisecondsMax: Int64 = 31 * 86_400_000
    private static let microsMax: Int64 = 1_000_000_000_000

    package init(_ file: [UInt8], _ settings: StatementSettings) throws(StatementError) {
        bytes = TextBytes.normalised(file)
        var dialect = CSVDialect(detecting: bytes)
        if let separator = settings.separator { dialect.separator = separator }
        self.dialect = dialect
        let (header, first) = try Self.header(bytes, dialect)
        (self.header, self.first) = (header, first)
        map = try ColumnMap(settings.map, header: header, durationUnit: settings.durationUnit)
        numbers = settings.numbers
        durations = DurationReader(unit: map.durationUnit)
        var findings = ["fields between \(dialect.description)"]
        func name(_ columns: [Int]) -> String {
            columns.map { column in header.flatMap { column < $0.count ? "\"\($0[column])\"" : nil } ?? "column \(column + 1)" }.joined(separator: " and ")
        }
        for role in ColumnMap.Role.allCases {
            findings.append(map.columns[role].map { "\(role.rawValue) from \(name($0))" } ?? "no \(role.rawValue): only numbers, times and durations are compared")
        }
        let (order, comma) = Self.detect(first, map)
        let dateOrder = settings.dateOrder ?? order.order
        if order.sawAmbiguous { findings.append("dates as \(dateOrder == .dmy ? "day/month" : dateOrder == .mdy ? "month/day" : "year/month/day")") }
        times = TimeReader(order: dateOrder)
        let hasComma = settings.hasDecimalComma ?? comma.hasDecimalComma
        if hasComma { findings.append("amounts with a decimal comma") }
        if map.durationUnit != .seconds { findings.append("durations in \(map.durationUnit.rawValue)") }
        amounts = AmountReader(hasDecimalComma: hasComma)
        self.findings = findings
    }

    /// The first record of at least three fields is the header, unless one of its fields is a time or all of it figures.
    private static func header(_ bytes: [UInt8], _ dialect: CSVDialect) throws(StatementError) -> ([String]?, CSVReader) {
        var reader = CSVReader(bytes, dialect)
        while true {
            let before = reader
            guard reader.next() else { throw .empty }
            guard reader.fields.count(where: { !$0.isEmpty }) >= 3 else { continue }
            let isData = reader.fields.contains { field in
                let field = reader.trimmed(field)
                let text = bytes[field.start..<field.end]
                return text.count >= 5 && text.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x2B } || TimeReader(order: .dmy).read(text) != nil
                    || TimeReader(order: .mdy).read(text) != nil
            }
            if isData { return (nil, before) }
            return (reader.fields.indices.map { reader.text($0) }, reader)
        }
    }

    private static func detect(_ first: CSVReader, _ map: ColumnMap) -> (DateOrderDetector, DecimalCommaDetector) {
        var reader = first
        var order = DateOrderDetector()
        var comma = DecimalCommaDetector()
        var scratch: [UInt8] = []
        var seen = 0
        while !(order.isDecided && comma.isDecided), seen < 200_000, reader.next() {
            seen += 1
            order.see(slice(.start, reader, map, &scratch))
            if map.columns[.amount] != nil { comma.see(slice(.amount, reader, map, &scratch)) }
        }
        return (order, comma)
    }

    /// All lines; `progress` is told how many bytes are done.
    package func read(progress: (Int) -> Void = { _ in }) throws(StatementError) -> Statement {
        var statement = Statement()
        statement.hasAmounts = map.columns[.amount] != nil
        statement.findings = findings
        statement.lines.reserveCapacity(bytes.count / 64)
        var reader = first
        var scratch: [UInt8] = []
        while true {
            let offset = reader.position
            guard reader.next() else { break }
            guard !reader.isBlank else { continue }
            if statement.lines.count % 65_536 == 0 { progress(offset) }
            let called = slice(.called, reader, &scratch)
            guard let number = numbers.key(called) else {
                statement.unreadable.append(.init(line: reader.line, reason: "no number in \"\(text(called))\""))
                continue
            }
            let start = slice(.start, reader, &scratch)
            guard let time = times.read(start) else {
                statement.unreadable.append(.init(line: reader.line, reason: "no time in \"\(text(start))\""))
                continue
            }
            let duration = slice(.duration, reader, &scratch)
            guard let milliseconds = durations.read(duration), milliseconds <= Self.millisecondsMax else {
                statement.unreadable.append(.init(line: reader.line, reason: "no duration in \"\(text(duration))\""))
                continue
            }
            var micros: Int64 = 0
            if statement.hasAmounts {
                let amount = slice(.amount, reader, &scratch)
                guard let reading = amounts.read(amount), abs(reading.micros) <= Self.microsMax else {
                    statement.unreadable.append(.init(line: reader.line, reason: "no amount in \"\(text(amount))\""))
                    continue
                }
                micros = reading.micros
                statement.decimals = max(statement.decimals, reading.decimals)
            }
            statement.lines.append(
                StatementLine(line: reader.line, offset: offset, number: number, start: time.microseconds, milliseconds: milliseconds, micros: micros))
        }
        let unreadable = statement.unreadable.count
        if let reason = statement.unreadable.first, unreadable > statement.lines.count {
            throw .mostlyUnreadable(
                unreadable: unreadable, of: unreadable + statement.lines.count, first: "line \(reason.line), \(reason.reason)")
        }
        return statement
    }

    /// What the carrier wrote, for the claim: its own words are what it finds its line by.
    package func words(of line: StatementLine) -> (called: String, start: String, duration: String, amount: String) {
        var reader = CSVReader(bytes, dialect, from: line.offset)
        guard reader.next() else { return ("", "", "", "") }
        func said(_ role: ColumnMap.Role) -> String { (map.columns[role] ?? []).map { reader.text($0) }.joined(separator: " ") }
        return (said(.called), said(.start), said(.duration), said(.amount))
    }

    private func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes.prefix(60), as: UTF8.self) }

    private func slice(_ role: ColumnMap.Role, _ reader: CSVReader, _ scratch: inout [UInt8]) -> ArraySlice<UInt8> {
        Self.slice(role, reader, map, &scratch)
    }

    private static func slice(_ role: ColumnMap.Role, _ reader: CSVReader, _ map: ColumnMap, _ scratch: inout [UInt8]) -> ArraySlice<UInt8> {
        guard let columns = map.columns[role] else { return [] }
        if columns.count == 1 {
            guard columns[0] < reader.fields.count else { return [] }
            let field = reader.trimmed(reader.fields[columns[0]])
            return reader.bytes[field.start..<field.end]
        }
        scratch.removeAll(keepingCapacity: true)
        for column in columns where column < reader.fields.count {
            let field = reader.trimmed(reader.fields[column])
            if !scratch.isEmpty { scratch.append(0x20) }
            scratch.append(contentsOf: reader.bytes[field.start..<field.end])
        }
        return scratch[...]
    }
}
