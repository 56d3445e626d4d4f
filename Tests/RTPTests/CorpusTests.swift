import Foundation
import Primitives
import RTP
import Testing

/// One packet of `Tests/Fixtures/rtp`: lines that begin with `#` are for people, and one of them is the expectation.
struct CorpusPacket: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let expectation: String
    let packet: [UInt8]

    static func all(_ folder: String) throws -> [CorpusPacket] {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let directory = root.appending(path: "Fixtures/rtp/\(folder)")
        let names = try FileManager.default.contentsOfDirectory(atPath: directory.path()).sorted()
        return try names.map { name in
            let lines = try String(contentsOf: directory.appending(path: name), encoding: .utf8).split(separator: "\n")
            let digits = lines.filter { !$0.hasPrefix("#") }.joined().filter { $0 != " " }
            let expectation = lines.first { $0.hasPrefix("# expect: ") }?.dropFirst(10)
            return CorpusPacket(
                testDescription: name, expectation: String(try #require(expectation)),
                packet: try #require(bytes(hex: digits)))
        }
    }

    /// `rtp` or `rtcp`, and the name of the error if there was one.
    var verdict: String {
        do throws(RTPParseError) {
            if expectation.hasPrefix("rtcp") {
                _ = try RTCPCompound(parsing: packet.span.bytes)
                return "rtcp"
            }
            _ = try RTPHeader(parsing: packet.span.bytes).payload(of: packet.span.bytes)
            return "rtp"
        } catch {
            let name =
                switch error {
                case .tooShort: "tooShort"
                case .wrongVersion: "wrongVersion"
                case .wrongPadding: "wrongPadding"
                case .wrongLength: "wrongLength"
                case .wrongType: "wrongType"
                }
            return expectation.prefix { $0 != " " } + " " + name
        }
    }
}

@Test(arguments: try CorpusPacket.all("valid") + CorpusPacket.all("invalid"))
func everyPacketOfTheCorpusIsJudgedAsItsFileSays(packet: CorpusPacket) {
    #expect(packet.verdict == packet.expectation)
}
