package import Primitives

/// An event as it stands in the log: the fact, and what is known about its recording.
package struct Envelope: Hashable, Sendable {
    /// 1, 2, 3 … over the whole log.
    package var sequence: UInt64
    package var stream: UUIDv7
    /// 1, 2, 3 … within the stream.
    package var version: UInt64
    /// Sequence of the event before it in its stream; 0: it is the first.
    package var previous: UInt64
    /// Sequence of the first event of its commit.
    package var commit: UInt64
    package var time: WallTime
    package var actor: String
    package var cause: String
    package var type: String
    package var schemaVersion: UInt32
    package var payload: [UInt8]
    /// From where it was asked, as the recorder wrote it; empty: not known.
    package var origin: [UInt8] = []
}
