import Primitives

/// An `AccountRef` in a message: its bytes, and the first 20 bytes of the keys of its rows (kind, owner, currency).
struct AccountFields {
    let range: Range<Int>
    /// Three letters; decides which postings have to sum to zero with each other.
    let currency: UInt32
    private let kind: UInt8
    private let owner: UUIDv7

    /// nil if a part of it cannot be.
    init?(_ bytes: RawSpan, _ range: Range<Int>) {
        var kind: UInt64 = 0
        var owner = UUIDv7.platform
        var code = 0..<0
        var reader = WireReader(range)
        while reader.next(in: bytes) {
            switch reader.tag {
            case 1 << 3: kind = reader.number
            case 2 << 3 | 2:
                if reader.range.isEmpty { break }
                guard let id = reader.id(in: bytes) else { return nil }
                owner = id
            case 3 << 3 | 2: code = reader.range
            default: break
            }
        }
        guard !reader.isMalformed, let kind = UInt8(exactly: kind), code.count == 3 else { return nil }
        var currency: UInt32 = 0
        for index in code {
            let letter = unsafe bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self)
            guard (0x41...0x5A).contains(letter) else { return nil }
            currency = currency << 8 | UInt32(letter)
        }
        (self.range, self.currency, self.kind, self.owner) = (range, currency, kind, owner)
    }

    var key: FixedKey { FixedKey(a, b, owner.low << 56 | UInt64(currency) << 32, count: 20) }

    private var a: UInt64 { UInt64(kind) << 56 | owner.high >> 8 }
    private var b: UInt64 { owner.high << 56 | owner.low >> 8 }

    /// As the key's first byte says it.
    var kindNumber: Int { Int(kind) }
}
