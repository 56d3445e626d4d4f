import Deflate
import Foundation
import Model
import OpenSSL
import Primitives
import SwiftProtobuf
import Testing

@testable import Subjects

/// The personal part of a call is made short before it is sealed.
@Suite struct CompressionTests {
    private static func description(_ lines: String...) -> String {
        (["v=0", "o=- 2890844526 2890844526 IN IP4 192.0.2.101", "s=-", "c=IN IP4 192.0.2.101", "t=0 0",
            "m=audio 34190 RTP/AVP 8 0 101", "a=rtpmap:8 PCMA/8000", "a=rtpmap:0 PCMU/8000", "a=rtpmap:101 telephone-event/8000"]
            + lines).joined(separator: "\r\n") + "\r\n"
    }

    private func snapshot(_ lines: String...) -> CallSnapshot {
        .with {
            $0.a.remoteUri = "<sip:alice@office-1.kages.example>"
            $0.remoteSdpA = Self.description() + lines.map { $0 + "\r\n" }.joined()
            $0.sdpB = Self.description() + lines.map { $0 + "\r\n" }.joined()
        }
    }

    private func sealed(_ snapshot: CallSnapshot) throws -> (size: Int, opened: CallSnapshot, format: UInt8) {
        let ring = try KeyRing()
        let keys = try ring.open()
        var record = snapshot
        try keys.seal(&record, of: data(5), id(1), id(1), &ring.random)
        let part = try #require(record.sealed.first)
        try keys.open(&record, of: data(5))
        return (part.count, record, part[part.startIndex])
    }

    @Test func theDescriptionsOfACallTakeATenthOfTheirBytes() throws {
        let snapshot = snapshot()
        let plain: [UInt8] = try snapshot.serializedBytes()
        let result = try sealed(snapshot)
        #expect(result.format == 2)
        #expect(result.opened == snapshot)
        // Head and tag of a part are 45 bytes.
        #expect(result.size - 45 < plain.count / 4)
    }

    /// Nobody who sees sizes learns by guessing: a guess in the caller's own lines that repeats the key of the other side makes
    /// the part no shorter than one that does not.
    @Test(arguments: ["a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:", "a=ice-pwd:", "a=key-mgmt:mikey ", "k=base64:"])
    func theSizeOfAPartSaysNothingAboutASecretInIt(line: String) throws {
        let key = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"
        let right = try sealed(snapshot(line + key, line + key))
        let wrong = try sealed(snapshot(line + key, line + "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"))
        #expect(right.format == 2)
        #expect(right.size == wrong.size)
        #expect(right.opened == snapshot(line + key, line + key))
    }

    @Test func secretsAreFoundWhereverTheyStand() {
        func found(_ text: String) -> [String] {
            Secrets.ranges(in: Array(text.utf8)).map { String(decoding: Array(text.utf8)[$0], as: UTF8.self) }
        }
        #expect(found("a=crypto:1 AES inline:abc+/=|2^31|1:1 X\r\na=ice-pwd:p:w\r\n") == ["abc+/=", "p:w"])
        #expect(found("inline:") == [])
        #expect(found("a=key-mgmt:mikey AQAF\r\nb=AS:64\r\n") == ["mikey AQAF"])
        #expect(found("sip:alice@example.com:5060 k=clear:two words\n") == ["two words"])
        #expect(found("inline:at the end inline:x") == ["at", "x"])
    }

    @Test(arguments: 0..<200)
    func everyBytesComeBackOrAreLeftAlone(seed: UInt64) {
        var random = RandomSource(seed: seed)
        let words = ["a=crypto:1 inline:", "|", "\r\n", "a=rtpmap:8 PCMA/8000", "k=clear:", " ", "sip:+12095550100@", "\u{0}", ":"]
        var plain: [UInt8] = []
        for _ in 0..<Int.random(in: 0..<60, using: &random) {
            plain += words[Int.random(in: 0..<words.count, using: &random)].utf8
            if Bool.random(using: &random) { plain += random.bytes(Int.random(in: 0..<5, using: &random)) }
        }
        let compressor = PartCompressor()
        guard let short = compressor.compressed(plain) else { return }
        #expect(short.count < plain.count)
        #expect(compressor.expanded(short) == plain)
        // What is damaged is refused or another text, never a trap.
        var damaged = short
        damaged[Int.random(in: 0..<damaged.count, using: &random)] ^= 0x41
        _ = compressor.expanded(damaged)
        _ = compressor.expanded(Array(short.prefix(Int.random(in: 0..<short.count, using: &random))))
    }

    /// What our writer makes, zlib reads: matches of every length, over every distance.
    @Test func everyMatchComesBack() {
        let zlib = PresetDeflate(dictionary: PartDictionary.first)
        let short = ShortDeflate(dictionary: PartDictionary.first)
        func check(_ text: [UInt8], _ what: String) {
            guard let bytes = short.compressed(text, limit: text.count * 2 + 16) else { return }
            #expect(zlib.expanded(bytes[...], count: text.count) == text, "\(what)")
        }
        for count in 1...700 { check([UInt8](repeating: 0xAA, count: count), "a run of \(count)") }
        var random = RandomSource(seed: 1)
        let noise = random.bytes(short.countMax)
        for length in [4, 5, 10, 11, 18, 19, 34, 35, 66, 67, 130, 131, 257, 258, 259] {
            for gap in [0, 1, 2, 3, 4, 5, 8, 9, 16, 60, 125, 253, 510, 1_021, 2_047, 4_090, short.countMax - 2 * length] where 2 * length + gap <= short.countMax {
                let repeated = Array(noise.suffix(length))
                check(repeated + noise.prefix(gap) + repeated, "\(length) after \(gap)")
            }
        }
        check(noise, "noise")
        check(PartDictionary.first, "the dictionary")
        // The last text is forgotten, however often there was one.
        for round in 0..<70_000 {
            let text = Array("a=rtpmap:8 PCMA/8000 \(round) \(round)".utf8)
            guard round % 997 == 0 || round > 65_530 && round < 65_540 else {
                _ = short.compressed(text, limit: 64)
                continue
            }
            check(text, "round \(round)")
        }
    }

    @Test func whatDoesNotGetShorterIsLeft() {
        var random = RandomSource(seed: 2)
        let noise = random.bytes(300)
        #expect(ShortDeflate(dictionary: PartDictionary.first).compressed(noise, limit: 300) == nil)
        let long = [UInt8](repeating: 7, count: 100_000)
        let compressor = PartCompressor()
        #expect(compressor.compressed(long).flatMap { compressor.expanded($0) } == long)
    }

    /// Parts in every log were compressed with these bytes.
    @Test func theDictionaryNeverChanges() {
        #expect(
            hex(Hash.sha256(PartDictionary.first)) == "be50100009211e79abb8d54e7416b93bff67f0d8711bfb115ecbd71fcd1a330c")
    }
}
