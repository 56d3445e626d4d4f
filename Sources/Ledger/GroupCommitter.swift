internal import Glibc

/// Lets many producers record in one log with one flush: whatever has queued while the last flush ran goes into the next one.
/// An idle log flushes a single commit at once.
///
/// When a batch is acknowledged, its producers come back with their next commits a moment later, one after the other. A
/// flush that starts with the first of them makes the others wait for two. So the committing thread waits until as many have
/// come as the batch before had, at most `gathering` and at most for `gatherMax`; larger batches lose more than they gain.
public final class GroupCommitter: Sendable {
    private struct Queue {
        /// Never empty; the last one is being filled.
        var batches: [CommitBatch]
        /// The size at which the committing thread is woken.
        var wanted = 1
        var isStopped = false
    }

    /// Commits on their way.
    public struct Ticket: Sendable {
        fileprivate let batch: CommitBatch
        fileprivate let range: Range<Int>
    }

    private let log: any EventLog
    private let batchMax: Int
    private let gathering: Duration
    private let gatherMax: Int
    private let queue: BargingMutex<Queue>
    private let bell = FutexWord()
    private let turnstile = Turnstile()
    private let publisher: LogPublisher

    public init(
        _ log: any EventLog, batchMax: Int = 4_096, gathering: Duration = .microseconds(200), gatherMax: Int = 64
    ) {
        self.log = log
        publisher = LogPublisher(log)
        self.batchMax = batchMax
        self.gathering = gathering
        self.gatherMax = gatherMax
        queue = BargingMutex(Queue(batches: [CommitBatch(number: 1, capacity: 64)]))
        Thread.detach("commit") { [self] in run() }
    }

    /// Returns when the commit is durable or refused.
    public func submit(_ commit: Commit) async throws(LedgerError) -> CommitOutcome {
        try commit.validate()
        let result = await withCheckedContinuation { (waiter: CommitBatch.Waiter) in
            if add({ $0.add(commit, waiter: waiter) }) == nil { waiter.resume(returning: .failure(.stopped)) }
        }
        return try result.get()
    }

    /// For producers that are threads: hands the commits over and returns at once. They share a flush, and the log takes
    /// or refuses each on its own.
    public func hand(_ commits: [Commit]) throws(LedgerError) -> Ticket {
        for commit in commits { try commit.validate() }
        guard let ticket = add({ Ticket(batch: $0, range: $0.add(contentsOf: commits)) }) else { throw .stopped }
        return ticket
    }

    /// Blocks the thread until the commits are durable or refused.
    public func wait(for ticket: Ticket) throws(LedgerError) -> ArraySlice<CommitOutcome> {
        turnstile.wait(for: ticket.batch.number)
        return try ticket.batch.outcomes(ticket.range).get()
    }

    /// Whether `wait` would return at once.
    public func isSettled(_ ticket: Ticket) -> Bool { turnstile.isOpen(to: ticket.batch.number) }

    /// What is queued is still recorded; what comes later is refused.
    public func stop() {
        queue.withLock { $0.isStopped = true }
        bell.changeAndWakeOne()
    }

    /// nil: stopped.
    private func add<R>(_ body: (CommitBatch) -> R) -> R? {
        let (added, isEnough): (R?, Bool) = queue.withLock { queue in
            if queue.isStopped { return (nil, false) }
            var batch = queue.batches[queue.batches.count - 1]
            if batch.count >= batchMax {
                batch = CommitBatch(number: batch.number + 1, capacity: batchMax)
                queue.batches.append(batch)
            }
            let before = batch.count
            let added = body(batch)
            return (added, queue.batches.count == 1 && before < queue.wanted && batch.count >= queue.wanted)
        }
        if isEnough { bell.changeAndWakeOne() }
        return added
    }

    private func run() {
        var last = 0
        while let batch = next(after: last) {
            last = batch.count
            do throws(LedgerError) {
                batch.settle(.success(try log.record(batch.commits)))
            } catch {
                batch.settle(.failure(error))
            }
            publisher.recorded()
            turnstile.open(to: batch.number)
            batch.resumeWaiters()
        }
        publisher.stop()
    }

    /// The next batch that is not empty, after one with `last` commits; nil when stopped.
    private func next(after last: Int) -> CommitBatch? {
        let wanted = max(1, min(last, gatherMax))
        let clock = ContinuousClock()
        let end = clock.now + gathering
        var isLate = wanted == 1
        queue.withLock { $0.wanted = wanted }
        while true {
            let seen = bell.value
            let (batch, isStopped): (CommitBatch?, Bool) = queue.withLock { queue in
                let first = queue.batches[0]
                guard first.count >= queue.wanted || first.count > 0 && (isLate || queue.isStopped) else {
                    // Nobody came in time: whoever comes first is flushed at once.
                    if isLate { queue.wanted = 1 }
                    return (nil, queue.isStopped)
                }
                queue.batches.removeFirst()
                if queue.batches.isEmpty {
                    queue.batches.append(CommitBatch(number: first.number + 1, capacity: first.count))
                }
                return (first, false)
            }
            if let batch { return batch }
            if isStopped { return nil }
            let left = isLate ? .zero : end - clock.now
            if isLate {
                bell.wait(seen)
            } else if left > .zero {
                bell.wait(seen, nanosecondsMax: Int64(left / .nanoseconds(1)))
            } else {
                isLate = true
            }
        }
    }
}
