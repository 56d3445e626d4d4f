package import Primitives

/// How an export stands beside what the log says of it; gone with the process.
package struct ExportStatus: Sendable, Equatable {
    /// nil: not looked at yet, or disabled.
    package var nextDue: WallTime?
    /// Since the start of the process.
    package var failures: UInt64 = 0
    package var failuresInARow: UInt64 = 0
    /// After a failure; nil: the last pass went well.
    package var retryAt: WallTime?
    package var lastError: String?

    package init() {}

    /// 5 s, 10 s, 20 s … an hour at most.
    mutating func failed(_ reason: String, at now: WallTime) {
        failures += 1
        failuresInARow += 1
        lastError = reason
        retryAt = now + .seconds(min(3_600, 5 << min(failuresInARow - 1, 10)))
    }

    mutating func succeeded() {
        failuresInARow = 0
        retryAt = nil
        lastError = nil
    }
}
