/// An address that mail can be sent to: one `@`, the characters that HTML forms accept, a domain with a dot.
package enum EmailAddress {
    /// In lower case; nil: it is none. Whether somebody reads it is only known by sending a message.
    package static func normalised(_ text: String) -> String? {
        let text = text.lowercased()
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, (1...64).contains(parts[0].utf8.count), (3...189).contains(parts[1].utf8.count) else { return nil }
        let marks = Array(".!#$%&'*+/=?^_`{|}~-".utf8)
        guard parts[0].utf8.allSatisfy({ isLetterOrDigit($0) || marks.contains($0) }) else { return nil }
        let labels = parts[1].split(separator: ".", omittingEmptySubsequences: false)
        let isDomain = labels.count >= 2 && labels.allSatisfy { label in
            (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
                && label.utf8.allSatisfy { isLetterOrDigit($0) || $0 == 0x2D }
        }
        return isDomain ? text : nil
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte)
    }
}
