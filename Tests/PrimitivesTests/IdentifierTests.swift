import Primitives
import Testing

@Suite("Identifiers, randomness and hexadecimal")
struct IdentifierTests {
    @Test("The example of RFC 9562, appendix A.6")
    func example() throws {
        let text = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"
        let id = try #require(UUIDv7(text.uppercased()))
        #expect(id.description == text)
        #expect(id.high >> 16 == 1_645_557_742_000)
        #expect(UUIDv7(bytes: id.bytes) == id)
    }

    @Test("Made in the order of time, marked as version 7 of the RFC's variant")
    func order() {
        var random = RandomSource(seed: 7)
        var last = UUIDv7(high: 0, low: 0)
        for millisecond in 1...1_000 {
            let id = UUIDv7(at: WallTime(microseconds: Int64(millisecond) * 1_000), random: &random)
            #expect(id > last)
            #expect(id.high >> 12 & 0xF == 7)
            #expect(id.low >> 62 == 2)
            #expect(UUIDv7(id.description) == id)
            last = id
        }
    }

    @Test("What is not written as an identifier is none", arguments: [
        "", "017f22e2-79b0-7cc3-98c4-dc0c0c07398", "017f22e2-79b0-7cc3-98c4-dc0c0c07398f0", "017f22e279b07cc398c4dc0c0c07398f",
        "017f22e2-79b0-7cc3-98c4_dc0c0c07398f", "017g22e2-79b0-7cc3-98c4-dc0c0c07398f", "{17f22e2-79b0-7cc3-98c4-dc0c0c07398f}",
    ])
    func refuses(text: String) { #expect(UUIDv7(text) == nil) }

    @Test("Bytes that are not sixteen make no identifier")
    func length() {
        #expect(UUIDv7(bytes: [UInt8](repeating: 1, count: 15)) == nil)
        #expect(UUIDv7(bytes: [UInt8](repeating: 1, count: 17)) == nil)
    }

    @Test("A seed repeats, another seed does not, and the system never")
    func randomness() {
        var first = RandomSource(seed: 1)
        var again = RandomSource(seed: 1)
        var other = RandomSource(seed: 2)
        let bytes = first.bytes(33)
        #expect(bytes.count == 33)
        #expect(again.bytes(33) == bytes)
        #expect(other.bytes(33) != bytes)
        var system = RandomSource.system
        #expect(system.bytes(32) != system.bytes(32))
        // More than the pool holds at a time, by two that draw from it.
        var pooled = RandomSource.pooled()
        var copy = pooled
        var fork = pooled.fork()
        let words = (0..<100).flatMap { _ in [pooled.next(), copy.next(), fork.next()] }
        #expect(Set(words).count == words.count)
        // The first value of SplitMix64 for the seed 1234567 (its authors' own test).
        var known = RandomSource(seed: 1_234_567)
        #expect(known.next() == 6_457_827_717_110_365_317)
    }

    @Test("Hexadecimal is written in lower case and read in both")
    func hexadecimal() {
        #expect(hex([0, 0x0F, 0xA5, 0xFF]) == "000fa5ff")
        #expect(bytes(hex: "000FA5ff") == [0, 0x0F, 0xA5, 0xFF])
        #expect(bytes(hex: "") == [])
        #expect(bytes(hex: "abc") == nil)
        #expect(bytes(hex: "0x") == nil)
    }

    @Test("An identifier in 32 digits is read as it was written, in either case, and nothing else is one")
    func digits() {
        let id = UUIDv7(high: 0x0190_ABCD_EF01_7234, low: 0x8765_4321_0FED_CBA9)
        #expect(id.digits == "0190abcdef01723487654321" + "0fedcba9")
        #expect(id.digits == hex(id.bytes))
        for text in [id.digits, id.digits.uppercased()] { #expect(UUIDv7(digits: Array(text.utf8)[...]) == id) }
        #expect(UUIDv7(digits: Array("xx\(id.digits)yy".utf8)[2..<34]) == id)
        #expect(UUIDv7(digits: Array(id.digits.utf8)[1...]) == nil)
        #expect(UUIDv7(digits: Array((id.digits + "0").utf8)[...]) == nil)
        for letter in ["g", "/", ":", "@", "`", " "] { #expect(UUIDv7(digits: Array((letter + id.digits.dropFirst()).utf8)[...]) == nil) }
    }
}
