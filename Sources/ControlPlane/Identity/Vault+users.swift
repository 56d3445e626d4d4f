package import Foundation
package import Model
import OpenSSL
import Primitives
import SwiftProtobuf

extension Vault {
    /// What a user logs in with, for the log: bound to the user, so that it opens for nobody else.
    func seal(_ secret: UserSecret, for user: UserID, random: inout RandomSource) -> Data {
        seal(serialized(secret), context: Self.context(user), random: &random)
    }

    package func open(_ sealed: Data, of user: UserID) throws(VaultError) -> UserSecret {
        guard !sealed.isEmpty else { return UserSecret() }
        guard let secret = try? UserSecret(serializedBytes: try open(sealed, context: Self.context(user))) else {
            throw .notSealedHere
        }
        return secret
    }

    private static func context(_ user: UserID) -> [UInt8] { Array("user".utf8) + user.value.bytes }
}
