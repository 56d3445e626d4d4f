internal import Dispatch
package import Ledger
internal import Synchronization

/// Appends on a thread of its own, so that the next batch is decided while the disk is waited for.
package final class ThreadAppender: Appender {
    private enum State {
        case idle
        case handed([Commit])
        case running
        case done(AppendOutcome)
        case stopped
    }

    private let state = Mutex(State.idle)
    /// Signalled when there is something to append, or nothing ever more.
    private let handed = DispatchSemaphore(value: 0)
    private let settled = DispatchSemaphore(value: 0)
    private let isSettled = Atomic(false)
    private let append: Append
    private let publisher: LogPublisher
    /// Told from the appending thread.
    private let onSettled: @Sendable () -> Void
    private let thread = Mutex<DriverThread?>(nil)

    package init(_ append: Append, onSettled: @escaping @Sendable () -> Void = {}) throws(ControlPlaneError) {
        self.append = append
        publisher = LogPublisher(append.log)
        self.onSettled = onSettled
        let started = try DriverThread { [self] in run() }
        thread.withLock { $0 = started }
    }

    package func begin(_ commits: [Commit]) {
        isSettled.store(false, ordering: .relaxed)
        state.withLock { $0 = .handed(commits) }
        handed.signal()
    }

    package func prepareToPublish() { publisher.prepare() }

    package var isDone: Bool { isSettled.load(ordering: .acquiring) }

    package func finish() -> AppendOutcome {
        settled.wait()
        return state.withLock { state in
            guard case .done(let outcome) = state else { return .failure(.unexpected("nothing was handed to the log")) }
            state = .idle
            return outcome
        }
    }

    /// Ends the thread; after the last `finish`.
    package func stop() {
        state.withLock { $0 = .stopped }
        handed.signal()
        thread.withLock { $0.take() }?.join()
        publisher.stop()
    }

    private func run() {
        while true {
            handed.wait()
            let commits: [Commit]? = state.withLock { state in
                guard case .handed(let commits) = state else { return nil }
                state = .running
                return commits
            }
            guard let commits else { return }
            let outcome = append(commits)
            state.withLock { $0 = .done(outcome) }
            isSettled.store(true, ordering: .releasing)
            settled.signal()
            onSettled()
            publisher.recorded()
        }
    }
}
