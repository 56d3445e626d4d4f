import Model
import Primitives
import SIP

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

    var text: String { text(after: "") }

    private func text(after start: String) -> String {
        var text = start
        text.reserveCapacity(start.utf8.count + worker.utf8.count + 34 + part.utf8.count)
        text += worker
        text += "."
        text += call.value.digits
        text += "."
        text += part
        return text
    }

    init(worker: String, call: CallID, part: String) {
        self.worker = worker
        self.call = call
        self.part = part
    }

    /// nil for what is not of our making.
    init?(tag: String?) {
        guard let tag else { return nil }
        self.init(Array(tag.utf8), from: 0)
    }

    /// Every packet is asked for it, so it is read as bytes, and most strangers' tags end at the first look.
    private init?(_ text: [UInt8], from start: Int) {
        let dot = UInt8(ascii: ".")
        guard text.count - start > 34, let first = text[start...].firstIndex(of: dot), first > start else { return nil }
        let second = first + 33
        guard second < text.count, text[second] == dot, let id = UUIDv7(digits: text[first + 1..<second]),
            !text[(second + 1)...].contains(dot)
        else { return nil }
        self.init(
            worker: String(decoding: text[start..<first], as: UTF8.self), call: CallID(id),
            part: String(decoding: text[(second + 1)...], as: UTF8.self))
    }

    init?(branch: String?) {
        guard let branch, branch.startsWith(OwnerMark.prefix) else { return nil }
        self.init(Array(branch.utf8), from: OwnerMark.prefix.utf8.count)
    }

    var branch: String { text(after: OwnerMark.prefix) }

    private static let prefix = "z9hG4bK-"
}
