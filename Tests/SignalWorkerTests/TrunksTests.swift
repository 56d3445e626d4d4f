import Foundation
import Model
import Primitives
import SIP
import SwiftProtobuf
import Testing

@testable import SignalWorker

/// Whose call it is that comes from a gateway which is more than an address and a port.
@Suite struct TrunksTests {
    private let first = GatewayID(UUIDv7(high: 1, low: 1))
    private let second = GatewayID(UUIDv7(high: 1, low: 2))

    private func trunks() -> Trunks {
        var trunks = Trunks()
        trunks.entries[first] = .with {
            $0.gatewayID = first.data
            $0.registrationUser = "12092488700"
        }
        trunks.entries[second] = .with {
            $0.gatewayID = second.data
            $0.anyPort = true
        }
        trunks.know([
            (first, SocketAddress("192.0.2.1:5060")!, false), (first, SocketAddress("192.0.2.9:5060")!, true), (second, SocketAddress("192.0.2.1:5062")!, false),
        ])
        return trunks
    }

    private func invite(_ uri: String, to: String = "sip:+12095550100@public.example", called: String? = nil) -> SIPMessage {
        let address = NameAddress(uri: URI(to)!)
        var request = SIPMessage(
            .invite, URI(uri)!, via: Via(host: "192.0.2.1", port: 5060, branch: "z9hG4bK1"), from: NameAddress(uri: URI("sip:somebody@public.example")!, tag: "1"), to: address,
            callID: "1", cseq: 1)
        if let called { request.headers.append("P-Called-Party-ID", called) }
        return request
    }

    private var contact: String { "sip:12092488700@198.51.100.1;trunk=" + hex(first.value.bytes) }

    @Test func theRegisteredContactCountsFromTheGatewayAndItsRegistrarAlone() {
        let trunks = trunks()
        for source in ["192.0.2.1:5060", "192.0.2.1:33333", "192.0.2.9:1"] {
            #expect(trunks.registered(invite(contact), from: SocketAddress(source)!)?.gatewayID == first.data, "\(source)")
        }
        // Who has read the Contact somewhere is nobody yet.
        #expect(trunks.registered(invite(contact), from: SocketAddress("203.0.113.5:5060")!) == nil)
        #expect(trunks.registered(invite("sip:12092488700@198.51.100.1"), from: SocketAddress("192.0.2.1:5060")!) == nil)
        #expect(trunks.registered(invite("sip:x@198.51.100.1;trunk=00"), from: SocketAddress("192.0.2.1:5060")!) == nil)
        // One that does not register has no Contact.
        let other = "sip:x@198.51.100.1;trunk=" + hex(second.value.bytes)
        #expect(trunks.registered(invite(other), from: SocketAddress("192.0.2.1:5062")!) == nil)
    }

    @Test func anAddressCountsWithItsPortUnlessAnyPortIsItsOwn() {
        let trunks = trunks()
        #expect(trunks.exact(SocketAddress("192.0.2.1:5060")!)?.gatewayID == first.data)
        #expect(trunks.exact(SocketAddress("192.0.2.1:5062")!)?.gatewayID == second.data)
        #expect(trunks.exact(SocketAddress("192.0.2.1:5070")!) == nil)
        #expect(trunks.fromAnyPort(SocketAddress("192.0.2.1:5070")!, by: .udp)?.gatewayID == second.data)
        // A registrar is no gateway.
        #expect(trunks.exact(SocketAddress("192.0.2.9:5060")!) == nil && trunks.fromAnyPort(SocketAddress("192.0.2.9:5060")!, by: .udp) == nil)
    }

    @Test func aGatewayThatIsCalledByTCPCallsByTCP() {
        var trunks = trunks()
        trunks.entries[second]?.transport = .tcp
        let source = SocketAddress("192.0.2.1:40000")!
        #expect(trunks.fromAnyPort(source, by: .tcp)?.gatewayID == second.data)
        #expect(trunks.fromAnyPort(source, by: .udp) == nil && trunks.fromAnyPort(source, by: .tls) == nil)
    }

    @Test func whoCallsTheContactAsItIsSaysElsewhereWhomItWants() {
        let trunks = trunks()
        #expect(trunks.dialled(invite(contact)) == "+12095550100")
        #expect(trunks.dialled(invite(contact, called: "<sip:+12095550199@public.example>")) == "+12095550199")
        #expect(trunks.dialled(invite("sip:+12095550111@198.51.100.1;trunk=" + hex(first.value.bytes))) == "+12095550111")
        #expect(trunks.dialled(invite("sip:1001@pbx.example")) == "1001")
        // With what number portability puts behind it.
        #expect(trunks.dialled(invite("sip:+12095550100;npdi;rn=+12095550000@198.51.100.1;user=phone")) == "+12095550100")
    }
}
