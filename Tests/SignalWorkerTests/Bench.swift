import Foundation
import Primitives
import SIP

@testable import SignalWorker

/// One worker's connections over real sockets on loopback, and what they have told; the time is the test's own.
struct Bench: ~Copyable {
    static let start = Instant(nanoseconds: 1_000_000_000)
    var connections: Connections
    var now = Bench.start
    private(set) var messages: [(bytes: [UInt8], hop: Hop)] = []
    private(set) var counts: [String: Int] = [:]
    private(set) var lost: [(hop: Hop, never: Bool)] = []

    init(_ transports: [Transport] = [.tcp], _ limits: StreamLimits = StreamLimits(), certificates: Certificates? = nil, host: SocketAddress.Host = .v4(0x7F00_0001)) throws {
        connections = try Connections(
            transports.map { StreamAddress($0, SocketAddress(host, port: 0)) }, limits: limits, certificates: certificates, start: 1_000)
    }

    var address: SocketAddress { connections.addresses[0].address }

    /// Carries out what is ready, if anything is within some milliseconds.
    mutating func turn() {
        var ready = pollfd(fd: connections.descriptor, events: Int16(POLLIN), revents: 0)
        _ = poll(&ready, 1, 5)
        var events: [Connections.Event] = []
        connections.turn(now: now, into: &events)
        take(events)
    }

    /// Carries out what is ready until the condition holds, or a time has passed that nobody needs.
    mutating func run(briefly: Bool = false, until isDone: (borrowing Bench) -> Bool) -> Bool {
        let end = Date().addingTimeInterval(briefly ? 0.005 : 60)
        repeat {
            if isDone(self) { return true }
            turn()
        } while Date() < end
        return isDone(self)
    }

    mutating func pass(_ time: Duration) {
        now = now + time
        var events: [Connections.Event] = []
        connections.expire(now: now, into: &events)
        take(events)
    }

    mutating func send(_ bytes: [UInt8], by hop: Hop) {
        var events: [Connections.Event] = []
        connections.send(bytes, by: hop, now: now, into: &events)
        take(events)
    }

    mutating func trust(_ hop: Hop) { connections.trust(hop) }

    private mutating func take(_ events: [Connections.Event]) {
        for event in events {
            switch event {
            case .message(let bytes, let hop): messages.append((bytes, hop))
            case .lost(let hop, let never): lost.append((hop, never))
            case .note(let note): counts[note.name, default: 0] += 1
            }
        }
    }
}
