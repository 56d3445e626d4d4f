package import Foundation
package import Primitives

/// A UUIDv7 that knows what it identifies, so that a tenant's id is not taken for a customer's.
package struct ID<Entity>: Hashable, Comparable, Sendable {
    package let value: UUIDv7

    package init(_ value: UUIDv7) { self.value = value }

    package init(at time: WallTime, random: inout RandomSource) { value = UUIDv7(at: time, random: &random) }

    /// nil unless there are exactly 16 bytes; an empty field of a message is "no id".
    package init?(_ data: Data) {
        guard let value = UUIDv7(bytes: data) else { return nil }
        self.value = value
    }

    package var data: Data { Data(value.bytes) }

    package static func < (a: ID, b: ID) -> Bool { a.value < b.value }
}

extension ID: LosslessStringConvertible, CustomStringConvertible {
    package init?(_ text: String) {
        guard let value = UUIDv7(text) else { return nil }
        self.value = value
    }

    package var description: String { value.description }
}

package enum Call {}
package enum Journal {}

package typealias ProviderID = ID<Provider>
package typealias ContactID = ID<Contact>
package typealias CustomerID = ID<Customer>
package typealias ServicePlanID = ID<ServicePlan>
package typealias RateDeckID = ID<RateDeck>
package typealias DialPlanID = ID<DialPlan>
package typealias TenantID = ID<Tenant>
package typealias CarrierID = ID<Carrier>
package typealias GatewayID = ID<Gateway>
package typealias NumberID = ID<Number>
package typealias SubscriberID = ID<Subscriber>
package typealias SecurityGroupID = ID<SecurityGroup>
package typealias CdrExportID = ID<CdrExport>
package typealias DomainID = ID<Domain>
package typealias UserID = ID<User>
package typealias LetterID = ID<Letter>
package typealias TokenID = ID<Token>
package typealias CallID = ID<Call>
package typealias JournalID = ID<Journal>
package typealias InvoiceID = ID<InvoiceIssued>
package typealias VoucherBatchID = ID<VouchersMade>
package typealias AdjustmentID = ID<AdjustmentRequested>
package typealias AlertID = ID<AlertRaised>
