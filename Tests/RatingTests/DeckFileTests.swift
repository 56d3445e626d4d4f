import Foundation
import Model
import Primitives
import Rating
import SwiftProtobuf
import Tables
import Testing

@Suite struct DeckFileTests {
    private func file(_ text: String, _ change: (inout DeckFile.Terms) -> Void = { _ in }) -> DeckFile { file(Array(text.utf8), change) }

    private func file(_ bytes: [UInt8], _ change: (inout DeckFile.Terms) -> Void = { _ in }) -> DeckFile {
        var terms = DeckFile.Terms(currency: "EUR", increments: Increments(first: 60, next: 1))
        change(&terms)
        return DeckFile(bytes, terms)
    }

    private func rows(_ file: DeckFile) -> [RateEntry] { file.entries(from: 0, limit: file.count) }

    private let berlin = RateEntry.with {
        $0.prefix = "4930"; $0.destination = "Berlin, Deutschland"; $0.perMinuteMicros = 12_500; $0.connectionFeeMicros = 10_000
        $0.firstIncrementSeconds = 60; $0.nextIncrementSeconds = 1
    }

    @Test func commasAndQuotes() {
        let read = file("prefix,destination,per_minute,connection_fee\n+4930,\"Berlin, Deutschland\",0.0125,0.01\n")
        #expect(read.faults.isEmpty)
        #expect(rows(read) == [berlin])
    }

    @Test func aByteOrderMarkSemicolonsCarriageReturnsDecimalCommasAndLatin1() {
        let text = "\u{FEFF}Prefix;Destination;Rate (EUR/min);Connect Fee\r\n4930;\"M\u{FC}nchen\";0,0125;0,01\r\n\r\n"
        let expected = RateEntry.with {
            $0.prefix = "4930"; $0.destination = "München"; $0.perMinuteMicros = 12_500; $0.connectionFeeMicros = 10_000
            $0.firstIncrementSeconds = 60; $0.nextIncrementSeconds = 1
        }
        let utf8 = file(text)
        #expect(utf8.faults.isEmpty, "\(utf8.faults)")
        #expect(rows(utf8) == [expected])
        let latin1 = file(text.unicodeScalars.dropFirst().map { UInt8($0.value) })
        #expect(latin1.faults.isEmpty, "\(latin1.faults)")
        #expect(rows(latin1) == [expected])
    }

    @Test func everyKindOfPriceHasItsColumn() {
        let read = file(
            """
            code\tname\tprice\tfirst_per_minute\tincrements\tminimum\tdelay\tgrace period\tdeductible\texact\tband\tpattern\tcurrency
            49301234\tOne\t-0.01\t0.5\t30/6\t45\t3\t10\tno\tyes\tpeak\t\tEUR
            \tSome\t1\t\t1\t\t\t\tyes\t\t\t^\\+5[12]\t
            """
        ) {
            $0.bands = [.with { $0.number = 3; $0.name = "peak" }]
            $0.increments = nil
        }
        #expect(read.faults.isEmpty, "\(read.faults)")
        #expect(
            rows(read) == [
                .with {
                    $0.prefix = "49301234"; $0.destination = "One"; $0.perMinuteMicros = -10_000; $0.firstPerMinuteMicros = 500_000
                    $0.firstIncrementSeconds = 30; $0.nextIncrementSeconds = 6; $0.minimumSeconds = 45; $0.freeDelaySeconds = 3
                    $0.freeSeconds = 10; $0.isExact = true; $0.band = 3
                },
                .with {
                    $0.destination = "Some"; $0.perMinuteMicros = 1_000_000; $0.firstIncrementSeconds = 1; $0.nextIncrementSeconds = 1
                    $0.isFeeDeductible = true; $0.pattern = "^\\+5[12]"
                },
            ])
    }

    @Test(
        "a bad line is named with its number, its column and the reason",
        arguments: [
            ("49,0.01\n4x,0.01", 3, "prefix", "not a number of digits"), ("1234567890123456,1", 2, "prefix", "16 digits"),
            ("49,0.01\n\n49,0.02", 4, "prefix", "49 is in line 2 already"), (",1\n,2", 3, "prefix", "the row for all numbers is in line 2 already"),
            ("49,", 2, "rate", "is empty"), ("49,1.2.3", 2, "rate", "not a decimal number"), ("49,abc", 2, "rate", "not a decimal number"),
            ("49,1e3", 2, "rate", "not a decimal number"), ("49,0.0000001", 2, "rate", "finer than a millionth"),
            ("49,99999999999999999999", 2, "rate", "larger than can be counted"), ("49,100001", 2, "rate", "must be from -100000 to 100000"),
            ("49,\"0,01\"", 2, "rate", "not a decimal number"), ("49,1,2", 2, "", "has 3 fields, and the header has 2"),
            ("49", 2, "", "has 1 fields, and the header has 2"),
        ] as [(String, Int, String, String)])
    func faults(lines: String, line: Int, column: String, reason: String) throws {
        let read = file("prefix,rate\n" + lines)
        let fault = try #require(read.faults.first)
        #expect(read.faults.count == 1)
        #expect(fault.line == line && fault.column == column && fault.reason.contains(reason), "\(fault)")
    }

    @Test func dateThatDoesNotExistAndOtherCurrency() {
        let read = file("prefix,rate,currency,effective_date\n1,1,EUR,2026-02-28\n2,1,USD,2026-02-29\n3,1,EUR,2027-01-01\n") {
            $0.effectiveAt = WallTime(rfc3339: "2026-12-01T00:00:00Z")
        }
        #expect(read.faults.map(\.line) == [3, 3, 4])
        #expect(read.faults.map(\.column) == ["currency", "effective_date", "effective_date"])
        #expect(read.faults[0].reason == "is USD, and the deck is in EUR")
        #expect(file("prefix,rate (USD)\n1,1").faults.first?.reason == "is in USD, and the deck is in EUR")
    }

    @Test func aHeaderThatSaysTooLittleOrTooMuch() {
        #expect(file("").faults.first?.reason == "the file is empty")
        #expect(file("prefix,rate\n").faults.first?.reason == "the file has no rows")
        #expect(file("4930,0.01\n4931,0.01\n").faults.count >= 2)
        #expect(file("prefix,rate,code\n1,1,1").faults.first?.column == "code" || file("prefix,rate,code\n1,1,1").faults.first?.column == "prefix")
        #expect(file("prefix,rate,colour\n1,1,red").faults.first?.column == "colour")
        #expect(file("prefix,rate,colour\n1,1,red") { $0.ignored = ["colour"] }.faults.isEmpty)
        #expect(file("prefix,rate\n1,1") { $0.increments = nil }.faults.first?.reason.contains("60/1") == true)
    }

    @Test func everyBadLineIsNamed() {
        var text = "prefix,rate\n"
        for number in 1...20_000 { text += number % 2 == 0 ? "\(number),0.01\n" : "\(number),x\n" }
        let read = file(text)
        #expect(read.faults.count == 10_000)
        #expect(read.faults.map(\.line) == (1...20_000).filter { $0 % 2 == 1 }.map { $0 + 1 })
    }

    @Test(arguments: 1...30)
    func rowsComeInTheOrderOfTheirKeysAndPackedAgainAreTheSame(seed: UInt64) throws {
        var random = RandomSource(seed: seed)
        var lines = ["prefix,destination,rate,increments,exact,band"]
        var expected: [String: RateEntry] = [:]
        for number in 0..<300 {
            let entry = RateEntry.with {
                $0.prefix = String((0..<Int.random(in: 1...15, using: &random)).map { _ in "012".randomElement(using: &random) ?? "1" })
                $0.destination = "to \(number % 7)"
                $0.perMinuteMicros = Int64.random(in: -5...5, using: &random) * 1_000
                $0.firstIncrementSeconds = UInt32.random(in: 1...60, using: &random)
                $0.nextIncrementSeconds = 6
                $0.isExact = Bool.random(using: &random)
                $0.band = UInt32.random(in: 0...2, using: &random)
            }
            guard expected[entry.key] == nil else { continue }
            expected[entry.key] = entry
            lines.append("\(entry.prefix),\(entry.destination),\(Money.decimal(micros: entry.perMinuteMicros)),\(entry.firstIncrementSeconds)/6,\(entry.isExact ? 1 : 0),\(entry.band)")
        }
        let read = file(lines.joined(separator: "\n")) {
            $0.bands = [.with { $0.number = 1; $0.name = "a" }, .with { $0.number = 2; $0.name = "b" }]
        }
        #expect(read.faults.isEmpty, "seed \(seed): \(read.faults.prefix(3))")
        let rows = rows(read)
        #expect(rows == expected.values.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }, "seed \(seed)")
        let packed = RateDeckRowsAdded(rows: rows)
        let again = try RateDeckRowsAdded(serializedBytes: packed.serializedBytes() as [UInt8])
        #expect(again.entries == rows, "seed \(seed)")
        #expect(packed.packed.count < rows.count * 14)
    }

    @Test(arguments: 1...200)
    func bytesThatAreNoRowsAreRefused(seed: UInt64) {
        var random = RandomSource(seed: seed)
        var packed = RateDeckRowsAdded(rows: [berlin])
        packed.rows = UInt32.random(in: 0...5, using: &random)
        for index in packed.packed.indices where Bool.random(using: &random) { packed.packed[index] = UInt8.random(in: 0...255, using: &random) }
        // Rows or nothing, and never a trap.
        if let rows = packed.entries { #expect(rows.count == Int(packed.rows)) }
    }
}
