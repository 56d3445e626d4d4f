import DNS
import Foundation
import Model
import Primitives
import SIP
import SwiftProtobuf
import Testing

@testable import SignalWorker

/// A gateway that is a name has several servers (RFC 3263 §4.3): what one refuses for the moment, another may do.
@Suite struct GatewayServersTests {
    private static let own = SocketAddress("192.0.2.1:5060")!
    private static let servers = [SocketAddress("198.51.100.10:5060")!, SocketAddress("198.51.100.20:5060")!]
    private static let gateway = GatewayID(UUIDv7(high: 1, low: 2))

    /// A worker, what DNS and the servers say to it, and where its requests went.
    private struct World {
        var machine: SignalMachine
        var now = Instant(nanoseconds: 1_000_000_000)
        var sent: [(method: SIP.Method, to: SocketAddress, at: Instant)] = []
        /// The status that each server answers with.
        var says: [SocketAddress: Int]

        init(says: [Int], _ change: (inout GatewayEntry) -> Void) throws {
            let configuration = SignalConfiguration(worker: "w1", listeners: [own], cluster: nil, busEndpoint: "tcp://w1", incarnation: 1)
            machine = SignalMachine(configuration, random: RandomSource(seed: 1))
            self.says = Dictionary(uniqueKeysWithValues: zip(servers, says))
            try handle(.tick)
            var entry = GatewayEntry()
            entry.gatewayID = gateway.data
            entry.host = "carrier.test"
            entry.worker = "w1"
            change(&entry)
            machine.take(.with { $0.entries = [entry] })
        }

        mutating func run(_ seconds: Int) throws {
            for _ in 0..<(seconds * 20) {
                now = now + .milliseconds(50)
                try handle(.tick)
            }
        }

        private mutating func handle(_ input: SignalMachine.Input) throws {
            var effects: [SignalMachine.Effect] = []
            machine.handle(input, now: now, wall: WallTime(microseconds: 1_800_000_000_000_000), into: &effects)
            for effect in effects {
                switch effect {
                case .lookUp(let question):
                    let records = servers.enumerated().map { DNSRecord.server(priority: UInt16($0.offset), weight: 0, port: 5060, target: $0.element.host.description) }
                    try handle(.resolved(question, question.type == .srv ? .records(records, seconds: 3_600) : .absent(seconds: 3_600)))
                case .send(let bytes, _, let remote):
                    let request = try SIPMessage(parsing: bytes)
                    guard let method = request.method, let status = says[remote] else { continue }
                    sent.append((method, remote, now))
                    try handle(.datagram(request.response(status, toTag: "t").bytes, listener: own, from: remote))
                default: break
                }
            }
        }
    }

    @Test func aProbeThatOneServerRefusesGoesToTheNextAtOnce() throws {
        var world = try World(says: [503, 200]) {
            $0.probeSeconds = 10
            $0.probeFailuresMax = 2
        }
        try world.run(200)
        #expect(world.machine.trunks.probes[Self.gateway]?.machine.isInService == true)
        let asked = world.sent.map(\.to)
        #expect(asked.contains(Self.servers[0]) && asked.contains(Self.servers[1]))
        for (index, probe) in world.sent.enumerated() where probe.to == Self.servers[0] {
            let next = try #require(world.sent.dropFirst(index + 1).first)
            #expect(next.to == Self.servers[1] && next.at == probe.at)
        }
        // Where all refuse, the gateway is out.
        world.says = [Self.servers[0]: 503, Self.servers[1]: 503]
        try world.run(100)
        #expect(world.machine.trunks.probes[Self.gateway]?.machine.isInService == false)
    }

    @Test func eachRoundOfARegistrationAsksAllServers() throws {
        var world = try World(says: [503, 503]) {
            $0.registrationUser = "trunk"
            $0.registrationSeconds = 3_600
        }
        try world.run(300)
        #expect(world.sent.count >= 6 && world.sent.allSatisfy { $0.method == .register })
        let asked = world.sent.map(\.to)
        #expect(asked.count { $0 == Self.servers[0] } == asked.count { $0 == Self.servers[1] })
        world.says[Self.servers[1]] = 200
        let before = world.sent.count
        try world.run(300)
        #expect(Set(world.sent[before...].map(\.to)).contains(Self.servers[1]))
        #expect(world.machine.trunks.registrations.values.contains { $0.machine.state == .registered })
    }
}
