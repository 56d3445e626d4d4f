import Foundation
import Model
import Primitives
import Projections
import SwiftProtobuf

/// Numbers: E.164, unique on the platform, in one provider's inventory, with at most one subscriber.
enum NumberDecider {
    static func add<State: ViewQueries & ~Copyable>(
        _ number: Number, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        var number = number
        let id = try Checks.newID(number.id, &decision)
        guard try state.number(NumberID(id)) == nil else { throw AdminRejection.taken("id", id.description) }
        number.id = NumberID(id).data
        _ = try Ownership.provider(number.providerID, in: state)
        guard isE164(number.e164) else {
            throw AdminRejection.invalid("e164", "must be + and 3 to 15 digits, such as +12092488700")
        }
        guard try state.number(e164: number.e164) == nil else { throw AdminRejection.taken("e164", number.e164) }
        try check(number, in: state)
        if !number.subscriberID.isEmpty {
            let subscriber = SubscriberID(try Checks.reference(number.subscriberID, field: "subscriber_id"))
            try canHold(number, subscriber, in: state)
        }
        decision.record(.numberAdded(.with { $0.number = number }), in: id)
        return id
    }

    static func change<State: ViewQueries & ~Copyable>(
        _ number: Number, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        var number = number
        let before = try existing(NumberID(try Checks.existingID(number.id)), in: state)
        try Checks.unchanged(number.providerID, before.providerID, field: "provider_id")
        try Checks.unchanged(number.e164, before.e164, field: "e164")
        number.subscriberID = before.subscriberID
        try check(number, in: state)
        return record(number, &decision)
    }

    static func assign<State: ViewQueries & ~Copyable>(
        _ id: NumberID, to subscriber: SubscriberID, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        var number = try existing(id, in: state)
        guard number.subscriberID.isEmpty else { throw AdminRejection.taken("subscriber_id", number.e164) }
        try canHold(number, subscriber, in: state)
        number.subscriberID = subscriber.data
        return record(number, &decision)
    }

    static func release<State: ViewQueries & ~Copyable>(
        _ id: NumberID, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        var number = try existing(id, in: state)
        guard !number.subscriberID.isEmpty else {
            throw AdminRejection.invalid("subscriber_id", "the number is not assigned")
        }
        number.subscriberID = Data()
        return record(number, &decision)
    }

    private static func existing<State: ViewQueries & ~Copyable>(
        _ id: NumberID, in state: borrowing State
    ) throws -> Number {
        guard let number = try state.number(id) else { throw AdminRejection.notFound("number", id.description) }
        return number
    }

    private static func record(_ number: Number, _ decision: inout Decision) -> UUIDv7 {
        guard let id = UUIDv7(bytes: number.id) else { preconditionFailure("a recorded number has an id") }
        decision.record(.numberChanged(.with { $0.number = number }), in: id)
        return id
    }

    private static func check<State: ViewQueries & ~Copyable>(
        _ number: Number, in state: borrowing State
    ) throws {
        try Checks.shortText(number.source, field: "source")
        try Checks.recognised(number.type.isRecognised, field: "type")
        guard number.priceMicros >= 0 else { throw AdminRejection.invalid("price_micros", "must not be negative") }
        guard number.vendorPriceMicros >= 0 else {
            throw AdminRejection.invalid("vendor_price_micros", "must not be negative")
        }
        try Ownership.carrier(number.carrierID, reachableFrom: number.providerID, field: "carrier_id", in: state)
    }

    /// The subscriber's provider is the one that has the number.
    private static func canHold<State: ViewQueries & ~Copyable>(
        _ number: Number, _ id: SubscriberID, in state: borrowing State
    ) throws {
        guard let subscriber = try state.subscriber(id), let tenantID = TenantID(subscriber.tenantID),
            let tenant = try state.tenant(tenantID), let customerID = CustomerID(tenant.customerID),
            let customer = try state.customer(customerID), customer.providerID == number.providerID
        else { throw AdminRejection.unknownReference("subscriber_id", id.description) }
    }
}
