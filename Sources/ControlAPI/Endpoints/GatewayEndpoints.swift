import ControlPlane
import Foundation
import HTTPTypes
import Model
import Primitives
import Projections

/// Gateways one by one. They are part of their carrier: its version counts, and a change of one is a change of it.
enum GatewayEndpoints {
    private static let path = "/v1/carriers/{carrier_id}/gateways"
    private static let shape = Shape<Gateway>.gateway

    static let operations = [
        Operation(
            method: .post, path: path, name: "createGateway", tag: "carriers",
            summary: "Adds a gateway as the last to be tried.",
            access: .needs(.writeNetwork), body: .init(schema: Schema.reference("NewGateway")),
            success: .init(
                status: .created, about: "It is added.", schema: Schema.reference("Gateway"), hasVersion: true),
            isConditional: true, handle: { try await add($0) }),
        Operation(
            method: .get, path: path, name: "listGateways", tag: "carriers",
            summary: "Lists a carrier's gateways, and how it goes with them.",
            access: .needs(.readDirectory),
            success: .init(status: .ok, about: "All of them.", schema: Schema.reference("GatewayStatePage")),
            handle: { try await list($0) }),
        Operation(
            method: .get, path: path + "/{gateway_id}", name: "getGateway", tag: "carriers",
            summary: "Reads a gateway, and how it goes with it.",
            access: .needs(.readDirectory),
            success: .init(status: .ok, about: "The gateway.", schema: Schema.reference("GatewayState"), hasVersion: true),
            handle: { try await get($0) }),
        Operation(
            method: .patch, path: path + "/{gateway_id}", name: "changeGateway", tag: "carriers",
            summary: "Changes what the body names, and leaves the rest (RFC 7396).",
            access: .needs(.writeNetwork),
            body: .init(
                schema: Schema.reference("GatewayPatch"),
                mediaTypes: [ContentNegotiation.mergePatch, ContentNegotiation.json]),
            success: .init(status: .ok, about: "It is changed.", schema: Schema.reference("Gateway"), hasVersion: true),
            isConditional: true, handle: { try await patch($0) }),
        Operation(
            method: .delete, path: path + "/{gateway_id}", name: "removeGateway", tag: "carriers",
            summary: "Removes a gateway.",
            access: .needs(.writeNetwork), success: .init(status: .noContent, about: "It is removed."),
            isConditional: true, handle: { try await remove($0) }),
    ]

    static let schemas: [(String, JSON)] = [
        ("Gateway", shape.schema), ("NewGateway", shape.newSchema), ("GatewayPatch", shape.patchSchema),
        ("GatewayState", GatewayStateRecord.schema(of: shape)), ("GatewayStatePage", Schema.page(of: Schema.reference("GatewayState"))),
    ]

    private static func get(_ exchange: Exchange) async throws -> Reply {
        let id = try exchange.id("gateway_id")
        let statuses = exchange.past == nil ? await exchange.platform.gateways() : []
        return try exchange.read { views in
            let carrier = try Carriers.visible(try exchange.id("carrier_id"), to: exchange.reach, in: views)
            let gateway = carrier.gateways[try index(of: id, in: carrier)]
            return .ok(
                try GatewayStateRecord(gateway, of: carrier, statuses, in: views).json(shape), version: try version(of: carrier, in: views))
        }
    }

    private static func list(_ exchange: Exchange) async throws -> Reply {
        let statuses = exchange.past == nil ? await exchange.platform.gateways() : []
        return try exchange.read { views in
            let carrier = try Carriers.visible(try exchange.id("carrier_id"), to: exchange.reach, in: views)
            let items = try carrier.gateways.map { try GatewayStateRecord($0, of: carrier, statuses, in: views).json(shape) }
            return .page(items, next: nil)
        }
    }

    private static func add(_ exchange: Exchange) async throws -> Reply {
        let gateway = try exchange.decode { body, faults in shape.new(body, FieldContext(), &faults) }
        let (carrier, outcome) = try await change(exchange) { carrier in carrier.gateways.append(gateway) }
        guard let added = carrier.gateways.last, let id = UUIDv7(bytes: added.id) else {
            throw Problem(.conflict, "The gateway is gone by now.")
        }
        let location = "/v1/carriers/\(outcome.id)/gateways/\(id)"
        return Reply(.created, .json(shape.json(added)), version: outcome.version, location: location).replayed(
            outcome.repeated)
    }

    private static func patch(_ exchange: Exchange) async throws -> Reply {
        let id = try exchange.id("gateway_id")
        let (carrier, outcome) = try await change(exchange) { carrier in
            let index = try index(of: id, in: carrier)
            carrier.gateways[index] = try exchange.decode { body, faults in
                var gateway = carrier.gateways[index]
                shape.merge(body, into: &gateway, FieldContext(), &faults)
                return gateway
            }
        }
        let gateway = carrier.gateways[try index(of: id, in: carrier)]
        return .ok(shape.json(gateway), version: outcome.version).replayed(outcome.repeated)
    }

    private static func remove(_ exchange: Exchange) async throws -> Reply {
        let id = try exchange.id("gateway_id")
        let (_, outcome) = try await change(exchange) { carrier in
            carrier.gateways.remove(at: try index(of: id, in: carrier))
        }
        return Reply.done.replayed(outcome.repeated)
    }

    /// The carrier after the change. Without If-Match, made on top of what was just read.
    private static func change(
        _ exchange: Exchange, _ body: (inout Carrier) throws -> Void
    ) async throws -> (Carrier, AdminOutcome) {
        let id = try exchange.id("carrier_id")
        let command = try exchange.read { views in
            var carrier = try Carriers.visible(id, to: exchange.reach, in: views)
            try Carriers.mayChange(carrier, exchange.token, .change, in: views)
            let version = try views.version(of: id)
            try body(&carrier)
            return AdminCommand.changeCarrier(
                carrier, expectedVersion: try exchange.expectedVersion(current: version) ?? version)
        }
        let outcome = try await exchange.submit(command)
        return try exchange.read { views in (try Carriers.visible(id, to: exchange.reach, in: views), outcome) }
    }

    private static func index(of id: UUIDv7, in carrier: Carrier) throws -> Int {
        guard let index = carrier.gateways.firstIndex(where: { $0.id == Data(id.bytes) }) else {
            throw Problem(.notFound, "The carrier has no gateway \(id).")
        }
        return index
    }

    private static func version(of carrier: Carrier, in views: borrowing ViewSnapshot) throws -> UInt64? {
        try UUIDv7(bytes: carrier.id).map { id throws(ViewsError) in try views.version(of: id) }
    }
}
