import Model
import Primitives
import Projections
import SwiftProtobuf

/// Bearer tokens: the log has the hash of the secret, a name for the history, a role and its scope.
enum TokenDecider {
    static func issue<State: ViewQueries & ~Copyable>(
        _ token: Token, in state: borrowing State, _ decision: inout Decision
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
        try scope(token, in: state)
        decision.record(.tokenIssued(.with { $0.token = token }), in: id)
        return id
    }

    static func revoke<State: ViewQueries & ~Copyable>(
        _ id: TokenID, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        guard try state.token(id) != nil else { throw AdminRejection.notFound("token", id.description) }
        decision.record(.tokenRevoked(.with { $0.tokenID = id.data }), in: id.value)
        return id.value
    }

    /// The role says what kind of entity the scope is.
    private static func scope<State: ViewQueries & ~Copyable>(
        _ token: Token, in state: borrowing State
    ) throws {
        let field = "scope_id"
        let exists: Bool
        switch token.role {
        case .platformAdmin:
            guard token.scopeID.isEmpty else {
                throw AdminRejection.invalid(field, "a platform administrator has no scope")
            }
            return
        case .readOnly:
            if token.scopeID.isEmpty { return }
            let id = try Checks.reference(token.scopeID, field: field)
            if try state.provider(ProviderID(id)) != nil {
                exists = true
            } else if try state.customer(CustomerID(id)) != nil {
                exists = true
            } else {
                exists = try state.tenant(TenantID(id)) != nil
            }
        case .providerAdmin:
            exists = try state.provider(ProviderID(try Checks.reference(token.scopeID, field: field))) != nil
        case .customerAdmin:
            exists = try state.customer(CustomerID(try Checks.reference(token.scopeID, field: field))) != nil
        case .tenantAdmin:
            exists = try state.tenant(TenantID(try Checks.reference(token.scopeID, field: field))) != nil
        case .UNRECOGNIZED:
            throw AdminRejection.invalid("role", "is not a value that this version knows")
        }
        guard exists else {
            throw AdminRejection.unknownReference(field, UUIDv7(bytes: token.scopeID)?.description ?? "")
        }
    }
}
