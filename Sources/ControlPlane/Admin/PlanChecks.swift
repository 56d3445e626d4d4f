import Model

/// What of a service plan is paid by the month, what is free, and what can be bought beside it.
enum PlanChecks {
    /// A bound far above any real price, so that sums over all lines of a platform stay in 64 bits.
    static let priceMicrosMax: Int64 = 1_000_000_000_000

    static func fees(_ plan: ServicePlan) throws {
        try Checks.recognised(plan.proration.isRecognised, field: "proration")
        try price(plan.subscriberMonthMicros, field: "subscriber_month")
        try price(plan.numberMonthMicros, field: "number_month")
        try price(plan.monthMicros, field: "month")
    }

    /// What a provider pays the platform is by the month: calls are charged by its wholesale deck.
    static func ofPlatform(_ plan: ServicePlan) throws {
        try Checks.currency(plan.currency)
        for (field, id) in [
            ("rate_deck_id", plan.rateDeckID), ("inbound_rate_deck_id", plan.inboundRateDeckID), ("on_net_rate_deck_id", plan.onNetRateDeckID),
            ("dial_plan_id", plan.dialPlanID), ("carrier_id", plan.carrierID), ("security_group_id", plan.securityGroupID),
        ] where !id.isEmpty {
            throw AdminRejection.invalid(field, "a plan of the platform is what providers pay by the month, and has no calls")
        }
        guard plan.serviceRates.isEmpty, plan.allowances.isEmpty, plan.packages.isEmpty else {
            throw AdminRejection.invalid("provider_id", "a plan of the platform is what providers pay by the month, and has no calls")
        }
    }

    static func allowances(_ allowances: [Allowance], field: String) throws {
        guard allowances.count <= 20 else { throw AdminRejection.limitReached(field: field, limit: 20) }
        var numbers: Set<UInt32> = []
        for (index, allowance) in allowances.enumerated() {
            let field = "\(field)[\(index)]"
            guard allowance.number > 0, numbers.insert(allowance.number).inserted else {
                throw AdminRejection.invalid(field + ".number", "must be from 1 up, and another one for each")
            }
            try Checks.name(allowance.name, field: field + ".name")
            try Checks.recognised(allowance.period.isRecognised, field: field + ".period")
            guard (allowance.seconds > 0) != (allowance.micros != 0) else {
                throw AdminRejection.invalid(field, "has either seconds of talk or an amount of money")
            }
            try price(allowance.micros, field: field + ".amount")
            guard allowance.prefixes.count <= 1_000 else { throw AdminRejection.limitReached(field: field + ".prefixes", limit: 1_000) }
            for (place, prefix) in allowance.prefixes.enumerated() {
                let digits = prefix.utf8.dropFirst()
                guard prefix.hasPrefix("+"), digits.count <= 15, digits.allSatisfy({ (0x30...0x39).contains($0) }) else {
                    throw AdminRejection.invalid("\(field).prefixes[\(place)]", "must be digits behind a +")
                }
            }
            for leg in allowance.legs { try Checks.recognised(leg.isRecognised, field: field + ".legs") }
        }
    }

    static func packages(_ packages: [Package]) throws {
        guard packages.count <= 100 else { throw AdminRejection.limitReached(field: "packages", limit: 100) }
        var numbers: Set<UInt32> = []
        for (index, package) in packages.enumerated() {
            let field = "packages[\(index)]"
            guard package.number > 0, numbers.insert(package.number).inserted else {
                throw AdminRejection.invalid(field + ".number", "must be from 1 up, and another one for each")
            }
            try Checks.name(package.name, field: field + ".name")
            try price(package.priceMicros, field: field + ".price")
            guard package.days <= 3_660 else { throw AdminRejection.invalid(field + ".days", "at most 3660") }
            try allowances(package.allowances, field: field + ".allowances")
        }
    }

    private static func price(_ micros: Int64, field: String) throws {
        guard micros >= 0, micros <= priceMicrosMax else {
            throw AdminRejection.invalid(field, "must be from 0 to \(priceMicrosMax / 1_000_000)")
        }
    }
}
