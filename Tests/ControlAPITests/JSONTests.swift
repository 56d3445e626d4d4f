import ControlAPI
import Primitives
import Testing

@Test func valuesComeBackAsTheyWereWritten() throws {
    let text = #"{"a":[1,-0.5,1e3,"é\n\"",true,null],"b":{}}"#
    #expect(String(decoding: try JSON(parsing: Array(text.utf8)).bytes, as: UTF8.self) == text)
}

@Test func escapesAndSurrogatePairsBecomeCharacters() throws {
    #expect(try JSON(parsing: Array(#""\u0041\u00e9\ud83d\ude00\/""#.utf8)) == .string("Aé😀/"))
}

@Test(
    arguments: [
        ("{\"a\":1,\n \"a\":2}", 2, 2), ("[1,]", 1, 4), ("{\"a\" 1}", 1, 6), ("tru", 1, 4), ("[01]", 1, 3),
        ("1 2", 1, 3),
        ("\"\\ud83d\"", 1, 2), ("\"\\x\"", 1, 2), ("\"a\nb\"", 1, 3), ("", 1, 1), ("[1", 1, 3), ("-", 1, 1),
        ("{", 1, 2),
        ("\u{FEFF}{}", 1, 1),
    ]
)
func textThatIsNotJSONIsRefusedWithItsPlace(text: String, line: Int, column: Int) {
    let error = #expect(throws: JSONSyntaxError.self) { try JSON(parsing: Array(text.utf8)) }
    #expect(error?.line == line)
    #expect(error?.column == column)
}

@Test func bytesThatAreNotUTF8AreRefused() {
    let error = #expect(throws: JSONSyntaxError.self) { try JSON(parsing: [0x22, 0xC3, 0x28, 0x22]) }
    #expect(error?.reason == .notUnicode)
}

@Test func nestingIsBounded() {
    let deep = Array(String(repeating: "[", count: 100_000).utf8)
    let error = #expect(throws: JSONSyntaxError.self) { try JSON(parsing: deep) }
    #expect(error?.reason == .tooDeep(max: 32))
}

@Test func everyByteAloneIsReadOrRefused() {
    for byte in UInt8.min...UInt8.max {
        let isDigit = (0x30...0x39).contains(byte)
        #expect(((try? JSON(parsing: [byte])) != nil) == isDigit)
    }
}

/// Texts made by changing a good one, byte by byte: each is read or refused, and what is read is written back as it is.
@Test(arguments: [1, 2, 3, 4] as [UInt64])
func damagedTextNeverTraps(seed: UInt64) {
    var random = RandomSource(seed: seed)
    let good = Array(#"{"a":[1,-0.5e+3,"\u00e9\ud83d\ude00",true,null],"b":{"c":"\n"}}"#.utf8)
    for _ in 0..<5_000 {
        var text = good
        for _ in 0...Int(random.next() % 4) {
            switch random.next() % 3 {
            case 0: text[Int(random.next() % UInt64(text.count))] = UInt8(truncatingIfNeeded: random.next())
            case 1: text.removeSubrange(Int(random.next() % UInt64(text.count))...)
            default:
                text.insert(
                    contentsOf: good.prefix(Int(random.next() % 9)), at: Int(random.next() % UInt64(text.count + 1)))
            }
            if text.isEmpty { text = good }
        }
        guard let value = try? JSON(parsing: text) else { continue }
        #expect((try? JSON(parsing: value.bytes)) == value)
    }
}
