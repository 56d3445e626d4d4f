import Model
import Primitives
import Projections
import SwiftProtobuf

/// Bearer tokens: the log has the hash of the secret, a name for the history, a role and its scope.
enum TokenDecider {
    static func issue<State: ViewQueries & ~Copyable>(
        _ token: Token, by actor: String, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        var token = token
        let id = try Checks.newID(token.id, &decision)
        guard try state.token(TokenID(id)) == nil else { throw AdminRejection.taken("id", id.description) }
        token.id = TokenID(id).data
        try Checks.name(token.name)
        guard try state.token(named: token.name) == nil else { throw AdminRejection.taken("name", token.name) }
        guard token.secretHash.count == 32 else {
            throw AdminRejection.invalid("secret_hash", "must be 32 bytes of SHA-256")
        }
        guard token.expiresAt == 0 || token.expiresAt > decision.wall.microseconds else {
            throw AdminRejection.invalid("expires_at", "must be a time to come")
        }
        try scope(token, in: state)
        token.issuedBy = actor
        token.issuedAt = decision.wall.microseconds
        decision.record(.tokenIssued(.with { $0.token = token }), in: id)
        return id
    }

    static func revoke<State: ViewQueries & ~Copyable>(
        _ id: TokenID, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        guard let token = try state.token(id) else { throw AdminRejection.notFound("token", id.description) }
        if token.role == .platformAdmin, token.expiresAt == 0, try isLast(token, in: state) {
            throw AdminRejection.inUse(
                reason: "it is the last token of a platform administrator that does not expire: "
                    + "without it nobody could issue another. Issue another first")
        }
        decision.record(.tokenRevoked(.with { $0.tokenID = id.data }), in: id.value)
        return id.value
    }

    /// Whether no other token opens the platform for good.
    private static func isLast<State: ViewQueries & ~Copyable>(
        _ token: Token, in state: borrowing State
    ) throws -> Bool {
        var after: TokenID?
        while true {
            let page = try state.tokens(after: after, limit: 200)
            for other in page where other.id != token.id && other.role == .platformAdmin && other.expiresAt == 0 {
                return false
            }
            guard page.count == 200, let last = page.last else { return true }
            after = TokenID(last.id)
        }
    }

    /// The role says where in the tree the scope stands.
    static func scope<State: ViewQueries & ~Copyable>(
        _ token: Token, in state: borrowing State
    ) throws {
        let field = "scope_id"
        guard token.role.duty != nil else {
            throw AdminRejection.invalid("role", "is not a value that this version knows")
        }
        let wanted = token.role.level
        guard !token.scopeID.isEmpty else {
            guard wanted == nil || wanted == .platform else { throw AdminRejection.invalid(field, "is required") }
            return
        }
        guard wanted != .platform else { throw AdminRejection.invalid(field, "a platform administrator has no scope") }
        let id = try Checks.reference(token.scopeID, field: field)
        guard let reach = try state.reach(scope: id) else {
            throw AdminRejection.unknownReference(field, id.description)
        }
        guard wanted == nil ? reach.level != .subscriber : reach.level == wanted else {
            throw AdminRejection.invalid(
                field, "must be a \(wanted?.word ?? "provider, customer or tenant") for this role, and is a \(reach.level.word)")
        }
    }
}
