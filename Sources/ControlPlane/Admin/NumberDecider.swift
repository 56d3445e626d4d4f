import Foundation
import Model
import Primitives
import Projections
import SwiftProtobuf

/// Numbers: E.164, unique on the platform, in one provider's inventory, with at most one holder.
///
///     available ──reserve──▶ reserved ──assign──▶ assigned ──release──▶ reserved, if the reservation lasts
///         ▲  ▲───────────────free──┘                  │
///         │  └──── its time is over ── quarantined ◀──┘ release
///         └──────────────────free──────────┘
enum NumberDecider {
    static let quarantineDaysMax: UInt32 = 3_650

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
        (number.hold, number.holdUntil, number.rangeFirst, number.rangeLast) = (.none, 0, "", "")
        (number.reservedCustomerID, number.reservedTenantID) = (Data(), Data())
        try check(number, in: state)
        if !number.subscriberID.isEmpty {
            let subscriber = SubscriberID(try Checks.reference(number.subscriberID, field: "subscriber_id"))
            try canHold(number, subscriber, in: state)
        }
        try settle(&number, in: state)
        decision.record(.numberAdded(.with { $0.number = number }), in: id)
        return id
    }

    /// All of a range, or none of it.
    /// - Parameter template: what all of them have; its number and id do not count.
    /// - Returns: the id of the first.
    static func add<State: ViewQueries & ~Copyable>(
        _ block: NumberBlock, like template: Number, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        var number = template
        _ = try Ownership.provider(number.providerID, in: state)
        (number.hold, number.holdUntil, number.subscriberID) = (.none, 0, Data())
        (number.reservedCustomerID, number.reservedTenantID) = (Data(), Data())
        (number.rangeFirst, number.rangeLast) = (block.first.description, block.last.description)
        try check(number, in: state)
        var first: UUIDv7?
        for e164 in block.numbers {
            guard try state.number(e164: e164.description) == nil else {
                throw AdminRejection.taken("first", e164.description)
            }
            let id = decision.newID()
            number.id = NumberID(id).data
            number.e164 = e164.description
            let added = number
            decision.record(.numberAdded(.with { $0.number = added }), in: id)
            first = first ?? id
        }
        guard let first else { throw AdminRejection.invalid("first", "the range has no numbers") }
        return first
    }

    /// What it is, and not who has it or whom it is kept for.
    static func change<State: ViewQueries & ~Copyable>(
        _ number: Number, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        let before = try existing(NumberID(try Checks.existingID(number.id)), in: state)
        try Checks.unchanged(number.providerID, before.providerID, field: "provider_id")
        try Checks.unchanged(number.e164, before.e164, field: "e164")
        var after = before
        after.source = number.source
        after.type = number.type
        after.priceMicros = number.priceMicros
        after.vendorPriceMicros = number.vendorPriceMicros
        after.voice = number.voice
        after.sms = number.sms
        after.carrierID = number.carrierID
        try check(after, in: state)
        return try record(after, in: state, &decision)
    }

    static func assign<State: ViewQueries & ~Copyable>(
        _ id: NumberID, to subscriber: SubscriberID, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        var number = try existing(id, in: state)
        switch number.state(at: decision.wall) {
        case .assigned: throw AdminRejection.inUse(reason: "\(number.e164) is assigned already: release it first")
        case .quarantined:
            throw AdminRejection.inUse(reason: "\(number.e164) is quarantined \(until(number)): it was somebody else's")
        case .available, .reserved: break
        }
        try canHold(number, subscriber, in: state)
        if number.isHeld(at: decision.wall) {
            try isFor(number, subscriber, in: state)
        } else {
            end(&number)
        }
        number.subscriberID = subscriber.data
        return try record(number, in: state, &decision)
    }

    static func release<State: ViewQueries & ~Copyable>(
        _ id: NumberID, _ how: NumberRelease, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        let number = try existing(id, in: state)
        guard number.holder != nil else { throw AdminRejection.invalid("subscriber_id", "the number is not assigned") }
        return try record(try released(number, how, at: decision.wall, in: state), in: state, &decision)
    }

    /// Without its holder: whoever it is reserved for keeps it; else it rests for as long as it is said.
    static func released<State: ViewQueries & ~Copyable>(
        _ number: Number, _ how: NumberRelease, at time: WallTime, in state: borrowing State
    ) throws -> Number {
        var number = number
        number.subscriberID = Data()
        let days: UInt32
        switch how {
        case .quarantined(let asked):
            guard asked <= quarantineDaysMax else {
                throw AdminRejection.invalid("quarantine_days", "at most \(quarantineDaysMax)")
            }
            // Whoever asks for a quarantine wants it, also of a number that is reserved.
            if asked == 0, number.isHeld(at: time), number.hold == .reserved { return number }
            days = asked
        case .asProviderSays:
            if number.isHeld(at: time), number.hold == .reserved { return number }
            guard let provider = ProviderID(number.providerID) else { return number }
            days = try state.provider(provider)?.numberQuarantineDays ?? 0
        }
        end(&number)
        if days > 0 {
            number.hold = .quarantined
            number.holdUntil = (time + .seconds(Int64(days) * 86_400)).microseconds
        }
        return number
    }

    static func reserve<State: ViewQueries & ~Copyable>(
        _ id: NumberID, _ reservation: NumberReservation, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        let number = try existing(id, in: state)
        return try record(
            try reserved(number, reservation, at: decision.wall, in: state), in: state, &decision)
    }

    /// All of a range, or none of it.
    static func reserve<State: ViewQueries & ~Copyable>(
        _ block: NumberBlock, of provider: ProviderID, _ reservation: NumberReservation, in state: borrowing State,
        _ decision: inout Decision
    ) throws -> UUIDv7 {
        try each(block, of: provider, in: state, &decision) { number, decision, state in
            try reserved(number, reservation, at: decision.wall, in: state)
        }
    }

    /// Ends a reservation or a quarantine before its time.
    static func free<State: ViewQueries & ~Copyable>(
        _ id: NumberID, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        try record(try freed(try existing(id, in: state), at: decision.wall), in: state, &decision)
    }

    static func free<State: ViewQueries & ~Copyable>(
        _ block: NumberBlock, of provider: ProviderID, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        try each(block, of: provider, in: state, &decision) { number, decision, _ in
            try freed(number, at: decision.wall)
        }
    }

    // MARK: - steps

    private static func each<State: ViewQueries & ~Copyable>(
        _ block: NumberBlock, of provider: ProviderID, in state: borrowing State, _ decision: inout Decision,
        _ step: (Number, Decision, borrowing State) throws -> Number
    ) throws -> UUIDv7 {
        var first: UUIDv7?
        for e164 in block.numbers {
            guard let number = try state.number(e164: e164.description), number.providerID == provider.data else {
                throw AdminRejection.invalid(
                    "first", "\(e164) is outside of the provider's numbers: the range must be all in its inventory")
            }
            let id = try record(try step(number, decision, state), in: state, &decision)
            first = first ?? id
        }
        guard let first else { throw AdminRejection.invalid("first", "the range has no numbers") }
        return first
    }

    private static func reserved<State: ViewQueries & ~Copyable>(
        _ number: Number, _ reservation: NumberReservation, at time: WallTime, in state: borrowing State
    ) throws -> Number {
        switch number.state(at: time) {
        case .assigned: throw AdminRejection.inUse(reason: "\(number.e164) is assigned: release it first")
        case .quarantined: throw AdminRejection.inUse(reason: "\(number.e164) is quarantined \(until(number))")
        case .available, .reserved: break
        }
        var number = number
        end(&number)
        number.hold = .reserved
        if let until = reservation.until {
            guard until > time else { throw AdminRejection.invalid("until", "must be in the future") }
            number.holdUntil = until.microseconds
        }
        var owner = reservation.customer
        if let id = reservation.tenant {
            guard let tenant = try state.tenant(id), owner == nil || owner == CustomerID(tenant.customerID) else {
                throw AdminRejection.unknownReference("tenant_id", id.description)
            }
            owner = CustomerID(tenant.customerID)
            number.reservedTenantID = id.data
        }
        if let id = owner {
            guard let customer = try state.customer(id), customer.providerID == number.providerID else {
                throw AdminRejection.unknownReference("customer_id", id.description)
            }
            number.reservedCustomerID = id.data
        }
        return number
    }

    private static func freed(_ number: Number, at time: WallTime) throws -> Number {
        switch number.state(at: time) {
        case .assigned: throw AdminRejection.inUse(reason: "\(number.e164) is assigned: release it first")
        case .available: throw AdminRejection.inUse(reason: "\(number.e164) is available already")
        case .reserved, .quarantined: break
        }
        var number = number
        end(&number)
        return number
    }

    private static func end(_ number: inout Number) {
        (number.hold, number.holdUntil) = (.none, 0)
        (number.reservedCustomerID, number.reservedTenantID) = (Data(), Data())
    }

    private static func until(_ number: Number) -> String {
        number.holdUntil == 0 ? "until somebody ends it" : "until \(WallTime(microseconds: number.holdUntil).rfc3339)"
    }

    private static func existing<State: ViewQueries & ~Copyable>(
        _ id: NumberID, in state: borrowing State
    ) throws -> Number {
        guard let number = try state.number(id) else { throw AdminRejection.notFound("number", id.description) }
        return number
    }

    static func record<State: ViewQueries & ~Copyable>(
        _ number: Number, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        guard let id = UUIDv7(bytes: number.id) else { preconditionFailure("a recorded number has an id") }
        var number = number
        try settle(&number, in: state)
        decision.record(.numberChanged(.with { $0.number = number }), in: id)
        return id
    }

    /// Whose it is: of who has it, else of the reservation.
    private static func settle<State: ViewQueries & ~Copyable>(
        _ number: inout Number, in state: borrowing State
    ) throws {
        (number.customerID, number.tenantID) = (number.reservedCustomerID, number.reservedTenantID)
        guard case .subscriber(let id)? = number.holder, let owners = try owners(of: id, in: state) else { return }
        (number.customerID, number.tenantID) = (owners.customer.id, owners.tenant.id)
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

    private static func owners<State: ViewQueries & ~Copyable>(
        of id: SubscriberID, in state: borrowing State
    ) throws -> (tenant: Tenant, customer: Customer)? {
        guard let subscriber = try state.subscriber(id), let tenantID = TenantID(subscriber.tenantID),
            let tenant = try state.tenant(tenantID), let customerID = CustomerID(tenant.customerID),
            let customer = try state.customer(customerID)
        else { return nil }
        return (tenant, customer)
    }

    /// The subscriber's provider is the one that has the number.
    private static func canHold<State: ViewQueries & ~Copyable>(
        _ number: Number, _ id: SubscriberID, in state: borrowing State
    ) throws {
        guard let owners = try owners(of: id, in: state), owners.customer.providerID == number.providerID else {
            throw AdminRejection.unknownReference("subscriber_id", id.description)
        }
    }

    private static func isFor<State: ViewQueries & ~Copyable>(
        _ number: Number, _ id: SubscriberID, in state: borrowing State
    ) throws {
        guard let owners = try owners(of: id, in: state),
            number.reservedCustomerID.isEmpty || number.reservedCustomerID == owners.customer.id,
            number.reservedTenantID.isEmpty || number.reservedTenantID == owners.tenant.id
        else { throw AdminRejection.inUse(reason: "\(number.e164) is reserved for somebody else \(until(number))") }
    }
}
