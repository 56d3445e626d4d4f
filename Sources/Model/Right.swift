/// What a token can be needed for. Every operation of the API names the one right that it needs; who holds it is said by
/// `rule` and nowhere else. What of the tree is then seen and changed is a matter of the token's scope.
public enum Right: String, CaseIterable, Sendable {
    case readOwnToken = "token.self"
    case readLogHead = "log.head"
    case readDirectory = "directory.read"
    case readPrices = "prices.read"
    case readAccounts = "accounts.read"
    case readRecords = "records.read"
    case proveRecords = "records.prove"
    case readRegistrations = "registrations.read"
    case clearRegistrations = "registrations.clear"
    case tryRoutes = "routes.try"
    case readHistory = "history.read"
    case readAudit = "audit.read"
    case readSubjects = "subjects.read"
    case readExports = "exports.read"
    case readTokens = "tokens.read"
    case readPlatform = "platform.read"
    case readBooks = "books.read"
    case actFor = "parties.act_for"
    case changeSubscribers = "subscribers.change"
    case writeSubscribers = "subscribers.write"
    case writeTenants = "tenants.write"
    case writeParties = "parties.write"
    case writePrices = "prices.write"
    case writeNetwork = "network.write"
    case assignNumbers = "numbers.assign"
    case writeExports = "exports.write"
    case endCalls = "calls.end"
    case postMoney = "money.post"
    case buyPackages = "packages.buy"
    case redeemVouchers = "vouchers.redeem"
    case eraseSubjects = "subjects.erase"
    case writeTokens = "tokens.write"
    case writePlatform = "platform.write"
    case listen = "recordings.listen"
    case removeRecordings = "recordings.remove"
}

extension Right {
    /// - Parameters level: the lowest in the tree at which a token holds the right.
    public typealias Rule = (level: Level, duties: [Duty])

    /// The table: who holds a right, and how far down the tree.
    public var rule: Rule {
        switch self {
        case .readOwnToken: (.subscriber, Duty.allCases)
        case .readLogHead: (.subscriber, Duty.allCases)
        case .readDirectory: (.subscriber, Duty.allCases)
        case .readRecords: (.subscriber, Duty.allCases)
        case .readPrices: (.tenant, [.administer, .read, .bill, .support])
        case .readAccounts: (.tenant, [.administer, .read, .bill, .support])
        // A proof holds the whole record, of which a customer may see a part.
        case .proveRecords: (.provider, [.administer, .read, .bill, .support])
        case .readHistory: (.tenant, [.administer, .read, .bill, .support])
        case .readExports: (.tenant, [.administer, .read, .bill, .support])
        case .readRegistrations: (.subscriber, [.administer, .read, .support, .use])
        case .clearRegistrations: (.subscriber, [.administer, .support, .use])
        case .tryRoutes: (.subscriber, [.administer, .read, .support, .use])
        case .readAudit: (.provider, [.administer, .support])
        case .readSubjects: (.provider, [.administer, .support])
        case .readTokens: (.tenant, [.administer])
        case .readPlatform: (.platform, [.administer, .read, .support])
        case .readBooks: (.platform, [.administer, .read, .bill, .support])
        case .actFor: (.tenant, [.administer, .read, .bill, .support])
        case .changeSubscribers: (.subscriber, [.administer, .use])
        case .writeSubscribers: (.tenant, [.administer])
        case .writeTenants: (.customer, [.administer])
        case .writeParties: (.provider, [.administer])
        case .writePrices: (.provider, [.administer])
        case .writeNetwork: (.provider, [.administer])
        // Below the provider, of what it has reserved for who asks.
        case .assignNumbers: (.tenant, [.administer])
        case .writeExports: (.provider, [.administer])
        case .endCalls: (.tenant, [.administer])
        case .postMoney: (.provider, [.administer, .bill])
        case .buyPackages: (.customer, [.administer, .bill])
        case .redeemVouchers: (.customer, [.administer, .bill])
        case .eraseSubjects: (.provider, [.administer])
        case .writeTokens: (.tenant, [.administer])
        case .writePlatform: (.platform, [.administer])
        // What people say to each other is for those whose calls they are, and for whom they have set to run the tenant.
        case .listen: (.subscriber, [.administer, .use])
        case .removeRecordings: (.tenant, [.administer])
        }
    }

    /// - Parameter level: of the token's scope.
    public func isHeld(by role: Role, at level: Level) -> Bool {
        guard let duty = role.duty else { return false }
        return rule.duties.contains(duty) && level <= rule.level
    }
}

extension Right {
    /// Whether it changes anything.
    public var isReading: Bool {
        switch self {
        case .readOwnToken, .readLogHead, .readDirectory, .readPrices, .readAccounts, .readRecords, .proveRecords,
            .readRegistrations, .tryRoutes, .readHistory, .readAudit, .readSubjects, .readExports, .readTokens, .readPlatform,
            .readBooks, .actFor, .listen:
            true
        case .clearRegistrations, .changeSubscribers, .writeSubscribers, .writeTenants, .writeParties, .writePrices,
            .writeNetwork, .assignNumbers, .writeExports, .endCalls, .postMoney, .buyPackages, .redeemVouchers, .eraseSubjects, .writeTokens, .writePlatform, .removeRecordings:
            false
        }
    }

    /// Whether a party of this status may use it at all.
    public func isAllowed(to status: Status) -> Bool { status.allows(isReading ? .read : .write) }
}

/// A floor of the tree, the highest first.
public enum Level: Int, CaseIterable, Comparable, Sendable {
    case platform, provider, customer, tenant, subscriber

    public static func < (a: Level, b: Level) -> Bool { a.rawValue < b.rawValue }

    public var word: String {
        switch self {
        case .platform: "platform"
        case .provider: "provider"
        case .customer: "customer"
        case .tenant: "tenant"
        case .subscriber: "subscriber"
        }
    }
}

/// What a role is there for, wherever in the tree it stands.
public enum Duty: String, CaseIterable, Sendable {
    case administer, read, bill, support, use
}
