import Foundation
import Model
import Primitives
import Projections
import SwiftProtobuf

/// Packages that customers buy: paid at once, free units for some time, and bought again when they end if they are of that kind.
enum PackageDecider {
    static func buy<State: ViewQueries & ~Copyable>(
        _ id: CustomerID, _ number: UInt32, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        guard let customer = try state.customer(id) else { throw AdminRejection.notFound("customer", id.description) }
        guard customer.status == .active else {
            throw AdminRejection.inUse(reason: "the customer is \(customer.status.literal), and buys nothing")
        }
        guard let plan = try state.servicePlan(of: id), let package = plan.packages.first(where: { $0.number == number }) else {
            throw AdminRejection.invalid("package", "the customer's service plan has no package \(number)")
        }
        guard try isPaid(package.priceMicros, by: customer, plan, in: state) else {
            throw AdminRejection.invalid(
                "package", "the account does not pay for it: it costs \(Money.decimal(micros: package.priceMicros)) \(customer.currency)")
        }
        let stream = decision.newID()
        try record(
            package, of: plan, to: customer, stream, from: decision.wall, renewals: 0, in: state, &decision)
        return stream
    }

    static func cancel<State: ViewQueries & ~Copyable>(
        _ id: CustomerID, _ bought: UUIDv7, reason: String, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        guard let package = try state.package(of: id, bought) else { throw AdminRejection.notFound("package", bought.description) }
        try Checks.shortText(reason, field: "reason")
        guard !package.isCancelled else { return bought }
        end(package.bought, reason: reason, bought, &decision)
        return bought
    }

    /// It has ended: it begins anew where it ended, or is not renewed any more.
    static func renew<State: ViewQueries & ~Copyable>(
        _ package: PackageBought, in state: borrowing State, _ decision: inout Decision
    ) throws {
        guard let stream = UUIDv7(bytes: package.id), let id = CustomerID(package.customerID) else { return }
        func stop(_ reason: String) { end(package, reason: reason, stream, &decision) }
        guard let customer = try state.customer(id), customer.status == .active, let plan = try state.servicePlan(of: id) else {
            return stop("the customer is not active")
        }
        guard plan.id == package.planID, let offer = plan.packages.first(where: { $0.number == package.package.number && $0.isRenewing })
        else { return stop("it is not offered any more") }
        guard try isPaid(offer.priceMicros, by: customer, plan, in: state) else { return stop("the account does not pay for it") }
        try record(
            offer, of: plan, to: customer, stream, from: WallTime(microseconds: package.endsAt), renewals: package.renewals + 1,
            in: state, &decision)
    }

    private static func end(_ package: PackageBought, reason: String, _ stream: UUIDv7, _ decision: inout Decision) {
        decision.record(
            .packageCancelled(
                .with {
                    $0.id = package.id
                    $0.customerID = package.customerID
                    $0.reason = reason
                }), in: stream)
    }

    private static func record<State: ViewQueries & ~Copyable>(
        _ package: Package, of plan: ServicePlan, to customer: Customer, _ stream: UUIDv7, from start: WallTime, renewals: UInt32,
        in state: borrowing State, _ decision: inout Decision
    ) throws {
        var bought = PackageBought()
        bought.id = Data(stream.bytes)
        bought.customerID = customer.id
        bought.planID = plan.id
        bought.package = package
        bought.startsAt = start.microseconds
        let zone = try ProviderID(customer.providerID).flatMap { id throws(ViewsError) in try state.provider(id)?.timeZone }
        bought.endsAt = end(of: package, from: start, zone: zone ?? "UTC").microseconds
        bought.currency = customer.currency
        bought.renewals = renewals
        var journal = JournalPosted()
        journal.kind = .package
        journal.reason = package.name
        if package.priceMicros > 0 {
            journal.postings = [
                Posting(.customer(customer), micros: -package.priceMicros),
                Posting(.of(.providerRevenue, owner: customer.providerID, currency: customer.currency), micros: package.priceMicros),
            ]
            guard try state.overflow(of: journal.postings) == nil else {
                throw AdminRejection.invalid("package", "the account cannot hold so much")
            }
            journal.id = Data(decision.newID().bytes)
            bought.journalID = journal.id
        }
        decision.record(.packageBought(bought), in: stream)
        if !journal.postings.isEmpty { decision.record(.journalPosted(journal), in: stream) }
    }

    /// A month is up to the same day and time of the next month, or its last day.
    private static func end(of package: Package, from start: WallTime, zone: String) -> WallTime {
        if package.days > 0 { return start + .seconds(Int64(package.days) * 86_400) }
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = TimeZone(identifier: zone) ?? .gmt
        let (seconds, rest) = start.microseconds.quotientAndRemainder(dividingBy: 1_000_000)
        let date = Date(timeIntervalSince1970: Double(seconds))
        let next = calendar.date(byAdding: .month, value: 1, to: date) ?? date + 30 * 86_400
        return WallTime(microseconds: Int64(next.timeIntervalSince1970.rounded()) * 1_000_000 + rest)
    }

    /// Prepaid customers buy with what they have, postpaid ones up to their limit.
    private static func isPaid<State: ViewQueries & ~Copyable>(
        _ price: Int64, by customer: Customer, _ plan: ServicePlan, in state: borrowing State
    ) throws -> Bool {
        guard price > 0, plan.paymentMode == .prepaid || plan.creditLimitMicros > 0 else { return true }
        let (balance, held) = try state.funds(of: .customer(customer))
        return Int128(balance) + Int128(plan.creditLimitMicros) - Int128(held) >= Int128(price)
    }
}
