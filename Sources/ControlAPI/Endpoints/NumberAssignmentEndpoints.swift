import ControlPlane
import Foundation
import HTTPTypes
import Model
import Primitives
import Projections

/// Who has a number, and whom it is kept for.
enum NumberAssignmentEndpoints {
    private struct Assignment: Blank {
        var subscriberID = Data()
    }

    struct Reservation: Blank {
        var customerID = Data()
        var tenantID = Data()
        var until: Int64 = 0

        var value: NumberReservation {
            NumberReservation(
                customer: CustomerID(customerID), tenant: TenantID(tenantID),
                until: until == 0 ? nil : WallTime(microseconds: until))
        }
    }

    private static let shape = Shape<Assignment>(
        "NumberAssignment",
        [.reference("subscriber_id", \.subscriberID, isRequired: true, "Who gets it; of the number's provider.")])

    static let reservation = Shape<Reservation>(
        "NumberReservation",
        [
            .reference("customer_id", \.customerID, "Whose administrators may assign it; null: the provider's alone."),
            .reference("tenant_id", \.tenantID, "Of the customer: its administrators may assign it, too."),
            .time("until", \.until, "When the reservation ends by itself; null: when somebody ends it."),
        ])

    private static let path = "/v1/numbers/{number_id}"

    static let operations = [
        Operation(
            method: .post, path: path + "/assign", name: "assignNumber", tag: "numbers",
            summary: "Gives an available number, or one that is reserved for its customer, to a subscriber.",
            access: .needs(.assignNumbers),
            body: .init(schema: Schema.reference("NumberAssignment")),
            success: .init(status: .ok, about: "It is assigned.", schema: Schema.reference("Number"), hasVersion: true),
            isConditional: true, handle: { try await assign($0) }),
        Operation(
            method: .post, path: path + "/release", name: "releaseNumber", tag: "numbers",
            summary: "Takes a number from who has it: back to its reservation, into quarantine, or into the inventory.",
            access: .needs(.assignNumbers),
            query: [
                QueryParameter(
                    "quarantine_days", .number(0...3_650),
                    "How long it is given to nobody; the provider's number_quarantine_days if it is not given.")
            ],
            success: .init(
                status: .ok, about: "It is released.", schema: Schema.reference("Number"), hasVersion: true),
            isConditional: true, handle: { try await release($0) }),
        Operation(
            method: .post, path: path + "/reserve", name: "reserveNumber", tag: "numbers",
            summary: "Keeps a number that nobody has for a customer or a tenant, or for the provider itself.",
            access: .needs(.writeNetwork), body: .init(schema: Schema.reference("NumberReservation")),
            success: .init(status: .ok, about: "It is reserved.", schema: Schema.reference("Number"), hasVersion: true),
            isConditional: true, handle: { try await reserve($0) }),
        Operation(
            method: .post, path: path + "/free", name: "freeNumber", tag: "numbers",
            summary: "Ends a reservation or a quarantine before its time.", access: .needs(.writeNetwork),
            success: .init(status: .ok, about: "It is available.", schema: Schema.reference("Number"), hasVersion: true),
            isConditional: true, handle: { try await free($0) }),
    ]

    static let schemas: [(String, JSON)] = [
        ("NumberAssignment", shape.newSchema), ("NumberReservation", reservation.newSchema),
    ]

    private static func assign(_ exchange: Exchange) async throws -> Reply {
        let (id, expected) = try number(exchange) { number in number.holder == nil }
        let assignment = try exchange.decode { body, faults in shape.new(body, FieldContext(), &faults) }
        guard let subscriber = SubscriberID(assignment.subscriberID),
            try exchange.read({ views in try views.sees(exchange.reach, .subscriber, subscriber.value) })
        else { throw Problem.invalid("subscriber_id", "names nothing that is there for you") }
        return try await changed(id, exchange, .assignNumber(id, to: subscriber, expectedVersion: expected))
    }

    private static func release(_ exchange: Exchange) async throws -> Reply {
        let days = exchange.query.number("quarantine_days").map { UInt32($0) }
        // Who holds a reservation gives a number back to it, and not away.
        let (id, expected) = try number(exchange) { number in number.holder != nil && days == nil }
        let how = days.map { NumberRelease.quarantined(days: $0) } ?? .asProviderSays
        return try await changed(id, exchange, .releaseNumber(id, how, expectedVersion: expected))
    }

    private static func reserve(_ exchange: Exchange) async throws -> Reply {
        let (id, expected) = try number(exchange) { _ in false }
        let wanted = try exchange.decode { body, faults in reservation.new(body, FieldContext(), &faults) }
        try check(wanted, exchange)
        return try await changed(id, exchange, .reserveNumber(id, wanted.value, expectedVersion: expected))
    }

    private static func free(_ exchange: Exchange) async throws -> Reply {
        let (id, expected) = try number(exchange) { _ in false }
        return try await changed(id, exchange, .freeNumber(id, expectedVersion: expected))
    }

    /// What a token cannot see it cannot name.
    static func check(_ reservation: Reservation, _ exchange: Exchange) throws {
        try exchange.read { views in
            let reach = try exchange.reach
            for (field, kind, id) in [
                ("customer_id", EntityKind.customer, reservation.customerID), ("tenant_id", .tenant, reservation.tenantID),
            ] {
                guard let id = UUIDv7(bytes: id) else { continue }
                guard try views.sees(reach, kind, id) else {
                    throw Problem.invalid(field, "names nothing that is there for you")
                }
            }
        }
    }

    /// The provider's administrators change who has any of its numbers; those of a customer or a tenant, of numbers that are
    /// reserved for them.
    /// - Parameter isTheirs: whether what is asked for is one of the things that they may do with such a number.
    private static func number(
        _ exchange: Exchange, _ isTheirs: (Number) -> Bool
    ) throws -> (NumberID, UInt64?) {
        let id = try exchange.id("number_id")
        return try exchange.read { views in
            let reach = try exchange.reach
            let number = try Numbers.visible(id, to: reach, in: views)
            let version = try views.version(of: id)
            let expected = try exchange.expectedVersion(current: version)
            if try exchange.token.holds(.writeNetwork), reach.holds(try Numbers.placeToChange(number, in: views)) {
                return (NumberID(id), expected)
            }
            guard number.hold == .reserved, number.isHeld(at: .now), isTheirs(number), isReserved(number, for: reach)
            else { throw notYours }
            // A reservation that is taken back meanwhile is not used any more.
            return (NumberID(id), expected ?? version)
        }
    }

    private static var notYours: Problem {
        Problem(.conflict, "This cannot be done with the number by a token below its provider: it is not reserved for it, or not with this effect.")
    }

    private static func isReserved(_ number: Number, for reach: Reach) -> Bool {
        switch reach {
        case .platform, .provider, .subscriber: false
        case .customer(let id): number.reservedCustomerID == id.data
        case .tenant(let id): number.reservedTenantID == id.data
        }
    }

    private static func changed(_ id: NumberID, _ exchange: Exchange, _ command: AdminCommand) async throws -> Reply {
        let outcome = try await exchange.submit(command)
        return try exchange.read { views in
            guard let number = try views.number(id) else { throw Problem(.notFound, "The number is gone.") }
            return .ok(try Numbers.json(number, in: views), version: try views.version(of: id.value)).replayed(
                outcome.repeated)
        }
    }
}
