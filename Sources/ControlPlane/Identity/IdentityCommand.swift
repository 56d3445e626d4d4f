package import Foundation
package import Model
import Primitives

/// What is asked for around users: signing up, logging in, passwords, second factors, and the mail of all that.
package enum IdentityCommand: Sendable {
    /// Somebody wants to become a provider, the customer of one, or a provider below one.
    case requestSignUp(email: String, language: String, provider: ProviderID?, becomesProvider: Bool)
    /// The link was followed: the party, its contact and its first user are made in one commit.
    case confirmSignUp(LetterID, SignUpForm)
    /// A user by an administrator's word; a link to set a password goes out by mail.
    case createUser(User)
    /// Name, language and status; the rest stays.
    case changeUser(User, expectedVersion: UInt64?)
    /// Does nothing, and says nothing else, if nobody has the address.
    case requestPasswordReset(email: String)
    /// By the link of a reset or an invitation.
    case setPassword(LetterID, PasswordHash)
    /// By the user, who has just shown the old one.
    case changePassword(UserID, PasswordHash, replacing: Int64)
    case recordLogin(UserID, LoginFinding)
    case logOut(TokenID)
    /// A key for the user's app, in force once a code of it has come back.
    case offerSecondFactor(UserID, key: [UInt8])
    case confirmSecondFactor(UserID, step: UInt64, recoveryHashes: [Data])
    case removeSecondFactor(UserID, step: UInt64)
    /// From the thread that sends mail.
    case recordLetterSent(LetterSent)
    case recordLetterFailure(LetterFailed)
}

/// What whoever signs up fills in, behind the link of the mail.
package struct SignUpForm: Sendable {
    package enum Party: Sendable {
        case provider(Provider)
        case customer(Customer)
    }

    package var name: String
    package var password: PasswordHash
    package var party: Party
    package var contact: Contact

    package init(name: String, password: PasswordHash, party: Party, contact: Contact) {
        self.name = name
        self.password = password
        self.party = party
        self.contact = contact
    }
}

/// What a look at a password, and at a code where one is needed, has shown.
package enum LoginFinding: Sendable {
    case wrong
    /// - Parameters:
    ///   - session: its token, whose secret the asker alone knows.
    ///   - passwordSetAt: of the user that was looked at.
    ///   - step: of the code; 0: none was needed, or a recovery code was given.
    ///   - recovery: hash of the recovery code that was given; empty: none.
    case right(session: Token, passwordSetAt: Int64, step: UInt64, recovery: Data)
}
