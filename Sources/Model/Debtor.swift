import Foundation
public import Primitives

/// Who owes whom on one edge of the chain: a customer its provider, or a provider the one above it.
public enum Debtor: Hashable, Sendable {
    case customer(CustomerID)
    case provider(ProviderID)

    public var id: UUIDv7 {
        switch self {
        case .customer(let id): id.value
        case .provider(let id): id.value
        }
    }

    /// What it has with its seller, or owes it.
    public func account(_ currency: Currency) -> AccountRef {
        switch self {
        case .customer(let id): .customer(id, currency)
        case .provider(let id): .providerPayable(id, currency)
        }
    }

    /// As errors call it.
    public var noun: String {
        switch self {
        case .customer: "customer"
        case .provider: "provider"
        }
    }

    /// nil: the fields name neither, or both.
    init?(customer: Data, provider: Data) {
        switch (CustomerID(customer), ProviderID(provider)) {
        case (let id?, nil): self = .customer(id)
        case (nil, let id?): self = .provider(id)
        case (nil, nil), (.some, .some): return nil
        }
    }
}

/// What one debtor owes in one currency: an account, and the invoices about it.
public struct Debt: Hashable, Sendable {
    public let debtor: Debtor
    public let currency: Currency

    public init(_ debtor: Debtor, _ currency: Currency) { (self.debtor, self.currency) = (debtor, currency) }

    public var account: AccountRef { debtor.account(currency) }
}

extension AccountRef {
    /// A sum on the account as its debtor counts it: positive where it has more than it used. What a provider owes is kept as its
    /// debt, so there it is the other way round.
    public func debtorsView(_ micros: Int64) -> Int64 { kind == .providerPayable ? 0 &- micros : micros }
}

extension InvoiceIssued {
    /// nil: it names none.
    public var debtor: Debtor? {
        get { Debtor(customer: customerID, provider: buyerProviderID) }
        set {
            (customerID, buyerProviderID) = (Data(), Data())
            switch newValue {
            case .customer(let id)?: customerID = id.data
            case .provider(let id)?: buyerProviderID = id.data
            case nil: break
            }
        }
    }

    /// nil: it names no debtor, or no currency.
    public var debt: Debt? {
        guard let debtor, let currency = Currency(currency) else { return nil }
        return Debt(debtor, currency)
    }

    /// Whose the buyer's name and address are: under its key they are sealed. nil: it names nobody.
    public var buyerSubject: UUIDv7? {
        switch debtor {
        case .customer(let id)?: id.value
        case .provider?: UUIDv7(bytes: buyerContactID)
        case nil: nil
        }
    }
}

extension AdjustmentRequested {
    /// nil: it names none.
    public var debtor: Debtor? {
        get { Debtor(customer: customerID, provider: providerID) }
        set {
            (customerID, providerID) = (Data(), Data())
            switch newValue {
            case .customer(let id)?: customerID = id.data
            case .provider(let id)?: providerID = id.data
            case nil: break
            }
        }
    }
}
