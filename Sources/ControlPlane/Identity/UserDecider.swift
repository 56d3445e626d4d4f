import Foundation
import Model
import Primitives
import Projections
import SwiftProtobuf

/// Users: persons with an e-mail address that is theirs alone, a role and a place in the tree.
enum UserDecider {
    /// By an administrator. Whoever it is sets a password by the link in the invitation.
    static func create<State: ViewQueries & ~Copyable>(
        _ user: User, _ rules: IdentityRules, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        var user = user
        let id = try Checks.newID(user.id, &decision)
        user.id = UserID(id).data
        try place(&user, in: state)
        guard let email = EmailAddress.normalised(user.email) else {
            throw AdminRejection.invalid("email", "must be an e-mail address, such as anna@example.net")
        }
        user.email = email
        (user.sealedSecret, user.passwordSetAt, user.secondFactorSince) = (Data(), 0, 0)
        try record(user, in: state, &decision)
        LetterDecider.want(
            .invitation, to: email, name: user.name, language: user.language, subject: id, provider: user.providerID,
            link: rules.invitationLink, &decision)
        return id
    }

    /// A new user, whoever has asked for it.
    static func record<State: ViewQueries & ~Copyable>(
        _ user: User, in state: borrowing State, _ decision: inout Decision
    ) throws {
        var user = user
        let id = try Checks.existingID(user.id)
        guard try state.user(UserID(id)) == nil, try !SubjectDecider.isErased(id, in: state) else {
            throw AdminRejection.taken("id", id.description)
        }
        guard try state.user(email: user.email) == nil else { throw AdminRejection.taken("email", "the address") }
        try check(user)
        user.createdAt = decision.wall.microseconds
        decision.record(.userCreated(.with { $0.user = user }), in: id)
    }

    static func change<State: ViewQueries & ~Copyable>(
        _ user: User, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        let id = try Checks.existingID(user.id)
        let before = try existing(UserID(id), in: state)
        var after = before
        (after.name, after.language, after.status) = (user.name, user.language, user.status)
        try check(after)
        try StatusDecider.check(after.status, after: before.status)
        decision.record(.userChanged(.with { $0.user = after }), in: id)
        if after.status != .active { try endSessions(of: UserID(id), in: state, &decision) }
        return id
    }

    static func existing<State: ViewQueries & ~Copyable>(_ id: UserID, in state: borrowing State) throws -> User {
        guard let user = try state.user(id) else { throw AdminRejection.notFound("user", id.description) }
        return user
    }

    /// All that the user is logged in with.
    static func endSessions<State: ViewQueries & ~Copyable>(
        of user: UserID, but kept: TokenID? = nil, in state: borrowing State, _ decision: inout Decision
    ) throws {
        for session in try state.logins(of: user).sessions {
            guard let id = TokenID(session), id != kept, try state.token(id) != nil else { continue }
            decision.record(.tokenRevoked(.with { $0.tokenID = session }), in: id.value)
        }
    }

    /// Whose the user is, by its scope.
    static func place<State: ViewQueries & ~Copyable>(_ user: inout User, in state: borrowing State) throws {
        var token = Token()
        (token.role, token.scopeID) = (user.role, user.scopeID)
        try TokenDecider.scope(token, in: state)
        guard let scope = UUIDv7(bytes: user.scopeID), let reach = try state.reach(scope: scope),
            let place = try state.place(of: reach)
        else { return }
        (user.providerID, user.customerID, user.tenantID) = (
            place.providers.first?.data ?? Data(), place.customer?.data ?? Data(), place.tenant?.data ?? Data()
        )
    }

    private static func check(_ user: User) throws {
        try Checks.name(user.name)
        try Checks.language(user.language)
        try Checks.recognised(user.status.isRecognised, field: "status")
    }
}
