import Foundation
import Model
import Primitives
import Projections
import SwiftProtobuf

extension ControlCore {
    private static let page = 500

    /// A worker says what it is and what it carries; what that means for the calls of its name is settled at once.
    ///
    /// It greets after it has missed something of the feed, which it sees by the answer to its second heartbeat after that at the latest.
    /// So watchers are told once more what they were told by way of it within as long before it was heard last, and some more; with the
    /// next tick, when it has the answer and listens to the feed again.
    mutating func greet(
        _ hello: Hello, from worker: Worker, now: Instant, wall: WallTime, _ batch: inout Batch,
        _ views: inout ViewTransaction
    ) throws -> DeskReply {
        guard hello.worker == worker.name, hello.kind == worker.kind else {
            return .error(.malformed, "enrolled is \(worker.name) as another kind or name than it says")
        }
        let wasAlive = workers.isAlive(worker.name)
        if let heard = workers.lastHeard(worker.name) { subscriptions.doubt(worker.name, since: heard + settings.deadAfter * -3) }
        let greeting = workers.greet(hello, publicKey: Array(worker.curvePublicKey), now: now, wall: wall)
        orphans[worker.name] = nil
        if !wasAlive || greeting == .restarted { batch.notes.append(.workerArrived(worker.name)) }
        var welcome = Welcome()
        if worker.kind == .signal {
            let claimed = Set(hello.calls)
            try settleCalls(of: worker.name, claimed: claimed, greeting, wall: wall, &batch, &views)
            if let book = gateways.told { welcome.gateways = book }
            welcome.lostCalls = try hello.calls.filter { try isLost($0, to: worker.name, views) }
        }
        welcome.feedNumber = feedPosition
        welcome.roster = workers.roster
        welcome.heartbeatMs = UInt32(clamping: settings.heartbeat.milliseconds)
        welcome.platform = platform
        return .with { $0.welcome = welcome }
    }

    /// Ended, or carried by somebody else. A call that was never recorded is not lost: its start may be on the way.
    private func isLost(_ id: Data, to worker: String, _ views: borrowing ViewTransaction) throws -> Bool {
        guard let call = CallID(id) else { return true }
        if let live = try views.liveCall(call) { return live.worker != worker }
        return try views.cdr(call: call) != nil
    }

    /// The calls that the ledger says the worker carries, and that it did not list.
    private mutating func settleCalls(
        of worker: String, claimed: Set<Data>, _ greeting: WorkerTable.Greeting, wall: WallTime, _ batch: inout Batch,
        _ views: inout ViewTransaction
    ) throws {
        var after: CallID?
        while true {
            let page = try views.liveCalls(worker: worker, after: after, limit: Self.page)
            for live in page where !claimed.contains(live.started.callID) {
                guard let call = CallID(live.started.callID) else { continue }
                switch greeting {
                case .restarted:
                    // The process that carried it is gone with everything that it had in memory.
                    try rescue(
                        call, live, endedAt: wall, cause: "worker \(worker) restarted", wall: wall, &batch, &views)
                case .first where live.answeredAt == 0:
                    // A worker lists its calls from before it asks for them to be started: this one went with another process.
                    try rescue(
                        call, live, endedAt: wall, cause: "worker \(worker) does not have the call", wall: wall, &batch, &views)
                case .known, .first:
                    // Its adoption may have been lost on the way; a worker that knows the call ignores it.
                    if live.answeredAt != 0 {
                        batch.announcements.append(CallDecider.announcement(of: live, to: worker))
                    }
                }
            }
            guard page.count == Self.page, let last = page.last else { return }
            after = CallID(last.started.callID)
        }
    }

    /// An answered call goes to the living signal worker with the fewest calls; one that was not is closed.
    ///
    /// - Parameter endedAt: the last moment at which the call is known to have run.
    /// - Returns: false: there is nobody to take it.
    @discardableResult
    private mutating func rescue(
        _ call: CallID, _ live: LiveCall, endedAt: WallTime, cause: String, wall: WallTime, _ batch: inout Batch,
        _ views: inout ViewTransaction
    ) throws -> Bool {
        var decision = Decision(wall: wall, random: random)
        if live.answeredAt != 0 {
            guard let heir = workers.takeLeastLoadedSignalWorker() else { return false }
            CallDecider.adopt(call, live, by: heir, knownUntil: endedAt, &decision)
        } else {
            try CallDecider.closeByRule(call, live, endedAt: endedAt, in: views, &decision)
        }
        random = decision.random
        try batch.record(decision, actor: "control", cause: cause, in: &views)
        return true
    }

    /// Goes on with the calls of dead workers: adopted, closed, or waiting for somebody to adopt them.
    mutating func settleOrphans(now: Instant, wall: WallTime) -> [Output] {
        var outputs: [Output] = []
        for name in orphans.keys.sorted() {
            guard let orphan = orphans[name] else { continue }
            let knownUntil = orphan.heardAt ?? lastFactBeforeStart
            let leaseOver = now - orphan.since >= settings.callLease
            var left = false
            var adopted = 0
            var closed = 0
            let result = attempt { core, batch, views in
                var after: CallID?
                while true {
                    let page = try views.liveCalls(worker: name, after: after, limit: Self.page)
                    for live in page {
                        guard let call = CallID(live.started.callID) else { continue }
                        if try core.rescue(
                            call, live, endedAt: knownUntil, cause: "worker \(name) lost", wall: wall, &batch, &views)
                        {
                            if live.answeredAt != 0 { adopted += 1 } else { closed += 1 }
                        } else if leaseOver {
                            try core.close(
                                call, live, endedAt: knownUntil, cause: "no worker to adopt the call", wall: wall,
                                &batch,
                                &views)
                            closed += 1
                        } else {
                            left = true
                        }
                    }
                    guard page.count == Self.page, let last = page.last else { return }
                    after = CallID(last.started.callID)
                }
            }
            switch result {
            case .success(let done):
                outputs += done
                if adopted > 0 { outputs.append(.note(.callsAdopted(count: adopted, from: name))) }
                if closed > 0 { outputs.append(.note(.callsClosed(count: closed, of: name))) }
                if !left { orphans[name] = nil }
            case .failure(let failure):
                outputs.append(.note(.batchFailed(commands: 1, reason: failure.reason)))
            }
        }
        return outputs
    }

    /// Calls that were started and then forgotten by a worker that lives: the answer to its StartCall was lost, and it
    /// gave up. Call ids are in the order of time, so only the oldest are read.
    mutating func closeForgottenCalls(wall: WallTime) -> [Output] {
        let oldest = (wall - WallTime(microseconds: 0)).milliseconds - settings.earlyCallMax.milliseconds
        var closed = 0
        let result = attempt { core, batch, views in
            var after: CallID?
            while true {
                let page = try views.liveCalls(after: after, limit: Self.page)
                for live in page {
                    guard let call = CallID(live.started.callID) else { continue }
                    guard Int64(call.value.high >> 16) < oldest else { return }
                    guard live.answeredAt == 0, live.started.startedAt / 1_000 < oldest else { continue }
                    try core.close(
                        call, live, endedAt: WallTime(microseconds: live.started.startedAt),
                        cause: "neither answered nor ended",
                        wall: wall, &batch, &views)
                    closed += 1
                }
                guard page.count == Self.page, let last = page.last else { return }
                after = CallID(last.started.callID)
            }
        }
        switch result {
        case .success(let done): return closed > 0 ? done + [.note(.callsClosed(count: closed, of: ""))] : done
        case .failure(let failure): return [.note(.batchFailed(commands: 1, reason: failure.reason))]
        }
    }

    private mutating func close(
        _ call: CallID, _ live: LiveCall, endedAt: WallTime, cause: String, wall: WallTime, _ batch: inout Batch,
        _ views: inout ViewTransaction
    ) throws {
        var decision = Decision(wall: wall, random: random)
        try CallDecider.closeByRule(call, live, endedAt: endedAt, in: views, &decision)
        random = decision.random
        try batch.record(decision, actor: "control", cause: cause, in: &views)
    }
}
