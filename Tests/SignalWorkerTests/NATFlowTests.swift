import Model
import Primitives
import SwiftProtobuf
import Testing

@testable import SignalWorker

/// Which silent phones behind NATs are asked whether they are there.
@Suite struct NATFlowTests {
    private static let own = SocketAddress("192.0.2.1:5060")!
    private let configuration = SignalConfiguration(worker: "w1", listeners: [NATFlowTests.own], cluster: nil, busEndpoint: "tcp://w1", incarnation: 1)
    private let start = Instant(nanoseconds: 1_000_000_000)

    private func binding(_ user: String, from remote: String = "198.51.100.7:40312", expires: UInt32 = 120) -> Binding {
        .with {
            $0.contactUri = "sip:\(user)@10.0.0.2:5060"
            $0.flow.worker = "w1"
            $0.flow.listener = NATFlowTests.own.description
            $0.flow.remote = remote
            $0.expiresSeconds = expires
            $0.isBehindNat = true
        }
    }

    private func asked(_ flows: inout NATFlows, at seconds: Int64) -> [String] {
        var remotes: [String] = []
        while let (remote, _) = flows.nextSilent(now: start + .seconds(seconds)) { remotes.append(remote.description) }
        return remotes
    }

    /// A phone with two accounts has one port, and a NAT one way for both.
    @Test func aPortOfTwoLinesIsAskedUntilBothHaveLeft() {
        var flows = NATFlows(interval: .seconds(25))
        flows.hold([binding("anna")], of: "anna@acme", configuration, now: start)
        flows.hold([binding("bob")], of: "bob@acme", configuration, now: start)
        #expect(flows.count == 1)
        #expect(asked(&flows, at: 26) == ["198.51.100.7:40312"])
        flows.hold([], of: "bob@acme", configuration, now: start + .seconds(30))
        #expect(asked(&flows, at: 52) == ["198.51.100.7:40312"])
        flows.hold([binding("bob")], of: "bob@acme", configuration, now: start + .seconds(53))
        flows.hold([], of: "anna@acme", configuration, now: start + .seconds(54))
        #expect(asked(&flows, at: 78) == ["198.51.100.7:40312"], "the one that came first has left")
        flows.hold([], of: "bob@acme", configuration, now: start + .seconds(80))
        #expect(flows.count == 0)
        #expect(asked(&flows, at: 110).isEmpty)
    }

    @Test func aPortIsForgottenWhenTheLastLineHasExpired() {
        var flows = NATFlows(interval: .seconds(25))
        flows.hold([binding("anna", expires: 40)], of: "anna@acme", configuration, now: start)
        flows.hold([binding("bob", expires: 60)], of: "bob@acme", configuration, now: start)
        #expect(asked(&flows, at: 50) == ["198.51.100.7:40312"])
        #expect(asked(&flows, at: 90).isEmpty)
        #expect(flows.count == 0)
        // And its lines begin anew.
        flows.hold([binding("anna")], of: "anna@acme", configuration, now: start + .seconds(91))
        #expect(asked(&flows, at: 117) == ["198.51.100.7:40312"])
    }
}
