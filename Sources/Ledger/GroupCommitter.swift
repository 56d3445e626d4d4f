internal import Glibc
import Synchronization

/// Lets many producers append to one log: whatever has queued while the last flush ran goes into the next one. No timer:
/// an idle log flushes a single commit at once.
package final class GroupCommitter: Sendable {
    private typealias Waiter = CheckedContinuation<Result<CommitOutcome, LedgerError>, Never>

    private struct Queue {
        var waiting: [(Commit, Waiter)] = []
        var isStopped = false
    }

    private let log: any EventLog
    private let batchMax: Int
    private let queue = Mutex(Queue())
    private let wake = WakeSemaphore()

    package init(_ log: any EventLog, batchMax: Int = 4_096) {
        self.log = log
        self.batchMax = batchMax
        Thread.detach { [self] in run() }
    }

    /// Returns when the commit is durable or refused.
    package func submit(_ commit: Commit) async throws(LedgerError) -> CommitOutcome {
        let result = await withCheckedContinuation { (waiter: Waiter) in
            let isStopped = queue.withLock { queue in
                if !queue.isStopped { queue.waiting.append((commit, waiter)) }
                return queue.isStopped
            }
            if isStopped { waiter.resume(returning: .failure(.stopped)) } else { wake.signal() }
        }
        return try result.get()
    }

    /// What is queued is still recorded; what comes later is refused.
    package func stop() {
        queue.withLock { $0.isStopped = true }
        wake.signal()
    }

    private func run() {
        while true {
            wake.wait()
            while true {
                let (batch, isStopped) = queue.withLock { queue in
                    let batch = Array(queue.waiting.prefix(batchMax))
                    queue.waiting.removeFirst(batch.count)
                    return (batch, queue.isStopped)
                }
                if batch.isEmpty {
                    if isStopped { return }
                    break
                }
                do throws(LedgerError) {
                    let outcomes = try log.append(batch.map(\.0))
                    for (entry, outcome) in zip(batch, outcomes) { entry.1.resume(returning: .success(outcome)) }
                } catch {
                    for entry in batch { entry.1.resume(returning: .failure(error)) }
                }
            }
        }
    }
}

/// Counts wake-ups for one waiting thread.
@safe private final class WakeSemaphore: @unchecked Sendable {
    // A POSIX semaphore may be posted and waited for from any thread; its memory does not move.
    private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    init() { unsafe sem_init(semaphore, 0, 0) }

    deinit {
        unsafe sem_destroy(semaphore)
        unsafe semaphore.deallocate()
    }

    func signal() { unsafe sem_post(semaphore) }

    func wait() { while unsafe sem_wait(semaphore) != 0 {} }
}

private enum Thread {
    /// Runs the body on a thread of its own, because it blocks.
    static func detach(_ body: @escaping @Sendable () -> Void) {
        var thread = pthread_t()
        let box = unsafe Unmanaged.passRetained(Box(body))
        let status = unsafe pthread_create(&thread, nil, { context in
            unsafe Unmanaged<Box>.fromOpaque(context!).takeRetainedValue().body()
            return nil
        }, box.toOpaque())
        precondition(status == 0, "no thread could be started")
        pthread_detach(thread)
    }

    private final class Box {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
}
