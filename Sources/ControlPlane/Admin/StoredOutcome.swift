import Primitives

/// An outcome as it is kept beside its idempotency key.
///
///     byte 0        format, 0x01
///     bytes 1..<17  entity id
///     17..<25       stream version, big-endian
///     25..<33       sequence, big-endian
///     33…           fingerprint of the request
struct StoredOutcome {
    var outcome: AdminOutcome
    var fingerprint: [UInt8]

    init(outcome: AdminOutcome, fingerprint: [UInt8]) {
        self.outcome = outcome
        self.fingerprint = fingerprint
    }

    init?(bytes: [UInt8]) {
        guard bytes.count >= 33, bytes[0] == 0x01, let id = UUIDv7(bytes: bytes[1..<17]) else { return nil }
        func number(_ range: Range<Int>) -> UInt64 { bytes[range].reduce(0) { $0 << 8 | UInt64($1) } }
        outcome = AdminOutcome(id: id, version: number(17..<25), sequence: number(25..<33), repeated: true)
        fingerprint = Array(bytes[33...])
    }

    var bytes: [UInt8] {
        func bigEndian(_ value: UInt64) -> [UInt8] {
            (0..<8).map { UInt8(truncatingIfNeeded: value >> UInt64(56 - $0 * 8)) }
        }
        return [0x01] + outcome.id.bytes + bigEndian(outcome.version) + bigEndian(outcome.sequence) + fingerprint
    }
}
