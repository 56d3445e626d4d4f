public import Foundation
import Model
public import SwiftProtobuf

/// A message with fields that belong to natural persons. What is stored of it is the public part, and beside it, in
/// `sealed`, the personal fields: the same message with those alone, under the key of the person they belong to.
///
/// A call has two sides, so there are two parts at most: the caller's and the called one's. A part that belongs to nobody
/// of ours (an outside number) belongs to the side that is ours.
public protocol PersonalRecord: Message, Equatable {
    /// Goes into the associated data, so that a part of one kind of message is none of another. Never changes.
    static var mark: UInt8 { get }
    var sealed: [Data] { get set }
    /// Takes the personal fields out: those of the caller (or of the entity itself), and those of the called.
    mutating func withdraw() -> (first: Self, second: Self)
    /// The same as protobuf bytes; nothing of a part is no bytes.
    ///
    /// - Parameter isOne: both are the same person's, so all of it is in the first.
    mutating func withdrawBytes(isOne: Bool) -> (first: [UInt8], second: [UInt8])
    /// Puts them back.
    mutating func restore(_ part: [UInt8]) throws
}

extension PersonalRecord {
    public mutating func withdrawBytes(isOne: Bool) -> (first: [UInt8], second: [UInt8]) {
        let parts = withdraw()
        let (first, second) = (parts.first.wireBytes(), parts.second.wireBytes())
        // The two never hold the same field: one behind the other they are read as one message.
        return isOne ? (first + second, []) : (first, second)
    }

    public mutating func restore(_ part: [UInt8]) throws { try merge(serializedBytes: part) }

    /// Something of it was erased for ever. Only after it was opened.
    public var isErased: Bool { !sealed.isEmpty }
}

/// Moves a field's value from one message to another; what is empty is not set, so that an empty part stays equal to none.
func move<M, Value: Equatable>(_ field: WritableKeyPath<M, Value>, _ empty: Value, from: inout M, to: inout M) {
    let value = from[keyPath: field]
    guard value != empty else { return }
    to[keyPath: field] = value
    from[keyPath: field] = empty
}
