import ControlPlane
import Foundation
import HTTPTypes
import Model
import OpenSSL
import Primitives
import Projections

extension Exchange {
    var desk: IdentityDesk {
        get throws {
            guard let desk = platform.identity else { throw Problem(.unavailable, "Nobody logs in here.") }
            return desk
        }
    }

    /// For operations that are open to everybody: whoever asks shows something else than a token.
    func submit(openly command: IdentityCommand, as actor: String) async throws -> AdminOutcome {
        try await platform.submit(AdminRequest(.identity(command), actor: actor, requestID: requestID, origin: origin))
    }

    /// The mail is in the log; it is sent at once.
    func sendMail() { platform.wakeMail?() }

    func needMail() throws {
        guard platform.wakeMail != nil else {
            throw Problem(.unavailable, "This platform has no mail server: its operator starts it with --mail-server.")
        }
    }

    /// Hashes a password that is to be kept.
    func hashed(_ password: Password, at pointer: String = "password") async throws -> PasswordHash {
        let desk = try desk
        let result = try await PasswordThread.run { () -> Result<PasswordHash, PasswordError> in
            var random = RandomSource.system
            do throws(PasswordError) {
                return .success(try PasswordHash(password, cost: desk.cost, random: &random))
            } catch {
                return .failure(error)
            }
        }
        switch result {
        case .success(let hash): return hash
        case .failure(.tooShort): throw Problem.invalid(pointer, "must have at least \(PasswordHash.charactersMin) characters")
        case .failure(.tooLong): throw Problem.invalid(pointer, "may have \(PasswordHash.bytesMax) bytes at most")
        case .failure(.noMemory): throw Problem(.unavailable, "There is no memory to hash a password with. Try again.")
        }
    }

    /// The letter whose link ends with this text.
    func letter(_ token: String) throws -> LetterID {
        guard let letter = try desk.links.letter(token.trimmed) else {
            throw Problem.invalid("token", "leads nowhere: ask for a new link")
        }
        return letter
    }

    /// The person who has logged in; a token of a program is nobody's.
    func loggedInUser(in views: borrowing ViewSnapshot) throws -> User {
        let caller = try token
        guard caller.actsFor == nil, let token = try views.token(caller.token), let id = UserID(token.userID),
            let user = try views.user(id)
        else { throw Problem(.conflict, "This token is a program's, or acts for somebody: it is for people who have logged in.") }
        return user
    }

    func secret(of user: User) throws -> UserSecret {
        let desk = try desk
        do throws(VaultError) {
            return try desk.secret(of: user)
        } catch {
            throw Problem(.unavailable, "The user's secret cannot be opened: is keys/vault.key the one it was sealed with?")
        }
    }
}

/// A form that is read as text fields, some of them required.
struct Form: Blank {
    var texts: [String: String] = [:]

    subscript(name: String) -> String {
        get { texts[name] ?? "" }
        set { texts[name] = newValue }
    }
}

extension Shape<Form> {
    /// - Parameter fields: name, whether it is required, its greatest length, and what it is.
    static func form(_ name: String, _ fields: [(name: String, isRequired: Bool, max: Int, about: String)]) -> Shape<Form> {
        Shape(name, fields.map { field in .text(field.name, \.[field.name], isRequired: field.isRequired, max: field.max, field.about) })
    }
}
