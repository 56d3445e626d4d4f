import SIP

extension URI {
    /// A URI for a user part that is plain text, a number dialled or a name that a carrier sent: whatever could end the
    /// user part or the URI is written as an escape (RFC 3261 §25.1).
    init(plainUser text: String, host: String, port: UInt16? = nil) {
        self.init(user: escapedUser(text), host: host, port: port)
    }
}

private func escapedUser(_ text: String) -> String {
    let isPlain = text.utf8.allSatisfy(isUserByte)
    guard !isPlain || text.isEmpty else { return text }
    let digits = Array("0123456789ABCDEF".utf8)
    var bytes: [UInt8] = []
    for byte in text.utf8 {
        if isUserByte(byte) {
            bytes.append(byte)
        } else {
            bytes += [0x25, digits[Int(byte >> 4)], digits[Int(byte & 0x0F)]]
        }
    }
    return bytes.isEmpty ? "anonymous" : String(decoding: bytes, as: UTF8.self)
}

/// unreserved and user-unreserved, but for `;` and `?`, which some peers take for the end of the user part.
private func isUserByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
    default: "-_.!~*'()&=+$,/".utf8.contains(byte)
    }
}
