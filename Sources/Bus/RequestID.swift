public import Primitives

/// The 16 bytes that tie a reply to its request, and a repeated request to its first answer.
public struct RequestID: Hashable, Comparable, Sendable {
    public let high: UInt64
    public let low: UInt64

    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// For a request that must keep its id when its sender starts again: the id of what it is about.
    public init(_ id: UUIDv7) { self.init(high: id.high, low: id.low) }

    /// nil unless there are exactly 16 bytes.
    public init?(bytes: some Collection<UInt8>) {
        guard let id = UUIDv7(bytes: bytes) else { return nil }
        self.init(id)
    }

    public var bytes: [UInt8] { UUIDv7(high: high, low: low).bytes }

    public static func < (a: RequestID, b: RequestID) -> Bool { (a.high, a.low) < (b.high, b.low) }
}

extension RequestID: CustomStringConvertible {
    public var description: String { hex(bytes) }
}
