internal import Dispatch
package import Ledger
internal import Primitives
internal import Synchronization

/// Appends on a thread of its own, so that the next batch is decided while the disk is waited for. A small batch that nothing follows
/// soon is appended where it was decided: two wake-ups cost more than they gain then
/// (docs/decisions/0084-few-commits-stay-on-the-thread.md).
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
    private let pace: Mutex<Pace>

    /// When batches came.
    private struct Pace {
        /// Nobody has anything to decide meanwhile if the second batch before this one is so long ago.
        let quiet: Duration
        var last: Instant?
        var secondLast: Instant?

        mutating func isQuiet(at now: Instant) -> Bool {
            defer { (secondLast, last) = (last, now) }
            return secondLast.map { $0 + quiet <= now } ?? true
        }
    }

    /// A commit more costs the disk little; a batch of more shows by itself that much comes.
    private static let smallMax = 4

    /// - Parameter onSettled: told when a batch is done, unless it was done when `begin` returned.
    package init(
        _ append: Append, quiet: Duration = .milliseconds(4), onSettled: @escaping @Sendable () -> Void = {}
    ) throws(ControlPlaneError) {
        self.append = append
        pace = Mutex(Pace(quiet: quiet))
        publisher = LogPublisher(append.log)
        self.onSettled = onSettled
        let started = try DriverThread("append") { [self] in run() }
        thread.withLock { $0 = started }
    }

    package func begin(_ commits: [Commit]) {
        let isQuiet = pace.withLock { $0.isQuiet(at: .now) }
        if isQuiet, commits.count <= Self.smallMax { return settle(append(commits)) }
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
            settle(append(commits))
            onSettled()
        }
    }

    private func settle(_ outcome: AppendOutcome) {
        state.withLock { $0 = .done(outcome) }
        isSettled.store(true, ordering: .releasing)
        settled.signal()
        publisher.recorded()
    }
}
