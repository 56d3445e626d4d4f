public import Foundation

extension AccountRef {
    /// The owner's id; nil for the platform's own account.
    public var owner: ID<AccountRef>? { ID(ownerID) }

    public static func customer(_ owner: CustomerID, _ currency: Currency) -> AccountRef {
        AccountRef(.customer, owner.data, currency)
    }

    public static func providerRevenue(_ owner: ProviderID, _ currency: Currency) -> AccountRef {
        AccountRef(.providerRevenue, owner.data, currency)
    }

    public static func providerPayable(_ owner: ProviderID, _ currency: Currency) -> AccountRef {
        AccountRef(.providerPayable, owner.data, currency)
    }

    public static func providerCost(_ owner: ProviderID, _ currency: Currency) -> AccountRef {
        AccountRef(.providerCost, owner.data, currency)
    }

    public static func platformRevenue(_ currency: Currency) -> AccountRef {
        AccountRef(.platformRevenue, Data(), currency)
    }

    public static func carrierPayable(_ owner: CarrierID, _ currency: Currency) -> AccountRef {
        AccountRef(.carrierPayable, owner.data, currency)
    }

    public static func carrierCost(_ owner: ProviderID, _ currency: Currency) -> AccountRef {
        AccountRef(.carrierCost, owner.data, currency)
    }

    public static func cash(_ owner: ProviderID, _ currency: Currency) -> AccountRef {
        AccountRef(.cash, owner.data, currency)
    }

    public static func providerTax(_ owner: ProviderID, _ currency: Currency) -> AccountRef {
        AccountRef(.providerTax, owner.data, currency)
    }

    /// What the one above has billed a provider and was not paid: the other side of what that provider owes.
    public static func providerReceivable(_ owner: ProviderID, _ currency: Currency) -> AccountRef {
        AccountRef(.providerReceivable, owner.data, currency)
    }

    /// What a seller earns.
    ///
    /// - Parameter seller: a provider's id; empty: the platform.
    public static func revenue(of seller: Data, _ currency: Currency) -> AccountRef {
        seller.isEmpty ? platformRevenue(currency) : AccountRef(.providerRevenue, seller, currency)
    }

    /// What a provider, or the platform, has billed as VAT, less what it was billed.
    public static func tax(of seller: Data, _ currency: Currency) -> AccountRef { AccountRef(.providerTax, seller, currency) }

    /// Money of a provider, or of the platform, outside of the books: in is negative.
    public static func cash(of owner: Data, _ currency: Currency) -> AccountRef { AccountRef(.cash, owner, currency) }

    private init(_ kind: AccountKind, _ owner: Data, _ currency: Currency) {
        self.init()
        self.kind = kind
        self.ownerID = owner
        self.currency = currency.code
    }
}
