import Model
import Primitives

/// Who asks: the token that a request came with, and what it is worth now.
struct Caller: Sendable {
    let token: TokenID
    /// Stands in the history as who did it.
    let name: String
    let role: Role
    let reach: Reach
}

extension Caller {
    enum Verb: String, CaseIterable, Sendable {
        case read, create, change, remove
    }

    /// Whether the role is one that does this to entities of the kind, wherever they stand; where they stand is the
    /// question of `reach`.
    func may(_ verb: Verb, _ kind: EntityKind) -> Bool {
        switch verb {
        case .read: true
        case .create, .change, .remove: role.isAtLeast(Caller.leastRole(toWrite: kind))
        }
    }

    /// The weakest role that provisions entities of a kind.
    static func leastRole(toWrite kind: EntityKind) -> Role {
        switch kind {
        case .provider, .contact, .rateDeck, .servicePlan, .customer, .dialPlan, .carrier, .number, .cdrExport:
            .providerAdmin
        case .tenant: .customerAdmin
        case .subscriber: .tenantAdmin
        case .UNRECOGNIZED: .platformAdmin
        }
    }
}

extension Role {
    /// Whether the role administers at least what `other` does. A reader, and a role that this binary does not know,
    /// administers nothing.
    func isAtLeast(_ other: Role) -> Bool { mayWrite && mayGrant(other) }
}
