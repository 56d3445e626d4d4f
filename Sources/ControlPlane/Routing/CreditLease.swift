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
        let available = try available(lock.payer, plan: line.plan, in: state)
        let units = try FreeUnitsOffer.left(of: lock, own: [], in: state)
        switch line.plan.paymentMode {
        case .postpaid:
            let limited = line.plan.creditLimitMicros > 0
            if limited, available <= 0 { return .refused(reason: "the credit limit is reached") }
            guard let limit else {
                let hold = CreditHold(lock, nil, unlimitedFor: seconds, units)
                return hold.allowances.isEmpty ? .unlimited : .held(hold)
            }
            guard let grant = grant(lock, available: limit, wanted: seconds, units) else { return .overLimit }
            return .held(CreditHold(lock, grant, units))
        case .prepaid:
            guard let full = grant(lock, available: available, wanted: seconds, units) else {
                return .refused(reason: "the account does not pay for the first increment")
            }
            let hold = CreditHold(lock, full, units)
            guard let limit, limit < hold.amountMicros else { return .held(hold) }
            guard let grant = grant(lock, available: limit, wanted: seconds, units) else { return .overLimit }
            return .held(CreditHold(lock, grant, units))
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
        guard let held = call.hold, held.seconds > 0, let lock = call.rate else { return nil }
        let units = try FreeUnitsOffer.left(of: lock, own: held.allowances, in: state)
        let (wanted, overflow) = usedSeconds.addingReportingOverflow(leaseSeconds)
        guard !overflow, wanted > held.seconds else { return nil }
        var available = max(0, try available(lock.payer, plan: plan, in: state))
        if plan.paymentMode == .postpaid, plan.creditLimitMicros == 0 { available = .max / 2 }
        if let id = call.securityGroup, let group = try state.securityGroup(id), let line = call.line, let customer = call.customer,
            let left = try SpendLimit(group, line: line, customer: customer, in: state, at: time).left
        {
            available = min(available, max(0, left))
        }
        let (total, overflowTotal) = available.addingReportingOverflow(held.micros)
        guard !overflowTotal, let grant = grant(lock, available: total, wanted: wanted, units),
            grant.seconds > held.seconds
        else { return nil }
        return CreditHold(lock, grant, units)
    }

    /// Balance and overdraft, less what is held for other calls (and for this one, if it holds something).
    private static func available<State: ViewQueries & ~Copyable>(
        _ account: AccountRef, plan: ServicePlan, in state: borrowing State
    ) throws -> Int64 {
        let (balance, held) = try state.funds(of: account)
        let free = Int128(balance) + Int128(plan.creditLimitMicros) - Int128(held)
        return Int64(clamping: free)
    }

    private static func grant(_ lock: RateLock, available: Int64, wanted: UInt32, _ units: FreeUnits) -> Grant? {
        let (sum, overflow) = available.addingReportingOverflow(units.micros)
        // A price that cannot be computed is one that nobody can pay.
        return try? Rater.grant(lock, available: overflow ? .max : sum, wanted: wanted, freeSeconds: units.seconds)
    }
}
