import Tables
import Testing

@Suite struct CSVTests {
    private func records(_ text: String, _ dialect: CSVDialect? = nil) -> [[String]] { records(Array(text.utf8), dialect) }

    private func records(_ bytes: [UInt8], _ dialect: CSVDialect? = nil) -> [[String]] {
        var reader = CSVReader(bytes, dialect ?? CSVDialect(detecting: bytes))
        var result: [[String]] = []
        while reader.next() { result.append(reader.fields.indices.map { reader.text($0) }) }
        return result
    }

    @Test func recordsOfRFC4180AreRead() {
        #expect(records("aaa,bbb,ccc\r\nzzz,yyy,xxx\r\n") == [["aaa", "bbb", "ccc"], ["zzz", "yyy", "xxx"]])
        #expect(records("aaa,bbb,ccc\r\nzzz,yyy,xxx") == [["aaa", "bbb", "ccc"], ["zzz", "yyy", "xxx"]])
        #expect(records("\"aaa\",\"b\r\nbb\",\"ccc\"\r\nzzz,yyy,xxx") == [["aaa", "b\r\nbb", "ccc"], ["zzz", "yyy", "xxx"]])
        #expect(records("\"aaa\",\"b\"\"bb\",\"ccc\"") == [["aaa", "b\"bb", "ccc"]])
        #expect(records("a,,\r\n,,c") == [["a", "", ""], ["", "", "c"]])
    }

    @Test func aByteOrderMarkAndAnyEndOfLineArePassedOver() {
        #expect(records([0xEF, 0xBB, 0xBF] + Array("a,b\nc,d\re,f".utf8)) == [["a", "b"], ["c", "d"], ["e", "f"]])
    }

    @Test(arguments: [",", ";", "\t", "|"]) func theSeparatorIsFoundOut(separator: String) {
        let text = "name\(separator)amount\(separator)note\n\"a, b; c\"\(separator)1\(separator)x\nd\(separator)2,5\(separator)y; z\n"
        #expect(CSVDialect(detecting: Array(text.utf8)).separator == separator.utf8.first)
        #expect(records(text)[1] == ["a, b; c", "1", "x"])
    }

    @Test func latin1IsReadWhereBytesAreNotUTF8() {
        let bytes = Array("Rufnummer;Betr".utf8) + [0xE4] + Array("ge;\n1;2;".utf8) + [0x80, 0x0A]
        let dialect = CSVDialect(detecting: bytes)
        #expect(dialect.encoding == .latin1 && dialect.separator == 0x3B)
        #expect(records(bytes) == [["Rufnummer", "Beträge", ""], ["1", "2", "€"]])
        #expect(CSVDialect(detecting: Array("Beträge;1\n".utf8)).encoding == .utf8)
    }

    @Test func spreadsheetsUnicodeTextIsRead() {
        let text = "a\tß\r\n1\t2\r\n"
        var (little, big): ([UInt8], [UInt8]) = ([0xFF, 0xFE], [0xFE, 0xFF])
        for unit in text.utf16 {
            little += [UInt8(truncatingIfNeeded: unit), UInt8(truncatingIfNeeded: unit >> 8)]
            big += [UInt8(truncatingIfNeeded: unit >> 8), UInt8(truncatingIfNeeded: unit)]
        }
        #expect(records(TextBytes.normalised(little)) == [["a", "ß"], ["1", "2"]])
        #expect(records(TextBytes.normalised(big)) == [["a", "ß"], ["1", "2"]])
    }

    @Test func linesAreCountedAlsoWithinQuotes() {
        var reader = CSVReader(Array("a,\"b\nc\r\nd\"\r\ne,f\n\ng,h".utf8), CSVDialect())
        var lines: [Int] = []
        while reader.next() { lines.append(reader.line) }
        #expect(lines == [1, 4, 5, 6])
    }

    @Test func whatIsNotACSVFileEndsToo() {
        #expect(records("\"never closed, a\nb").count == 1)
        #expect(records("\"a\"x,b") == [["a", "b"]])
        #expect(records("a\"b,c") == [["a\"b", "c"]])
        #expect(records("").isEmpty)
        #expect(records("a,") == [["a", ""]] || records("a,") == [["a"]])
        for byte in UInt8.min...UInt8.max { _ = records([0x22, byte, 0x2C, byte, 0x22, byte]) }
    }

    @Test func whatIsWrittenIsReadBack() {
        let rows = [["plain", "with, comma", "with \"quotes\""], ["two\r\nlines", " spaces ", ""], ["ü", ";", "+49"]]
        var writer = CSVWriter()
        for row in rows { writer.append(row) }
        var reader = CSVReader(writer.take(), CSVDialect())
        var back: [[String]] = []
        while reader.next() { back.append(reader.fields.indices.map { reader.text($0) }) }
        #expect(back == [rows[0], ["two\r\nlines", "spaces", ""], rows[2]])
        #expect(writer.bytes.isEmpty)
    }
}
