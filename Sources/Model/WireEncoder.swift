public import Foundation
public import SwiftProtobuf

/// Protobuf bytes of a message, written in one pass: the same bytes as `serializedBytes()`.
///
/// That asks for the size of each message within a message before it writes it, and so goes over what is five deep five times, by calls
/// that the compiler cannot see through. Here a length is put in when what it is of stands there; and as messages and encoder
/// are compiled together, the compiler makes one function of each message's fields.
public struct WireEncoder: Visitor {
    public private(set) var bytes: [UInt8] = []

    private enum Format: UInt64 {
        case varint = 0
        case fixed64 = 1
        case delimited = 2
        case groupStart = 3
        case groupEnd = 4
        case fixed32 = 5
    }

    public init(capacity: Int = 512) { bytes.reserveCapacity(capacity) }

    public mutating func encode<M: Message>(_ message: M) {
        do {
            try message.traverse(visitor: &self)
        } catch {
            preconditionFailure("a proto3 message without required fields always serialises: \(error)")
        }
    }

    /// As a field of a message.
    public mutating func encode<M: Message>(_ message: M, as fieldNumber: Int) {
        let start = begin(fieldNumber)
        encode(message)
        end(start)
    }

    // MARK: - numbers

    public mutating func visitSingularFloatField(value: Float, fieldNumber: Int) {
        visitSingularFixed32Field(value: value.bitPattern, fieldNumber: fieldNumber)
    }

    public mutating func visitSingularDoubleField(value: Double, fieldNumber: Int) {
        visitSingularFixed64Field(value: value.bitPattern, fieldNumber: fieldNumber)
    }

    public mutating func visitSingularInt32Field(value: Int32, fieldNumber: Int) {
        visitSingularInt64Field(value: Int64(value), fieldNumber: fieldNumber)
    }

    public mutating func visitSingularInt64Field(value: Int64, fieldNumber: Int) {
        visitSingularUInt64Field(value: UInt64(bitPattern: value), fieldNumber: fieldNumber)
    }

    public mutating func visitSingularUInt32Field(value: UInt32, fieldNumber: Int) {
        visitSingularUInt64Field(value: UInt64(value), fieldNumber: fieldNumber)
    }

    public mutating func visitSingularUInt64Field(value: UInt64, fieldNumber: Int) {
        tag(fieldNumber, .varint)
        varint(value)
    }

    public mutating func visitSingularSInt32Field(value: Int32, fieldNumber: Int) {
        visitSingularSInt64Field(value: Int64(value), fieldNumber: fieldNumber)
    }

    public mutating func visitSingularSInt64Field(value: Int64, fieldNumber: Int) {
        visitSingularInt64Field(value: value << 1 ^ value >> 63, fieldNumber: fieldNumber)
    }

    public mutating func visitSingularFixed32Field(value: UInt32, fieldNumber: Int) {
        tag(fieldNumber, .fixed32)
        for shift in stride(from: 0 as UInt32, to: 32, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
    }

    public mutating func visitSingularFixed64Field(value: UInt64, fieldNumber: Int) {
        tag(fieldNumber, .fixed64)
        for shift in stride(from: 0 as UInt64, to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
    }

    public mutating func visitSingularSFixed32Field(value: Int32, fieldNumber: Int) {
        visitSingularFixed32Field(value: UInt32(bitPattern: value), fieldNumber: fieldNumber)
    }

    public mutating func visitSingularSFixed64Field(value: Int64, fieldNumber: Int) {
        visitSingularFixed64Field(value: UInt64(bitPattern: value), fieldNumber: fieldNumber)
    }

    public mutating func visitSingularBoolField(value: Bool, fieldNumber: Int) {
        visitSingularUInt64Field(value: value ? 1 : 0, fieldNumber: fieldNumber)
    }

    public mutating func visitSingularEnumField<E: Enum>(value: E, fieldNumber: Int) {
        visitSingularInt64Field(value: Int64(value.rawValue), fieldNumber: fieldNumber)
    }

    // MARK: - text, bytes, messages

    public mutating func visitSingularStringField(value: String, fieldNumber: Int) {
        tag(fieldNumber, .delimited)
        let text = value.utf8
        varint(UInt64(text.count))
        bytes.append(contentsOf: text)
    }

    public mutating func visitSingularBytesField(value: Data, fieldNumber: Int) {
        tag(fieldNumber, .delimited)
        varint(UInt64(value.count))
        value.withUnsafeBytes { bytes.append(contentsOf: $0) }
    }

    public mutating func visitSingularMessageField<M: Message>(value: M, fieldNumber: Int) throws {
        encode(value, as: fieldNumber)
    }

    public mutating func visitSingularGroupField<G: Message>(value: G, fieldNumber: Int) throws {
        tag(fieldNumber, .groupStart)
        try value.traverse(visitor: &self)
        tag(fieldNumber, .groupEnd)
    }

    public mutating func visitUnknown(bytes: Data) { bytes.withUnsafeBytes { self.bytes.append(contentsOf: $0) } }

    // MARK: - lists that are packed

    // Of one number each, so that a field's own tag is not written: it is made as a message of those numbers.
    public mutating func visitPackedFloatField(value: [Float], fieldNumber: Int) {
        packed(value, fieldNumber) { $0.visitSingularFloatField(value: $1, fieldNumber: fieldNumber) }
    }

    public mutating func visitPackedDoubleField(value: [Double], fieldNumber: Int) {
        packed(value, fieldNumber) { $0.visitSingularDoubleField(value: $1, fieldNumber: fieldNumber) }
    }

    public mutating func visitPackedInt32Field(value: [Int32], fieldNumber: Int) {
        packed(value, fieldNumber) { $0.visitSingularInt32Field(value: $1, fieldNumber: fieldNumber) }
    }

    public mutating func visitPackedInt64Field(value: [Int64], fieldNumber: Int) {
        packed(value, fieldNumber) { $0.visitSingularInt64Field(value: $1, fieldNumber: fieldNumber) }
    }

    public mutating func visitPackedUInt32Field(value: [UInt32], fieldNumber: Int) {
        packed(value, fieldNumber) { $0.visitSingularUInt32Field(value: $1, fieldNumber: fieldNumber) }
    }

    public mutating func visitPackedUInt64Field(value: [UInt64], fieldNumber: Int) {
        packed(value, fieldNumber) { $0.visitSingularUInt64Field(value: $1, fieldNumber: fieldNumber) }
    }

    public mutating func visitPackedSInt32Field(value: [Int32], fieldNumber: Int) {
        packed(value, fieldNumber) { $0.visitSingularSInt32Field(value: $1, fieldNumber: fieldNumber) }
    }

    public mutating func visitPackedSInt64Field(value: [Int64], fieldNumber: Int) {
        packed(value, fieldNumber) { $0.visitSingularSInt64Field(value: $1, fieldNumber: fieldNumber) }
    }

    public mutating func visitPackedFixed32Field(value: [UInt32], fieldNumber: Int) {
        packed(value, fieldNumber) { $0.visitSingularFixed32Field(value: $1, fieldNumber: fieldNumber) }
    }

    public mutating func visitPackedFixed64Field(value: [UInt64], fieldNumber: Int) {
        packed(value, fieldNumber) { $0.visitSingularFixed64Field(value: $1, fieldNumber: fieldNumber) }
    }

    public mutating func visitPackedSFixed32Field(value: [Int32], fieldNumber: Int) {
        packed(value, fieldNumber) { $0.visitSingularSFixed32Field(value: $1, fieldNumber: fieldNumber) }
    }

    public mutating func visitPackedSFixed64Field(value: [Int64], fieldNumber: Int) {
        packed(value, fieldNumber) { $0.visitSingularSFixed64Field(value: $1, fieldNumber: fieldNumber) }
    }

    public mutating func visitPackedBoolField(value: [Bool], fieldNumber: Int) {
        packed(value, fieldNumber) { $0.visitSingularBoolField(value: $1, fieldNumber: fieldNumber) }
    }

    public mutating func visitPackedEnumField<E: Enum>(value: [E], fieldNumber: Int) {
        packed(value, fieldNumber) { $0.visitSingularEnumField(value: $1, fieldNumber: fieldNumber) }
    }

    // MARK: - maps, in the order of their keys

    public mutating func visitMapField<KeyType, ValueType: MapValueType>(
        fieldType: _ProtobufMap<KeyType, ValueType>.Type, value: _ProtobufMap<KeyType, ValueType>.BaseType, fieldNumber: Int
    ) throws {
        for (key, value) in value.sorted(by: { KeyType._lessThan(lhs: $0.key, rhs: $1.key) }) {
            let start = begin(fieldNumber)
            try KeyType.visitSingular(value: key, fieldNumber: 1, with: &self)
            try ValueType.visitSingular(value: value, fieldNumber: 2, with: &self)
            end(start)
        }
    }

    public mutating func visitMapField<KeyType, ValueType>(
        fieldType: _ProtobufEnumMap<KeyType, ValueType>.Type, value: _ProtobufEnumMap<KeyType, ValueType>.BaseType, fieldNumber: Int
    ) throws where ValueType.RawValue == Int {
        for (key, value) in value.sorted(by: { KeyType._lessThan(lhs: $0.key, rhs: $1.key) }) {
            let start = begin(fieldNumber)
            try KeyType.visitSingular(value: key, fieldNumber: 1, with: &self)
            visitSingularEnumField(value: value, fieldNumber: 2)
            end(start)
        }
    }

    public mutating func visitMapField<KeyType, ValueType>(
        fieldType: _ProtobufMessageMap<KeyType, ValueType>.Type, value: _ProtobufMessageMap<KeyType, ValueType>.BaseType, fieldNumber: Int
    ) throws {
        for (key, value) in value.sorted(by: { KeyType._lessThan(lhs: $0.key, rhs: $1.key) }) {
            let start = begin(fieldNumber)
            try KeyType.visitSingular(value: key, fieldNumber: 1, with: &self)
            try visitSingularMessageField(value: value, fieldNumber: 2)
            end(start)
        }
    }

    // MARK: - the encoding

    @inline(__always) private mutating func tag(_ field: Int, _ format: Format) { varint(UInt64(field) << 3 | format.rawValue) }

    @inline(__always) private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    /// Leaves one byte for the length, which is enough for most.
    @inline(__always) private mutating func begin(_ field: Int) -> Int {
        tag(field, .delimited)
        bytes.append(0)
        return bytes.count
    }

    private mutating func end(_ start: Int) {
        var rest = UInt64(bytes.count - start)
        guard rest >= 0x80 else { return bytes[start - 1] = UInt8(rest) }
        bytes[start - 1] = UInt8(truncatingIfNeeded: rest) | 0x80
        rest >>= 7
        var more: [UInt8] = []
        while rest >= 0x80 {
            more.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        more.append(UInt8(rest))
        bytes.insert(contentsOf: more, at: start)
    }

    /// - Parameter write: one element as a field, whose tag is taken out.
    private mutating func packed<T>(_ values: [T], _ field: Int, _ write: (inout WireEncoder, T) -> Void) {
        var tag = WireEncoder(capacity: 8)
        tag.varint(UInt64(field) << 3)
        let start = begin(field)
        for value in values {
            let place = bytes.count
            write(&self, value)
            bytes.removeSubrange(place..<(place + tag.bytes.count))
        }
        end(start)
    }
}

extension Message {
    /// The same as `serializedBytes()`, faster.
    public func wireBytes() -> [UInt8] {
        var encoder = WireEncoder()
        encoder.encode(self)
        return encoder.bytes
    }
}
