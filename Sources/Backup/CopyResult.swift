internal import Dispatch
import Ledger
import Synchronization

/// How a copy on another thread ended.
final class CopyResult: Sendable {
    private let outcome = Mutex<LedgerError?>(nil)
    private let done = DispatchSemaphore(value: 0)

    var error: LedgerError? { outcome.withLock { $0 } }

    func finish(_ error: LedgerError?) {
        outcome.withLock { $0 = error }
        done.signal()
    }

    /// Whether it has ended; waits for so long.
    func wait(milliseconds: Int) -> Bool { done.wait(timeout: .now() + .milliseconds(milliseconds)) == .success }
}
