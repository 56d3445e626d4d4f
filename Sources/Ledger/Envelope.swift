public import Primitives

/// An event as it stands in the log: the fact, and what is known about its recording.
public struct Envelope: Hashable, Sendable {
    /// 1, 2, 3 … over the whole log.
    public var sequence: UInt64
    public var stream: UUIDv7
    /// 1, 2, 3 … within the stream.
    public var version: UInt64
    /// Sequence of the event before it in its stream; 0: it is the first.
    public var previous: UInt64
    /// Sequence of the first event of its commit.
    public var commit: UInt64
    public var time: WallTime
    public var actor: String
    public var cause: String
    public var type: String
    public var schemaVersion: UInt32
    public var payload: [UInt8]
    /// From where it was asked, as the recorder wrote it; empty: not known.
    public var origin: [UInt8] = []
}
