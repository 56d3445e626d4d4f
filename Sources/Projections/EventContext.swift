package import Primitives

/// What the envelope says about an event, beside the event itself.
package struct EventContext: Hashable, Sendable {
    package let sequence: UInt64
    package let stream: UUIDv7
    /// Of the stream after the event: 1 for its first.
    package let version: UInt64
    package let time: WallTime

    package init(sequence: UInt64, stream: UUIDv7, version: UInt64, time: WallTime) {
        self.sequence = sequence
        self.stream = stream
        self.version = version
        self.time = time
    }
}
