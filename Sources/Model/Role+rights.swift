extension Role {
    /// What the API and the command line call it; never changes.
    package var literal: String {
        switch self {
        case .platformAdmin: "platform_admin"
        case .providerAdmin: "provider_admin"
        case .customerAdmin: "customer_admin"
        case .tenantAdmin: "tenant_admin"
        case .readOnly: "read_only"
        case .UNRECOGNIZED(let value): "role_\(value)"
        }
    }

    /// nil for anything but the literals above; a role of a newer binary cannot be asked for.
    package init?(literal: String) {
        guard let role = Role.allCases.first(where: { $0.literal == literal }) else { return nil }
        self = role
    }

    /// A role that this binary does not know may nothing.
    package var mayWrite: Bool {
        switch self {
        case .platformAdmin, .providerAdmin, .customerAdmin, .tenantAdmin: true
        case .readOnly, .UNRECOGNIZED: false
        }
    }

    /// Whether a token of this role may issue one of `other` (within its own scope).
    package func mayGrant(_ other: Role) -> Bool {
        guard mayWrite, let own = rank, let wanted = other.rank else { return false }
        return own <= wanted
    }

    /// Which entity the scope of such a token names; nil: the platform, or any for a reader.
    package var scopeKind: EntityKind? {
        switch self {
        case .providerAdmin: .provider
        case .customerAdmin: .customer
        case .tenantAdmin: .tenant
        case .platformAdmin, .readOnly, .UNRECOGNIZED: nil
        }
    }

    private var rank: Int? {
        switch self {
        case .platformAdmin: 0
        case .providerAdmin: 1
        case .customerAdmin: 2
        case .tenantAdmin: 3
        case .readOnly: 4
        case .UNRECOGNIZED: nil
        }
    }
}
