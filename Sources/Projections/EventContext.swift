public import Primitives

/// What the envelope says about an event, beside the event itself.
public struct EventContext: Hashable, Sendable {
    public let sequence: UInt64
    public let stream: UUIDv7
    /// Of the stream after the event: 1 for its first.
    public let version: UInt64
    public let time: WallTime

    public init(sequence: UInt64, stream: UUIDv7, version: UInt64, time: WallTime) {
        self.sequence = sequence
        self.stream = stream
        self.version = version
        self.time = time
    }
}
