package import Bus
internal import Foundation
internal import Ledger
package import OpenSSL
internal import Primitives
package import Subjects

/// The three secrets of a control node. Backups need them apart from the log: without the vault's key no phone
/// registers, without the others workers and auditors meet a stranger.
package struct ControlKeys: Sendable {
    /// Signs checkpoints of the log.
    package let signing: SigningKey
    /// What the verifier key file calls the log: the platform's name of the first start, or what a restore made of it.
    package let logName: String
    /// Opens the credentials in the log.
    package let vault: Vault
    /// Who the control plane is on the bus.
    package let curve: CurveKeyPair

    /// Loads the keys; makes them if the log is empty, because nothing can depend on them yet.
    package init(_ directory: DataDirectory, logName: String, mayMake: Bool) throws(ControlPlaneError) {
        var random = RandomSource.system
        signing = try Self.signing(directory, logName: logName, mayMake, &random)
        self.logName = try Self.name(directory, signing)
        vault = try Self.vault(directory, mayMake, &random)
        curve = try Self.curve(directory, mayMake)
    }

    /// The keys of persons. Like the other keys they are needed in a backup, but in one that is not kept for ever.
    package func subjects(_ directory: DataDirectory, isReadOnly: Bool = false) throws(ControlPlaneError) -> SubjectKeys {
        do throws(SubjectKeyError) {
            return try SubjectKeys(
                path: directory.subjectKeys, master: vault.derivedKey("subject keys"), isReadOnly: isReadOnly)
        } catch {
            throw .keyUnusable(path: directory.subjectKeys, reason: "\(error)")
        }
    }

    private static func signing(
        _ directory: DataDirectory, logName: String, _ mayMake: Bool, _ random: inout RandomSource
    ) throws(ControlPlaneError) -> SigningKey {
        let path = directory.logSigningKey
        if try isMissing(path, mayMake) {
            guard let key = SigningKey(seed: random.bytes(SigningKey.byteCount)) else {
                throw .keyUnusable(path: path, reason: "OpenSSL makes no Ed25519 keys")
            }
            try SecretFile.write(Array(key.pem.utf8), to: path)
        }
        guard let key = SigningKey(pem: String(decoding: try SecretFile.read(path), as: UTF8.self)) else {
            throw .keyUnusable(
                path: path, reason: "it is not an Ed25519 private key in PEM: restore it from the backup")
        }
        if !SecretFile.exists(directory.logVerifierKey) {
            let text = key.verifyingKey.noteKey(name: logName) + "\n"
            try SecretFile.write(Array(text.utf8), to: directory.logVerifierKey, mode: 0o644)
        }
        return key
    }

    /// A verifier key that is not that of the signing key would make every checkpoint worthless: better no start.
    private static func name(_ directory: DataDirectory, _ key: SigningKey) throws(ControlPlaneError) -> String {
        let path = directory.logVerifierKey
        let text = try? String(contentsOfFile: path, encoding: .utf8)
        guard let text, let parsed = VerifyingKey.parse(noteKey: text.filter { !$0.isNewline }),
            parsed.key == key.verifyingKey
        else {
            throw .keyUnusable(
                path: path, reason: "it is not the public half of \(directory.logSigningKey): restore both from the backup")
        }
        return parsed.name
    }

    private static func vault(
        _ directory: DataDirectory, _ mayMake: Bool, _ random: inout RandomSource
    ) throws(ControlPlaneError) -> Vault {
        let path = directory.vaultKey
        if try isMissing(path, mayMake) {
            try SecretFile.write(Array((hex(random.bytes(32)) + "\n").utf8), to: path)
        }
        let text = String(decoding: try SecretFile.read(path), as: UTF8.self).filter { $0 != "\n" }
        guard let key = bytes(hex: text) else {
            throw .keyUnusable(path: path, reason: "it is not hexadecimal: restore it from the backup")
        }
        do throws(VaultError) {
            return try Vault(key: key)
        } catch {
            throw .keyUnusable(
                path: path, reason: "it has \(key.count) bytes instead of 32: restore it from the backup")
        }
    }

    private static func curve(_ directory: DataDirectory, _ mayMake: Bool) throws(ControlPlaneError) -> CurveKeyPair {
        let path = directory.curveKey
        let isMissing = try isMissing(path, mayMake)
        do throws(KeyFileError) {
            if isMissing {
                guard let made = try? CurveKeyPair.generate() else {
                    throw .unwritable(path: path, reason: "libzmq makes no CURVE keys")
                }
                try made.store(at: path)
            }
            return try CurveKeyPair.load(from: path)
        } catch {
            throw .keyUnusable(path: path, reason: "\(error)")
        }
    }

    private static func isMissing(_ path: String, _ mayMake: Bool) throws(ControlPlaneError) -> Bool {
        if SecretFile.exists(path) { return false }
        guard mayMake else {
            throw .keyUnusable(
                path: path, reason: "it is missing, but the log depends on it: restore it from the backup")
        }
        return true
    }
}

extension SigningKey {
    /// PKCS #8 of an Ed25519 key up to its 32 bytes (RFC 8410 §7).
    private static let header: [UInt8] = [
        0x30, 0x2E, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
    ]

    package var pem: String {
        "-----BEGIN PRIVATE KEY-----\n\(Base64.encode(Self.header + seed))\n-----END PRIVATE KEY-----\n"
    }

    /// nil for anything but one Ed25519 key.
    package init?(pem: String) {
        let lines = pem.split(whereSeparator: \.isNewline)
        guard lines.count == 3, lines[0] == "-----BEGIN PRIVATE KEY-----", lines[2] == "-----END PRIVATE KEY-----",
            let bytes = Base64.decode(lines[1]), bytes.starts(with: Self.header)
        else { return nil }
        self.init(seed: Array(bytes.dropFirst(Self.header.count)))
    }
}
