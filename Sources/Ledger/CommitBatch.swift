/// The commits that share one flush, and what became of them.
///
/// Filled under the queue's lock, then taken out of the queue by the committing thread, which alone touches it until it
/// is settled; read after the turnstile has opened to its number, which orders the write before the read. Thus at any
/// time one thread writes, or all read.
final class CommitBatch: @unchecked Sendable {
    typealias Waiter = CheckedContinuation<Result<CommitOutcome, LedgerError>, Never>

    let number: UInt64
    private(set) var commits: [Commit] = []
    private var waiters: [(index: Int, waiter: Waiter)] = []
    private var result: Result<[CommitOutcome], LedgerError>?

    init(number: UInt64, capacity: Int) {
        self.number = number
        commits.reserveCapacity(capacity)
    }

    var count: Int { commits.count }

    /// - Returns: its place in the batch.
    func add(_ commit: Commit) -> Int {
        commits.append(commit)
        return commits.count - 1
    }

    func add(contentsOf others: [Commit]) -> Range<Int> {
        commits.append(contentsOf: others)
        return (commits.count - others.count)..<commits.count
    }

    func add(_ commit: Commit, waiter: Waiter) { waiters.append((add(commit), waiter)) }

    /// The commits stay: whoever drops the last ticket frees them, which is not the committing thread.
    func settle(_ result: Result<[CommitOutcome], LedgerError>) { self.result = result }

    /// After the turnstile has opened to its number.
    func resumeWaiters() {
        for (index, waiter) in waiters { waiter.resume(returning: outcome(index)) }
        waiters = []
    }

    func outcomes(_ range: Range<Int>) -> Result<ArraySlice<CommitOutcome>, LedgerError> {
        guard let result else { preconditionFailure("batch \(number) is not settled") }
        return result.map { $0[range] }
    }

    private func outcome(_ index: Int) -> Result<CommitOutcome, LedgerError> {
        guard let result else { preconditionFailure("batch \(number) is not settled") }
        return result.map { $0[index] }
    }
}
