import Foundation
import SwiftProtobuf

/// Rows of a deck in few bytes (docs/wire/deck-rows.md): a number shares its beginning with the one before, and prices and
/// names of destinations, of which there are few, are written once and then counted.
extension RateDeckRowsAdded {
    /// - Parameter rows: in the order of their keys.
    public init(rows entries: some Collection<RateEntry>) {
        self.init()
        rows = UInt32(entries.count)
        var packed: [UInt8] = []
        packed.reserveCapacity(entries.count * 8)
        var priceNumbers: [RateEntry: UInt32] = [:]
        var destinationNumbers: [String: UInt32] = [:]
        var before: [UInt8] = []
        for entry in entries {
            let digits = Array(entry.prefix.utf8)
            let shared = min(15, zip(before, digits).prefix { $0 == $1 }.count)
            packed.append(UInt8(shared) << 4 | UInt8(min(15, digits.count - shared)))
            var index = shared
            while index < digits.count {
                let high = digits[index] & 0x0F
                let low = index + 1 < digits.count ? digits[index + 1] & 0x0F : 0
                packed.append(high << 4 | low)
                index += 2
            }
            before = digits
            var price = entry
            price.prefix = ""
            price.destination = ""
            Self.append(Self.number(of: price, in: &priceNumbers, &prices), to: &packed)
            Self.append(Self.number(of: entry.destination, in: &destinationNumbers, &destinations), to: &packed)
        }
        self.packed = Data(packed)
    }

    /// The rows; nil: the bytes are not those of `rows` rows.
    public var entries: [RateEntry]? {
        var reader = PackedReader(bytes: Array(packed))
        var entries: [RateEntry] = []
        guard rows <= packed.count else { return nil }
        entries.reserveCapacity(Int(rows))
        var digits: [UInt8] = []
        for _ in 0..<rows {
            guard let head = reader.byte() else { return nil }
            let (shared, own) = (Int(head >> 4), Int(head & 0x0F))
            guard shared <= digits.count, shared + own <= 15 else { return nil }
            digits.removeLast(digits.count - shared)
            var left = own
            while left > 0 {
                guard let pair = reader.byte(), pair >> 4 < 10, pair & 0x0F < 10 else { return nil }
                digits.append(0x30 | pair >> 4)
                if left > 1 { digits.append(0x30 | pair & 0x0F) }
                left -= 2
            }
            guard let price = reader.number(), price < prices.count, let destination = reader.number(), destination < destinations.count
            else { return nil }
            var entry = prices[price]
            entry.prefix = String(decoding: digits, as: UTF8.self)
            entry.destination = destinations[destination]
            entries.append(entry)
        }
        return reader.isAtEnd ? entries : nil
    }

    private static func number<Value: Hashable>(of value: Value, in numbers: inout [Value: UInt32], _ values: inout [Value]) -> UInt32 {
        if let number = numbers[value] { return number }
        let number = UInt32(values.count)
        numbers[value] = number
        values.append(value)
        return number
    }

    private static func append(_ number: UInt32, to bytes: inout [UInt8]) {
        var rest = number
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}

private struct PackedReader {
    let bytes: [UInt8]
    private var offset = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { offset == bytes.count }

    mutating func byte() -> UInt8? {
        guard offset < bytes.count else { return nil }
        defer { offset += 1 }
        return bytes[offset]
    }

    /// A varint of at most five bytes.
    mutating func number() -> Int? {
        var value = 0
        for shift in stride(from: 0, to: 35, by: 7) {
            guard let byte = byte() else { return nil }
            value |= Int(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        return nil
    }
}
