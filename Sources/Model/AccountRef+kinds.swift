private import Foundation

extension AccountRef {
    /// The owner's id; nil for the platform's own account.
    package var owner: ID<AccountRef>? { ID(ownerID) }

    package static func customer(_ owner: CustomerID, _ currency: Currency) -> AccountRef {
        AccountRef(.customer, owner.data, currency)
    }

    package static func providerRevenue(_ owner: ProviderID, _ currency: Currency) -> AccountRef {
        AccountRef(.providerRevenue, owner.data, currency)
    }

    package static func providerPayable(_ owner: ProviderID, _ currency: Currency) -> AccountRef {
        AccountRef(.providerPayable, owner.data, currency)
    }

    package static func providerCost(_ owner: ProviderID, _ currency: Currency) -> AccountRef {
        AccountRef(.providerCost, owner.data, currency)
    }

    package static func platformRevenue(_ currency: Currency) -> AccountRef {
        AccountRef(.platformRevenue, Data(), currency)
    }

    package static func carrierPayable(_ owner: CarrierID, _ currency: Currency) -> AccountRef {
        AccountRef(.carrierPayable, owner.data, currency)
    }

    package static func carrierCost(_ owner: ProviderID, _ currency: Currency) -> AccountRef {
        AccountRef(.carrierCost, owner.data, currency)
    }

    package static func cash(_ owner: ProviderID, _ currency: Currency) -> AccountRef {
        AccountRef(.cash, owner.data, currency)
    }

    package static func providerTax(_ owner: ProviderID, _ currency: Currency) -> AccountRef {
        AccountRef(.providerTax, owner.data, currency)
    }

    private init(_ kind: AccountKind, _ owner: Data, _ currency: Currency) {
        self.init()
        self.kind = kind
        self.ownerID = owner
        self.currency = currency.code
    }
}
