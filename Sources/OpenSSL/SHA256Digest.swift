/// A SHA-256 value: 32 bytes without a heap allocation.
public struct SHA256Digest: Sendable {
    public static let byteCount = 32
    public var storage: InlineArray<32, UInt8>

    public init(_ storage: InlineArray<32, UInt8>) { self.storage = storage }

    public static var zero: SHA256Digest { SHA256Digest(InlineArray(repeating: 0)) }

    /// nil unless there are exactly 32 bytes.
    public init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == 32 else { return nil }
        storage = InlineArray(repeating: 0)
        for (index, byte) in bytes.enumerated() { storage[index] = byte }
    }

    /// The 32 bytes at that offset; trapping beyond the end.
    public init(_ bytes: RawSpan, at offset: Int = 0) {
        precondition(offset >= 0 && offset <= bytes.byteCount - 32, "a digest at \(offset) of \(bytes.byteCount) bytes")
        storage = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: InlineArray<32, UInt8>.self)
    }

    public var bytes: [UInt8] { (0..<32).map { storage[$0] } }
}

extension SHA256Digest: Hashable {
    public static func == (a: SHA256Digest, b: SHA256Digest) -> Bool {
        let (left, right) = (a.words, b.words)
        return left[0] == right[0] && left[1] == right[1] && left[2] == right[2] && left[3] == right[3]
    }

    public func hash(into hasher: inout Hasher) {
        // Any part of a digest is as good as the whole.
        hasher.combine(words[0])
    }

    private var words: InlineArray<4, UInt64> { unsafe unsafeBitCast(storage, to: InlineArray<4, UInt64>.self) }
}
