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
        guard let tag else { return nil }
        self.init(tag.utf8[...])
    }

    /// Every packet is asked for it, so it is read as bytes, and most strangers' tags end at the first look.
    private init?(_ text: Substring.UTF8View) {
        let dot = UInt8(ascii: ".")
        guard text.count > 34, let first = text.firstIndex(of: dot), first > text.startIndex else { return nil }
        let start = text.index(after: first)
        guard let second = text.index(start, offsetBy: 32, limitedBy: text.endIndex), second < text.endIndex, text[second] == dot,
            let bytes = bytes(hex: text[start..<second]), let id = UUIDv7(bytes: bytes)
        else { return nil }
        let part = text[text.index(after: second)...]
        guard !part.contains(dot) else { return nil }
        self.init(worker: String(Substring(text[..<first])), call: CallID(id), part: String(Substring(part)))
    }

    init?(branch: String?) {
        guard let branch, branch.hasPrefix(OwnerMark.prefix) else { return nil }
        self.init(branch.utf8.dropFirst(OwnerMark.prefix.utf8.count))
    }

    var branch: String { OwnerMark.prefix + text }

    private static let prefix = "z9hG4bK-"
}
