import Model
import Primitives
import Reconciliation
import Testing

@Suite struct StatementTests {
    private func read(_ text: String, map: String = "", _ change: (inout StatementSettings) -> Void = { _ in }) throws -> (StatementReader, Statement) {
        var settings = StatementSettings()
        settings.map = map
        change(&settings)
        let reader = try StatementReader(Array(text.utf8), settings)
        return (reader, try reader.read())
    }

    @Test func theMapIsGuessedFromTheHeader() throws {
        let (reader, statement) = try read("Caller,B-Number,Start Time,Duration (sec),Cost\r\n+1,+4930123,2026-11-01 10:00:00,65,0.0123\r\n")
        #expect(reader.map.columns == [.called: [1], .start: [2], .duration: [3], .amount: [4]])
        #expect(statement.lines.count == 1 && statement.decimals == 4)
        #expect(statement.lines[0].number.description == "+4930123")
        #expect(statement.lines[0].milliseconds == 65_000 && statement.lines[0].micros == 12_300)
        #expect(statement.findings.contains("called from \"B-Number\""))
    }

    @Test func aGermanSpreadsheetIsRead() throws {
        let (reader, statement) = try read(
            "Einzelverbindungsnachweis;;;;\nDatum;Uhrzeit;Zielrufnummer;Dauer;Betrag\n01.11.2026;10:00:00;030 123;00:01:05;0,0123\n13.11.2026;11:00:00;0049 40 5;0:05;1.000,5\nSumme;;;;1000,5123\n"
        ) { $0.numbers = NumberReader(country: "49") }
        #expect(reader.map.columns[.start] == [0, 1])
        #expect(statement.lines.map(\.line) == [3, 4])
        #expect(statement.lines.map(\.number.description) == ["+4930123", "+49405"])
        #expect(statement.lines.map(\.milliseconds) == [65_000, 5_000])
        #expect(statement.lines.map(\.micros) == [12_300, 1_000_500_000])
        #expect(statement.unreadable.map(\.line) == [5])
        #expect(reader.words(of: statement.lines[0]).start == "01.11.2026 10:00:00")
        #expect(reader.words(of: statement.lines[1]).called == "0049 40 5")
    }

    @Test func columnsCanBeGivenByNameOrNumber() throws {
        let text = "a;b;c;d\n2026-11-01T10:00:00Z;x;4930123;65\n"
        let (_, named) = try read(text, map: "called=C, start=a, duration=4")
        #expect(named.lines.count == 1 && !named.hasAmounts)
        let (reader, bare) = try read("2026-11-01T10:00:00Z;4930123;65;1.50\n", map: "start=1,called=2,duration=3,amount=4")
        #expect(reader.header == nil && bare.lines.first?.line == 1 && bare.lines.first?.micros == 1_500_000)
    }

    @Test func whatCannotBeMappedIsSaidWithTheColumnsThereAre() throws {
        #expect(throws: StatementError.noColumn(.start, header: ["called", "x", "duration"])) { try read("called,x,duration\n1,2,3\n") }
        #expect(throws: StatementError.noSuchColumn("when", header: ["called", "x", "duration"])) { try read("called,x,duration\n1,2,3\n", map: "start=when") }
        #expect(throws: StatementError.unknownRole("who=x")) { try read("called,x,duration\n", map: "who=x") }
        #expect(throws: StatementError.empty) { try read("\n\n") }
        #expect("\(StatementError.noColumn(.start, header: ["a"]))".contains("--map start=NAME"))
    }

    @Test func aWrongMapIsNotTakenForAStatementOfRubbish() throws {
        #expect(throws: StatementError.self) { try read("called,start,duration\nx,y,z\nx,y,z\n") }
    }

    /// Whatever is in a file, it is read, refused with words, or listed as unreadable.
    @Test(arguments: 1...40 as ClosedRange<UInt64>) func damagedFilesDoNoHarm(seed: UInt64) throws {
        var random = RandomSource(seed: seed)
        var text = "called;start;duration;amount\n"
        for index in 0..<30 { text += "+49301234\(index);2026-11-\(index % 9 + 10) 10:00:\(index % 60);\(index * 7);0.\(index)\n" }
        var bytes = Array(text.utf8)
        for _ in 0..<(seed % 2 == 0 ? 5 : 200) { bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8(truncatingIfNeeded: random.next()) }
        if seed % 7 == 0 { bytes.removeSubrange(Int.random(in: 0..<bytes.count, using: &random)...) }
        var settings = StatementSettings()
        settings.map = "called=1,start=2,duration=3,amount=4"
        do throws(StatementError) {
            let reader = try StatementReader(bytes, settings)
            let statement = try reader.read()
            for line in statement.lines { _ = reader.words(of: line) }
            let result = Reconciliation(statement, OwnCalls(), Currency("EUR")!, ReconciliationSettings())
            #expect(result.classes.count == statement.lines.count)
        } catch {
            #expect(!error.description.isEmpty)
        }
    }

    @Test func figuresBeyondReasonAreNoCalls() throws {
        let (_, statement) = try read(
            "called,start,duration,amount\n+4930,2026-11-01 10:00:00,60,9999999999999\n+4930,2026-11-01 10:00:00,999999999999,1\n+4930,2026-11-01 10:00:00,60,1\n+4930,2026-11-01 10:00:00,61,1\n")
        #expect(statement.lines.map(\.line) == [4, 5] && statement.unreadable.map(\.line) == [2, 3])
    }
}
