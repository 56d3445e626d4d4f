import Model
import SwiftProtobuf
import Testing

@testable import ControlPlane

/// What only makes a number easier to read is no digit to be stripped (RFC 3966 §3); a name is sent as it is.
@Test(arguments: [
    ("310-555-0100", "5550100"), ("(310)555.0100", "5550100"), ("3105550100", "5550100"), ("+3105550100", "05550100"), ("bob.smith", ".smith"), ("(31)", ""),
]) func whatIsDialledIsStrippedByItsDigits(dialled: String, sent: String) {
    let gateway = Gateway.with {
        $0.applyTo = .dialled
        $0.outboundStrip = 3
    }
    #expect(GatewayTarget(gateway, of: Carrier(), e164: "+13105550100", dialled: dialled, caller: nil, display: "").number == sent)
}
