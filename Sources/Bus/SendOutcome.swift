/// What became of a message that was to be sent. Sending never waits.
public enum SendOutcome: Hashable, Sendable {
    /// Accepted by the socket; whether it arrives, only an answer tells.
    case sent
    /// Not connected at present, or the peer reads too slowly: try again when the poller says `isWritable`.
    case full
    /// The peer has no connection to this socket.
    case unreachable
    /// Longer than `BusLimits.bodyBytesMax`: never try again.
    case tooLarge
}
