internal import Foundation
internal import Logging
internal import Primitives
internal import Projections
internal import Ledger
internal import Synchronization

/// Writes a snapshot of the state every so many events or every so often, in the background, and thins the old ones out.
final class SnapshotKeeper: Sendable {
    private let snapshots: SnapshotStore
    private let views: Views
    private let log: LMDBEventLog
    private let settings: SnapshotSettings
    private let logger: Logger
    private let queue = DispatchQueue(label: "ledgerline.snapshots", qos: .background)
    private let state = Mutex(State())

    private struct State {
        var isStopped = false
        /// When one was written last, or the process began.
        var written = Instant.now
        var sequence: UInt64 = 0
    }

    init(_ snapshots: SnapshotStore, _ views: Views, _ log: LMDBEventLog, _ settings: SnapshotSettings, _ logger: Logger) {
        self.snapshots = snapshots
        self.views = views
        self.log = log
        self.settings = settings
        self.logger = logger
    }

    func start() {
        snapshots.clearWork()
        let newest = snapshots.sequences.last ?? 0
        state.withLock { state in
            state.sequence = newest
            state.written = .now
        }
        schedule()
    }

    /// Waits for one that is being written.
    func stop() {
        state.withLock { $0.isStopped = true }
        queue.sync {}
    }

    private func schedule() {
        queue.asyncAfter(deadline: .now() + .milliseconds(Int(settings.lookEvery.milliseconds))) { [weak self] in
            guard let self, !self.state.withLock({ $0.isStopped }) else { return }
            self.look()
            self.schedule()
        }
    }

    private func look() {
        let head = log.head
        let now = Instant.now
        let isDue = state.withLock { state in
            guard head > state.sequence else { return false }
            return head - state.sequence >= settings.eventsMax || now - state.written >= settings.ageMax
        }
        guard isDue else { return }
        do throws(ViewsError) {
            let sequence = try snapshots.write(from: views, log: log)
            try snapshots.prune(limit: settings.countMax)
            state.withLock { state in
                state.sequence = sequence ?? head
                state.written = .now
            }
            let took = (Instant.now - now).milliseconds
            logger.info(
                "a snapshot is written", metadata: ["sequence": "\(sequence ?? head)", "milliseconds": "\(took)"])
        } catch {
            // Tried again when as many events more are there: a full disk is not written to every minute.
            state.withLock { state in
                state.sequence = head
                state.written = .now
            }
            logger.error("no snapshot could be written; questions about the past take longer", metadata: ["reason": "\(error)"])
        }
    }
}

/// When snapshots of the state are written, and how many are kept.
package struct SnapshotSettings: Sendable {
    /// Events after the last one; the projections run over a million in a few seconds.
    package var eventsMax: UInt64 = 1_000_000
    /// Time after the last one, if anything has happened since.
    package var ageMax: Duration = .seconds(86_400)
    package var countMax = 64
    package var lookEvery: Duration = .seconds(30)

    package init() {}
}
