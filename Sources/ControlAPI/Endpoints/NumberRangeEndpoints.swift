import ControlPlane
import Foundation
import HTTPTypes
import Model
import Primitives
import Projections

/// Numbers that follow one another: added, reserved and freed together, all of them or none.
enum NumberRangeEndpoints {
    private struct Range: Blank {
        var number = Number()
        var last = ""
        var count: UInt32 = 0
        var reservation = NumberAssignmentEndpoints.Reservation()
    }

    private static let bounds: [Field<Range>] = [
        .reference("provider_id", \.number.providerID, isRequired: true, "The provider that has them."),
        .text("first", \.number.e164, isRequired: true, max: 16, "With +."),
        .text("last", \.last, max: 16, "With +; this or `count`."),
        .integer("count", \.count, 1...UInt32(NumberBlock.countMax), "How many; this or `last`."),
    ]

    private static let properties: [Field<Range>] = [
        .text("source", \.number.source, "Where they were bought."),
        .choice("type", \.number.type, "What kind of numbers they are."),
        .money("price", \.number.priceMicros, "What each is sold for."),
        .money("vendor_price", \.number.vendorPriceMicros, "What each costs."),
        .flag("voice", \.number.voice, "They carry calls."),
        .flag("sms", \.number.sms, "They carry messages."),
        .reference("carrier_id", \.number.carrierID, "By which their calls come in; null: any of the provider's."),
    ]
    private static let added = Shape<Range>("NewNumberRange", bounds + properties)

    private static let reservations: [Field<Range>] = [
        .reference("customer_id", \.reservation.customerID, "Whose administrators may assign them; null: the provider's alone."),
        .reference("tenant_id", \.reservation.tenantID, "Of the customer: its administrators may assign them, too."),
        .time("until", \.reservation.until, "When the reservation ends by itself; null: when somebody ends it."),
    ]
    private static let reserved = Shape<Range>("NumberRangeReservation", bounds + reservations)

    private static let freed = Shape<Range>("NumberRange", bounds)

    private static let answer = Schema.object(
        [
            ("first", Schema.text(max: 16)), ("last", Schema.text(max: 16)), ("count", Schema.sequence),
            ("first_number_id", Schema.uuid),
        ], required: ["first", "last", "count", "first_number_id"])

    private static func operation(
        _ path: String, _ name: String, _ summary: String, _ schema: String, status: HTTPResponse.Status,
        _ handle: @escaping @Sendable (Exchange) async throws -> Reply
    ) -> Operation {
        Operation(
            method: .post, path: "/v1/number-ranges" + path, name: name, tag: "numbers",
            summary: summary + " All numbers of the range, or none.", access: .needs(.writeNetwork),
            body: .init(schema: Schema.reference(schema)),
            success: .init(status: status, about: "It is done.", schema: Schema.reference("NumberRangeDone")),
            handle: handle)
    }

    static let operations: [Operation] = [
        operation("", "addNumberRange", "Adds numbers to the inventory.", "NewNumberRange", status: .created) {
            try await change($0, added) { range, block in .addNumbers(block, like: range.number) }
        },
        operation("/reserve", "reserveNumberRange", "Reserves numbers that nobody has.", "NumberRangeReservation", status: .ok) {
            try await change($0, reserved) { range, block in
                .reserveNumbers(block, of: try provider(of: range), range.reservation.value)
            }
        },
        operation("/free", "freeNumberRange", "Ends reservations and quarantines.", "NumberRange", status: .ok) {
            try await change($0, freed) { range, block in .freeNumbers(block, of: try provider(of: range)) }
        },
    ]

    static let schemas: [(String, JSON)] = [
        ("NewNumberRange", added.newSchema), ("NumberRangeReservation", reserved.newSchema),
        ("NumberRange", freed.newSchema), ("NumberRangeDone", answer),
    ]

    private static func change(
        _ exchange: Exchange, _ shape: Shape<Range>, _ command: (Range, NumberBlock) throws -> AdminCommand
    ) async throws -> Reply {
        let caller = try exchange.token
        let range = try exchange.read { views in
            let probe = exchange.probe { body, faults in shape.new(body, FieldContext(), &faults) }
            let context = FieldContext(currency: try views.currency(provider: probe.number.providerID))
            let range = try exchange.decode { body, faults in shape.new(body, context, &faults) }
            try Numbers.check(Numbers.references(of: range.number, in: views), caller, in: views)
            guard caller.reach.holds(try views.place(provider: range.number.providerID)) else {
                throw Problem(.forbidden, "Numbers can be changed below the token's scope alone.")
            }
            return range
        }
        try NumberAssignmentEndpoints.check(range.reservation, exchange)
        let block = try block(range)
        let outcome = try await exchange.submit(try command(range, block))
        let done: JSON = [
            "first": .string(block.first.description), "last": .string(block.last.description),
            "count": .integer(block.count), "first_number_id": .string(outcome.id.description),
        ]
        return Reply(shape.name == added.name ? .created : .ok, .json(done)).replayed(outcome.repeated)
    }

    private static func block(_ range: Range) throws -> NumberBlock {
        guard range.last.isEmpty != (range.count == 0) else {
            throw Problem.invalid("last", "either this or count is needed, and not both")
        }
        do throws(NumberBlock.Malformed) {
            if range.last.isEmpty { return try NumberBlock(first: range.number.e164, count: UInt64(range.count)) }
            return try NumberBlock(first: range.number.e164, last: range.last)
        } catch {
            switch error {
            case .first: throw Problem.invalid("first", "must be + and 3 to 15 digits, such as +12092488700")
            case .last(let reason): throw Problem.invalid("last", reason)
            case .count(let reason): throw Problem.invalid("count", reason)
            }
        }
    }

    private static func provider(of range: Range) throws -> ProviderID {
        guard let id = ProviderID(range.number.providerID) else { throw Problem.invalid("provider_id", "is required") }
        return id
    }
}
