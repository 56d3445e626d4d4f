extension Role {
    /// What the API and the command line call it; never changes.
    public var literal: String {
        switch self {
        case .platformAdmin: "platform_admin"
        case .providerAdmin: "provider_admin"
        case .customerAdmin: "customer_admin"
        case .tenantAdmin: "tenant_admin"
        case .readOnly: "read_only"
        case .user: "user"
        case .billing: "billing"
        case .support: "support"
        case .UNRECOGNIZED(let value): "role_\(value)"
        }
    }

    /// nil for anything but the literals above; a role of a newer binary cannot be asked for.
    public init?(literal: String) {
        guard let role = Role.allCases.first(where: { $0.literal == literal }) else { return nil }
        self = role
    }

    /// nil: a role that this binary does not know may nothing.
    public var duty: Duty? {
        switch self {
        case .platformAdmin, .providerAdmin, .customerAdmin, .tenantAdmin: .administer
        case .readOnly: .read
        case .billing: .bill
        case .support: .support
        case .user: .use
        case .UNRECOGNIZED: nil
        }
    }

    /// Where the scope of such a token stands; nil: anywhere but at a subscriber.
    public var level: Level? {
        switch self {
        case .platformAdmin: .platform
        case .providerAdmin: .provider
        case .customerAdmin: .customer
        case .tenantAdmin: .tenant
        case .user: .subscriber
        case .readOnly, .billing, .support, .UNRECOGNIZED: nil
        }
    }

    /// The role in which somebody with this one acts for a party further down; nil: there is none.
    public func acting(at level: Level) -> Role? {
        guard let duty else { return nil }
        switch duty {
        case .administer:
            switch level {
            case .platform: return .platformAdmin
            case .provider: return .providerAdmin
            case .customer: return .customerAdmin
            case .tenant: return .tenantAdmin
            case .subscriber: return .user
            }
        // Who only reads, bills or helps does no more for having gone further down.
        case .read, .bill, .support: return self
        case .use: return nil
        }
    }

    /// Whether an administrator of this role may issue a token of `other` (within its own scope).
    public func mayGrant(_ other: Role) -> Bool {
        guard duty == .administer, let own = level, other.duty != nil else { return false }
        return other.level.map { own <= $0 } ?? true
    }
}
