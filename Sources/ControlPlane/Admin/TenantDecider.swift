import Model
import Primitives
import Projections
import SwiftProtobuf

/// Tenants: one SIP domain each, unique on the platform.
enum TenantDecider {
    static func create<State: ViewQueries & ~Copyable>(
        _ tenant: Tenant, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        var tenant = tenant
        let id = try Checks.newID(tenant.id, &decision)
        guard try state.tenant(TenantID(id)) == nil else { throw AdminRejection.taken("id", id.description) }
        tenant.id = TenantID(id).data
        try StatusDecider.check(tenant.status, after: nil)
        let customer = try check(tenant, id, in: state)
        try StatusDecider.notTerminated(customer.status, field: "customer_id")
        try DomainDecider.check(tenant.domain, for: try Ownership.provider(customer.providerID, in: state), in: state)
        decision.record(.tenantCreated(.with { $0.tenant = tenant }), in: id)
        return id
    }

    static func change<State: ViewQueries & ~Copyable>(
        _ tenant: Tenant, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        let id = try Checks.existingID(tenant.id)
        guard let before = try state.tenant(TenantID(id)) else {
            throw AdminRejection.notFound("tenant", id.description)
        }
        try Checks.unchanged(tenant.customerID, before.customerID, field: "customer_id")
        if tenant.domain != before.domain, try !state.referrers(of: id, kind: .subscriber, limit: 1).isEmpty {
            // Every digest credential is made for the domain as its realm.
            throw AdminRejection.invalid("domain", "cannot be changed while the tenant has subscribers")
        }
        try StatusDecider.check(tenant.status, after: before.status)
        let customer = try check(tenant, id, in: state)
        if tenant.domain != before.domain {
            try DomainDecider.check(tenant.domain, for: try Ownership.provider(customer.providerID, in: state), in: state)
        }
        if tenant.status == .terminated, before.status != .terminated {
            try StatusDecider.release(.tenant, id, in: state, &decision)
        }
        decision.record(.tenantChanged(.with { $0.tenant = tenant }), in: id)
        if tenant.status != before.status { decision.announcements.append(.with { $0.invalidate.everything = true }) }
        return id
    }

    private static let roomsMax = 100

    /// A room's extension is nobody else's, or calls would go to the one or the other by luck.
    private static func rooms<State: ViewQueries & ~Copyable>(_ tenant: Tenant, _ id: UUIDv7, in state: borrowing State) throws {
        guard tenant.rooms.count <= roomsMax else { throw AdminRejection.invalid("rooms", "at most \(roomsMax)") }
        for (index, room) in tenant.rooms.enumerated() {
            let field = "rooms[\(index)]"
            func areKeys(_ text: String) -> Bool { text.utf8.allSatisfy { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 } }
            guard (1...20).contains(room.extension.count), areKeys(room.extension) else {
                throw AdminRejection.invalid(field + ".extension", "must be 1 to 20 digits")
            }
            guard room.pin.isEmpty || (3...12).contains(room.pin.count) && areKeys(room.pin) else {
                throw AdminRejection.invalid(field + ".pin", "must be 3 to 12 digits, or empty")
            }
            guard room.participantsMax <= 200 else { throw AdminRejection.invalid(field + ".participants_max", "at most 200") }
            guard room.name.count <= 64 else { throw AdminRejection.invalid(field + ".name", "at most 64 letters") }
            guard !tenant.rooms[..<index].contains(where: { $0.extension == room.extension }) else {
                throw AdminRejection.invalid(field + ".extension", "\(room.extension) is there twice")
            }
            if try state.subscriber(tenant: TenantID(id), user: room.extension) != nil { throw AdminRejection.taken(field + ".extension", room.extension) }
        }
    }

    private static func check<State: ViewQueries & ~Copyable>(
        _ tenant: Tenant, _ id: UUIDv7, in state: borrowing State
    ) throws -> Customer {
        try Checks.name(tenant.name)
        try Checks.domain(tenant.domain, field: "domain")
        if !tenant.timeZone.isEmpty { try Checks.timeZone(tenant.timeZone) }
        try Checks.language(tenant.language)
        guard tenant.mediaPath.isRecognised else { throw AdminRejection.invalid("media", "must be anchored or direct") }
        guard tenant.recording.mode.isRecognised else { throw AdminRejection.invalid("recording", "must be default, off, all or on_demand") }
        guard tenant.recordingDays <= 36_500 else { throw AdminRejection.invalid("recording_days", "at most 36500") }
        try Checks.sound(tenant.music, field: "music")
        try Checks.sound(tenant.ringBack, field: "ring_back")
        try rooms(tenant, id, in: state)
        if !tenant.countryCode.isEmpty { try Checks.digits(tenant.countryCode, count: 1...3, field: "country_code") }
        if !tenant.areaCode.isEmpty { try Checks.digits(tenant.areaCode, count: 1...6, field: "area_code") }
        if let holder = try state.tenant(domain: tenant.domain), holder.id != tenant.id {
            throw AdminRejection.taken("domain", tenant.domain)
        }
        let customerID = CustomerID(try Checks.reference(tenant.customerID, field: "customer_id"))
        guard let customer = try state.customer(customerID) else {
            throw AdminRejection.unknownReference("customer_id", customerID.description)
        }
        try Ownership.dialPlan(tenant.dialPlanID, of: customer.providerID, field: "dial_plan_id", in: state)
        try Ownership.securityGroup(tenant.securityGroupID, of: customer.providerID, in: state)
        try Ownership.carrier(tenant.carrierID, reachableFrom: customer.providerID, field: "carrier_id", in: state)
        try Checks.externalID(tenant.externalID, .tenant, id, below: customer.providerID, in: state)
        return customer
    }
}
