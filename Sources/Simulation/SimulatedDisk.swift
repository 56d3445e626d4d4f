import ControlPlane
import Ledger
import Synchronization

/// A disk that takes as long as the world says. What it was given and nobody has heard of may be there after a kill, or not.
final class SimulatedDisk: Appender {
    package func prepareToPublish() {}

    private struct State {
        var number: UInt64 = 0
        var commits: [Commit]?
        var outcome: AppendOutcome?
    }
    private let append: Append
    private let state = Mutex(State())

    init(_ append: Append) { self.append = append }

    func begin(_ commits: [Commit]) {
        state.withLock { state in
            state.number += 1
            state.commits = commits
        }
    }

    var isDone: Bool { state.withLock { $0.outcome != nil } }

    func finish() -> AppendOutcome {
        write(number)
        return state.withLock { $0.outcome.take() } ?? .failure(.unexpected("nothing was handed to the disk"))
    }

    /// Of the batch that was handed over last.
    var number: UInt64 { state.withLock { $0.number } }

    /// The batch of this number reaches the log, if it has not yet.
    func write(_ number: UInt64) {
        state.withLock { state in
            guard state.number == number, let commits = state.commits.take() else { return }
            state.outcome = append(commits)
        }
    }
}
