import Foundation
import Model
import Primitives
import Projections
import SwiftProtobuf

/// The months (or days) that are over and not charged yet: for each, one fact with its lines, and the money.
///
/// Which is the next is read from the views, so that it is charged once, whoever asks and whenever: a control plane that was away
/// charges one period after the other.
enum FeeDecider {
    /// A plan that a payer was under, and the period that it is to be charged for next.
    private struct Due {
        let plan: ServicePlan
        let period: FeePeriod
        /// Days before this are charged, or were free of charge.
        let since: WallTime
        let isFirst: Bool
    }

    /// Lines and numbers of a fact that are named one by one.
    static let itemsMax = 1_000

    /// Records the next period that is over.
    /// - Returns: false: there is none.
    static func chargeNext<State: ViewQueries & ~Copyable>(
        _ id: UUIDv7, at now: WallTime, in state: borrowing State, _ decision: inout Decision
    ) throws -> Bool {
        guard let party = try FeeParty(id, in: state) else { return false }
        let spans = try state.feeItems(of: id, kind: .plan)
        guard let due = try next(spans, party, at: now, in: state) else { return false }
        guard let currency = Currency(party.currency(of: due.plan)) else { return false }
        let lines = try lines(due, spans, party, currency, in: state)
        var fee = FeeCharged()
        fee.id = Data(decision.newID().bytes)
        fee.payerID = Data(id.bytes)
        fee.isProvider = party.isProvider
        fee.payeeID = party.payee
        fee.planID = due.plan.id
        fee.periodStart = due.period.start.microseconds
        fee.periodEnd = due.period.end.microseconds
        fee.period = due.period.name
        fee.timeZone = party.timeZone
        fee.proration = due.plan.proration
        fee.lines = lines
        fee.currency = currency.code
        for line in lines {
            let (sum, overflow) = fee.amountMicros.addingReportingOverflow(line.amountMicros)
            guard !overflow else { return false }
            fee.amountMicros = sum
        }
        let postings = party.postings(fee.amountMicros, currency.code)
        // An account that cannot hold it is for people to look at; the period stays open.
        guard try state.overflow(of: postings) == nil, let stream = UUIDv7(bytes: fee.id) else { return false }
        decision.record(.feeCharged(fee), in: stream)
        guard !postings.isEmpty else { return true }
        var journal = JournalPosted()
        journal.id = fee.id
        journal.kind = .fee
        journal.reason = "\(due.plan.name), \(due.period.name)"
        journal.postings = postings
        decision.record(.journalPosted(journal), in: stream)
        return true
    }

    // MARK: - which period

    /// The earliest of all plans that the payer was under.
    private static func next<State: ViewQueries & ~Copyable>(
        _ spans: [FeeItem], _ party: FeeParty, at now: WallTime, in state: borrowing State
    ) throws -> Due? {
        var plans: [ServicePlanID] = []
        for span in spans { if let plan = span.plan, !plans.contains(plan) { plans.append(plan) } }
        var earliest: Due?
        for id in plans {
            guard let since = try state.feesSince(of: id), let plan = try state.servicePlan(id) else { continue }
            let through = try state.feesThrough(of: party.id, by: id)
            let from = max(since, through ?? since)
            // The first moment under the plan that is not charged.
            let open = spans.filter { $0.plan == id && $0.to > from }.map { max($0.from, from) }.min()
            guard let open, open < now else { continue }
            let month = FeeMonth(containing: open, zone: party.timeZone)
            let period = month.period(plan.proration, containing: open)
            guard period.end <= now, earliest.map({ period.end < $0.period.end }) ?? true else { continue }
            earliest = Due(plan: plan, period: period, since: from, isFirst: through.map { $0 <= period.start } ?? true)
        }
        return earliest
    }

    // MARK: - what it comes to

    /// All that cost the same and were there for as many days.
    private struct Group: Hashable, Comparable {
        var kind: Int
        var price: Int64
        var days: UInt32
        var amount: Int64

        static func < (a: Group, b: Group) -> Bool {
            (a.kind, a.price, a.days, a.amount) < (b.kind, b.price, b.days, b.amount)
        }
    }

    private static func lines<State: ViewQueries & ~Copyable>(
        _ due: Due, _ spans: [FeeItem], _ party: FeeParty, _ currency: Currency, in state: borrowing State
    ) throws -> [FeeLine] {
        let (plan, period) = (due.plan, due.period)
        let planDays = days(under: plan.id, spans, period)
        var chain = FeeChain(period)
        let chargeable = planDays.mine.intersection(period.days(since: due.since))
            .intersection(try chain.days(under: party.payee, in: state))
        // Under a whole-month plan until the end of the month, and from where it had fees.
        let isWhole = planDays.isLast && due.isFirst && due.since <= max(period.start, spans.map(\.from).min() ?? period.start)
        var groups: [Group: [UUIDv7]] = [:]
        func add(_ kind: FeeKind, _ id: UUIDv7, _ price: Int64, _ itemDays: FeeDays) {
            let days = itemDays.intersection(chargeable)
            guard price != 0, !days.isEmpty else { return }
            let amount = FeePrice.amount(price, plan.proration, days: days, of: period, isWhole: isWhole, currency: currency)
            let shown = plan.proration == .wholeMonth && isWhole ? period.month.dayCount : days.count
            groups[Group(kind: kind.rawValue, price: price, days: shown, amount: amount), default: []].append(id)
        }
        add(.plan, party.id, plan.monthMicros, chargeable)
        for item in try items(party, period, &chain, in: state) {
            switch item.kind {
            case .subscriber: add(.subscriber, item.id, plan.subscriberMonthMicros, item.days)
            case .number: add(.number, item.id, try price(ofNumber: item.id, plan, party, in: state), item.days)
            case .plan, .UNRECOGNIZED: break
            }
        }
        return groups.sorted { $0.key < $1.key }.compactMap { group, ids in
            var line = FeeLine()
            line.kind = FeeKind(rawValue: group.kind) ?? .plan
            line.quantity = UInt32(clamping: ids.count)
            line.monthMicros = group.price
            line.days = group.days
            line.daysOfMonth = period.month.dayCount
            let (amount, overflow) = group.amount.multipliedReportingOverflow(by: Int64(ids.count))
            line.amountMicros = overflow ? .max : amount
            if !party.isProvider, line.kind != .plan, ids.count <= itemsMax { line.itemIds = ids.map { Data($0.bytes) } }
            return line
        }
    }

    /// A number's own price goes before the plan's. It is what a customer pays: a provider pays by its plan alone.
    private static func price<State: ViewQueries & ~Copyable>(
        ofNumber id: UUIDv7, _ plan: ServicePlan, _ party: FeeParty, in state: borrowing State
    ) throws -> Int64 {
        guard !party.isProvider, let number = try state.number(NumberID(id)), number.priceMicros != 0 else {
            return plan.numberMonthMicros
        }
        return number.priceMicros
    }

    /// The days on which the plan was the payer's last, and whether it is the last of the period.
    private static func days(
        under plan: Data, _ spans: [FeeItem], _ period: FeePeriod
    ) -> (mine: FeeDays, isLast: Bool) {
        var (mine, others) = (FeeDays(), FeeDays())
        for span in spans.sorted(by: { $0.from < $1.from }) {
            let days = period.days(from: span.from, to: span.to)
            if span.plan?.data == plan {
                mine.formUnion(days)
                others.subtract(days)
            } else {
                others.formUnion(days)
                mine.subtract(days)
            }
        }
        return (mine, mine.last > others.last)
    }

    /// Lines and numbers with their days in the period, each once, in the order of their ids.
    private static func items<State: ViewQueries & ~Copyable>(
        _ party: FeeParty, _ period: FeePeriod, _ chain: inout FeeChain, in state: borrowing State
    ) throws -> [(kind: FeeKind, id: UUIDv7, days: FeeDays)] {
        var found: [UUIDv7: (kind: FeeKind, days: FeeDays)] = [:]
        for customer in try party.customers(in: state) {
            let items = try state.feeItems(of: customer)
            var there = FeeDays()
            for span in items where span.kind == .plan { there.formUnion(period.days(from: span.from, to: span.to)) }
            if party.isProvider, let provider = try state.customer(CustomerID(customer))?.providerID {
                there = there.intersection(try chain.days(under: provider, in: state))
            }
            guard !there.isEmpty else { continue }
            for item in items where item.kind != .plan {
                let days = period.days(from: item.from, to: item.to).intersection(there)
                guard !days.isEmpty else { continue }
                found[item.id, default: (item.kind, FeeDays())].days.formUnion(days)
            }
        }
        return found.sorted { $0.key < $1.key }.map { ($0.value.kind, $0.key, $0.value.days) }
    }
}

/// The days on which a provider and all above it let what is below them be charged.
private struct FeeChain {
    private let period: FeePeriod
    private var known: [Data: FeeDays] = [:]

    init(_ period: FeePeriod) { self.period = period }

    /// - Parameter provider: empty: the platform.
    mutating func days<State: ViewQueries & ~Copyable>(under provider: Data, in state: borrowing State) throws -> FeeDays {
        guard let id = ProviderID(provider) else { return period.days(since: period.start) }
        if let days = known[provider] { return days }
        var days = FeeDays()
        for span in try state.feeItems(of: id.value, kind: .plan) { days.formUnion(period.days(from: span.from, to: span.to)) }
        if let above = try state.provider(id)?.parentID, !days.isEmpty {
            days = days.intersection(try self.days(under: above, in: state))
        }
        known[provider] = days
        return days
    }
}
