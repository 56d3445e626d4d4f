import Model
import Primitives
import SIP
import SwiftProtobuf
import Testing

@testable import SignalWorker

/// What a gateway that knows us by our name is told, and whose calls from the networks of Teams are.
@Suite struct OwnNamesTests {
    private static let own = SocketAddress("192.0.2.1:5060")!
    private static let tls = SocketAddress("192.0.2.1:5061")!
    private static let name = "sbc.kages.example"

    private func machine() -> SignalMachine {
        var configuration = SignalConfiguration(worker: "w1", listeners: [Self.own], cluster: nil, busEndpoint: "tcp://w1", incarnation: 1)
        configuration.streams = [StreamAddress(.tls, Self.tls)]
        return SignalMachine(configuration, random: RandomSource(seed: 1))
    }

    private func hop(_ host: String, _ transport: Transport = .tls) -> Hop {
        Hop(transport, listener: Self.tls, remote: SocketAddress(host + ":40000")!, connection: 3)
    }

    private func invite(_ kit: CallKit, to host: String = "sip.pstnhub.microsoft.com") -> SIPMessage {
        var request = SIPMessage(
            .invite, URI(user: "+12065550123", host: host), via: Via(host: "192.0.2.1", port: 5060, branch: "z9hG4bKt"), from: NameAddress(uri: URI(host: Self.name), tag: "1"),
            to: NameAddress(uri: URI(host: host)), callID: "c", cseq: 1)
        request.headers.append(.contact, kit.contactText)
        request.headers.append(.allow, CallMachine.allowed)
        return request
    }

    @Test func whoKnowsUsByNameSeesItInContactAndNoReferInAllow() {
        var kit = machine().kit
        kit.ownNames.learn(Self.name, towards: hop("203.0.113.5").remote.host)
        let named = kit.addressed(invite(kit), by: hop("203.0.113.5"))
        #expect(named.headers[.contact] == "<sip:ledgerline@sbc.kages.example:5061;transport=tls>")
        #expect(named.headers[.allow]?.contains("REFER") == false && named.headers[.allow]?.contains("UPDATE") == true)
        // Others by TLS, and the same host by another transport, see the address.
        for other in [hop("203.0.113.6"), hop("203.0.113.5", .tcp)] {
            let plain = kit.addressed(invite(kit), by: other)
            #expect(plain.headers[.contact]?.contains("192.0.2.1:5061") == true && plain.headers[.allow]?.contains("REFER") == true)
        }
    }

    @Test func holdIsInactiveForThemAndAsItWasForOthers() throws {
        var names = OwnNames()
        names.learn(Self.name, towards: hop("203.0.113.5").remote.host)
        for (direction, expected) in [(SDP.Direction.sendonly, SDP.Direction.inactive), (.sendrecv, .sendrecv), (.inactive, .inactive), (.recvonly, .recvonly)] {
            var sdp = try OfferAnswerTests.sdp("m=audio 4000 RTP/AVP 0\r\n")
            sdp.media[0].direction = direction
            var other = sdp
            names.hold(&sdp, 0, on: hop("203.0.113.5"))
            names.hold(&other, 0, on: hop("203.0.113.6"))
            #expect(sdp.direction(of: 0) == expected && other.direction(of: 0) == direction)
        }
    }

    @Test func callsFromTheNetworksOfTeamsAreTheGatewaysWhoseNameTheyCall() {
        var machine = machine()
        let id = GatewayID(UUIDv7(high: 1, low: 1))
        machine.trunks.entries[id] = .with {
            $0.gatewayID = id.data
            $0.profile = .teams
            $0.ownName = Self.name
        }
        for address in ["52.112.0.1", "52.115.255.254", "52.122.0.1", "52.123.7.7"] {
            #expect(machine.trunks.fromTeams(invite(machine.kit, to: Self.name), on: hop(address))?.gatewayID == id.data, "\(address)")
        }
        for address in ["52.111.255.255", "52.116.0.0", "52.121.255.255", "52.124.0.0", "203.0.113.5"] {
            #expect(machine.trunks.fromTeams(invite(machine.kit, to: Self.name), on: hop(address)) == nil, "\(address)")
        }
        #expect(machine.trunks.fromTeams(invite(machine.kit, to: "sbc.other.example"), on: hop("52.112.0.1")) == nil)
        #expect(machine.trunks.fromTeams(invite(machine.kit, to: Self.name), on: hop("52.112.0.1", .tcp)) == nil)
    }

    @Test func questionsBearTheNameWithoutAUser() {
        let machine = machine()
        let entry = GatewayEntry.with {
            $0.profile = .teams
            $0.ownName = Self.name
            $0.transport = .tls
        }
        let (from, contact) = machine.identity(towards: entry)
        #expect(from.description == "sip:sbc.kages.example:5061")
        #expect(contact.description == "<sip:sbc.kages.example:5061;transport=tls>")
    }
}
