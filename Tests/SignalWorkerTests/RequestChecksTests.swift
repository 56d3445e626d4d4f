import Foundation
import Model
import Primitives
import SIP
import SwiftProtobuf
import Testing

@testable import SignalWorker

/// What is looked at of a request before anybody is asked who sent it (RFC 3261 §8.2).
@Suite struct RequestChecksTests {
    private static let own = SocketAddress.loopback(5_061)
    private static let phone = SocketAddress(.v4(0xC633_6407), port: 5_060)

    private func request(_ method: String, _ uri: String = "sip:1001@acme.example", to: String = "sip:1001@acme.example", hops: Int = 70, fields: String = "", body: String = "") -> String {
        """
        \(method) \(uri) SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bK1\r\nMax-Forwards: \(hops)\r\nFrom: <sip:anna@acme.example>;tag=1\r\n\
        To: <\(to)>\r\nCall-ID: c\r\nCSeq: 1 \(method)\r\nContact: <sip:anna@198.51.100.7>\r\n\(fields)Content-Length: \(body.utf8.count)\r\n\r\n\(body)
        """
    }

    /// The answer, and whether the control plane was asked who calls.
    private func ask(_ text: String) throws -> (answer: SIPMessage?, isAsked: Bool) {
        let configuration = SignalConfiguration(worker: "w1", listeners: [Self.own], cluster: nil, busEndpoint: "tcp://w1", incarnation: 1)
        var machine = SignalMachine(configuration, random: RandomSource(seed: 1))
        var effects: [SignalMachine.Effect] = []
        machine.handle(
            .datagram(Array(text.utf8), listener: Self.own, from: Self.phone), now: Instant(nanoseconds: 1), wall: WallTime(microseconds: 1_800_000_000_000_000), into: &effects)
        var (answer, isAsked) = (SIPMessage?.none, false)
        for effect in effects {
            switch effect {
            case .send(let bytes, _, _): answer = try SIPMessage(parsing: bytes)
            case .request(_, let body, _):
                if case .source? = try DeskRequest(serializedBytes: body).kind { isAsked = true }
            default: break
            }
        }
        return (answer, isAsked)
    }

    /// §8.2.2.1.
    @Test(arguments: [("INVITE", "tel:+12095550100"), ("INVITE", "mailto:a@b.example"), ("OPTIONS", "urn:service:sos"), ("REGISTER", "tel:1")])
    func aSchemeThatIsNotSpokenIsNamed(method: String, uri: String) throws {
        let (answer, isAsked) = try ask(request(method, uri))
        #expect(answer?.status == 416 && !isAsked)
    }

    /// §10.3, step 5.
    @Test func whatIsNoAddressOfRecordIsNotChallenged() throws {
        let (answer, isAsked) = try ask(request("REGISTER", to: "tel:+12095550100"))
        #expect(answer?.status == 404 && !isAsked)
        #expect(answer?.headers[.wwwAuthenticate] == nil)
    }

    /// What is for us needs no further hop (§16.3, step 3 is a proxy's).
    @Test func onlyCallsNeedHopsThatAreLeft() throws {
        #expect(try ask(request("OPTIONS", hops: 0)).answer?.status == 200)
        #expect(try ask(request("REGISTER", hops: 0)).answer?.status == 401)
        #expect(try ask(request("INVITE", hops: 0)).answer?.status == 483)
    }

    /// §8.2.3.
    @Test(arguments: [
        ("Content-Type: text/plain\r\n", "hello"), ("Content-Type: multipart/mixed;boundary=b\r\n", "--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b--\r\n"),
        ("Content-Type: application/sdp\r\nContent-Encoding: gzip\r\n", "v=0\r\n"), ("", "v=0\r\n"),
        ("Content-Type: text/plain\r\nContent-Disposition: render; handling=required\r\n", "hello"),
    ])
    func aBodyThatIsNoDescriptionIsRefused(fields: String, body: String) throws {
        let (answer, isAsked) = try ask(request("INVITE", fields: fields, body: body))
        #expect(answer?.status == 415 && !isAsked)
        #expect(answer?.headers[.accept] == "application/sdp, multipart/mixed")
        #expect(answer?.headers[.acceptEncoding] == "identity")
    }

    @Test(arguments: ["Content-Disposition: render;handling=optional\r\nContent-Type: text/plain\r\n", "Content-Encoding: identity\r\nContent-Type: application/sdp\r\n"])
    func aBodyThatMayBeLeftOutIs(fields: String) throws {
        let (answer, isAsked) = try ask(request("INVITE", fields: fields, body: "v=0\r\n"))
        #expect(isAsked && answer?.status != 415)
    }
}
