public import Foundation
public import SwiftProtobuf

/// Reads the messages that each call is made of: what `init(serializedBytes:)` reads, or nothing.
///
/// The library's reads by calls that the compiler cannot see through, two or three for each field. As messages and decoder are compiled
/// together here, one function reads a message's fields. It knows what messages of ours are made of; whatever else it meets (a field of a
/// later version, one in another format, a number that a message has no name for, bytes that end too early) it leaves to the library, so
/// that there is one answer to what is not a message.
public struct WireDecoder: Decoder {
    /// What is left to the library.
    private struct Unusual: Error {}

    private enum Format {
        static let varint: UInt8 = 0
        static let delimited: UInt8 = 2
    }

    private let bytes: [UInt8]
    private var position = 0
    /// Of the message that is read.
    private var end: Int
    private var format: UInt8 = 0
    /// The number of a field was told, and nobody has read the field yet.
    private var isPending = false
    private var depth = 0

    private init(_ bytes: [UInt8]) {
        self.bytes = bytes
        end = bytes.count
    }

    fileprivate static func read<M: Message>(_ type: M.Type, _ bytes: [UInt8]) -> M? {
        var decoder = WireDecoder(bytes)
        var message = M()
        do {
            try message.decodeMessage(decoder: &decoder)
            return message
        } catch {
            return nil
        }
    }

    public mutating func nextFieldNumber() throws -> Int? {
        // Nobody wanted the last one.
        guard !isPending else { throw Unusual() }
        guard position < end else { return nil }
        let tag = try varint()
        guard tag >= 8, tag <= UInt32.max else { throw Unusual() }
        format = UInt8(truncatingIfNeeded: tag & 7)
        isPending = true
        return Int(tag >> 3)
    }

    /// Two fields of which a message has one: the later counts.
    public mutating func handleConflictingOneOf() {}

    // MARK: - numbers

    public mutating func decodeSingularUInt32Field(value: inout UInt32) throws { value = UInt32(truncatingIfNeeded: try number()) }
    public mutating func decodeSingularUInt32Field(value: inout UInt32?) throws { value = UInt32(truncatingIfNeeded: try number()) }
    public mutating func decodeSingularUInt64Field(value: inout UInt64) throws { value = try number() }
    public mutating func decodeSingularUInt64Field(value: inout UInt64?) throws { value = try number() }
    public mutating func decodeSingularInt64Field(value: inout Int64) throws { value = Int64(bitPattern: try number()) }
    public mutating func decodeSingularInt64Field(value: inout Int64?) throws { value = Int64(bitPattern: try number()) }
    public mutating func decodeSingularSInt64Field(value: inout Int64) throws { value = Self.zigzag(try number()) }
    public mutating func decodeSingularSInt64Field(value: inout Int64?) throws { value = Self.zigzag(try number()) }
    public mutating func decodeSingularBoolField(value: inout Bool) throws { value = try number() != 0 }
    public mutating func decodeSingularBoolField(value: inout Bool?) throws { value = try number() != 0 }

    public mutating func decodeSingularEnumField<E: Enum>(value: inout E) throws where E.RawValue == Int { value = try enumeration() }
    public mutating func decodeSingularEnumField<E: Enum>(value: inout E?) throws where E.RawValue == Int { value = try enumeration() }

    // MARK: - text, bytes, messages

    public mutating func decodeSingularStringField(value: inout String) throws { value = try text() }
    public mutating func decodeSingularStringField(value: inout String?) throws { value = try text() }
    public mutating func decodeRepeatedStringField(value: inout [String]) throws { value.append(try text()) }

    public mutating func decodeSingularBytesField(value: inout Data) throws { value = Data(bytes[try body()]) }
    public mutating func decodeSingularBytesField(value: inout Data?) throws { value = Data(bytes[try body()]) }
    public mutating func decodeRepeatedBytesField(value: inout [Data]) throws { value.append(Data(bytes[try body()])) }

    public mutating func decodeSingularMessageField<M: Message>(value: inout M?) throws {
        var message = value.take() ?? M()
        try read(&message)
        value = message
    }

    public mutating func decodeRepeatedMessageField<M: Message>(value: inout [M]) throws {
        var message = M()
        try read(&message)
        value.append(message)
    }

    private mutating func read<M: Message>(_ message: inout M) throws {
        let range = try body()
        let outer = end
        (position, end) = (range.lowerBound, range.upperBound)
        depth += 1
        // The library's own bound.
        guard depth < 100 else { throw Unusual() }
        try message.decodeMessage(decoder: &self)
        depth -= 1
        end = outer
    }

    // MARK: - what no message has that a call is made of

    public mutating func decodeSingularFloatField(value: inout Float) throws { throw Unusual() }
    public mutating func decodeSingularFloatField(value: inout Float?) throws { throw Unusual() }
    public mutating func decodeSingularDoubleField(value: inout Double) throws { throw Unusual() }
    public mutating func decodeSingularDoubleField(value: inout Double?) throws { throw Unusual() }
    public mutating func decodeSingularInt32Field(value: inout Int32) throws { throw Unusual() }
    public mutating func decodeSingularInt32Field(value: inout Int32?) throws { throw Unusual() }
    public mutating func decodeSingularSInt32Field(value: inout Int32) throws { throw Unusual() }
    public mutating func decodeSingularSInt32Field(value: inout Int32?) throws { throw Unusual() }
    public mutating func decodeSingularFixed32Field(value: inout UInt32) throws { throw Unusual() }
    public mutating func decodeSingularFixed32Field(value: inout UInt32?) throws { throw Unusual() }
    public mutating func decodeSingularFixed64Field(value: inout UInt64) throws { throw Unusual() }
    public mutating func decodeSingularFixed64Field(value: inout UInt64?) throws { throw Unusual() }
    public mutating func decodeSingularSFixed32Field(value: inout Int32) throws { throw Unusual() }
    public mutating func decodeSingularSFixed32Field(value: inout Int32?) throws { throw Unusual() }
    public mutating func decodeSingularSFixed64Field(value: inout Int64) throws { throw Unusual() }
    public mutating func decodeSingularSFixed64Field(value: inout Int64?) throws { throw Unusual() }
    public mutating func decodeRepeatedFloatField(value: inout [Float]) throws { throw Unusual() }
    public mutating func decodeRepeatedDoubleField(value: inout [Double]) throws { throw Unusual() }
    public mutating func decodeRepeatedInt32Field(value: inout [Int32]) throws { throw Unusual() }
    public mutating func decodeRepeatedInt64Field(value: inout [Int64]) throws { throw Unusual() }
    public mutating func decodeRepeatedUInt32Field(value: inout [UInt32]) throws { throw Unusual() }
    public mutating func decodeRepeatedUInt64Field(value: inout [UInt64]) throws { throw Unusual() }
    public mutating func decodeRepeatedSInt32Field(value: inout [Int32]) throws { throw Unusual() }
    public mutating func decodeRepeatedSInt64Field(value: inout [Int64]) throws { throw Unusual() }
    public mutating func decodeRepeatedFixed32Field(value: inout [UInt32]) throws { throw Unusual() }
    public mutating func decodeRepeatedFixed64Field(value: inout [UInt64]) throws { throw Unusual() }
    public mutating func decodeRepeatedSFixed32Field(value: inout [Int32]) throws { throw Unusual() }
    public mutating func decodeRepeatedSFixed64Field(value: inout [Int64]) throws { throw Unusual() }
    public mutating func decodeRepeatedBoolField(value: inout [Bool]) throws { throw Unusual() }
    public mutating func decodeRepeatedEnumField<E: Enum>(value: inout [E]) throws where E.RawValue == Int { throw Unusual() }
    public mutating func decodeSingularGroupField<G: Message>(value: inout G?) throws { throw Unusual() }
    public mutating func decodeRepeatedGroupField<G: Message>(value: inout [G]) throws { throw Unusual() }

    public mutating func decodeMapField<KeyType, ValueType: MapValueType>(
        fieldType: _ProtobufMap<KeyType, ValueType>.Type, value: inout _ProtobufMap<KeyType, ValueType>.BaseType
    ) throws { throw Unusual() }

    public mutating func decodeMapField<KeyType, ValueType>(
        fieldType: _ProtobufEnumMap<KeyType, ValueType>.Type, value: inout _ProtobufEnumMap<KeyType, ValueType>.BaseType
    ) throws where ValueType.RawValue == Int { throw Unusual() }

    public mutating func decodeMapField<KeyType, ValueType>(
        fieldType: _ProtobufMessageMap<KeyType, ValueType>.Type, value: inout _ProtobufMessageMap<KeyType, ValueType>.BaseType
    ) throws { throw Unusual() }

    public mutating func decodeExtensionField(
        values: inout ExtensionFieldValueSet, messageType: any Message.Type, fieldNumber: Int
    ) throws { throw Unusual() }

    // MARK: - the encoding

    private mutating func varint() throws -> UInt64 {
        guard position < end else { throw Unusual() }
        let first = bytes[position]
        position += 1
        if first < 0x80 { return UInt64(first) }
        var value = UInt64(first & 0x7F)
        var shift: UInt64 = 7
        while position < end, shift < 64 {
            let byte = bytes[position]
            position += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        throw Unusual()
    }

    private mutating func number() throws -> UInt64 {
        guard format == Format.varint else { throw Unusual() }
        isPending = false
        return try varint()
    }

    private static func zigzag(_ number: UInt64) -> Int64 { Int64(bitPattern: number >> 1) ^ -Int64(bitPattern: number & 1) }

    private mutating func enumeration<E: Enum>() throws -> E where E.RawValue == Int {
        guard let value = E(rawValue: Int(Int32(truncatingIfNeeded: try number()))) else { throw Unusual() }
        return value
    }

    /// Of a field that says how long it is: where it stands. What comes next is behind it.
    private mutating func body() throws -> Range<Int> {
        guard format == Format.delimited else { throw Unusual() }
        let count = try varint()
        guard count <= UInt64(end - position) else { throw Unusual() }
        isPending = false
        let start = position
        position += Int(count)
        return start..<position
    }

    private mutating func text() throws -> String {
        let range = try body()
        guard let text = String(validating: bytes[range], as: UTF8.self) else { throw Unusual() }
        return text
    }
}

extension Message {
    /// The same as `init(serializedBytes:)`, faster for messages of ours.
    public init(wireBytes bytes: [UInt8]) throws {
        if let message = WireDecoder.read(Self.self, bytes) { self = message } else { try self.init(serializedBytes: bytes) }
    }
}
