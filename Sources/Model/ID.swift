public import Foundation
public import Primitives

/// A UUIDv7 that knows what it identifies, so that a tenant's id is not taken for a customer's.
public struct ID<Entity>: Hashable, Comparable, Sendable {
    public let value: UUIDv7

    public init(_ value: UUIDv7) { self.value = value }

    public init(at time: WallTime, random: inout RandomSource) { value = UUIDv7(at: time, random: &random) }

    /// nil unless there are exactly 16 bytes; an empty field of a message is "no id".
    public init?(_ data: Data) {
        guard let value = UUIDv7(bytes: data) else { return nil }
        self.value = value
    }

    public var data: Data { Data(value.bytes) }

    public static func < (a: ID, b: ID) -> Bool { a.value < b.value }
}

extension ID: LosslessStringConvertible, CustomStringConvertible {
    public init?(_ text: String) {
        guard let value = UUIDv7(text) else { return nil }
        self.value = value
    }

    public var description: String { value.description }
}

public enum Call {}
public enum Journal {}

public typealias ProviderID = ID<Provider>
public typealias ContactID = ID<Contact>
public typealias CustomerID = ID<Customer>
public typealias ServicePlanID = ID<ServicePlan>
public typealias RateDeckID = ID<RateDeck>
public typealias DialPlanID = ID<DialPlan>
public typealias TenantID = ID<Tenant>
public typealias CarrierID = ID<Carrier>
public typealias GatewayID = ID<Gateway>
public typealias NumberID = ID<Number>
public typealias SubscriberID = ID<Subscriber>
public typealias SecurityGroupID = ID<SecurityGroup>
public typealias CdrExportID = ID<CdrExport>
public typealias DomainID = ID<Domain>
public typealias UserID = ID<User>
public typealias LetterID = ID<Letter>
public typealias TokenID = ID<Token>
public typealias CallID = ID<Call>
public typealias JournalID = ID<Journal>
public typealias InvoiceID = ID<InvoiceIssued>
public typealias VoucherBatchID = ID<VouchersMade>
public typealias AdjustmentID = ID<AdjustmentRequested>
public typealias AlertID = ID<AlertRaised>
