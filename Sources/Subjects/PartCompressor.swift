import Deflate

/// Makes the personal part of a call short before it is sealed: afterwards nothing can.
///
/// What a size tells: whoever can see how long a sealed part is, and can put text of his own into the same part, learns by
/// trying whether his text repeats something in it. That is harmless for numbers and addresses that he could not choose, but not for
/// keys: a re-INVITE could guess at the SRTP key of the other side, letter by letter. So secrets are cut out first, and stand
/// beside the compressed rest as they are; the size depends on their length alone.
///
///     number of secrets
///     each: where in the rest it belongs, how long it is, its bytes
///     size of the rest
///     the rest, raw DEFLATE with `PartDictionary.first`
///
/// All numbers are varints.
struct PartCompressor: ~Copyable {
    private let deflate = PresetDeflate(dictionary: PartDictionary.first)
    /// Of most parts; what is too long for it is zlib's.
    private let short = ShortDeflate(dictionary: PartDictionary.first)
    /// Beyond this no part is ours.
    private static let expandedMax = 1 << 24

    /// nil: it is not worth it.
    func compressed(_ plain: [UInt8]) -> [UInt8]? {
        var out: [UInt8] = []
        var rest = plain
        let secrets = Secrets.ranges(in: plain)
        out.append(varint: secrets.count)
        if !secrets.isEmpty {
            rest = []
            var end = 0
            for secret in secrets {
                rest += plain[end..<secret.lowerBound]
                out.append(varint: rest.count)
                out.append(varint: secret.count)
                out += plain[secret]
                end = secret.upperBound
            }
            rest += plain[end...]
        }
        out.append(varint: rest.count)
        let limit = plain.count - out.count
        let body = rest.count <= short.countMax ? short.compressed(rest, limit: limit) : deflate.compressed(rest, limit: limit)
        guard let body else { return nil }
        return out + body
    }

    /// nil: it is none.
    func expanded(_ bytes: [UInt8]) -> [UInt8]? {
        var reader = VarintReader(bytes)
        guard let count = reader.next() else { return nil }
        var secrets: [(place: Int, bytes: ArraySlice<UInt8>)] = []
        for _ in 0..<count {
            guard let place = reader.next(), let length = reader.next(), let secret = reader.take(length) else { return nil }
            secrets.append((place, secret))
        }
        guard let size = reader.next(), size <= Self.expandedMax else { return nil }
        guard let rest = size == 0 ? [] : deflate.expanded(reader.rest, count: size) else { return nil }
        guard !secrets.isEmpty else { return rest }
        var plain: [UInt8] = []
        var end = 0
        for (place, secret) in secrets {
            guard place >= end, place <= rest.count else { return nil }
            plain += rest[end..<place]
            plain += secret
            end = place
        }
        return plain + rest[end...]
    }
}

/// Keys in session descriptions, by what stands before them.
enum Secrets {
    /// With words: what follows goes to the end of the line.
    private static let markers: [(text: [UInt8], hasWords: Bool)] = [
        ("inline:", false), ("ice-pwd:", false), ("ice-ufrag:", false), ("key-mgmt:", true), ("k=clear:", true),
        ("k=base64:", false),
    ].map { (Array($0.0.utf8), $0.1) }

    /// From behind the marker to the end of the word or of the line.
    static func ranges(in text: [UInt8]) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        var index = 0
        while let colon = text[index...].firstIndex(of: UInt8(ascii: ":")) {
            index = colon + 1
            let before = text[..<index]
            guard let marker = markers.first(where: { before.suffix($0.text.count).elementsEqual($0.text) }) else { continue }
            let end = text[index...].firstIndex { byte in
                byte < 0x20 || byte >= 0x7F || byte == UInt8(ascii: "|") || (byte == 0x20 && !marker.hasWords)
            }
            let secret = index..<(end ?? text.count)
            if !secret.isEmpty { ranges.append(secret) }
            index = secret.upperBound
        }
        return ranges
    }
}

struct VarintReader {
    private(set) var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    mutating func next() -> Int? {
        var (value, shift) = (0, 0)
        while let byte = rest.popFirst(), shift < 35 {
            value |= Int(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        return nil
    }

    mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
        guard count <= rest.count else { return nil }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }
}

extension [UInt8] {
    mutating func append(varint value: Int) {
        var rest = value
        while rest >= 0x80 {
            append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        append(UInt8(rest))
    }
}
