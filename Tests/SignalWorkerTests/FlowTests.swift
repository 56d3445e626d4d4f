import Foundation
import Model
import Primitives
import SIP
import SwiftProtobuf
import Testing

@testable import SignalWorker

/// Which way a message goes that belongs to a connection, here or at a fellow, and what our own addresses are on it.
@Suite struct FlowTests {
    private static let own = SocketAddress("192.0.2.1:5060")!
    private static let own6 = SocketAddress("[2001:db8::1]:5060")!
    private static let tls = SocketAddress("192.0.2.1:5061")!
    private static let phone = SocketAddress("198.51.100.7:40312")!

    private func machine() -> SignalMachine {
        var configuration = SignalConfiguration(worker: "w1", listeners: [Self.own, Self.own6], cluster: nil, busEndpoint: "tcp://w1", incarnation: 1)
        configuration.streams = [StreamAddress(.tcp, Self.own), StreamAddress(.tls, Self.tls), StreamAddress(.secureWebSocket, SocketAddress("192.0.2.1:443")!)]
        var machine = SignalMachine(configuration, random: RandomSource(seed: 1))
        var roster = Roster()
        for name in ["w1", "w2"] {
            roster.workers.append(
                .with {
                    $0.worker = name
                    $0.kind = .signal
                })
        }
        _ = machine.kit.colleagues.take(roster, from: .feed, now: .zero)
        return machine
    }

    private func handle(_ machine: inout SignalMachine, _ input: SignalMachine.Input) -> [SignalMachine.Effect] {
        var effects: [SignalMachine.Effect] = []
        machine.handle(input, now: Instant(nanoseconds: 1), wall: WallTime(microseconds: 1), into: &effects)
        return effects
    }

    @Test func aBindingIsReachedByItsConnectionWhereverThatIs() {
        let kit = machine().kit
        let hop = Hop(.tls, listener: Self.tls, remote: Self.phone, connection: 77)
        let flow = kit.flow(hop)
        #expect(flow.worker == "w1" && flow.transport == "TLS" && flow.connection == 77)
        #expect(kit.hop(flow) == hop)
        var distant = flow
        distant.worker = "w2"
        #expect(kit.hop(distant) == Hop(.tls, listener: Self.tls, remote: Self.phone, connection: 77, relay: "w2"))
        // Its holder is gone, and the connection with it: all that is left is to try the address.
        distant.worker = "w3"
        #expect(kit.hop(distant) == Hop(.tls, listener: Self.tls, remote: Self.phone))
        // A gateway's connection is nobody's.
        #expect(kit.flow(hop, isGateway: true).connection == 0)
    }

    @Test func aFellowSendsByOurConnectionAndIsToldWhenItIsGone() throws {
        var machine = machine()
        let hop = Hop(.tcp, listener: Self.own, remote: Self.phone, connection: 5)
        var message = RelayMessage()
        message.send.listener = Self.own.description
        message.send.remote = Self.phone.description
        message.send.message = Data("BYE".utf8)
        message.send.transport = "TCP"
        message.send.connection = 5
        let sent = handle(&machine, .relay(serialized(message), from: "w2"))
        #expect(sent.contains { if case .stream(let bytes, hop) = $0 { bytes == Array("BYE".utf8) } else { false } })
        let told = handle(&machine, .lost(hop, never: false)).compactMap { effect in
            if case .relay(let body, "w2") = effect { try? RelayMessage(serializedBytes: body).unreachable } else { nil as RelayUnreachable? }
        }
        #expect(told.count == 1 && told.first?.connection == 5 && told.first?.transport == "TCP")
        // Once: whoever uses the number again is told again.
        #expect(!handle(&machine, .lost(hop, never: false)).contains { if case .relay = $0 { true } else { false } })
    }

    @Test func whatAFellowTellsOfALostConnectionEndsWhatWentByIt() throws {
        var machine = machine()
        let hop = Hop(.tcp, listener: Self.own, remote: Self.phone, connection: 5, relay: "w2")
        let request = SIPMessage(
            .options, URI(host: "198.51.100.7"), via: Via(host: "192.0.2.1", port: 5060, branch: "z9hG4bKf"), from: NameAddress(uri: URI(host: "a.example"), tag: "1"),
            to: NameAddress(uri: URI(host: "b.example")), callID: "c", cseq: 1)
        machine.kit.send(request, to: hop, of: nil)
        #expect(machine.kit.transactions.clientCount == 1)
        var message = RelayMessage()
        message.unreachable.listener = Self.own.description
        message.unreachable.remote = Self.phone.description
        message.unreachable.transport = "TCP"
        message.unreachable.connection = 5
        _ = handle(&machine, .relay(serialized(message), from: "w2"))
        #expect(machine.kit.transactions.clientCount == 0)
    }

    @Test(arguments: [
        ("TLS", "192.0.2.1:5061", "SIP/2.0/TLS 192.0.2.1:5061", "<sip:ledgerline@192.0.2.1:5061;transport=tls>"),
        ("WSS", "192.0.2.1:443", "SIP/2.0/WSS 192.0.2.1:443", "<sip:ledgerline@192.0.2.1:443;transport=ws>"),
        ("UDP", "192.0.2.1:5060", "SIP/2.0/UDP 192.0.2.1:5060", "<sip:ledgerline@192.0.2.1:5060>"),
        ("UDP", "[2001:db8::1]:5060", "SIP/2.0/UDP [2001:db8::1]:5060", "<sip:ledgerline@[2001:db8::1]:5060>"),
    ])
    func ourOwnAddressIsTheOneOfTheWay(transport: String, listener: String, via: String, contact: String) throws {
        var kit = machine().kit
        let local = try #require(SocketAddress(listener))
        let remote = local.isSameFamily(as: Self.phone) ? Self.phone : try #require(SocketAddress("[2001:db8::7]:5060"))
        let call = CallID(UUIDv7(high: 1, low: 2))
        var request = SIPMessage(
            .invite, URI(host: "x.example"), via: kit.via(call), from: NameAddress(uri: URI(host: "a.example"), tag: "1"), to: NameAddress(uri: URI(host: "b.example")),
            callID: "c", cseq: 1)
        request.headers.append(.contact, kit.contactText)
        let made = kit.addressed(request, by: Hop(Transport(transport), listener: local, remote: remote))
        #expect(made.vias[0].description.hasPrefix(via + ";branch="))
        #expect(made.headers[.contact] == contact)
        // A contact of somebody else is left as it is.
        request.headers[.contact] = "<sip:bob@198.51.100.9>"
        #expect(kit.addressed(request, by: Hop(Transport(transport), listener: local, remote: remote)).headers[.contact] == "<sip:bob@198.51.100.9>")
        // Whoever asked by sips is answered by sips (RFC 3261 §12.1.1).
        var secure = request
        secure.headers[.contact] = kit.contactText
        secure.requestURI?.scheme = "sips"
        if transport == "TLS" {
            #expect(kit.addressed(secure, by: Hop(.tls, listener: local, remote: remote)).headers[.contact] == "<sips:ledgerline@192.0.2.1:5061;transport=tls>")
        }
    }

    @Test func largeRequestsMoveToTCPUnlessThePeerHasRefusedOrMayBeBehindANAT() throws {
        var machine = machine()
        func request(_ host: String, _ size: Int) -> SIPMessage {
            var request = SIPMessage(
                .invite, URI(host: host), via: machine.kit.via(CallID(UUIDv7(high: 1, low: 2))), from: NameAddress(uri: URI(host: "a.example"), tag: "1"),
                to: NameAddress(uri: URI(host: "b.example")), callID: "c", cseq: 1)
            request.setBody([UInt8](repeating: 0x41, count: size), type: "application/sdp")
            return request
        }
        let hop = Hop(listener: Self.own, remote: Self.phone)
        let small = machine.kit.way(of: request("198.51.100.7", 500), hop)
        #expect(small.hop == hop && small.otherwise == nil)
        let large = machine.kit.way(of: request("198.51.100.7", 1_300), hop)
        #expect(large.hop == Hop(.tcp, listener: Self.own, remote: Self.phone))
        #expect(large.request.vias[0].transport == .tcp)
        let plain = try #require(large.otherwise)
        #expect(plain.hop == hop && plain.request.vias[0].transport == .udp && plain.request.branch == large.request.branch)
        // Its Contact says another host than the one it was heard from.
        #expect(machine.kit.way(of: request("10.0.0.7", 1_300), hop).hop == hop)
        _ = handle(&machine, .lost(large.hop, never: true))
        #expect(machine.kit.way(of: request("198.51.100.7", 1_300), hop).hop == hop)
        machine.kit.now = Instant(nanoseconds: 601_000_000_000)
        #expect(machine.kit.way(of: request("198.51.100.7", 1_300), hop).hop.transport == .tcp)
    }

    @Test func aLineIsNotTakenForTheCarrierAtItsAddress() throws {
        var machine = machine()
        let hop = Hop(.tcp, listener: Self.own, remote: Self.phone, connection: 5)
        func invite(_ number: Int) -> [UInt8] {
            Array(
                """
                INVITE sip:1001@acme.example SIP/2.0\r\nVia: SIP/2.0/TCP 198.51.100.7:5060;branch=z9hG4bK\(number)\r\nMax-Forwards: 70\r\n\
                From: <sip:anna@acme.example>;tag=1\r\nTo: <sip:1001@acme.example>\r\nCall-ID: c\(number)\r\nCSeq: 1 INVITE\r\n\
                Contact: <sip:anna@198.51.100.7>\r\nContent-Length: 0\r\n\r\n
                """.utf8)
        }
        func isChallenged(_ effects: [SignalMachine.Effect]) -> Bool {
            effects.contains { if case .stream(let bytes, hop) = $0 { String(decoding: bytes, as: UTF8.self).hasPrefix("SIP/2.0 407") } else { false } }
        }
        // Whose address it is has to be asked, and nothing is said meanwhile.
        #expect(!isChallenged(handle(&machine, .message(invite(1), hop))))
        machine.lines.insert(5)
        #expect(isChallenged(handle(&machine, .message(invite(2), hop))))
        _ = handle(&machine, .lost(hop, never: false))
        #expect(machine.lines.isEmpty)
    }

    @Test func aKeepAliveIsAnsweredAndAFloodOfThemIsNot() throws {
        var configuration = SignalConfiguration(worker: "w1", listeners: [Self.own], cluster: nil, busEndpoint: "tcp://w1", incarnation: 1)
        (configuration.sourceRate, configuration.sourceBurst) = (10, 20)
        var machine = SignalMachine(configuration, random: RandomSource(seed: 1))
        let request: [UInt8] = [0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42] + (0..<12)
        var answered = 0
        for _ in 0..<100 {
            let effects = handle(&machine, .datagram(request, listener: Self.own, from: Self.phone))
            answered += effects.count { if case .send(let bytes, Self.own, Self.phone) = $0 { bytes.starts(with: [1, 1]) } else { false } }
        }
        #expect(answered == 20)
    }
}
