/// What a description says of DTLS (RFC 8122, RFC 4145) and of ICE (RFC 8839). Both may stand in a section or hold for all of them.
extension SDP {
    /// Who begins the handshake (RFC 4145 §4, RFC 5763 §5).
    package enum Setup: String, Hashable, Sendable {
        case active, passive, actpass, holdconn
    }

    /// `a=fingerprint`: of the certificate that the peer will show.
    package struct Fingerprint: Hashable, Sendable, CustomStringConvertible {
        /// Lower case: `sha-256`.
        package let hash: String
        package let bytes: [UInt8]

        package init(hash: String, bytes: [UInt8]) {
            self.hash = hash
            self.bytes = bytes
        }

        /// `sha-256 4A:AD:B9:…`; nil for anything else.
        package init?(_ text: String) {
            let parts = text.split(separator: " ", omittingEmptySubsequences: true)
            guard parts.count == 2 else { return nil }
            var bytes: [UInt8] = []
            for pair in parts[1].split(separator: ":", omittingEmptySubsequences: false) {
                guard pair.utf8.count == 2, let byte = UInt8(pair, radix: 16), pair.first != "+", bytes.count < 64 else { return nil }
                bytes.append(byte)
            }
            hash = parts[0].lowercased()
            self.bytes = bytes
        }

        package var description: String {
            let digits = Array("0123456789ABCDEF".unicodeScalars)
            var text = hash + " "
            for (place, byte) in bytes.enumerated() {
                if place > 0 { text += ":" }
                text.unicodeScalars.append(digits[Int(byte >> 4)])
                text.unicodeScalars.append(digits[Int(byte & 0x0F)])
            }
            return text
        }
    }

    /// Of several the strongest: SHA-256 before what is weaker or rarer.
    package func fingerprint(of index: Int) -> Fingerprint? {
        let all = values("fingerprint", of: index).compactMap { Fingerprint($0) }
        return all.first { $0.hash == "sha-256" } ?? all.first
    }

    /// An offer without it means `active` (RFC 4145 §4); those of DTLS-SRTP always have one.
    package func setup(of index: Int) -> Setup? { values("setup", of: index).first.flatMap { Setup(rawValue: $0) } }

    package func iceFragment(of index: Int) -> String? { values("ice-ufrag", of: index).first }
    package func icePassword(of index: Int) -> String? { values("ice-pwd", of: index).first }

    /// The section's, else the session's.
    private func values(_ name: String, of index: Int) -> [String] {
        guard media.indices.contains(index) else { return [] }
        let own = media[index].attributes(name)
        return own.isEmpty ? sessionAttributes(name) : own
    }

    /// Values of `a=name:value` of the session.
    package func sessionAttributes(_ name: String) -> [String] {
        var values: [String] = []
        for line in lines where line.type == "a" && line.value.startsWith(name, andThen: { $0 == ASCII.colon }) {
            values.append(String(Substring(line.value.utf8.dropFirst(name.utf8.count + 1))))
        }
        return values
    }

    /// Sections that share one transport (RFC 9143), by their `mid`.
    package var bundles: [[String]] {
        sessionAttributes("group").map { $0.split(separator: " ").map(String.init) }.filter { $0.first == "BUNDLE" }.map { Array($0.dropFirst()) }
    }
}
