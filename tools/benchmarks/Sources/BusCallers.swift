import Bus
import Foundation
import Model
import Primitives
import SwiftProtobuf

/// A signal worker's end of the desk, with one call of each line waiting for its plan. A line whose call has its plan makes the
/// next one; the calls go on.
struct BusCallers: ~Copyable {
    private static let patience: Duration = .seconds(10)

    private var dealer: Dealer
    private var poller = Poller()
    private let token: Poller.Token
    private let lines: [Exchange.Line]
    private var asked: [RequestID: (line: Int, at: ContinuousClock.Instant)] = [:]
    private var requests: UInt64 = 0
    private let clock = ContinuousClock()

    init(to endpoint: String, server: CurvePublicKey, as keys: CurveKeyPair, lines: [Exchange.Line]) throws {
        dealer = try Dealer(to: endpoint, server: server, as: keys, in: BusContext())
        token = poller.add(dealer)
        self.lines = lines
    }

    /// - Returns: how long each plan took, shortest first.
    mutating func run(for limit: Duration) throws -> [Duration] {
        _ = try send(
            .with {
                $0.hello.worker = Exchange.worker
                $0.hello.kind = .signal
                $0.hello.incarnation = Data([1])
            })
        try wait()
        while dealer.receive() != nil {}
        for line in lines.indices { try start(line) }
        let warm = clock.now + limit / 10
        let end = warm + limit
        var latencies: [Duration] = []
        var beat = clock.now
        while clock.now < end {
            try wait()
            while let message = dealer.receive() {
                guard let id = message.id, let call = asked.removeValue(forKey: id) else { continue }
                let now = clock.now
                let reply = try DeskReply(serializedBytes: message.body)
                guard case .callPlan = reply.kind else { throw Failure("\(reply)") }
                if call.at >= warm { latencies.append(now - call.at) }
                try start(call.line)
            }
            if clock.now - beat > .milliseconds(500) {
                beat = clock.now
                _ = try send(.with { $0.heartbeat.calls = UInt32(lines.count) })
            }
        }
        guard !latencies.isEmpty else { throw Failure("no call got its plan") }
        return latencies.sorted()
    }

    private mutating func start(_ line: Int) throws {
        let milliseconds = UInt64(WallTime.current.microseconds / 1_000)
        let call = Data(UUIDv7(high: milliseconds << 16 | 0x7000, low: 1 << 63 | requests).bytes)
        let caller = lines[line]
        let id = try send(
            .with {
                $0.startCall.callID = call
                $0.startCall.callerSubscriberID = Data(caller.subscriber)
                $0.startCall.dialled = Exchange.dialled
                $0.startCall.domain = caller.domain
                $0.startCall.sipCallID = "a84b4c76e66710@192.0.2.17"
                $0.startCall.startedAt = WallTime.current.microseconds
            })
        asked[id] = (line, clock.now)
    }

    private mutating func send(_ request: DeskRequest) throws -> RequestID {
        requests += 1
        let id = RequestID(high: 1, low: requests)
        let message = BusMessage(id: id, body: try request.serializedBytes())
        guard dealer.send(message) != .sent else { return id }
        poller.watchWriting(token, true)
        defer { poller.watchWriting(token, false) }
        while dealer.send(message) != .sent {
            guard poller.wait(for: Self.patience) > 0 else { throw Failure("the desk takes nothing") }
        }
        return id
    }

    private mutating func wait() throws {
        guard poller.wait(for: Self.patience) > 0 else { throw Failure("the desk does not answer") }
    }
}
