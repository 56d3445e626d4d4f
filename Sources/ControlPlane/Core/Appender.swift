package import Ledger
package import Subjects
import Synchronization

/// Makes decided commits durable, one batch after the other.
package protocol Appender: AnyObject, Sendable {
    /// Begins with a batch; not before the one before it is taken back.
    func begin(_ commits: [Commit])

    /// The batch is durable or has failed: `finish` does not wait.
    var isDone: Bool { get }

    /// Readers will be shown what is durable in some milliseconds: what can be done before is done beside.
    func prepareToPublish()

    /// Waits for the batch, and takes back what became of it.
    func finish() -> AppendOutcome
}

package typealias AppendOutcome = Result<[CommitOutcome], BatchFailure>

/// One append by the rules of the control plane.
package struct Append: Sendable {
    package let log: any EventLog
    package let keys: SubjectKeys?

    package init(log: any EventLog, keys: SubjectKeys?) {
        self.log = log
        self.keys = keys
    }

    package func callAsFunction(_ commits: [Commit]) -> AppendOutcome {
        // Nothing is recorded that could not be opened after a stop of the machine.
        do throws(SubjectKeyError) {
            try keys?.sync()
        } catch {
            return .failure(.unexpected("\(error)"))
        }
        do {
            return .success(try log.record(commits))
        } catch {
            return .failure(.ledger(error))
        }
    }
}

/// Appends on the thread that asks: a batch is done when it has begun.
final class InlineAppender: Appender {
    private let append: Append
    private let outcome = Mutex<AppendOutcome?>(nil)

    init(_ append: Append) { self.append = append }

    func begin(_ commits: [Commit]) { outcome.withLock { $0 = append(commits) } }

    func prepareToPublish() {}

    var isDone: Bool { true }

    func finish() -> AppendOutcome {
        outcome.withLock { $0.take() } ?? .failure(.unexpected("nothing was handed to the log"))
    }
}
