import Model
import OpenSSL
import Primitives
import Testing

@testable import ControlPlane

private let key = Array("12345678901234567890".utf8)

/// RFC 6238, appendix B, SHA-1.
@Test(arguments: [
    (59, "94287082"), (1_111_111_109, "07081804"), (1_111_111_111, "14050471"), (1_234_567_890, "89005924"), (2_000_000_000, "69279037"),
    (20_000_000_000, "65353130"),
] as [(Int64, String)])
func codesAreThoseOfTheRFC(seconds: Int64, code: String) {
    let step = TOTP.step(at: WallTime(microseconds: seconds * 1_000_000))
    #expect(TOTP(key: key, digits: 8).code(step: step) == code)
}

/// RFC 4226, appendix D.
@Test func countersGiveTheCodesOfTheRFC() {
    let codes = ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"]
    #expect((0..<10).map { TOTP(key: key).code(step: $0) } == codes)
}

@Test func aCodeIsAcceptedOnceAndOnlyNearItsTime() {
    let totp = TOTP(key: key)
    let time = WallTime(microseconds: 1_234_567_890_000_000)
    let now = TOTP.step(at: time)
    for step in now - 1...now + 1 {
        #expect(totp.step(of: totp.code(step: step), at: time, after: 0) == step)
        #expect(totp.step(of: totp.code(step: step), at: time, after: step) == nil)
        #expect(totp.step(of: totp.code(step: step), at: time, after: step - 1) == step)
    }
    for step in [now - 2, now + 2] { #expect(totp.step(of: totp.code(step: step), at: time, after: 0) == nil) }
    for text in ["", "0", "abcdef", "0000000", totp.code(step: now) + " "] { #expect(totp.step(of: text, at: time, after: 0) == nil) }
}

/// RFC 4648 §10, without padding.
@Test func base32IsThatOfTheRFC() {
    let pairs = [("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foob", "MZXW6YQ"), ("fooba", "MZXW6YTB"), ("foobar", "MZXW6YTBOI")]
    for (text, encoded) in pairs { #expect(Base32.encode(Array(text.utf8)) == encoded) }
    let uri = TOTP(key: key).uri(issuer: "A & B", account: "anna@example.net")
    #expect(uri == "otpauth://totp/A%20%26%20B:anna%40example.net?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=A%20%26%20B")
}

/// RFC 7914 §12.
@Test func scryptIsThatOfTheRFC() {
    let first = Scrypt(cost: 4, blockSize: 1, parallel: 1).key([], salt: [], count: 64)
    #expect(first.map { hex($0.prefix(16)) } == "77d6576238657b203b19ca42c18a0497")
    let second = Scrypt(cost: 10, blockSize: 8, parallel: 16).key(Array("password".utf8), salt: Array("NaCl".utf8), count: 64)
    #expect(second.map { hex($0.prefix(16)) } == "fdbabe1c9d3472007856e7190d01e9fe")
    #expect(Scrypt(cost: 0, blockSize: 8, parallel: 1).key([], salt: []) == nil)
    #expect(Scrypt(cost: 60, blockSize: 8, parallel: 1).key([], salt: []) == nil)
}

@Test func addressesThatMailCannotGoToAreRefused() {
    for text in ["anna@example.net", "A.B+c@Sub.Example.net", "o'hara@example.co.uk"] {
        #expect(EmailAddress.normalised(text) == text.lowercased())
    }
    for text in [
        "", "anna", "@example.net", "anna@", "anna@localhost", "a b@example.net", "anna@exam ple.net", "anna@example.net\r\nBcc: x@y.z",
        "<anna@example.net>", "a@b@example.net", "anna@-x.net", "anna@x-.net", "änna@example.net", "anna@example..net",
        String(repeating: "a", count: 65) + "@example.net",
    ] {
        #expect(EmailAddress.normalised(text) == nil, "\(text)")
    }
}

@Test func aLinkIsThePlatformsOwnAndOfOneLetter() throws {
    let links = LinkSecret(try Vault(key: [UInt8](repeating: 1, count: 32)))
    let others = LinkSecret(try Vault(key: [UInt8](repeating: 2, count: 32)))
    var random = RandomSource(seed: 1)
    let first = UUIDv7(at: WallTime(microseconds: 1), random: &random)
    let text = links.text(of: LetterID(first))
    #expect(links.letter(text)?.value == first)
    #expect(others.letter(text) == nil)
    for index in text.indices {
        var changed = text
        changed.replaceSubrange(index...index, with: text[index] == "0" ? "1" : "0")
        #expect(links.letter(changed) == nil)
    }
    #expect(links.letter("") == nil)
    #expect(links.letter(text + "00") == nil)
}
