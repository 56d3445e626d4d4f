import OpenSSL

/// What stands under an idempotency key: the commit's events, what was answered, and a check over all of it and the key. The
/// tree knows nothing of keys; without the check a flipped bit would let a request be carried out twice and nobody see it.
struct CommandRecord {
    var first: UInt64
    var last: UInt64
    var outcome: ArraySlice<UInt8>

    private static let headBytes = 24

    init(first: UInt64, last: UInt64, outcome: [UInt8]) {
        self.first = first
        self.last = last
        self.outcome = outcome[...]
    }

    /// nil: not as it was written, or written under another key.
    init?(_ value: [UInt8], key: [UInt8]) {
        guard value.count >= Self.headBytes else { return nil }
        let record = CommandRecord(first: value.bigEndian(), last: value.bigEndian(at: 8), outcome: Array(value[Self.headBytes...]))
        guard record.first <= record.last, record.check(key) == value.bigEndian(at: 16) as UInt64 else { return nil }
        self = record
    }

    func bytes(key: [UInt8]) -> [UInt8] { numbers + [UInt8](bigEndian: check(key)) + outcome }

    private var numbers: [UInt8] { [UInt8](bigEndian: first) + [UInt8](bigEndian: last) }

    /// The first 8 bytes of SHA-256 over the key's length, the key, the numbers and the outcome.
    private func check(_ key: [UInt8]) -> UInt64 {
        Hash.sha256([UInt8](bigEndian: UInt64(key.count)) + key + numbers + outcome).bigEndian()
    }
}
