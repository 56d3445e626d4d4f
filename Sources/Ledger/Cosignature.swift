public import OpenSSL

/// A witness, as its operator names it: the name and the Ed25519 key of a C2SP `cosignature/v1`, written as a
/// signed-note verifier key with the algorithm byte 0x04.
public struct WitnessKey: Hashable, Sendable {
    private static let algorithm: UInt8 = 0x04

    public let name: String
    public let key: VerifyingKey

    public init(name: String, key: VerifyingKey) {
        self.name = name
        self.key = key
    }

    /// nil unless name, id and key belong together.
    public init?(noteKey text: some StringProtocol) {
        let parts = text.split(separator: "+", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, !parts[0].isEmpty, let bytes = Base64.decode(parts[2]), bytes.count == 33,
            bytes[0] == Self.algorithm, let key = VerifyingKey(bytes: Array(bytes[1...]))
        else { return nil }
        self.init(name: String(parts[0]), key: key)
        guard noteKey == text else { return nil }
    }

    public var noteKey: String {
        let digits = id.map { String($0 >> 4, radix: 16) + String($0 & 0x0F, radix: 16) }.joined()
        return "\(name)+\(digits)+\(Base64.encode([Self.algorithm] + key.bytes))"
    }

    var id: [UInt8] { Array(Hash.sha256(Array(name.utf8) + [0x0A, Self.algorithm] + key.bytes)[..<4]) }

    /// The cosignature of that body, made at that time (seconds since 1970): what a witness does, for tests and tools.
    public static func cosign(_ body: String, name: String, at time: UInt64, with key: SigningKey) -> Cosignature {
        let witness = WitnessKey(name: name, key: key.verifyingKey)
        let signature = key.sign(Array(Cosignature.message(body, time).utf8))
        return Cosignature(witness: name, time: time, bytes: witness.id + [UInt8](bigEndian: time) + signature)
    }
}

/// What a witness says of a checkpoint: at that time, this was the largest tree of this log that it had seen, and it
/// grew from those seen before (C2SP tlog-cosignature).
public struct Cosignature: Hashable, Sendable {
    public let witness: String
    /// Seconds since 1970, by the witness's clock.
    public let time: UInt64
    private let bytes: [UInt8]

    /// Key id, time and signature.
    private static let byteCount = 4 + 8 + 64

    fileprivate init(witness: String, time: UInt64, bytes: [UInt8]) {
        self.witness = witness
        self.time = time
        self.bytes = bytes
    }

    /// The first line of the text that is this witness's good signature of the body; lines of strangers are passed over,
    /// as signed-note asks.
    public init?(in lines: some StringProtocol, of body: String, by witness: WitnessKey) {
        for line in lines.split(separator: "\n") {
            let fields = line.split(separator: " ", omittingEmptySubsequences: false)
            guard fields.count == 3, fields[0] == "\u{2014}", fields[1] == witness.name,
                let bytes = Base64.decode(fields[2]), bytes.count == Self.byteCount, Array(bytes[..<4]) == witness.id
            else { continue }
            let time: UInt64 = Array(bytes[4..<12]).bigEndian()
            guard time < 1 << 63,
                witness.key.isValid(Array(bytes[12...]), of: Array(Self.message(body, time).utf8))
            else { return nil }
            self.init(witness: witness.name, time: time, bytes: bytes)
            return
        }
        return nil
    }

    /// As it stands under a checkpoint.
    public var line: String { "\u{2014} \(witness) \(Base64.encode(bytes))\n" }

    fileprivate static func message(_ body: String, _ time: UInt64) -> String { "cosignature/v1\ntime \(time)\n\(body)" }
}
