import Model
import Primitives
import Tables

/// Reads a price list line by line, and goes on behind a line that cannot be read, so that all of them are found at once.
struct DeckLineReader {
    private let terms: DeckFile.Terms
    private let hasDecimalComma: Bool
    private(set) var rows: [DeckFile.Row] = []
    private(set) var prices: [RateEntry] = []
    private(set) var destinations: [String] = []
    private(set) var expressions: [(line: Int, entry: RateEntry)] = []
    private(set) var faults: [DeckFile.Fault] = []
    /// What of a price can be wrong is found once for each.
    private var priceNumbers: [PriceKey: (number: UInt32, fault: DeckFault?)] = [:]
    private var destinationNumbers: [String: (number: UInt32, fault: DeckFault?)] = [:]
    /// Of each column that is there: its place in the record.
    private var places: [DeckColumn: Int] = [:]
    private var headers: [String] = []
    private let bandNumbers: [UInt32]

    init(_ terms: DeckFile.Terms, hasDecimalComma: Bool) {
        self.terms = terms
        self.hasDecimalComma = hasDecimalComma
        bandNumbers = terms.bands.map(\.number)
    }

    /// As the header names it.
    var numberColumn: String { places[.prefix].map { headers[$0] } ?? "" }

    mutating func read(_ source: CSVReader, _ tell: (Int) -> Void) {
        var source = source
        repeat {
            guard source.next() else { return fail(1, nil, "the file is empty") }
        } while source.isBlank
        guard readHeader(source) else { return }
        var count = 0
        while source.next() {
            count += 1
            if count & 0x3FFF == 0 { tell(source.position) }
            guard !source.isBlank else { continue }
            guard source.fields.count == headers.count else {
                fail(source.line, nil, "has \(source.fields.count) fields, and the header has \(headers.count)")
                continue
            }
            readLine(source)
        }
        tell(source.position)
    }

    private mutating func fail(_ line: Int, _ column: DeckColumn?, _ reason: String) {
        let name = column.map { column in places[column].map { headers[$0] } ?? column.names[0] } ?? ""
        faults.append(DeckFile.Fault(line: line, column: name, reason: reason))
    }

    // MARK: - header

    private mutating func readHeader(_ source: CSVReader) -> Bool {
        headers = source.fields.indices.map { source.text($0) }
        for (place, header) in headers.enumerated() {
            guard !terms.ignored.contains(header), !header.isEmpty else { continue }
            let (_, column, currency) = DeckColumn.parse(header)
            guard let column else {
                faults.append(
                    DeckFile.Fault(line: source.line, column: header, reason: "is no column of a price list: name it otherwise, or say that it is to be ignored"))
                continue
            }
            if places[column] != nil { fail(source.line, column, "\(header) says the same as another column") }
            places[column] = place
            if let currency, currency != terms.currency { fail(source.line, column, "is in \(currency), and the deck is in \(terms.currency)") }
        }
        if places[.prefix] == nil, places[.pattern] == nil { fail(source.line, .prefix, "there is no column for it: is the header line missing?") }
        if places[.perMinute] == nil { fail(source.line, .perMinute, "there is no column for it: is the header line missing?") }
        if terms.increments == nil, places[.increments] == nil, places[.firstIncrement] == nil || places[.nextIncrement] == nil {
            fail(source.line, .increments, "there is no column for increments: say which ones count for all rows, such as 60/1")
        }
        return faults.isEmpty
    }

    // MARK: - lines

    private mutating func readLine(_ source: CSVReader) {
        let before = faults.count
        var key = PriceKey()
        key.connectionFee = money(.connectionFee, source) ?? 0
        if text(.perMinute, source).isEmpty { fail(source.line, .perMinute, "is empty") }
        key.perMinute = money(.perMinute, source) ?? 0
        key.firstPerMinute = money(.firstPerMinute, source)
        (key.first, key.next) = increments(source)
        key.minimum = seconds(.minimum, source) ?? 0
        key.freeDelay = seconds(.freeDelay, source) ?? 0
        key.freeSeconds = seconds(.freeSeconds, source) ?? 0
        key.isFeeDeductible = flag(.feeDeductible, source)
        key.isExact = flag(.exact, source)
        key.band = band(source)
        checkCurrency(source)
        checkEffective(source)
        let pattern = text(.pattern, source)
        let number = pattern.isEmpty ? prefix(source) : nil
        guard faults.count == before else { return }
        let destination = destination(source)
        let (price, fault) = price(key)
        if let fault { fail(source.line, fault) }
        if let fault = destination.fault { fail(source.line, fault) }
        if pattern.isEmpty {
            guard let number, faults.count == before else { return }
            if key.isExact, number == 0 { return fail(source.line, .exact, "a whole number has digits") }
            rows.append(
                DeckFile.Row(
                    number: number, rank: UInt8((key.isExact ? 15 : 0) + key.band), line: UInt32(clamping: source.line), price: price,
                    destination: destination.number))
        } else {
            var entry = prices[Int(price)]
            entry.pattern = pattern
            entry.prefix = text(.prefix, source)
            entry.destination = destinations[Int(destination.number)]
            if let fault = entry.fault(bands: bandNumbers) { fail(source.line, fault) }
            guard faults.count == before else { return }
            expressions.append((source.line, entry))
        }
    }

    private mutating func fail(_ line: Int, _ fault: DeckFault) {
        let column: DeckColumn? =
            switch fault.field {
            case "prefix": .prefix
            case "pattern": .pattern
            case "destination": .destination
            case "connection_fee_micros": .connectionFee
            case "per_minute_micros": .perMinute
            case "first_per_minute_micros": .firstPerMinute
            case "first_increment_seconds": places[.firstIncrement] == nil ? .increments : .firstIncrement
            case "next_increment_seconds": places[.nextIncrement] == nil ? .increments : .nextIncrement
            case "free_delay_seconds": .freeDelay
            case "free_seconds": .freeSeconds
            case "minimum_seconds": .minimum
            case "is_fee_deductible": .feeDeductible
            case "is_exact": .exact
            case "band": .band
            default: nil
            }
        fail(line, column, fault.reason)
    }

    private func text(_ column: DeckColumn, _ source: CSVReader) -> String { places[column].map { source.text($0) } ?? "" }

    /// Digits, with or without a `+`, spaces between them allowed.
    private mutating func prefix(_ source: CSVReader) -> UInt64? {
        guard let place = places[.prefix] else { return nil }
        let field = source.trimmed(source.fields[place])
        var digits: [UInt8] = []
        for index in field.start..<field.end {
            let byte = source.bytes[index]
            switch byte {
            case 0x30...0x39: digits.append(byte)
            case 0x20: break
            case 0x2B where index == field.start: break
            default:
                fail(source.line, .prefix, "\(source.text(place)) is not a number of digits")
                return nil
            }
        }
        guard digits.count <= 15 else {
            fail(source.line, .prefix, "has \(digits.count) digits, and a number has at most 15")
            return nil
        }
        guard !digits.isEmpty || field.isEmpty || field.end - field.start == 1 else {
            fail(source.line, .prefix, "has no digits")
            return nil
        }
        return PackedDigits(String(decoding: digits, as: UTF8.self)).packed
    }

    private mutating func money(_ column: DeckColumn, _ source: CSVReader) -> Int64? {
        guard let place = places[column] else { return nil }
        let field = source.trimmed(source.fields[place])
        guard !field.isEmpty else { return nil }
        switch DeckNumber.micros(source.bytes[field.start..<field.end], hasDecimalComma: hasDecimalComma) {
        case .success(let micros): return micros
        case .failure(let error):
            fail(source.line, column, "\(source.text(place)) \(error.reason)")
            return nil
        }
    }

    private mutating func seconds(_ column: DeckColumn, _ source: CSVReader) -> UInt32? {
        let text = text(column, source)
        guard !text.isEmpty else { return nil }
        guard let seconds = UInt32(text) else {
            fail(source.line, column, "\(text) is not a whole number of seconds")
            return nil
        }
        return seconds
    }

    private mutating func increments(_ source: CSVReader) -> (UInt32, UInt32) {
        var first = seconds(.firstIncrement, source)
        var next = seconds(.nextIncrement, source)
        let both = text(.increments, source)
        if !both.isEmpty {
            let parts = both.split(separator: "/", omittingEmptySubsequences: false).map { UInt32($0) }
            if (1...3).contains(parts.count), parts.allSatisfy({ $0 != nil }) {
                // Some lists write minimum/first/next.
                first = first ?? parts[max(0, parts.count - 2)]
                next = next ?? parts[parts.count - 1]
                if parts.count == 3, let minimum = parts[0], let known = first { first = max(minimum, known) }
            } else {
                fail(source.line, .increments, "\(both) is not two numbers of seconds such as 60/1")
            }
        }
        let given = terms.increments.map { (UInt32(clamping: $0.first), UInt32(clamping: $0.next)) }
        if first == nil, next == nil, given == nil, both.isEmpty { fail(source.line, places[.increments] == nil ? .firstIncrement : .increments, "is empty") }
        return (first ?? given?.0 ?? next ?? 0, next ?? given?.1 ?? first ?? 0)
    }

    private mutating func flag(_ column: DeckColumn, _ source: CSVReader) -> Bool {
        let text = text(column, source).lowercased()
        switch text {
        case "", "0", "no", "false", "n": return false
        case "1", "yes", "true", "y": return true
        default:
            fail(source.line, column, "\(text) is neither yes nor no")
            return false
        }
    }

    private mutating func band(_ source: CSVReader) -> UInt32 {
        let text = text(.band, source)
        guard !text.isEmpty, text != "0" else { return 0 }
        if let band = terms.bands.first(where: { $0.name == text || String($0.number) == text }) { return band.number }
        fail(source.line, .band, "the version has no band \(text)")
        return 0
    }

    private mutating func checkCurrency(_ source: CSVReader) {
        let text = text(.currency, source)
        guard !text.isEmpty, text != terms.currency else { return }
        fail(source.line, .currency, "is \(text), and the deck is in \(terms.currency)")
    }

    /// A version comes into force at one moment, so a row cannot come later.
    private mutating func checkEffective(_ source: CSVReader) {
        let text = text(.effective, source)
        guard !text.isEmpty else { return }
        guard let time = WallTime(rfc3339: text.utf8.count == 10 ? text + "T00:00:00Z" : text) else {
            return fail(source.line, .effective, "\(text) is no date: write 2026-12-31, and one that there is")
        }
        guard let effective = terms.effectiveAt, effective < time else { return }
        fail(source.line, .effective, "the version comes into force before \(text): import such rows as a version of their own")
    }

    // MARK: - what comes again and again

    struct PriceKey: Hashable {
        var connectionFee: Int64 = 0
        var perMinute: Int64 = 0
        var firstPerMinute: Int64?
        var first: UInt32 = 0
        var next: UInt32 = 0
        var minimum: UInt32 = 0
        var freeDelay: UInt32 = 0
        var freeSeconds: UInt32 = 0
        var isFeeDeductible = false
        var isExact = false
        var band: UInt32 = 0
    }

    private mutating func price(_ key: PriceKey) -> (UInt32, DeckFault?) {
        if let known = priceNumbers[key] { return (known.number, known.fault) }
        var entry = RateEntry()
        entry.connectionFeeMicros = key.connectionFee
        entry.perMinuteMicros = key.perMinute
        if let first = key.firstPerMinute { entry.firstPerMinuteMicros = first }
        entry.firstIncrementSeconds = key.first
        entry.nextIncrementSeconds = key.next
        entry.minimumSeconds = key.minimum
        entry.freeDelaySeconds = key.freeDelay
        entry.freeSeconds = key.freeSeconds
        entry.isFeeDeductible = key.isFeeDeductible
        entry.band = key.band
        let fault = entry.fault(bands: bandNumbers)
        entry.isExact = key.isExact
        let number = UInt32(prices.count)
        prices.append(entry)
        priceNumbers[key] = (number, fault)
        return (number, fault)
    }

    private mutating func destination(_ source: CSVReader) -> (number: UInt32, fault: DeckFault?) {
        let text = text(.destination, source)
        if let known = destinationNumbers[text] { return known }
        var entry = RateEntry()
        (entry.destination, entry.firstIncrementSeconds, entry.nextIncrementSeconds) = (text, 1, 1)
        let made = (number: UInt32(destinations.count), fault: entry.fault())
        destinations.append(text)
        destinationNumbers[text] = made
        return made
    }
}
