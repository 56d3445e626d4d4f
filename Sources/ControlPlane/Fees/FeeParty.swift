import Foundation
import Model
import Primitives
import Projections

/// A customer that owes its provider for a month, or a provider that owes its parent.
struct FeeParty {
    let id: UUIDv7
    let isProvider: Bool
    /// Provider; empty: the platform.
    let payee: Data
    /// Whose months these are: the payee's.
    let timeZone: String
    /// Of the payee's plans.
    let currency: String

    /// nil: it is gone.
    init?<State: ViewQueries & ~Copyable>(_ id: UUIDv7, in state: borrowing State) throws {
        self.id = id
        if let customer = try state.customer(CustomerID(id)) {
            isProvider = false
            payee = customer.providerID
        } else if let provider = try state.provider(ProviderID(id)) {
            isProvider = true
            payee = provider.parentID
        } else {
            return nil
        }
        let seller = try ProviderID(payee).flatMap { id throws(ViewsError) in try state.provider(id) }
        timeZone = seller?.timeZone ?? "UTC"
        currency = seller?.currency ?? ""
    }

    /// Customers whose lines and numbers count: itself, or all below the provider.
    func customers<State: ViewQueries & ~Copyable>(in state: borrowing State) throws -> [UUIDv7] {
        guard isProvider else { return [id] }
        var customers: [UUIDv7] = []
        var open = [id]
        while let next = open.popLast() {
            customers += try state.referrers(of: next, kind: .customer, limit: .max)
            open += try state.referrers(of: next, kind: .provider, limit: .max)
        }
        return customers
    }

    /// The plan's is its provider's; plans of the platform name theirs.
    func currency(of plan: ServicePlan) -> String { plan.currency.isEmpty ? currency : plan.currency }

    func postings(_ amount: Int64, _ currency: String) -> [Posting] {
        let (from, to): (AccountRef, AccountRef) =
            isProvider
            ? (
                .of(.providerCost, owner: Data(id.bytes), currency: currency),
                .of(.providerPayable, owner: Data(id.bytes), currency: currency)
            )
            : (
                .of(.customer, owner: Data(id.bytes), currency: currency),
                .of(.providerRevenue, owner: payee, currency: currency)
            )
        return amount == 0 ? [] : [Posting(from, micros: -amount), Posting(to, micros: amount)]
    }
}
