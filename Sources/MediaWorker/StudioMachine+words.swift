package import Model
package import Primitives

extension StudioMachine {
    /// Names a request until it is answered; chosen by the driver.
    package typealias Ticket = UInt64

    package enum Input: Sendable {
        /// - Parameter worker: the signal worker, as the bus has authenticated it.
        case request(StudioRequest, Ticket, from: String)
        /// The ports of `bind` are ours, and the session relays.
        case bound(MediaSessionID)
        /// Another program holds this port of `bind` (or its successor); no port of that `bind` is kept.
        case portTaken(MediaSessionID, UInt16)
        /// Ports cannot be had at all: the reason, for the log of who asked.
        case bindFailed(MediaSessionID, String)
        /// The answer to `close`.
        case closed(RelayReport)
        /// The answer to `query`.
        case reported(RelayReport)
        /// The answer to `sweep`.
        case silent([RelayReport])
        case tick
        /// A conference does not take the session's caller.
        case refused(MediaSessionID)
        /// No new sessions from now on.
        case drain
    }

    package enum Effect: Sendable {
        case reply(Ticket, StudioReply)
        case notice(owner: String, StudioNotice)
        /// Bind both ports and their successors, and relay between them.
        case bind(MediaSessionID, portA: UInt16, portB: UInt16, a: LegSetup, b: LegSetup)
        case change(MediaSessionID, a: LegSetup?, b: LegSetup?)
        /// The side hears it instead of the other side.
        case play(MediaSessionID, Side, Recording, PromptEncoding)
        /// The side hears one of the worker's sounds instead of the other side.
        case sound(MediaSessionID, Side, name: String, loops: Bool, PromptEncoding)
        /// The side hears the other one again.
        case hush(MediaSessionID, Side)
        /// The side gets keys instead of the other side, while they last.
        case press(MediaSessionID, Side, KeyPress)
        /// Both sides are recorded from now on; nil: not any more.
        case record(MediaSessionID, RecordingSetup?)
        case query(MediaSessionID)
        case close(MediaSessionID)
        /// Name the sessions of which neither side was heard since then.
        case sweep(silentSince: Instant)
        /// Draining, the last session is closed, and its owner has had time to ask again.
        case drained
    }
}
