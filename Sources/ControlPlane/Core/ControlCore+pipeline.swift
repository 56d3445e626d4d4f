import Ledger
import Model
package import Primitives
import Projections

// Two batches at a time: one is on its way to the disk (`flight`) while the next is decided (`open`). Each sees what the ones
// before it have done, durable or not; no answer leaves before its facts, and all that they follow from, are durable. If
// the first fails, so does the second.
//
// Readers see the views when everything in them is durable: at the latest `viewsLag` after a fact, and before the API answers.
extension ControlCore {
    /// A batch, and what is needed to answer it if it comes to nothing.
    struct Undertaking {
        var batch: Batch
        /// As they came, call by call of `decide`.
        var works: [[Work]] = []
        var count = 0
        let workers: WorkerTable
        let orphans: [String: Orphan]
    }

    /// Elements of a batch that is decided while the disk is waited for.
    package static let batchMax = 2_000

    typealias Steps = (inout ControlCore, inout Batch, inout ViewTransaction) throws -> Void

    /// Decides a batch and waits until it is durable. Every element is answered, after those of batches that were still on
    /// their way.
    package mutating func process(_ works: [Work], now: Instant, wall: WallTime) -> [Output] {
        decide(works, now: now, wall: wall) + settle()
    }

    /// Decides what has come. Every element is answered, by this or a later call, in order.
    package mutating func decide(_ works: [Work], now: Instant, wall: WallTime) -> [Output] {
        guard !works.isEmpty else { return [] }
        (latest, latestWall) = (now, wall)
        var outputs: [Output] = []
        if behind || mustSettle { outputs += settle() }
        prepareToPublish()
        let result = take(works) { core, batch, views in
            for work in works { try core.decide(work, now: now, wall: wall, &batch, &views) }
        }
        switch result {
        case .taken: break
        case .lost(let failure, let lost):
            outputs += settle()
            // One command that cannot be applied must not take its neighbours with it.
            if failure.isOfOneCommand, lost.count > 1 {
                for work in lost { outputs += process([work], now: now, wall: wall) }
            } else {
                outputs += refusals(of: lost, failure)
            }
        }
        return outputs + advance()
    }

    /// Decides what has come, a few at a time: what the disk has by then is answered, and what is decided by then goes there, instead of
    /// waiting for all others that came along.
    package mutating func decide(_ works: [Work], now: Instant, wall: WallTime, _ carryOut: ([Output]) throws -> Void) rethrows {
        var rest = works[...]
        while !rest.isEmpty {
            let next = rest.prefix(Self.decidedAtOnce)
            rest = rest.dropFirst(next.count)
            try carryOut(decide(Array(next), now: now, wall: wall))
        }
    }

    /// A flush takes as long as three calls to decide, or as twenty renewals of credit; with fewer at once more flushes and wake-ups are
    /// paid for, with more each waits longer for the others.
    private static let decidedAtOnce = 12

    /// Takes back what has become durable, and hands over what was decided meanwhile. Waits for nothing.
    package mutating func advance() -> [Output] {
        var outputs: [Output] = []
        while true {
            if flight != nil {
                guard appender.isDone else { return outputs }
                outputs += land().outputs
            } else if let next = open.take() {
                outputs += launch(next)
            } else {
                return outputs
            }
        }
    }

    /// - Returns: the answers, if there is nothing to make durable.
    private mutating func launch(_ next: consuming Undertaking) -> [Output] {
        guard !next.batch.commits.isEmpty else { return conclude(next.batch) }
        appender.begin(next.batch.commits)
        flight = next
        return []
    }

    /// Waits until everything that was decided is durable or has failed.
    package mutating func settle() -> [Output] {
        var outputs = advance()
        while flight != nil {
            outputs += land().outputs
            outputs += advance()
        }
        return outputs
    }

    /// Something is on its way to the disk; the appender says when it is there.
    package var isAppending: Bool { flight != nil }

    /// `settle` before more is decided: readers wait for what is on its way, so the views must come to hold nothing that is not
    /// durable; or the disk takes so long that the first of the next batch would wait for too many others.
    var mustSettle: Bool {
        guard let flight else { return false }
        return isPublishingDue(at: latest) || flight.batch.mustBeSeen || settings.viewsLag == .zero
            || open?.count ?? 0 >= Self.batchMax
    }

    func isPublishingDue(at now: Instant) -> Bool {
        guard let publishDue else { return false }
        return now >= publishDue || views.isFull
    }

    /// When readers must see what waits. Later when much comes: most of it changes rows that have changed since the last time, a
    /// commit of the views costs by its rows, and whoever asks for something meanwhile waits for it.
    var publishDue: Instant? {
        guard let publishAt else { return nil }
        let crowd = max(0, Int64(clamping: concludedHead - publishedHead) - 1_000)
        return publishAt + min(.microseconds(100 * crowd), settings.viewsLag * 4)
    }

    /// Rows lead to events, so the log is published before the views: most of it by then, beside what is decided.
    private mutating func prepareToPublish() {
        guard !isPublishingPrepared, let publishDue, latest + Self.preparation >= publishDue else { return }
        isPublishingPrepared = true
        appender.prepareToPublish()
    }

    private static let preparation: Duration = .milliseconds(8)

    /// Steps that are a batch of their own, when nothing is on its way: durable, or without any effect, when this returns.
    mutating func attempt(_ steps: Steps) -> Result<[Output], BatchFailure> {
        precondition(flight == nil && open == nil, "a batch of its own follows on what is settled")
        if case .lost(let failure, _) = take([], steps) { return .failure(failure) }
        let outputs = open.take().map { launch($0) } ?? []
        let (landed, failure) = land()
        return failure.map(Result.failure) ?? .success(outputs + landed)
    }

    private enum Taking {
        case taken
        /// These have to be answered in another way.
        case lost(BatchFailure, [Work])
    }

    /// Decides into the open batch.
    private mutating func take(_ works: [Work], _ steps: Steps) -> Taking {
        if behind {
            do {
                try log.publish()
                try views.catchUp(with: log)
                behind = false
            } catch let error as ViewsError {
                return .lost(.views(error), works)
            } catch let error as LedgerError {
                return .lost(.ledger(error), works)
            } catch {
                return .lost(.unexpected("\(error)"), works)
            }
        }
        var next =
            open.take()
            ?? Undertaking(
                batch: Batch(after: flight?.batch, log: log, sealing: random.fork()), workers: workers, orphans: orphans)
        do throws(BatchFailure) {
            try views.write(publishing: false) { transaction throws(BatchFailure) in
                // Sequences are given here, so the views must stand where the log will stand.
                guard transaction.applied == next.batch.head else { throw .behind }
                do {
                    try steps(&self, &next.batch, &transaction)
                } catch let error as ViewsError {
                    throw .views(error)
                } catch let error as LedgerError {
                    throw .ledger(error)
                } catch {
                    throw .unexpected("\(error)")
                }
            }
        } catch {
            // What was not published is dropped with what failed, the flight's facts too; those the log will have.
            (workers, orphans, rosterRevision) = (next.workers, next.orphans, nil)
            behind = true
            return .lost(error, next.works.joined() + works)
        }
        next.works.append(works)
        next.count += works.count
        open = next
        return .taken
    }

    /// Waits for the flight. If it has failed, so has what was decided after it.
    private mutating func land() -> (outputs: [Output], failure: BatchFailure?) {
        guard let landed = flight.take() else { return ([], nil) }
        do throws(BatchFailure) {
            try landed.batch.check(try appender.finish().get())
        } catch {
            views.discard()
            publishAt = nil
            behind = true
            (workers, orphans, rosterRevision) = (landed.workers, landed.orphans, nil)
            return (refusals(of: Array((landed.works + (open.take()?.works ?? [])).joined()), error), error)
        }
        return (conclude(landed.batch), nil)
    }

    /// Lets readers see the facts, at once if somebody may ask for them right away.
    mutating func publish(_ batch: Batch) -> ViewsError? {
        guard !behind else { return nil }
        if publishAt == nil { publishAt = latest + settings.viewsLag }
        // Never what is not durable.
        guard flight == nil, open == nil else { return nil }
        return isPublishingDue(at: latest) || batch.mustBeSeen ? publishViews() : nil
    }

    mutating func publishViews() -> ViewsError? {
        publishAt = nil
        isPublishingPrepared = false
        publishedHead = concludedHead
        do throws(LedgerError) {
            // Rows lead to events: whoever sees a row finds its event.
            try log.publish()
        } catch {
            views.discard()
            behind = true
            return .log(error)
        }
        do throws(ViewsError) {
            try views.publish()
            return nil
        } catch {
            behind = true
            return error
        }
    }

    private func refusals(of works: [Work], _ failure: BatchFailure) -> [Output] {
        let answers = works.map { work -> Output in
            switch work {
            case .desk(let worker, let requestID, _):
                .reply(worker: worker, requestID: requestID, .error(.unavailable, failure.reason))
            case .admin(let ticket, _):
                .adminResult(ticket: ticket, .failure(.unavailable(reason: failure.reason)))
            }
        }
        return answers + [.note(.batchFailed(commands: works.count, reason: failure.reason))]
    }
}

extension Batch {
    /// Whoever asked may look at once.
    var mustBeSeen: Bool { replies.contains(where: \.isOfTheAPI) }

    /// That the log took every commit as it was decided.
    func check(_ outcomes: [CommitOutcome]) throws(BatchFailure) {
        var expected = head
        for index in commits.indices.prefix(outcomes.count).reversed() {
            let first = expected - UInt64(commits[index].events.count) + 1
            guard case .appended(let sequences) = outcomes[index], sequences == first...expected else {
                throw .unexpected("the log did not take a commit as it was decided: \(outcomes[index])")
            }
            expected = first - 1
        }
    }
}
