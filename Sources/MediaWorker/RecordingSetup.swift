package import Primitives

/// A recording that is to be made.
package struct RecordingSetup: Equatable, Sendable {
    package var id: UUIDv7
    /// Of the file, 32 bytes; kept in memory alone.
    package var key: [UInt8]
    package var sealedKey: [UInt8]
    package var isMixed: Bool
    /// Samples a second: 16,000 where a side speaks a wide band.
    package var rate = 8_000
    package var beganAt: Instant

    package init(id: UUIDv7, key: [UInt8], sealedKey: [UInt8], isMixed: Bool, beganAt: Instant) {
        self.id = id
        self.key = key
        self.sealedKey = sealedKey
        self.isMixed = isMixed
        self.beganAt = beganAt
    }
}
