internal import Foundation
package import Ledger
package import Logging
package import Primitives
package import Projections
internal import Synchronization

/// Where questions about the past are answered: it brings the state to the sequence that is asked for, one question at a
/// time on a thread of its own, and keeps the last few positions, because who asks once asks again.
///
/// The thread that decides never waits for it: what it reads are snapshots, the log and a read transaction of the views.
package final class PastDesk: Sendable {
    /// Positions that are kept.
    private static let heldMax = 4
    /// Questions that may wait for the one that is worked on.
    private static let waitingMax = 16

    package let snapshots: SnapshotStore
    private let log: LMDBEventLog
    private let logger: Logger
    private let queue = DispatchQueue(label: "ledgerline.as-of", qos: .utility)
    private let held = Mutex<Held>(Held())

    private struct Held {
        /// The one that was used last stands last.
        var positions: [StateViews] = []
        var waiting = 0
        var warnedOf: Set<UInt64> = []
    }

    package init(snapshots: SnapshotStore, log: LMDBEventLog, logger: Logger = Logger(label: "ledgerline.as-of")) {
        self.snapshots = snapshots
        self.log = log
        self.logger = logger
    }

    /// The state as of a sequence of the log.
    package func states(asOf sequence: UInt64) async throws(PastError) -> StateViews {
        let isAdmitted = held.withLock { held in
            guard held.waiting < Self.waitingMax else { return false }
            held.waiting += 1
            return true
        }
        guard isAdmitted else { throw .busy }
        let result = await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: self.work(sequence)) }
        }
        held.withLock { $0.waiting -= 1 }
        return try result.get()
    }

    /// Forgets every position and every snapshot: after something has to be forgotten that they hold.
    package func forget() throws(ViewsError) {
        held.withLock { $0.positions = [] }
        try snapshots.removeAll()
    }

    private func work(_ sequence: UInt64) -> Result<StateViews, PastError> {
        if let known = use(sequence) { return .success(known) }
        let neighbours = held.withLock { $0.positions }
        do throws(ViewsError) {
            let states = try snapshots.states(asOf: sequence, log: log, neighbours: neighbours)
            held.withLock { held in
                held.positions.append(states)
                if held.positions.count > Self.heldMax { held.positions.removeFirst() }
            }
            warn()
            return .success(states)
        } catch {
            return .failure(.views(error))
        }
    }

    private func use(_ sequence: UInt64) -> StateViews? {
        held.withLock { held in
            guard let index = held.positions.firstIndex(where: { $0.sequence == sequence }) else { return nil }
            let states = held.positions.remove(at: index)
            held.positions.append(states)
            return states
        }
    }

    /// Once for each snapshot: a question is answered without it, and slower.
    private func warn() {
        let faults = snapshots.faults
        let fresh = held.withLock { held in faults.keys.filter { held.warnedOf.insert($0).inserted }.sorted() }
        for sequence in fresh {
            logger.warning(
                "a snapshot is ignored",
                metadata: [
                    "sequence": "\(sequence)", "reason": "\(faults[sequence]?.rawValue ?? "")",
                    "ignored": "\(faults.count)",
                ])
        }
    }
}

/// What a question about the past names.
package enum Moment: Equatable, Sendable {
    case sequence(UInt64)
    case time(WallTime)

    /// A whole number is a sequence; else a time by RFC 3339. nil: neither.
    package init?(_ text: String) {
        if let sequence = UInt64(text), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            self = .sequence(sequence)
        } else if let time = WallTime(rfc3339: text) {
            self = .time(time)
        } else {
            return nil
        }
    }
}

extension Moment {
    /// The sequence that it stands for.
    ///
    /// - Parameter now: a later time is not yet past.
    package func sequence(in log: any EventLog, now: WallTime) throws(PastError) -> UInt64 {
        switch self {
        case .sequence(let sequence):
            let head = log.head
            guard sequence <= head else { throw .beyondHead(asked: sequence, head: head) }
            return sequence
        case .time(let time):
            guard time <= now else { throw .inTheFuture(time) }
            do throws(LedgerError) {
                return try log.sequence(asOf: time)
            } catch {
                throw .views(.log(error))
            }
        }
    }
}

package enum PastError: Error, Equatable, Sendable {
    case beyondHead(asked: UInt64, head: UInt64)
    case inTheFuture(WallTime)
    /// As many questions wait as may.
    case busy
    case views(ViewsError)
}
