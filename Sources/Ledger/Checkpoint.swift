public import OpenSSL

/// A tree head that somebody signed: the C2SP `tlog-checkpoint` in a `signed-note`, so that tools for transparency
/// logs can watch this log.
///
///     ledgerline.example/log        origin: names the log
///     1234                          size of the tree
///     <base64>                      root hash
///                                   (empty line)
///     — <key name> <base64>         4 bytes of key id, then the Ed25519 signature over all before the empty line
public struct Checkpoint: Hashable, Sendable {
    public var origin: String
    public var size: UInt64
    public var root: SHA256Digest

    public init(origin: String, size: UInt64, root: SHA256Digest) {
        self.origin = origin
        self.size = size
        self.root = root
    }

    public var body: String { "\(origin)\n\(size)\n\(Base64.encode(root.bytes))\n" }

    /// The note with one signature; the key's name is the origin.
    public func signed(with key: SigningKey) -> String {
        let id = Self.keyID(name: origin, key.verifyingKey)
        let signature = key.sign(Array(body.utf8))
        return body + "\n\u{2014} \(origin) \(Base64.encode(id + signature))\n"
    }

    /// Reads a note and checks the signature of that key; others on the note are passed over.
    public init(note: String, key: VerifyingKey) throws(CheckpointError) {
        let parts = note.split(separator: "\n", omittingEmptySubsequences: false)
        guard let gap = parts.firstIndex(of: ""), gap >= 3, !parts[0].isEmpty,
            let size = UInt64(parts[1]), String(size) == parts[1],
            let root = Base64.decode(parts[2]).flatMap({ SHA256Digest($0) })
        else { throw .malformed }
        let origin = String(parts[0])
        let signed = Array(parts[..<gap].joined(separator: "\n").utf8) + [0x0A]
        let id = Self.keyID(name: origin, key)
        var isSigned = false
        for line in parts[(gap + 1)...] where !line.isEmpty {
            let fields = line.split(separator: " ", omittingEmptySubsequences: false)
            guard fields.count == 3, fields[0] == "\u{2014}", let bytes = Base64.decode(fields[2]), bytes.count > 4 else {
                throw .malformed
            }
            guard fields[1] == origin, Array(bytes[..<4]) == id else { continue }
            guard key.isValid(Array(bytes[4...]), of: signed) else { throw .badSignature }
            isSigned = true
        }
        guard isSigned else { throw .notSigned(by: origin) }
        self.init(origin: origin, size: size, root: root)
    }

    /// SHA-256 over name, newline, algorithm byte and key: the first four bytes.
    private static func keyID(name: String, _ key: VerifyingKey) -> [UInt8] {
        Array(Hash.sha256(Array(name.utf8) + [0x0A, 0x01] + key.bytes)[..<4])
    }
}

public enum CheckpointError: Error, Hashable, Sendable {
    case malformed
    case badSignature
    /// No signature of the key that was asked for.
    case notSigned(by: String)
}

extension VerifyingKey {
    /// The key as C2SP `signed-note` writes it: name, key id in hexadecimal, base64 of algorithm and key.
    public func noteKey(name: String) -> String {
        let id = Hash.sha256(Array(name.utf8) + [0x0A, 0x01] + bytes)[..<4]
        let digits = id.map { String($0 >> 4, radix: 16) + String($0 & 0x0F, radix: 16) }.joined()
        return "\(name)+\(digits)+\(Base64.encode([0x01] + bytes))"
    }

    /// Reads `noteKey`; nil unless name, id and key belong together.
    public static func parse(noteKey text: String) -> (name: String, key: VerifyingKey)? {
        let parts = text.split(separator: "+", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, let bytes = Base64.decode(parts[2]), bytes.count == 33, bytes[0] == 0x01,
            let key = VerifyingKey(bytes: Array(bytes[1...])), key.noteKey(name: String(parts[0])) == text
        else { return nil }
        return (String(parts[0]), key)
    }
}
