internal import OpenSSL
package import Primitives

/// A recording on the disk, to the byte: docs/wire/recording.md.
package struct RecordingFormat: Equatable, Sendable {
    static let title = Array("ledgerline recording 1\n".utf8)
    /// Of title, channels, rate, id and the sealed key's length.
    static let fixedBytes = title.count + 1 + 4 + 16 + 2
    /// Of a chunk's length and kind.
    static let chunkHeadBytes = 5
    /// A chunk holds at most so many samples of all channels: four seconds of two at 16,000.
    static let samplesMax = 128_000

    package enum Kind: UInt8, Sendable {
        case speech = 1
        /// Says how many samples a channel has; nothing is behind it.
        case last = 2
    }

    package let id: UUIDv7
    /// 1: both sides together; 2: the caller, the called side.
    package let channels: Int
    /// Samples a second of each channel, G.711 µ-law.
    package let rate: Int
    /// The file's key, as whoever may unseal it is to get it.
    package let sealedKey: [UInt8]

    package init(id: UUIDv7, channels: Int, rate: Int, sealedKey: [UInt8]) {
        precondition((1...2).contains(channels) && sealedKey.count <= 0xFFFF)
        self.id = id
        self.channels = channels
        self.rate = rate
        self.sealedKey = sealedKey
    }

    var head: [UInt8] {
        Self.title + [UInt8(channels)] + Self.bigEndian(UInt64(rate), 4) + id.bytes + Self.bigEndian(UInt64(sealedKey.count), 2) + sealedKey
    }

    /// - Returns: nil: the bytes are not the head of a recording; else it, and how long it is.
    static func read(_ bytes: [UInt8]) -> (format: RecordingFormat, count: Int)? {
        guard bytes.count >= fixedBytes, bytes.starts(with: title) else { return nil }
        var place = title.count
        func number(_ count: Int) -> Int {
            defer { place += count }
            return bytes[place..<place + count].reduce(0) { $0 << 8 | Int($1) }
        }
        let (channels, rate) = (number(1), number(4))
        guard (1...2).contains(channels), rate == 8_000 || rate == 16_000, let id = UUIDv7(bytes: bytes[place..<place + 16]) else { return nil }
        place += 16
        let count = number(2)
        guard bytes.count >= place + count else { return nil }
        return (RecordingFormat(id: id, channels: channels, rate: rate, sealedKey: Array(bytes[place..<place + count])), place + count)
    }

    /// - Parameter head: `chunkHeadBytes` long.
    /// - Returns: what a chunk is and how long it is without its head; nil: nothing that we write begins so, and nobody should make room for it.
    static func chunk(_ head: [UInt8]) -> (kind: Kind, size: Int)? {
        let size = head.prefix(4).reduce(0) { $0 << 8 | Int($1) }
        guard let kind = Kind(rawValue: head[4]), size >= Sealer.tagBytes, size <= samplesMax + Sealer.tagBytes else { return nil }
        return (kind, size)
    }

    static func bigEndian(_ value: UInt64, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * (count - 1 - $0))) }
    }

    /// No two chunks of a file have the same one, and no two files the same key.
    static func nonce(_ chunk: UInt64) -> [UInt8] { [0, 0, 0, 0] + bigEndian(chunk, 8) }

    /// Ties a chunk to its file, its place and its kind.
    static func associatedData(headDigest: [UInt8], _ kind: Kind, _ chunk: UInt64) -> [UInt8] { headDigest + [kind.rawValue] + bigEndian(chunk, 8) }
}

/// Why a recording cannot be written or read.
package enum RecordingError: Error, Equatable, CustomStringConvertible {
    case file(path: String, code: Int32)
    case notARecording(path: String)
    /// Not written with this key, or changed since.
    case damaged(path: String, chunk: UInt64)
    /// The file ends before its last chunk.
    case cutOff(path: String)

    package var description: String {
        switch self {
        case .file(let path, let code): "\(path): system error \(code)"
        case .notARecording(let path): "\(path) is not a recording of ours"
        case .damaged(let path, let chunk): "\(path): chunk \(chunk) was changed, or belongs to another key"
        case .cutOff(let path): "\(path) ends before its last chunk"
        }
    }
}
