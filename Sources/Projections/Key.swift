import Foundation
import Model
public import Primitives

/// Builds the bytes of a key so that their order is the order of the parts.
public struct Key: Hashable, Sendable {
    public private(set) var bytes: [UInt8]

    public init() { bytes = [] }

    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    public init(_ id: UUIDv7) {
        bytes = []
        bytes.reserveCapacity(40)
        add(id)
    }

    public init(_ number: UInt64) {
        bytes = []
        bytes.reserveCapacity(40)
        add(number)
    }

    public init(text: String) { bytes = Array(text.utf8) }

    mutating func reserve(_ count: Int) { bytes.reserveCapacity(count) }

    public mutating func add(_ id: UUIDv7) {
        add(id.high)
        add(id.low)
    }

    public mutating func add(_ number: UInt64) {
        var shift: UInt64 = 64
        while shift > 0 {
            shift -= 8
            bytes.append(UInt8(truncatingIfNeeded: number >> shift))
        }
    }

    public mutating func add(_ number: UInt32) {
        var shift: UInt32 = 32
        while shift > 0 {
            shift -= 8
            bytes.append(UInt8(truncatingIfNeeded: number >> shift))
        }
    }

    /// Times before 1970 sort before later ones.
    public mutating func add(_ time: WallTime) { add(UInt64(bitPattern: time.microseconds) ^ (1 << 63)) }

    public mutating func add(byte: UInt8) { bytes.append(byte) }

    /// Text without a length or a terminator: only as the last part of a key.
    public mutating func add(text: some StringProtocol) { bytes += Array(text.utf8) }

    public func adding(_ id: UUIDv7) -> Key {
        var key = self
        key.add(id)
        return key
    }

    public func adding(_ number: UInt64) -> Key {
        var key = self
        key.add(number)
        return key
    }

    public func adding(_ number: UInt32) -> Key {
        var key = self
        key.add(number)
        return key
    }

    public func adding(text: some StringProtocol) -> Key {
        var key = self
        key.add(text: text)
        return key
    }

    /// The smallest key after this one.
    public var successor: Key { Key(bytes + [0]) }

    /// What LMDB takes; longer text is nobody's name.
    public static let bytesMax = 511
    public var fits: Bool { (1...Key.bytesMax).contains(bytes.count) }

    public func hasPrefix(_ prefix: Key) -> Bool { bytes.starts(with: prefix.bytes) }
}

/// Reads the parts of a key or of a small value back, in the order they were added.
struct KeyReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func id() -> UUIDv7? {
        guard rest.count >= 16 else { return nil }
        defer { rest = rest.dropFirst(16) }
        return UUIDv7(bytes: rest.prefix(16))
    }

    mutating func number64() -> UInt64? {
        guard rest.count >= 8 else { return nil }
        defer { rest = rest.dropFirst(8) }
        return rest.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    mutating func number32() -> UInt32? {
        guard rest.count >= 4 else { return nil }
        defer { rest = rest.dropFirst(4) }
        return rest.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
    }

    mutating func time() -> WallTime? {
        number64().map { WallTime(microseconds: Int64(bitPattern: $0 ^ (1 << 63))) }
    }

    mutating func skip(_ count: Int) { rest = rest.dropFirst(count) }
}

extension UUIDv7 {
    /// Stands where an entity belongs to the platform itself.
    public static let platform = UUIDv7(high: 0, low: 0)

    /// nil unless the field holds exactly 16 bytes.
    init?(_ data: Data) { self.init(bytes: data) }
}
