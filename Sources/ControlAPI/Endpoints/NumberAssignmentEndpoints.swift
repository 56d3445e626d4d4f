import ControlPlane
import Foundation
import HTTPTypes
import Model
import Primitives
import Projections

/// Who has a number.
enum NumberAssignmentEndpoints {
    private struct Assignment: Blank {
        var subscriberID = Data()
    }

    private static let shape = Shape<Assignment>(
        "NumberAssignment",
        [.reference("subscriber_id", \.subscriberID, isRequired: true, "Who gets it; of the number's provider.")])

    static let operations = [
        Operation(
            method: .post, path: "/v1/numbers/{number_id}/assign", name: "assignNumber", tag: "numbers",
            summary: "Gives an available number to a subscriber.", access: .needs(.writeNetwork),
            body: .init(schema: Schema.reference("NumberAssignment")),
            success: .init(status: .ok, about: "It is assigned.", schema: Schema.reference("Number"), hasVersion: true),
            isConditional: true, handle: { try await assign($0) }),
        Operation(
            method: .post, path: "/v1/numbers/{number_id}/release", name: "releaseNumber", tag: "numbers",
            summary: "Takes a number back into the inventory.", access: .needs(.writeNetwork),
            success: .init(
                status: .ok, about: "It is available.", schema: Schema.reference("Number"), hasVersion: true),
            isConditional: true, handle: { try await release($0) }),
    ]

    static let schemas: [(String, JSON)] = [("NumberAssignment", shape.newSchema)]

    private static func assign(_ exchange: Exchange) async throws -> Reply {
        let (id, expected) = try number(exchange)
        let assignment = try exchange.decode { body, faults in shape.new(body, FieldContext(), &faults) }
        guard let subscriber = SubscriberID(assignment.subscriberID),
            try exchange.read({ views in try views.sees(exchange.reach, .subscriber, subscriber.value) })
        else { throw Problem.invalid("subscriber_id", "names nothing that is there for you") }
        return try await changed(id, exchange, .assignNumber(id, to: subscriber, expectedVersion: expected))
    }

    private static func release(_ exchange: Exchange) async throws -> Reply {
        let (id, expected) = try number(exchange)
        return try await changed(id, exchange, .releaseNumber(id, expectedVersion: expected))
    }

    private static func number(_ exchange: Exchange) throws -> (NumberID, UInt64?) {
        let id = try exchange.id("number_id")
        return try exchange.read { views in
            let number = try Numbers.visible(id, to: exchange.reach, in: views)
            guard try exchange.reach.holds(try Numbers.placeToChange(number, in: views)) else {
                throw Problem(.forbidden, "The token may read this number, and not change who has it.")
            }
            return (NumberID(id), try exchange.expectedVersion(current: try views.version(of: id)))
        }
    }

    private static func changed(_ id: NumberID, _ exchange: Exchange, _ command: AdminCommand) async throws -> Reply {
        let outcome = try await exchange.submit(command)
        return try exchange.read { views in
            let number = try Numbers.visible(id.value, to: exchange.reach, in: views)
            return .ok(try Numbers.json(number, in: views), version: try views.version(of: id.value)).replayed(
                outcome.repeated)
        }
    }
}
