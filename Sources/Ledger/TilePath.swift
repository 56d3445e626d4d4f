/// The address of a tile or of an entry bundle, as C2SP tlog-tiles writes it below `/tile/`: level, then the number in
/// groups of three digits, all but the last with an `x` before them; a partial one ends in `.p/` and its width.
///
///     0/x001/x234/067          the full tile 1234067 of leaf hashes
///     1/000.p/8                the first 8 hashes of the first tile above
///     entries/000.p/8          the first 8 entries
public struct TilePath: Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        case hashes(level: UInt8)
        case entries
    }
    public static let width = 256
    /// Levels that the format can name (tlog-tiles, "Merkle Tree").
    public static let levelMax: UInt8 = 63

    public var kind: Kind
    public var index: UInt64
    /// 1...256; below 256 the tile is partial.
    public var count: Int

    public init(_ kind: Kind, index: UInt64, count: Int = TilePath.width) {
        precondition((1...Self.width).contains(count), "a tile has 1 to \(Self.width) hashes, not \(count)")
        self.kind = kind
        self.index = index
        self.count = count
    }

    /// nil unless the text is exactly what `text` would write.
    public init?(_ text: some StringProtocol) {
        var parts = String(text).split(separator: "/", omittingEmptySubsequences: false).map { String($0) }
        guard parts.count >= 2, parts.count <= 12 else { return nil }
        let first = parts.removeFirst()
        var kind = Kind.entries
        if first != "entries" {
            guard let level = UInt8(first), level <= Self.levelMax else { return nil }
            kind = .hashes(level: level)
        }
        var count = Self.width
        if parts.count >= 2, parts[parts.count - 2].hasSuffix(".p") {
            guard let width = Int(parts.removeLast()), (1..<Self.width).contains(width) else { return nil }
            count = width
            parts[parts.count - 1].removeLast(2)
        }
        var index: UInt64 = 0
        for part in parts {
            guard let group = UInt64(part.hasPrefix("x") ? String(part.dropFirst()) : part), group < 1_000 else { return nil }
            let (product, isTooLarge) = index.multipliedReportingOverflow(by: 1_000)
            let (sum, overflows) = product.addingReportingOverflow(group)
            guard !isTooLarge, !overflows else { return nil }
            index = sum
        }
        self.init(kind, index: index, count: count)
        // Leading zeros, a missing x, a group too many: one address, one spelling, so that caches hold one copy.
        guard self.text == text else { return nil }
    }

    public var text: String {
        var groups: [String] = []
        var rest = index
        repeat {
            let digits = String(rest % 1_000)
            groups.append((groups.isEmpty ? "" : "x") + String(repeating: "0", count: 3 - digits.count) + digits)
            rest /= 1_000
        } while rest > 0
        let level = switch kind {
            case .hashes(let level): "\(level)"
            case .entries: "entries"
        }
        let path = level + "/" + groups.reversed().joined(separator: "/")
        return count == Self.width ? path : "\(path).p/\(count)"
    }
}

extension LMDBEventLog {
    /// The hashes or the entries at that address; nil: the tree has not grown there yet.
    public func published(_ path: TilePath) throws(LedgerError) -> [UInt8]? {
        switch path.kind {
        case .hashes(let level):
            // 256^8 leaves are more than a sequence can count.
            guard level < 8, let hashes = try tile(level: level, index: path.index), hashes.count >= path.count * 32 else {
                return nil
            }
            return Array(hashes.prefix(path.count * 32))
        case .entries:
            return try entries(path)
        }
    }

    /// Each entry's length in two bytes, big-endian, then the envelope.
    private func entries(_ path: TilePath) throws(LedgerError) -> [UInt8]? {
        guard path.index < UInt64.max / UInt64(TilePath.width) else { return nil }
        let first = path.index * UInt64(TilePath.width) + 1
        guard first + UInt64(path.count) - 1 <= head else { return nil }
        var bundle: [UInt8] = []
        var next = first
        try readBytes(from: first) { (sequence, envelope) throws(LedgerError) in
            guard sequence == next else { throw .damaged(sequence: next) }
            guard let length = UInt16(exactly: envelope.byteCount) else {
                throw .eventTooLarge(have: envelope.byteCount, limit: Int(UInt16.max))
            }
            bundle += [UInt8(length >> 8), UInt8(length & 0xFF)]
            unsafe envelope.withUnsafeBytes { unsafe bundle.append(contentsOf: $0) }
            next += 1
            return next < first + UInt64(path.count)
        }
        return next == first + UInt64(path.count) ? bundle : nil
    }
}
