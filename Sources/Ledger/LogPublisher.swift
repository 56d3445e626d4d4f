internal import Glibc
internal import Synchronization

/// Publishes on a thread of its own whenever much was recorded: what is left when readers wait for it is little, and the journal
/// never fills.
public final class LogPublisher: Sendable {
    /// Some 700 events: a commit of the tables costs by its pages, and so many share most of them.
    private static let enough = 256 << 10

    private let log: any EventLog
    private let bell = FutexWord()
    private let isStopped = Atomic(false)
    private let isAsked = Atomic(false)
    private let thread = Mutex<pthread_t?>(nil)

    public init(_ log: any EventLog) {
        self.log = log
        let started = Thread.start("publish") { [self] in run() }
        thread.withLock { $0 = started }
    }

    /// To be called after a batch was recorded.
    public func recorded() {
        if log.unpublishedBytes >= Self.enough { bell.changeAndWakeOne() }
    }

    /// Readers are about to wait: what is there now need not be left to them, however little it is.
    public func prepare() {
        isAsked.store(true, ordering: .releasing)
        bell.changeAndWakeOne()
    }

    /// Waits for the end of the thread. What is not published stays in the journal.
    public func stop() {
        isStopped.store(true, ordering: .releasing)
        bell.changeAndWakeOne()
        if let thread = thread.withLock({ $0.take() }) { Thread.join(thread) }
    }

    private func run() {
        while true {
            let seen = bell.value
            if isStopped.load(ordering: .acquiring) { return }
            guard log.unpublishedBytes >= Self.enough || isAsked.exchange(false, ordering: .acquiring) else {
                bell.wait(seen)
                continue
            }
            do throws(LedgerError) {
                try log.publishAhead()
            } catch {
                // Whoever records or publishes next is told the same: nobody is promised more before it has gone away.
                bell.wait(seen)
            }
        }
    }
}
