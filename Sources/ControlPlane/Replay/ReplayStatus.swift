package import Primitives
package import Projections

/// One rebuild of views in the background, as it stands.
package struct ReplayStatus: Sendable {
    package enum State: String, CaseIterable, Sendable {
        /// The views are being built beside those that serve.
        case building
        /// Both are walked side by side.
        case comparing
        /// Built; to be swapped in or dropped.
        case ready
        case swapping
        /// In use; the former are kept, to be put back.
        case swapped
        case reverting
        /// Gave up; those that serve were not touched.
        case failed
        /// Ended by somebody, or dropped.
        case cancelled
    }

    package let id: UUIDv7
    /// Names of the projections that are built anew; the others are copied.
    package let views: [String]
    package internal(set) var state = State.building
    package internal(set) var applied: UInt64 = 0
    package internal(set) var total: UInt64 = 0
    package let startedAt: WallTime
    /// Of building and comparing.
    package internal(set) var finishedAt: WallTime?
    package internal(set) var eventsPerSecond: UInt64 = 0
    package internal(set) var comparison: ViewsComparison?
    package internal(set) var failure: String?
    /// Done by the start of the process itself, before it served; nil: asked for.
    package internal(set) var atStart: ViewsCondition?

    /// nil: nobody knows.
    package var secondsLeft: UInt64? {
        guard state == .building, eventsPerSecond > 0 else { return nil }
        return (total - min(total, applied)) / eventsPerSecond
    }

    /// Something is at work, or waits to be swapped or dropped.
    var isOpen: Bool {
        switch state {
        case .building, .comparing, .ready, .swapping, .reverting: true
        case .swapped, .failed, .cancelled: false
        }
    }
}

/// Why a rebuild is not begun, or not taken further.
package enum ReplayRejection: Error, Equatable, Sendable {
    case unknownView(String)
    case unknownReplay
    /// One at a time: each needs the disk of a whole set of views.
    case busy(UUIDv7)
    /// Not from this state.
    case state(ReplayStatus.State)
    case noThread
    case closed
}
