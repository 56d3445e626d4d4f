import Model
import SwiftProtobuf

/// Protobuf bytes of a message of ours.
func serialized(_ message: some Message) -> [UInt8] { message.wireBytes() }
