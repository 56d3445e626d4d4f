import Model
import Primitives
import SwiftProtobuf

/// All contacts of one line as one piece of memory, which is also what the store keeps: a platform has many phones, and a message that
/// is open takes several times as much, in a dozen pieces.
///
/// For each contact, in the order in which they came:
///
///     8 bytes  microseconds at which it lapses, big-endian
///     4 bytes  length, big-endian
///     …        the `Binding` message
struct ContactRow: Equatable, Sendable {
    private(set) var bytes: [UInt8]

    private static let headBytes = 12

    init(_ contacts: [Registrar.Held] = []) {
        bytes = []
        for contact in contacts {
            let binding: [UInt8] = serialized(contact.binding)
            if bytes.isEmpty { bytes.reserveCapacity((Self.headBytes + binding.count) * contacts.count) }
            let time = UInt64(bitPattern: contact.expiresAt.microseconds)
            for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: time >> UInt64(shift))) }
            for shift in stride(from: 24, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: binding.count >> shift)) }
            bytes += binding
        }
    }

    /// nil for anything that the other initialiser did not make.
    init?(_ bytes: [UInt8]) {
        guard Self.read(bytes) != nil else { return nil }
        self.bytes = bytes
    }

    var isEmpty: Bool { bytes.isEmpty }

    var contacts: [Registrar.Held] {
        guard let contacts = Self.read(bytes) else { preconditionFailure("a row is checked before it is kept") }
        return contacts
    }

    private static func read(_ bytes: [UInt8]) -> [Registrar.Held]? {
        var contacts: [Registrar.Held] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            guard rest.count >= headBytes else { return nil }
            let time = rest.prefix(8).reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
            let length = rest.dropFirst(8).prefix(4).reduce(0) { $0 << 8 | Int($1) }
            rest = rest.dropFirst(headBytes)
            guard rest.count >= length, let binding = try? Binding(wireBytes: Array(rest.prefix(length))) else { return nil }
            contacts.append(Registrar.Held(binding: binding, expiresAt: WallTime(microseconds: Int64(bitPattern: time))))
            rest = rest.dropFirst(length)
        }
        return contacts
    }
}
