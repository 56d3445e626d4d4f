package import Model
package import Primitives

/// What the control thread asks of a shard. Orders are carried out in the order in which they were given.
package enum ShardOrder: Sendable {
    case open(MediaSessionID, portA: UInt16, portB: UInt16, a: LegSetup, b: LegSetup, SessionSockets)
    case change(MediaSessionID, a: LegSetup?, b: LegSetup?)
    /// - Parameter seed: number, timestamp and source of the packets begin anywhere (RFC 3550 §5.1).
    case play(MediaSessionID, Side, Recording, PromptEncoding, seed: UInt64)
    case press(MediaSessionID, Side, KeyPress, seed: UInt64)
    case hush(MediaSessionID, Side)
    /// nil: it is not recorded any more.
    case record(MediaSessionID, RecordingTap?)
    case query(MediaSessionID)
    case close(MediaSessionID)
    case sweep(silentSince: Instant)
    case stop
}

extension ShardOrder {
    /// Of whom it is; nil: of all, or of one that is not there yet.
    var session: MediaSessionID? {
        switch self {
        case .change(let id, _, _), .play(let id, _, _, _, _), .press(let id, _, _, _), .hush(let id, _), .record(let id, _), .query(let id), .close(let id): id
        case .open, .sweep, .stop: nil
        }
    }
}

/// What a shard says back.
package enum ShardAnswer: Sendable {
    case reported(RelayReport)
    case closed(RelayReport)
    case silent([RelayReport])
    /// A conference does not take the session's caller, who has been told.
    case refused(MediaSessionID)
    /// A session cannot be relayed as asked; for the log.
    case failed(MediaSessionID, String)
    /// The shard's thread has ended: nil when it was told to.
    case ended(reason: String?)
}
