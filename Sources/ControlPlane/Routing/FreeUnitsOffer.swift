import Foundation
package import Model
package import Primitives
package import Projections
import Rating

/// Free units of a customer: which a call may use, what is left of them, and what is set aside.
///
/// Every call is decided after the one before, and what is set aside for calls that run is not offered again: two calls at
/// once cannot use the same minute.
enum FreeUnitsOffer {
    /// What the call may use, in the order of the plan and then of the packages as they end; each with what its period holds in all.
    static func terms<State: ViewQueries & ~Copyable>(
        for line: Line, e164: String, leg: LegType, in state: borrowing State, at time: WallTime
    ) throws -> [AllowanceUse] {
        try terms(of: line.customerID, line.plan, zone: line.provider.timeZone, in: state, at: time) { $0.covers(e164, leg) }
    }

    fileprivate static func terms<State: ViewQueries & ~Copyable>(
        of customer: CustomerID, _ plan: ServicePlan, zone: String, in state: borrowing State, at time: WallTime,
        where isWanted: (Allowance) -> Bool
    ) throws -> [AllowanceUse] {
        let bought = try state.packages(of: customer).map(\.bought).filter {
            !$0.package.allowances.isEmpty && $0.startsAt <= time.microseconds && time.microseconds < $0.endsAt
        }
        guard !plan.allowances.isEmpty || !bought.isEmpty else { return [] }
        let month = FeeMonth(containing: time, zone: zone)
        var terms = plan.allowances.filter(isWanted).compactMap { term($0, from: plan.id, lasts: nil, month, at: time) }
        for package in bought.sorted(by: { ($0.endsAt, $0.startsAt) < ($1.endsAt, $1.startsAt) }) {
            terms += package.package.allowances.filter(isWanted).compactMap {
                term($0, from: package.id, lasts: package.startsAt, month, at: time)
            }
        }
        return terms
    }

    /// Whether a package that the customer has makes a difference between kinds of numbers.
    static func asksForLegs<State: ViewQueries & ~Copyable>(_ customer: CustomerID, in state: borrowing State) throws -> Bool {
        try state.packages(of: customer).contains { $0.bought.package.allowances.contains { !$0.legs.isEmpty } }
    }

    private static func term(
        _ allowance: Allowance, from source: Data, lasts: Int64?, _ month: FeeMonth, at time: WallTime
    ) -> AllowanceUse? {
        var term = AllowanceUse()
        term.sourceID = source
        term.number = allowance.number
        term.name = allowance.name
        term.seconds = allowance.seconds
        term.micros = allowance.micros
        term.isMoney = allowance.seconds == 0
        switch allowance.period {
        case .month: term.periodStart = month.start.microseconds
        case .day: term.periodStart = month.period(.daily, containing: time).start.microseconds
        case .once: term.periodStart = lasts ?? 0
        case .UNRECOGNIZED: return nil
        }
        // A package that is renewed in the middle of a month brings its units anew.
        if let lasts { term.periodStart = max(term.periodStart, lasts) }
        return term
    }

    /// What of the terms nobody has used or set aside, and what is set aside for this call.
    static func left<State: ViewQueries & ~Copyable>(
        of terms: [AllowanceUse], payer: AccountRef, own held: [AllowanceUse], in state: borrowing State
    ) throws -> FreeUnits {
        guard !terms.isEmpty, let customer = CustomerID(payer.ownerID) else { return FreeUnits([]) }
        var units: [AllowanceUse] = []
        for var term in terms {
            guard let source = UUIDv7(bytes: term.sourceID) else { continue }
            let there = try state.allowance(of: customer, source, term.number, from: WallTime(microseconds: term.periodStart))
            let own = held.first {
                $0.sourceID == term.sourceID && $0.number == term.number && $0.periodStart == term.periodStart
            }
            let seconds = Int64(term.seconds) - there.usedSeconds - there.heldSeconds + Int64(own?.seconds ?? 0)
            term.seconds = term.isMoney ? 0 : UInt32(clamping: max(0, seconds))
            term.micros = term.isMoney ? max(0, term.micros - there.usedMicros - there.heldMicros + (own?.micros ?? 0)) : 0
            units.append(term)
        }
        return FreeUnits(units)
    }
}

extension Allowance {
    fileprivate func covers(_ e164: String, _ leg: LegType) -> Bool {
        (legs.isEmpty || legs.contains(leg)) && (prefixes.isEmpty || prefixes.contains { e164.hasPrefix($0) })
    }
}

extension CreditHold {
    /// For talk of so many seconds that costs so much: free units first, then the account's money.
    ///
    /// - Parameter grant: nil: the call is not limited, and money is not set aside; free units are, for `seconds`.
    init(_ payer: AccountRef, _ price: Tariff, _ grant: Grant?, unlimitedFor seconds: UInt32 = 0, _ units: FreeUnits) {
        self.init()
        account = payer
        guard !units.units.isEmpty else {
            if let grant { (amountMicros, grantedSeconds) = (grant.micros, grant.seconds) }
            return
        }
        let counted = CountedTime(used: UInt64(grant?.seconds ?? seconds), by: price)
        let time = units.takingTime(of: counted.billedSeconds, by: price)
        var cost = grant?.micros ?? 0
        if grant == nil,
            let sum = try? Explanation.Sum(
                price, billedSeconds: counted.billedSeconds, isFeeDue: counted.reason != .freeDelay, freeSeconds: time.total)
        {
            cost = sum.amountMicros
        }
        let money = units.takingMoney(of: cost)
        allowances = (time.uses + money.uses).map { use in
            var use = use
            use.name = ""
            return use
        }
        guard let grant else { return }
        amountMicros = grant.micros - money.total
        grantedSeconds = grant.seconds
    }
}

/// An allowance of a customer in the period that a time is in.
package struct FreeUnitsState: Sendable {
    /// What the period holds in all.
    package let term: AllowanceUse
    /// What of it is used, and set aside for calls that run.
    package let state: AllowanceState

    /// Of the plan, then of the packages that hold, as they end.
    package static func all<State: ViewQueries & ~Copyable>(
        of id: CustomerID, in state: borrowing State, at time: WallTime
    ) throws -> [FreeUnitsState] {
        guard let customer = try state.customer(id), let plan = try state.servicePlan(of: id),
            let provider = ProviderID(customer.providerID)
        else { return [] }
        let zone = try state.provider(provider)?.timeZone ?? "UTC"
        var all: [FreeUnitsState] = []
        for term in try FreeUnitsOffer.terms(of: id, plan, zone: zone, in: state, at: time, where: { _ in true }) {
            guard let source = UUIDv7(bytes: term.sourceID) else { continue }
            let there = try state.allowance(of: id, source, term.number, from: WallTime(microseconds: term.periodStart))
            all.append(FreeUnitsState(term: term, state: there))
        }
        return all
    }
}
