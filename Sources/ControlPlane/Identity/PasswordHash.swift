import Foundation
package import Model
package import OpenSSL
package import Primitives

/// The salted scrypt of a password. What a command brings: the password itself ends in the API.
package struct PasswordHash: Sendable {
    var salt: Data
    var cost: Scrypt
    var hash: Data

    /// Takes some tenths of a second and 32 MiB: for a thread that may.
    package init(_ password: Password, cost: Scrypt, random: inout RandomSource) throws(PasswordError) {
        let count = password.clearText.utf8.count
        guard password.clearText.count >= Self.charactersMin else { throw .tooShort }
        guard count <= Self.bytesMax else { throw .tooLong }
        let salt = random.bytes(16)
        guard let key = cost.key(Array(password.clearText.utf8), salt: salt) else { throw .noMemory }
        self.salt = Data(salt)
        self.cost = cost
        hash = Data(key)
    }

    package static let charactersMin = 10
    package static let bytesMax = 512

    func put(into secret: inout UserSecret) {
        secret.salt = salt
        secret.cost = cost.cost
        secret.blockSize = cost.blockSize
        secret.parallel = cost.parallel
        secret.hash = hash
    }
}

package enum PasswordError: Error, Equatable {
    case tooShort
    case tooLong
    case noMemory
}

extension UserSecret {
    /// nil: the user has no password yet.
    package func accepts(_ password: Password) -> Bool? {
        guard !hash.isEmpty else { return nil }
        guard password.clearText.utf8.count <= PasswordHash.bytesMax else { return false }
        let scrypt = Scrypt(cost: cost, blockSize: blockSize, parallel: parallel)
        guard let key = scrypt.key(Array(password.clearText.utf8), salt: Array(salt)) else { return false }
        return constantTimeEquals(key, Array(hash))
    }
}
