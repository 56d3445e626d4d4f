/// A SHA-256 value: 32 bytes without a heap allocation.
package struct SHA256Digest: Sendable {
    package static let byteCount = 32
    package var storage: InlineArray<32, UInt8>

    package init(_ storage: InlineArray<32, UInt8>) { self.storage = storage }

    package static var zero: SHA256Digest { SHA256Digest(InlineArray(repeating: 0)) }

    /// nil unless there are exactly 32 bytes.
    package init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == 32 else { return nil }
        storage = InlineArray(repeating: 0)
        for (index, byte) in bytes.enumerated() { storage[index] = byte }
    }

    package var bytes: [UInt8] { (0..<32).map { storage[$0] } }
}

extension SHA256Digest: Hashable {
    package static func == (a: SHA256Digest, b: SHA256Digest) -> Bool {
        for index in 0..<32 where a.storage[index] != b.storage[index] { return false }
        return true
    }

    package func hash(into hasher: inout Hasher) {
        for index in 0..<32 { hasher.combine(storage[index]) }
    }
}
