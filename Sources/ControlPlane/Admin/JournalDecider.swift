import Foundation
import Model
import Primitives
import Projections

/// Money that moves without a call. The postings of one journal sum to zero.
enum JournalDecider {
    /// A bound far above any real payment, so that sums stay in 64 bits.
    static let amountMicrosMax: Int64 = 1_000_000_000_000_000

    static func topUp<State: ViewQueries & ~Copyable>(
        _ id: CustomerID, _ amount: Amount, reason: String, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        let customer = try check(id, amount, reason: reason, in: state)
        guard amount.micros > 0 else { throw AdminRejection.invalid("amount.micros", "must be positive") }
        let cash = AccountRef.of(.cash, owner: customer.providerID, currency: customer.currency)
        return try record(.topUp, from: cash, to: .customer(customer), amount.micros, reason, in: state, &decision)
    }

    /// Beyond the provider's limit the adjustment is asked for, and posted when somebody else has approved it.
    /// - Parameter asker: nil: the platform itself, which needs nobody.
    static func adjust<State: ViewQueries & ~Copyable>(
        _ id: CustomerID, _ amount: Amount, reason: String, asker: AdjustmentDecider.Asker?, in state: borrowing State,
        _ decision: inout Decision
    ) throws -> UUIDv7 {
        let customer = try check(id, amount, reason: reason, in: state)
        guard amount.micros != 0 else { throw AdminRejection.invalid("amount.micros", "must not be zero") }
        guard !reason.isEmpty else { throw AdminRejection.invalid("reason", "an adjustment says why") }
        if let asker, let request = try AdjustmentDecider.request(customer, amount, reason: reason, asker, in: state, &decision) {
            return request
        }
        return try post(customer, amount, reason: reason, in: state, &decision)
    }

    static func post<State: ViewQueries & ~Copyable>(
        _ customer: Customer, _ amount: Amount, reason: String, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        let revenue = AccountRef.of(.providerRevenue, owner: customer.providerID, currency: customer.currency)
        return try record(
            .adjustment, from: revenue, to: .customer(customer), amount.micros, reason, in: state, &decision)
    }

    private static func check<State: ViewQueries & ~Copyable>(
        _ id: CustomerID, _ amount: Amount, reason: String, in state: borrowing State
    ) throws -> Customer {
        guard let customer = try state.customer(id) else { throw AdminRejection.notFound("customer", id.description) }
        guard amount.currency == customer.currency else {
            throw AdminRejection.invalid("amount.currency", "the customer's currency is \(customer.currency)")
        }
        guard amount.micros.magnitude <= amountMicrosMax.magnitude else {
            throw AdminRejection.invalid("amount.micros", "at most \(Money.decimal(micros: amountMicrosMax)) \(amount.currency), in either direction")
        }
        try Checks.shortText(reason, field: "reason")
        return customer
    }

    static func record<State: ViewQueries & ~Copyable>(
        _ kind: JournalKind, from: AccountRef, to: AccountRef, _ micros: Int64, _ reason: String,
        in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        let postings = [Posting(from, micros: -micros), Posting(to, micros: micros)]
        guard try state.overflow(of: postings) == nil else {
            throw AdminRejection.invalid("amount.micros", "the account cannot hold so much")
        }
        let id = decision.newID()
        var journal = JournalPosted()
        journal.id = Data(id.bytes)
        journal.kind = kind
        journal.reason = reason
        journal.postings = postings
        decision.record(.journalPosted(journal), in: id)
        return id
    }
}

extension AccountRef {
    static func of(_ kind: AccountKind, owner: Data, currency: String) -> AccountRef {
        var account = AccountRef()
        account.kind = kind
        account.ownerID = owner
        account.currency = currency
        return account
    }

    static func customer(_ customer: Customer) -> AccountRef {
        of(.customer, owner: customer.id, currency: customer.currency)
    }
}
