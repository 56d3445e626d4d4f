import Foundation
import Model
import Primitives
import Projections
import SwiftProtobuf

/// Logging in and out, passwords and second factors. Passwords and codes were looked at before; what is decided here is whether
/// that still holds.
enum LoginDecider {
    /// A refusal tells nothing: the asker answers each in the same way.
    static func record<State: ViewQueries & ~Copyable>(
        _ id: UserID, _ finding: LoginFinding, _ rules: IdentityRules, vault: Vault, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        var user = try UserDecider.existing(id, in: state)
        let logins = try state.logins(of: id)
        guard logins.lockedUntil <= decision.wall.microseconds else { throw refused }
        switch finding {
        case .wrong:
            fail(id, logins, rules, &decision)
            return id.value
        case .right(var session, let passwordSetAt, let step, let recovery):
            guard user.passwordSetAt == passwordSetAt, user.status == .active else { throw refused }
            if user.secondFactorSince != 0 {
                if recovery.isEmpty {
                    guard step > logins.totpStep else { throw refused }
                } else {
                    var secret = try open(user, vault)
                    guard let index = secret.recoveryHashes.firstIndex(of: recovery) else { throw refused }
                    secret.recoveryHashes.remove(at: index)
                    user.sealedSecret = vault.seal(secret, for: id, random: &decision.random)
                    decision.record(.userChanged(.with { $0.user = user }), in: id.value)
                }
            }
            session.role = user.role
            session.scopeID = user.scopeID
            session.userID = user.id
            session.expiresAt = (decision.wall + rules.session).microseconds
            let token = try TokenDecider.issue(session, by: "log in", in: state, &decision)
            let ended = try old(logins, rules, in: state, &decision)
            decision.record(
                .userLoggedIn(
                    .with {
                        $0.userID = user.id
                        $0.tokenID = TokenID(token).data
                        $0.totpStep = step
                        $0.ended = ended
                    }), in: id.value)
            return token
        }
    }

    static func logOut<State: ViewQueries & ~Copyable>(
        _ id: TokenID, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        guard let token = try state.token(id) else { throw AdminRejection.notFound("token", id.description) }
        guard !token.userID.isEmpty else {
            throw AdminRejection.forbidden(reason: "this token is not of somebody who has logged in: it is revoked at /v1/tokens")
        }
        decision.record(.tokenRevoked(.with { $0.tokenID = id.data }), in: id.value)
        return id.value
    }

    // MARK: - passwords

    static func requestReset<State: ViewQueries & ~Copyable>(
        email text: String, _ rules: IdentityRules, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        guard let email = EmailAddress.normalised(text) else {
            throw AdminRejection.invalid("email", "must be an e-mail address, such as anna@example.net")
        }
        // An id that leads nowhere, so that the answer is of the same shape.
        guard let user = try state.user(email: email), let id = UserID(user.id), user.status == .active else {
            return decision.newID()
        }
        return LetterDecider.want(
            .passwordReset, to: email, name: user.name, language: user.language, subject: id.value, provider: user.providerID,
            link: rules.resetLink, passwordSetAt: user.passwordSetAt, &decision
        ).value
    }

    /// By a link. Another link of the same time is void then, and so is every session.
    static func setPassword<State: ViewQueries & ~Copyable>(
        _ letter: LetterID, _ password: PasswordHash, vault: Vault, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        let letter = try LetterDecider.followed(letter, [.passwordReset, .invitation], in: state, decision)
        guard let id = UserID(letter.subjectID), let user = try state.user(id), user.passwordSetAt == letter.passwordSetAt else {
            throw AdminRejection.invalid("token", "leads nowhere any more: ask for a new link")
        }
        try set(password, of: user, id, vault, &decision)
        try LetterDecider.use(letter, by: id, &decision)
        try UserDecider.endSessions(of: id, in: state, &decision)
        return id.value
    }

    static func changePassword<State: ViewQueries & ~Copyable>(
        _ id: UserID, _ password: PasswordHash, replacing: Int64, vault: Vault, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        let user = try UserDecider.existing(id, in: state)
        guard user.passwordSetAt == replacing else { throw refused }
        try set(password, of: user, id, vault, &decision)
        try UserDecider.endSessions(of: id, in: state, &decision)
        return id.value
    }

    private static func set(
        _ password: PasswordHash, of user: User, _ id: UserID, _ vault: Vault, _ decision: inout Decision
    ) throws {
        var user = user
        var secret = try open(user, vault)
        password.put(into: &secret)
        user.sealedSecret = vault.seal(secret, for: id, random: &decision.random)
        let isFirst = user.passwordSetAt == 0
        user.passwordSetAt = decision.wall.microseconds
        decision.record(.userChanged(.with { $0.user = user }), in: id.value)
        guard !isFirst else { return }
        LetterDecider.want(
            .passwordChanged, to: user.email, name: user.name, language: user.language, subject: id.value, provider: user.providerID,
            link: nil, &decision)
    }

    // MARK: - second factor

    static func offerSecondFactor<State: ViewQueries & ~Copyable>(
        _ id: UserID, key: [UInt8], vault: Vault, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        var user = try UserDecider.existing(id, in: state)
        guard user.secondFactorSince == 0 else {
            throw AdminRejection.inUse(reason: "there is a second factor already: remove it first")
        }
        var secret = try open(user, vault)
        secret.totpCandidate = Data(key)
        user.sealedSecret = vault.seal(secret, for: id, random: &decision.random)
        decision.record(.userChanged(.with { $0.user = user }), in: id.value)
        return id.value
    }

    static func confirmSecondFactor<State: ViewQueries & ~Copyable>(
        _ id: UserID, step: UInt64, recoveryHashes: [Data], vault: Vault, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        var user = try UserDecider.existing(id, in: state)
        var secret = try open(user, vault)
        guard user.secondFactorSince == 0, !secret.totpCandidate.isEmpty else {
            throw AdminRejection.inUse(reason: "there is no second factor to confirm: ask for one first")
        }
        guard try step > state.logins(of: id).totpStep else { throw refused }
        (secret.totpKey, secret.totpCandidate, secret.recoveryHashes) = (secret.totpCandidate, Data(), recoveryHashes)
        user.sealedSecret = vault.seal(secret, for: id, random: &decision.random)
        user.secondFactorSince = decision.wall.microseconds
        let changed = UserChanged.with {
            $0.user = user
            $0.totpStep = step
        }
        decision.record(.userChanged(changed), in: id.value)
        return id.value
    }

    static func removeSecondFactor<State: ViewQueries & ~Copyable>(
        _ id: UserID, step: UInt64, vault: Vault, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        var user = try UserDecider.existing(id, in: state)
        guard user.secondFactorSince != 0 else { throw AdminRejection.inUse(reason: "there is no second factor") }
        guard try step == 0 || step > state.logins(of: id).totpStep else { throw refused }
        var secret = try open(user, vault)
        (secret.totpKey, secret.totpCandidate, secret.recoveryHashes) = (Data(), Data(), [])
        user.sealedSecret = vault.seal(secret, for: id, random: &decision.random)
        user.secondFactorSince = 0
        let changed = UserChanged.with {
            $0.user = user
            $0.totpStep = step
        }
        decision.record(.userChanged(changed), in: id.value)
        return id.value
    }

    // MARK: - shared

    private static let refused = AdminRejection.forbidden(reason: "the password or the code is not accepted")

    private static func open(_ user: User, _ vault: Vault) throws -> UserSecret {
        guard let id = UserID(user.id), let secret = try? vault.open(user.sealedSecret, of: id) else {
            throw AdminRejection.unavailable(
                reason: "the user's secret cannot be opened: is keys/vault.key the one it was sealed with?")
        }
        return secret
    }

    private static func fail(_ id: UserID, _ logins: LoginState, _ rules: IdentityRules, _ decision: inout Decision) {
        let failures = logins.failures + 1
        let lockedUntil = rules.lockedUntil(afterFailures: failures, at: decision.wall)
        decision.record(
            .userLoginFailed(
                .with {
                    $0.userID = id.data
                    $0.failures = failures
                    $0.lockedUntil = lockedUntil
                }), in: id.value)
    }

    /// Sessions that are over, and the oldest of too many, which end now.
    private static func old<State: ViewQueries & ~Copyable>(
        _ logins: LoginState, _ rules: IdentityRules, in state: borrowing State, _ decision: inout Decision
    ) throws -> [Data] {
        var ended: [Data] = []
        var running: [Data] = []
        for session in logins.sessions {
            guard let id = TokenID(session), let token = try state.token(id) else {
                ended.append(session)
                continue
            }
            if token.expiresAt > decision.wall.microseconds { running.append(session) } else { ended.append(session) }
        }
        ended += running.prefix(max(0, running.count + 1 - rules.sessionsMax))
        for session in ended {
            guard let id = TokenID(session), try state.token(id) != nil else { continue }
            decision.record(.tokenRevoked(.with { $0.tokenID = session }), in: id.value)
        }
        return ended
    }
}
