import Model
import Primitives
import Projections
import Rating

/// Money that is set aside for a prepaid call before it rings, and extended while it lasts. The holds of an
/// account never exceed what it has together with its overdraft.
enum CreditLease {
    enum Opening: Equatable {
        /// Postpaid: the call is not limited in time.
        case unlimited
        case held(CreditHold)
        case refused(reason: String)
        /// The account has enough, and the day's limit of a security group has not.
        case overLimit
    }

    /// - Parameter limit: what limits of spend leave for the call; nil: there are none. A call under a limit holds money
    ///   also where it is paid later, so that calls at the same time cannot go beyond it together.
    static func open<State: ViewQueries & ~Copyable>(
        _ line: Line, _ locks: [RateLock], seconds: UInt32, limit: Int64? = nil, in state: borrowing State
    ) throws -> Opening {
        guard let lock = locks.first(where: { $0.edge == PriceLock.retail }) else { return .unlimited }
        let tariff = Tariff(lock)
        let available = available(try state.funds(of: lock.payer), plan: line.plan)
        let units = try FreeUnitsOffer.left(of: lock.allowances, payer: lock.payer, own: [], in: state)
        switch line.plan.paymentMode {
        case .postpaid:
            let limited = line.plan.creditLimitMicros > 0
            if limited, available <= 0 { return .refused(reason: "the credit limit is reached") }
            guard let limit else {
                let hold = CreditHold(lock.payer, tariff, nil, unlimitedFor: seconds, units)
                return hold.allowances.isEmpty ? .unlimited : .held(hold)
            }
            guard let grant = grant(tariff, available: limit, wanted: seconds, units) else { return .overLimit }
            return .held(CreditHold(lock.payer, tariff, grant, units))
        case .prepaid:
            guard let full = grant(tariff, available: available, wanted: seconds, units) else {
                return .refused(reason: "the account does not pay for the first increment")
            }
            let hold = CreditHold(lock.payer, tariff, full, units)
            guard let limit, limit < hold.amountMicros else { return .held(hold) }
            guard let grant = grant(tariff, available: limit, wanted: seconds, units) else { return .overLimit }
            return .held(CreditHold(lock.payer, tariff, grant, units))
        case .UNRECOGNIZED:
            return .refused(reason: "the payment mode is not one that this version knows")
        }
    }

    /// The hold that covers another lease after `usedSeconds`, or as much more as the account has; nil: the hold
    /// stays as it is, because there is nothing more, or because it was extended so far already.
    static func renewed<State: ViewQueries & ~Copyable>(
        _ call: LiveCallTerms, plan: ServicePlan, usedSeconds: UInt32, leaseSeconds: UInt32, in state: borrowing State,
        at time: WallTime
    ) throws -> CreditHold? {
        // Of a call that is not limited free units alone are set aside.
        guard let held = call.hold, held.seconds > 0, let rate = call.rate else { return nil }
        let units = try FreeUnitsOffer.left(of: rate.allowances, payer: rate.payer, own: held.allowances, in: state)
        let (wanted, overflow) = usedSeconds.addingReportingOverflow(leaseSeconds)
        guard !overflow, wanted > held.seconds else { return nil }
        var available = max(0, available(try state.funds(of: rate), plan: plan))
        if plan.paymentMode == .postpaid, plan.creditLimitMicros == 0 { available = .max / 2 }
        if let id = call.securityGroup, let group = try state.securityGroup(id), let line = call.line, let customer = call.customer,
            let left = try SpendLimit(group, line: line, customer: customer, in: state, at: time).left
        {
            available = min(available, max(0, left))
        }
        let (total, overflowTotal) = available.addingReportingOverflow(held.micros)
        guard !overflowTotal, let grant = grant(rate.tariff, available: total, wanted: wanted, units),
            grant.seconds > held.seconds
        else { return nil }
        return CreditHold(rate.payer, rate.tariff, grant, units)
    }

    /// Balance and overdraft, less what is held for other calls (and for this one, if it holds something).
    private static func available(_ funds: (balance: Int64, held: Int64), plan: ServicePlan) -> Int64 {
        Int64(clamping: Int128(funds.balance) + Int128(plan.creditLimitMicros) - Int128(funds.held))
    }

    private static func grant(_ tariff: Tariff, available: Int64, wanted: UInt32, _ units: FreeUnits) -> Grant? {
        let (sum, overflow) = available.addingReportingOverflow(units.micros)
        // A price that cannot be computed is one that nobody can pay.
        return try? Rater.grant(tariff, available: overflow ? .max : sum, wanted: wanted, freeSeconds: units.seconds)
    }
}
