import ArgumentParser
import Model
import Projections

/// Whom an invoice is for.
struct InvoiceBuyer: ParsableArguments {
    @Argument(help: "The customer's id; with --provider a provider's, of what it owes the one above it.") var id: String
    @Flag(help: "It is a provider's.") var provider = false
    @Option(help: "Of a provider: what it owes in this currency; not needed where there is one.") var currency: String?

    func validate() throws {
        guard CustomerID(id) != nil else { throw ValidationError("\(id) is not an id of a \(provider ? "provider" : "customer")") }
        guard provider || currency == nil else { throw ValidationError("--currency is for --provider: a customer has one") }
    }

    /// Out of the data directory.
    func debt(_ views: Views) throws -> Debt {
        let debts = try readViews(views) { views throws(ViewsError) -> [Debt] in
            guard provider else {
                guard let id = CustomerID(id), let code = try views.customer(id)?.currency, let currency = Currency(code) else { return [] }
                return [Debt(.customer(id), currency)]
            }
            guard let id = ProviderID(id) else { return [] }
            return try views.payables(of: id).compactMap { Currency($0.account.currency) }.map { Debt(.provider(id), $0) }
        }
        let wanted = debts.filter { currency == nil || $0.currency.code == currency }
        guard let debt = wanted.first else { throw fail(.data, "there is no \(provider ? "provider" : "customer") \(id), or it owes nothing in that currency") }
        guard wanted.count == 1 else { throw ValidationError("say --currency: \(debts.map(\.currency.code).joined(separator: " or "))") }
        return debt
    }
}
