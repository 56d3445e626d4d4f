import Foundation
package import Model
import OpenSSL
import Primitives
import SwiftProtobuf

/// Seals credentials for the log with AES-256-GCM, each bound to its subscriber or user: one that is moved to another does
/// not open.
///
///     byte 0        format, 0x01
///     bytes 1..<13  nonce
///     then          ciphertext and tag of the `Credential` message; associated data: format, subscriber id; of a
///                   `UserSecret`: format, "user", user id
package struct Vault: Sendable {
    private let sealer: Sealer
    private let key: [UInt8]
    private static let format: UInt8 = 0x01
    private static let nonceBytes = 12

    /// - Parameter key: 32 bytes.
    package init(key: [UInt8]) throws(VaultError) {
        guard key.count == 32 else { throw .keyLength(have: key.count, need: 32) }
        sealer = Sealer(key: key)
        self.key = key
    }

    /// A key of 32 bytes for another use; tells nothing of the vault's own.
    package func derivedKey(_ use: String) -> [UInt8] { Hash.sha256(Array("ledgerline \(use)\0".utf8) + key) }

    /// What is posted to a provider is signed by this: made, not stored.
    package func webhookKey(of provider: ProviderID) -> String {
        "llw_" + hex(derivedKey("webhook " + provider.description))
    }

    /// The credential of a new password, ready for the log (RFC 2617 §3.2.2.2, RFC 7616 §3.4.2).
    func seal(
        username: String, realm: String, password: Password, for subscriber: SubscriberID, random: inout RandomSource
    ) -> Data {
        let secret = Array("\(username):\(realm):\(password.clearText)".utf8)
        var credential = Credential()
        credential.ha1Md5 = Data(Hash.md5(secret))
        credential.ha1Sha256 = Data(Hash.sha256(secret))
        return seal(credential, for: subscriber, random: &random)
    }

    func seal(_ credential: Credential, for subscriber: SubscriberID, random: inout RandomSource) -> Data {
        seal(serialized(credential), context: subscriber.value.bytes, random: &random)
    }

    func open(_ sealed: Data, of subscriber: SubscriberID) throws(VaultError) -> Credential {
        let plain = try open(sealed, context: subscriber.value.bytes)
        guard let credential = try? Credential(serializedBytes: plain) else { throw .notSealedHere }
        return credential
    }

    /// - Parameter context: whose it is; it opens with the same alone.
    func seal(_ plain: [UInt8], context: [UInt8], random: inout RandomSource) -> Data {
        let nonce = random.bytes(Self.nonceBytes)
        return Data([Self.format] + nonce + sealer.seal(plain, nonce: nonce, associatedData: [Self.format] + context))
    }

    func open(_ sealed: Data, context: [UInt8]) throws(VaultError) -> [UInt8] {
        let bytes = Array(sealed)
        guard bytes.count > 1 + Self.nonceBytes, bytes[0] == Self.format else { throw .notSealedHere }
        let plain = sealer.open(
            Array(bytes[(1 + Self.nonceBytes)...]), nonce: Array(bytes[1...Self.nonceBytes]), associatedData: [Self.format] + context)
        guard let plain else { throw .notSealedHere }
        return plain
    }

    // MARK: - passwords of gateways

    private static let gatewayFormat: UInt8 = 0x02

    /// A password that has to be known, because each gateway's realm is hashed into the answer.
    func seal(_ password: String, for gateway: GatewayID, random: inout RandomSource) -> Data {
        let nonce = random.bytes(Self.nonceBytes)
        let sealed = sealer.seal(Array(password.utf8), nonce: nonce, associatedData: [Self.gatewayFormat] + gateway.value.bytes)
        return Data([Self.gatewayFormat] + nonce + sealed)
    }

    /// H(user ":" realm ":" password) of RFC 7616 §3.4.2.
    func ha1(
        username: String, realm: String, sealed: Data, of gateway: GatewayID, isSHA256: Bool
    ) throws(VaultError) -> [UInt8] {
        let bytes = Array(sealed)
        guard bytes.count > 1 + Self.nonceBytes, bytes[0] == Self.gatewayFormat else { throw .notSealedHere }
        let plain = sealer.open(
            Array(bytes[(1 + Self.nonceBytes)...]), nonce: Array(bytes[1...Self.nonceBytes]),
            associatedData: [Self.gatewayFormat] + gateway.value.bytes)
        guard let plain else { throw .notSealedHere }
        let secret = Array("\(username):\(realm):".utf8) + plain
        return isSHA256 ? Hash.sha256(secret) : Hash.md5(secret)
    }
}

package enum VaultError: Error, Equatable, Sendable {
    case keyLength(have: Int, need: Int)
    /// Damaged, made under another vault key, or of another subscriber.
    case notSealedHere
}
