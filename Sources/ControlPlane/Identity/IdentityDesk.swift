internal import Foundation
package import Model
package import OpenSSL
import Primitives

/// What the API needs to look at passwords, codes and links, beside the core's thread: hashing takes its time.
package struct IdentityDesk: Sendable {
    private let vault: Vault
    package let links: LinkSecret
    /// Of passwords that are set from now on.
    package var cost = Scrypt.standard
    package let rules: IdentityRules
    /// Bodies of requests may hold passwords: their fingerprints are made with this, so that nobody can guess at one in the log.
    package let fingerprintKey: [UInt8]

    package init(vault: Vault, rules: IdentityRules) {
        self.vault = vault
        links = LinkSecret(vault)
        fingerprintKey = vault.derivedKey("fingerprints of requests")
        self.rules = rules
    }

    package func secret(of user: User) throws(VaultError) -> UserSecret {
        guard let id = UserID(user.id) else { throw .notSealedHere }
        return try vault.open(user.sealedSecret, of: id)
    }

    /// As long as a look at a password takes, for somebody who is not there.
    package func lookAtNothing(_ password: Password) {
        _ = cost.key(Array(password.clearText.utf8.prefix(PasswordHash.bytesMax)), salt: [UInt8](repeating: 0, count: 16))
    }
}
