import SwiftProtobuf

/// Protobuf bytes of a message of ours.
func serialized(_ message: some Message) -> [UInt8] {
    do {
        return try message.serializedBytes()
    } catch {
        preconditionFailure("a proto3 message without required fields always serialises: \(error)")
    }
}
