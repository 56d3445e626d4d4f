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

    /// Parts in every log were compressed with these bytes.
    @Test func theDictionaryNeverChanges() {
        #expect(
            hex(Hash.sha256(PartDictionary.first)) == "be50100009211e79abb8d54e7416b93bff67f0d8711bfb115ecbd71fcd1a330c")
    }
}
