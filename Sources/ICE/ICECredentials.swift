package import Primitives

/// A user name fragment and a password of ICE (RFC 8839 §5.4).
package struct ICECredentials: Hashable, Sendable {
    package var fragment: String
    package var password: String

    package init(fragment: String, password: String) {
        self.fragment = fragment
        self.password = password
    }

    /// 48 and 144 bits, more than RFC 8445 §5.3 asks for.
    package init(random: inout RandomSource) {
        fragment = ICECredentials.text(8, &random)
        password = ICECredentials.text(24, &random)
    }

    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".unicodeScalars)

    private static func text(_ count: Int, _ random: inout RandomSource) -> String {
        var text = ""
        for byte in random.bytes(count) { text.unicodeScalars.append(alphabet[Int(byte & 0x3F)]) }
        return text
    }

    /// As a description may carry them: letters, digits, `+` and `/`, 4 to 256 and 22 to 256 of them.
    package var isValid: Bool {
        func fits(_ text: String, _ count: ClosedRange<Int>) -> Bool {
            count.contains(text.utf8.count)
                && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x2B || $0 == 0x2F }
        }
        return fits(fragment, 4...256) && fits(password, 22...256)
    }
}
