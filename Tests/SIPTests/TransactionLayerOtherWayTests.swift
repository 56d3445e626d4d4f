import Primitives
import Testing

@testable import SIP

/// A large request goes by TCP, and by UDP after all when the peer takes no connection (RFC 3261 §18.1.1).
@Suite struct TransactionLayerOtherWayTests {
    private let stream = Hop(.tcp, listener: Samples.worker, remote: Samples.phone)
    private var layer = TransactionLayer()
    private var effects: [TransactionLayer.Effect] = []

    private mutating func send(_ method: String) -> ClientTransactionID? {
        var large = Samples.request(method)
        large.vias[0].transport = .tcp
        return layer.send(large, to: stream, otherwise: (Samples.request(method), Samples.hop), now: Samples.time(0), into: &effects)
    }

    @Test(arguments: ["INVITE", "MESSAGE"])
    mutating func aRefusedConnectionIsFollowedByADatagram(method: String) throws {
        let id = try #require(send(method))
        #expect(effects.count == 1)
        effects = []
        layer.unreachable(stream, now: Samples.time(3), into: &effects)
        guard case .send(let bytes, let hop) = try #require(effects.first), effects.count == 1 else {
            Issue.record("\(effects)")
            return
        }
        #expect(hop == Samples.hop)
        #expect(try SIPMessage(parsing: bytes).topVia?.transport == .udp)
        // From here on it is repeated as any datagram is.
        effects = []
        layer.tick(now: Samples.time(503), into: &effects)
        #expect(told(effects) == ["send \(method)"])
        effects = []
        layer.receive(Samples.request(method).response(200, toTag: "b"), on: Samples.hop, now: Samples.time(600), into: &effects)
        #expect(effects == [.response(id, Samples.request(method).response(200, toTag: "b"), Samples.hop)])
    }

    @Test mutating func whatWasHeardOfIsNotSentAgain() throws {
        let id = try #require(send("INVITE"))
        effects = []
        layer.receive(Samples.request("INVITE").response(100), on: stream, now: Samples.time(5), into: &effects)
        effects = []
        layer.unreachable(stream, now: Samples.time(9), into: &effects)
        #expect(effects == [.failed(id, .unreachable)])
        #expect(layer.clientCount == 0)
    }

    @Test mutating func aCancelWaitsForTheSecondWayAsForTheFirst() throws {
        let id = try #require(send("INVITE"))
        layer.cancel(id, now: Samples.time(1), into: &effects)
        effects = []
        layer.unreachable(stream, now: Samples.time(3), into: &effects)
        #expect(told(effects) == ["send INVITE"])
        effects = []
        layer.receive(Samples.request("INVITE").response(180, toTag: "b"), on: Samples.hop, now: Samples.time(20), into: &effects)
        #expect(told(effects).contains("send CANCEL"))
    }

    enum Progress: CaseIterable { case waits, refused, answered, acknowledged }

    /// Whoever answers hears of a connection's end while its answer is due; once the ACK is there, or a refusal was sent, nothing hangs on it.
    @Test(arguments: Progress.allCases)
    mutating func theEndOfAConnectionIsToldWhileItMatters(progress: Progress) throws {
        layer.receive(Samples.request("INVITE"), on: stream, now: Samples.time(0), into: &effects)
        guard case .request(let id, let invite, let back) = try #require(effects.first) else {
            Issue.record("\(effects)")
            return
        }
        if progress != .waits { layer.respond(invite.response(progress == .refused ? 486 : 200, toTag: "b"), to: id, now: Samples.time(10), into: &effects) }
        if progress == .acknowledged {
            layer.receive(Samples.request("ACK", branch: "z9hG4bKack", toTag: "b"), on: stream, now: Samples.time(20), into: &effects)
        }
        effects = []
        layer.unreachable(back, now: Samples.time(30), into: &effects)
        let told: [TransactionLayer.Effect] =
            switch progress {
            case .waits: [.unreachable(id)]
            case .answered: [.unacknowledged(id)]
            case .refused, .acknowledged: []
            }
        #expect(effects == told)
    }

    @Test mutating func theSecondWayHasNoThird() throws {
        let id = try #require(send("INVITE"))
        effects = []
        layer.unreachable(stream, now: Samples.time(3), into: &effects)
        effects = []
        layer.unreachable(Samples.hop, now: Samples.time(4), into: &effects)
        #expect(effects == [.failed(id, .unreachable)])
    }
}
