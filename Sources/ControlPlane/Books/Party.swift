import Foundation
import Model
import Primitives
import Projections

/// A debtor and its seller, as what it owes is booked.
struct Party {
    let debtor: Debtor
    /// A provider's id; empty: the platform.
    let seller: Data
    /// In which it may owe: a customer in its own, a provider in its seller's and in those of what it was charged so far.
    let currencies: [Currency]

    /// nil: there is no such debtor.
    init?<State: ViewQueries & ~Copyable>(_ debtor: Debtor, in state: borrowing State) throws {
        self.debtor = debtor
        switch debtor {
        case .customer(let id):
            guard let customer = try state.customer(id) else { return nil }
            seller = customer.providerID
            currencies = Currency(customer.currency).map { [$0] } ?? []
        case .provider(let id):
            guard let provider = try state.provider(id) else { return nil }
            seller = provider.parentID
            // The platform has no currency of its own.
            let first = try ProviderID(seller).flatMap { try state.provider($0)?.currency } ?? provider.currency
            let charged = try state.payables(of: id).compactMap { Currency($0.account.currency) }
            currencies = (Currency(first).map { [$0] } ?? []) + charged.filter { $0.code != first }
        }
    }

    /// What a correction of its debt is booked against: in its own books for a provider, where the charges stand too.
    func counterpart(_ currency: Currency) -> AccountRef {
        switch debtor {
        case .customer: .revenue(of: seller, currency)
        case .provider(let id): .providerCost(id, currency)
        }
    }
}
