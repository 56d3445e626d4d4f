import ControlPlane
import HTTPTypes
import Model
import Primitives
import Projections

extension Resource {
    static func post(_ exchange: Exchange) async throws -> Reply {
        let caller = try exchange.token
        let entity = try exchange.read { views in
            let probe = exchange.probe { body, faults in shape.new(body, FieldContext(), &faults) }
            let context = try context(of: probe, in: views)
            let entity = try exchange.decode { body, faults in shape.new(body, context, &faults) }
            try check(references(of: entity, in: views), caller, in: views)
            guard caller.reach.holds(try place(of: entity, in: views)) else {
                throw Problem(.forbidden, "A \(noun) can be made below the token's scope alone.")
            }
            return entity
        }
        let outcome = try await exchange.submit(create(entity))
        return try made(outcome, exchange)
    }

    static func delete(_ exchange: Exchange) async throws -> Reply {
        let id = try exchange.id(idParameter)
        let expected = try exchange.read { views in
            let entity = try visible(id, to: exchange.reach, in: views)
            try mayChange(entity, exchange.token, .remove, in: views)
            return try exchange.expectedVersion(current: try views.version(of: id))
        }
        let outcome = try await exchange.submit(.remove(kind, id, expectedVersion: expected))
        return Reply.done.replayed(outcome.repeated)
    }

    static func mayChange(
        _ entity: Entity, _ caller: Caller, _ verb: ResourceVerb, in views: borrowing ViewSnapshot
    ) throws {
        guard caller.holds(verb == .change ? rights.change : rights.write), caller.reach.holds(try placeToChange(entity, in: views)) else {
            throw Problem(.forbidden, "The token may read this \(noun), and not \(verb.rawValue) it.")
        }
    }

    /// What a token cannot see it cannot name. A carrier above it in the tree it can use without seeing it: whether it
    /// is within reach of the provider is decided with the command.
    static func check(
        _ references: [Reference], _ caller: Caller, in views: borrowing ViewSnapshot
    ) throws {
        var faults = FieldFaults()
        for reference in references {
            guard let id = reference.id else { continue }
            if reference.kind == .carrier, caller.holds(.writeNetwork) { continue }
            guard try views.sees(caller.reach, reference.kind, id) else {
                faults.add(JSONPointer().appending(reference.field), "names nothing that is there for you")
                continue
            }
        }
        guard faults.isEmpty else { throw Problem(faults) }
    }

    /// The answer to a command that made something, or that did so before under the same key.
    static func made(_ outcome: AdminOutcome, _ exchange: Exchange) throws -> Reply {
        try exchange.read { views in
            guard let entity = try find(outcome.id, in: views) else {
                // A disk that has filled up takes the event and not the views.
                guard views.applied >= outcome.sequence else {
                    throw Problem(
                        .unavailable,
                        "The \(noun) \(outcome.id) is recorded, and cannot be shown yet: the views are behind. Ask for it later, or repeat the request with its key.",
                        headers: [.retryAfter: "5"])
                }
                throw Problem(
                    .conflict, "An earlier request with this key made \(noun) \(outcome.id), which is gone by now.")
            }
            let version = try views.version(of: outcome.id)
            return Reply(
                .created, .json(try json(entity, in: views)), version: version, location: "/v1/\(segment)/\(outcome.id)"
            ).replayed(outcome.repeated)
        }
    }
}

/// What is done to an entity that is there.
enum ResourceVerb: String {
    case change, remove
}

extension ChangeableResource {
    /// Without If-Match the change is made on top of what is there, and made again if somebody was quicker.
    static func patch(_ exchange: Exchange) async throws -> Reply {
        let id = try exchange.id(idParameter)
        var attempts = 3
        while true {
            let command = try exchange.read { views in try change(id, exchange, in: views) }
            attempts -= 1
            do {
                let outcome = try await exchange.submit(command)
                return try exchange.read { views in
                    let entity = try visible(id, to: exchange.reach, in: views)
                    let version = try views.version(of: id)
                    return .ok(try json(entity, in: views), version: version).replayed(outcome.repeated)
                }
            } catch AdminRejection.versionMismatch where exchange.ifMatch == nil && attempts > 0 {
                continue
            }
        }
    }

    private static func change(
        _ id: UUIDv7, _ exchange: Exchange, in views: borrowing ViewSnapshot
    ) throws -> AdminCommand {
        let caller = try exchange.token
        let before = try visible(id, to: caller.reach, in: views)
        try mayChange(before, caller, .change, in: views)
        let version = try views.version(of: id)
        let expected = try exchange.expectedVersion(current: version) ?? version
        let context = try context(of: before, in: views)
        let after = try exchange.decode { body, faults in
            var after = before
            shape.merge(body, into: &after, context, &faults)
            return after
        }
        if let field = guarded(before, after, from: caller) {
            throw Problem(
                .forbidden, "The role does not allow to change \(field).",
                faults: [FieldFault(.pointer("/" + field), "needs a role above \(caller.role.literal)")])
        }
        let known = try references(of: before, in: views)
        try check(references(of: after, in: views).filter { !known.contains($0) }, caller, in: views)
        return change(after, expectedVersion: expected)
    }
}

extension Exchange {
    /// The body read without complaints: to learn what the real reading needs.
    func probe<R>(_ read: (JSON, inout FieldFaults) -> R) -> R {
        var faults = FieldFaults()
        return read(body, &faults)
    }
}
