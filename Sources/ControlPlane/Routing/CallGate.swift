package import Model
package import PhoneNumbers
package import Primitives
package import Projections

/// Whether a line may call a number outside of the platform: the security group's rules, one after another, with what each
/// of them says. The first that says no refuses the call; the others are looked at for whoever asks why.
package struct CallGate: Equatable, Sendable {
    package enum Rule: String, CaseIterable, Sendable {
        case blockedNumbers = "blocked_numbers"
        case destination
        case premium
        case hours
        case lineSpend = "line_spend"
        case customerSpend = "customer_spend"
    }

    package struct Step: Equatable, Sendable {
        package let rule: Rule
        package let isAllowed: Bool
        /// For an operator. No digits of the number called.
        package let detail: String
    }

    package private(set) var steps: [Step] = []
    /// What limits leave for the call, in the customer's currency; nil: there are none.
    package private(set) var left: Int64?

    package var isOpen: Bool { steps.allSatisfy(\.isAllowed) }

    /// Which refusal it is, and why; nil: the call may be made.
    package var refusal: (refusal: Refusal, detail: String)? {
        guard let step = steps.first(where: { !$0.isAllowed }) else { return nil }
        let refusal: Refusal =
            switch step.rule {
            case .blockedNumbers: .numberBlocked
            case .destination: .notPermitted
            case .premium: .premiumNumber
            case .hours: .outsideHours
            case .lineSpend, .customerSpend: .spendLimit
            }
        return (refusal, step.detail)
    }

    /// Whose call it is: without it, neither prefixes of a line nor what was spent are looked at.
    package struct Caller: Sendable {
        package let line: SubscriberID
        package let customer: CustomerID
        package let allowedPrefixes: [String]

        package init(line: SubscriberID, customer: CustomerID, allowedPrefixes: [String]) {
            self.line = line
            self.customer = customer
            self.allowedPrefixes = allowedPrefixes
        }
    }

    /// - Parameters:
    ///   - group: nil: the line's own prefixes alone decide.
    ///   - facts: of the number; nil: no country has numbers like it.
    package init<State: ViewQueries & ~Copyable>(
        _ e164: String, facts: NumberFacts?, group: SecurityGroup?, caller: Caller?, in state: borrowing State,
        at time: WallTime
    ) throws {
        let name = group.map { "security group \($0.name)" } ?? ""
        if let group {
            let isBlocked = group.blockedNumbers.contains { e164.hasPrefix($0) }
            add(.blockedNumbers, !isBlocked, isBlocked ? "\(name): the number is on its list of blocked ones" : "not on the list")
        }
        let isListed = group?.allowedNumbers.contains(e164) ?? false
        destination(e164, facts, group, caller, isListed: isListed, name: name)
        guard let group else { return }
        if facts?.isPremium == true {
            let isAllowed = group.premium || isListed
            add(.premium, isAllowed, isAllowed ? "a number of raised price, which is allowed" : "\(name): numbers of raised price are not allowed")
        }
        if !group.windows.isEmpty {
            let clock = CivilClock(zone: group.timeZone)
            let isInside = group.windows.contains { clock.isInside($0, at: time) }
            let now = "\(clock.text(time)) in \(group.timeZone.isEmpty ? "UTC" : group.timeZone)"
            add(.hours, isInside, isInside ? "\(now) is inside of a window" : "\(name): \(now) is outside of its hours")
        }
        guard let caller else { return }
        let limit = try SpendLimit(group, line: caller.line, customer: caller.customer, in: state, at: time)
        left = limit.left
        for part in limit.parts {
            let spent = "\(Money.decimal(micros: part.spend.totalMicros)) of \(Money.decimal(micros: part.limit)) a day"
            switch part.whose {
            case .line: add(.lineSpend, part.left > 0, "\(name): the line has spent \(spent)")
            case .customer: add(.customerSpend, part.left > 0, "\(name): the customer has spent \(spent)")
            }
        }
    }

    private mutating func destination(
        _ e164: String, _ facts: NumberFacts?, _ group: SecurityGroup?, _ caller: Caller?, isListed: Bool, name: String
    ) {
        let country = facts?.region.map(\.code)
        if isListed { return add(.destination, true, "on \(name)'s list of allowed numbers") }
        if let prefix = caller?.allowedPrefixes.first(where: { e164.hasPrefix($0) }) {
            return add(.destination, true, "within \(prefix), a prefix of the line's own")
        }
        guard let group else {
            return add(.destination, false, "no security group, and outside of the line's own prefixes")
        }
        if let prefix = group.prefixes.first(where: { e164.hasPrefix($0) }) {
            return add(.destination, true, "within \(prefix), a prefix of \(name)")
        }
        guard let country else {
            return add(.destination, false, "\(name): the number is of no country, and no prefix allows it")
        }
        let isAllowed = group.countries.contains(country)
        add(.destination, isAllowed, isAllowed ? "\(country) is a country of \(name)" : "\(name): \(country) is not one of its countries")
    }

    private mutating func add(_ rule: Rule, _ isAllowed: Bool, _ detail: String) {
        steps.append(Step(rule: rule, isAllowed: isAllowed, detail: detail))
    }
}
