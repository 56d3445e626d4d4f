internal import Bus
internal import Logging
internal import Model
internal import Primitives
internal import SwiftProtobuf

/// The loop around `ControlCore`: wait for requests, commands, the disk or a deadline; decide what has come as one batch, while
/// the one before it is made durable; carry out the answers in order. It decides nothing.
final class ControlLoop {
    private var core: ControlCore
    private var desk: Bus.Router
    private var feed: FeedPublisher
    private var poller = Poller()
    private var replies = ReplyCache()
    private let allowlist: Allowlist
    private let driver: ControlDriver
    private let logger: Logger
    private let deskToken: Poller.Token
    private var peers: [PeerRequest: Bus.Router.Peer] = [:]
    private var commands: [UInt64: ControlDriver.Answer] = [:]
    private var tickets: UInt64 = 0

    private struct PeerRequest: Hashable {
        let worker: String
        let id: RequestID
    }

    init(
        _ core: sending ControlCore, desk: consuming Bus.Router, feed: consuming FeedPublisher, allowlist: Allowlist,
        driver: ControlDriver, logger: Logger
    ) {
        self.core = core
        deskToken = poller.add(desk)
        _ = poller.add(driver.waker)
        self.desk = desk
        self.feed = feed
        self.allowlist = allowlist
        self.driver = driver
        self.logger = logger
    }

    /// Returns after `ControlDriver.close`, when everything that had come before is answered.
    func run() {
        var mustStop = false
        while !mustStop {
            var now = Instant.now
            _ = poller.wait(until: core.nextWake, now: now)
            now = .now
            let wall = WallTime.now
            carryOut(core.advance())
            let taken = driver.take()
            mustStop = taken.mustStop
            var work: [Work] = []
            for item in taken.items { take(item, at: wall, into: &work) }
            if poller.isReadable(deskToken) { receive(at: now, into: &work) }
            core.decide(work, now: now, wall: wall) { carryOut($0) }
            // After the batch: heartbeats that waited in it count.
            if now >= core.nextWake {
                carryOut(core.tick(now: now, wall: wall))
                reportRefusals()
            }
        }
        carryOut(core.finish())
    }

    private func take(_ item: ControlDriver.Item, at wall: WallTime, into work: inout [Work]) {
        switch item {
        case .command(let request, let answer):
            tickets += 1
            commands[tickets] = answer
            work.append(.admin(ticket: tickets, request))
        case .workers(let continuation):
            continuation.resume(returning: core.workerStatuses())
        case .gateways(let continuation):
            continuation.resume(returning: core.gatewayStatuses())
        case .bindings(let subscriber, let continuation):
            continuation.resume(returning: core.bindings(of: subscriber, at: wall))
        case .watchers(let subscriber, let continuation):
            continuation.resume(returning: core.watchers(of: subscriber))
        }
    }

    private func receive(at now: Instant, into work: inout [Work]) {
        while work.count < ControlCore.batchMax, let delivery = desk.receive() {
            guard let id = delivery.message.id else { continue }
            let worker = delivery.peer.worker
            switch replies.admit(id, from: worker, now: now) {
            case .inProgress: continue
            case .repeated(let answer): send(answer, to: id, delivery.peer)
            case .new:
                guard let request = try? DeskRequest(wireBytes: delivery.message.body) else {
                    replies.forget(id, from: worker)
                    send(serialized(DeskReply.error(.malformed, "not a DeskRequest")), to: id, delivery.peer)
                    continue
                }
                peers[PeerRequest(worker: worker, id: id)] = delivery.peer
                work.append(.desk(worker: worker, requestID: id.bytes, request))
            }
        }
    }

    private func carryOut(_ outputs: [Output]) {
        for output in outputs {
            switch output {
            case .reply(let worker, let requestID, let reply, let encoded): answer(worker, requestID, reply, encoded)
            case .adminResult(let ticket, let result): commands.removeValue(forKey: ticket)?(result)
            case .feed(let message): _ = feed.publish(serialized(message))
            case .admission(.admit(let name, let publicKey)):
                if let key = CurvePublicKey(bytes: publicKey) { allowlist.enrol(key, name: name) }
            case .admission(.dismiss(let name)): allowlist.revoke(name: name)
            case .note(let note): log(note)
            }
        }
    }

    private func answer(_ worker: String, _ requestID: [UInt8], _ reply: DeskReply, _ encoded: [UInt8]?) {
        guard let id = RequestID(bytes: requestID),
            let peer = peers.removeValue(forKey: PeerRequest(worker: worker, id: id))
        else { return }
        let bytes = encoded ?? serialized(reply)
        if reply.isForNow { replies.forget(id, from: worker) } else { replies.record(bytes, to: id, from: worker) }
        send(bytes, to: id, peer)
    }

    /// A worker whose queue is full, or that is gone, asks again and gets the first answer.
    private func send(_ bytes: [UInt8], to id: RequestID, _ peer: Bus.Router.Peer) {
        _ = desk.send(BusMessage(id: id, body: bytes), to: peer)
    }

    private func reportRefusals() {
        for refusal in allowlist.takeRefusals() {
            logger.warning("a key that is not enrolled tried to connect", metadata: ["address": "\(refusal.address)"])
        }
    }

    private func log(_ note: ControlNote) {
        switch note {
        case .workerArrived(let name): logger.info("worker is here", metadata: ["worker": "\(name)"])
        case .workerLost(let name): logger.warning("worker is lost", metadata: ["worker": "\(name)"])
        case .callsAdopted(let count, let name):
            logger.warning("calls go on with other workers", metadata: ["calls": "\(count)", "from": "\(name)"])
        case .callsClosed(let count, let name):
            logger.warning("calls are closed by rule", metadata: ["calls": "\(count)", "worker": "\(name)"])
        case .batchFailed(let commands, let reason):
            logger.error(
                "nothing of a batch was recorded", metadata: ["commands": "\(commands)", "reason": "\(reason)"])
        case .viewsBehind(let reason):
            logger.error("the views lag the log and catch up", metadata: ["reason": "\(reason)"])
        case .watchersUntold(let lines, let reason):
            logger.error(
                "who watches lines waits to be told, because the views cannot be read", metadata: ["lines": "\(lines)", "reason": "\(reason)"])
        case .keyNotDestroyed(let reason):
            logger.error("the key of an erased subject could not be destroyed", metadata: ["reason": "\(reason)"])
        case .locationStoreFailed(let reason):
            logger.error("registrations are in memory alone", metadata: ["reason": "\(reason)"])
        }
    }
}

extension DeskReply {
    /// The same request may get another answer in a moment.
    fileprivate var isForNow: Bool {
        guard case .error(let error)? = kind else { return false }
        switch error.code {
        case .unavailable, .sayHello, .notEnrolled: return true
        case .malformed, .unknownCall, .notOwner, .UNRECOGNIZED: return false
        }
    }
}
