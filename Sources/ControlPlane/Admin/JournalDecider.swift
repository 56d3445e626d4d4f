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
        let (party, currency) = try check(.customer(id), amount, reason: reason, in: state)
        guard amount.micros > 0 else { throw AdminRejection.invalid("amount.micros", "must be positive") }
        return try record(.topUp, from: .cash(of: party.seller, currency), to: .customer(id, currency), amount.micros, reason, in: state, &decision)
    }

    /// Out of the debtor's cash into its seller's; it owes less, and the seller has less to come.
    static func pay<State: ViewQueries & ~Copyable>(
        _ id: ProviderID, _ amount: Amount, reason: String, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        let (party, currency) = try check(.provider(id), amount, reason: reason, in: state)
        guard amount.micros > 0 else { throw AdminRejection.invalid("amount.micros", "must be positive") }
        let postings = [
            Posting(.providerPayable(id, currency), micros: -amount.micros), Posting(.cash(of: id.data, currency), micros: amount.micros),
            Posting(.cash(of: party.seller, currency), micros: -amount.micros), Posting(.providerReceivable(id, currency), micros: amount.micros),
        ]
        return try record(.payment, postings, reason, in: state, &decision)
    }

    /// Beyond the seller's limit the adjustment is asked for, and posted when somebody else has approved it.
    /// - Parameter asker: nil: the platform itself, which needs nobody.
    static func adjust<State: ViewQueries & ~Copyable>(
        _ debtor: Debtor, _ amount: Amount, reason: String, asker: AdjustmentDecider.Asker?, in state: borrowing State,
        _ decision: inout Decision
    ) throws -> UUIDv7 {
        let (party, _) = try check(debtor, amount, reason: reason, in: state)
        guard amount.micros != 0 else { throw AdminRejection.invalid("amount.micros", "must not be zero") }
        guard !reason.isEmpty else { throw AdminRejection.invalid("reason", "an adjustment says why") }
        if let asker, let request = try AdjustmentDecider.request(party, amount, reason: reason, asker, in: state, &decision) {
            return request
        }
        return try post(party, amount, reason: reason, in: state, &decision)
    }

    static func post<State: ViewQueries & ~Copyable>(
        _ party: Party, _ amount: Amount, reason: String, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        guard let currency = Currency(amount.currency) else { throw AdminRejection.invalid("amount.currency", "is no currency") }
        let account = party.debtor.account(currency)
        return try record(
            .adjustment, from: party.counterpart(currency), to: account, account.debtorsView(amount.micros), reason, in: state, &decision)
    }

    private static func check<State: ViewQueries & ~Copyable>(
        _ debtor: Debtor, _ amount: Amount, reason: String, in state: borrowing State
    ) throws -> (party: Party, currency: Currency) {
        guard let party = try Party(debtor, in: state) else { throw AdminRejection.notFound(debtor.noun, debtor.id.description) }
        guard let currency = party.currencies.first(where: { $0.code == amount.currency }) else {
            throw AdminRejection.invalid("amount.currency", refusal(of: party))
        }
        guard amount.micros.magnitude <= amountMicrosMax.magnitude else {
            throw AdminRejection.invalid("amount.micros", "at most \(Money.decimal(micros: amountMicrosMax)) \(amount.currency), in either direction")
        }
        try Checks.shortText(reason, field: "reason")
        return (party, currency)
    }

    private static func refusal(of party: Party) -> String {
        let codes = party.currencies.map(\.code).joined(separator: " or ")
        return switch party.debtor {
        case .customer: "the customer's currency is \(codes)"
        case .provider: "the provider owes the one above it in \(codes)"
        }
    }

    static func record<State: ViewQueries & ~Copyable>(
        _ kind: JournalKind, from: AccountRef, to: AccountRef, _ micros: Int64, _ reason: String,
        in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        try record(kind, [Posting(from, micros: -micros), Posting(to, micros: micros)], reason, in: state, &decision)
    }

    private static func record<State: ViewQueries & ~Copyable>(
        _ kind: JournalKind, _ postings: [Posting], _ reason: String, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
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
