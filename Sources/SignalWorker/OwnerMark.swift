import Model
import Primitives

/// Which worker made a tag or a branch, and for which call: what lets any worker receive any packet.
///
///     <worker>.<call id, 32 hexadecimal digits>.<leg or number>
///
/// In a branch it follows the magic cookie and a hyphen. A worker's name is lower-case letters and digits, so
/// the parts cannot run into each other.
struct OwnerMark: Hashable {
    var worker: String
    var call: CallID
    var part: String

    var text: String { "\(worker).\(hex(call.value.bytes)).\(part)" }

    init(worker: String, call: CallID, part: String) {
        self.worker = worker
        self.call = call
        self.part = part
    }

    /// nil for what is not of our making.
    init?(tag: String?) {
        guard let parts = tag?.split(separator: ".", omittingEmptySubsequences: false), parts.count == 3, !parts[0].isEmpty,
            parts[1].utf8.count == 32, let bytes = bytes(hex: String(parts[1])), let id = UUIDv7(bytes: bytes)
        else { return nil }
        self.init(worker: String(parts[0]), call: CallID(id), part: String(parts[2]))
    }

    init?(branch: String?) {
        guard let branch, branch.hasPrefix(OwnerMark.prefix) else { return nil }
        self.init(tag: String(branch.dropFirst(OwnerMark.prefix.count)))
    }

    var branch: String { OwnerMark.prefix + text }

    private static let prefix = "z9hG4bK-"
}
