import ControlPlane
import Model
import Primitives
import Projections

extension Resource {
    static func get(_ exchange: Exchange) throws -> Reply {
        let id = try exchange.id(idParameter)
        let reach = try exchange.reach
        return try exchange.read { views in
            let entity = try visible(id, to: reach, in: views)
            return .ok(try json(entity, in: views), version: try views.version(of: id))
        }
    }

    static func list(_ exchange: Exchange) throws -> Reply {
        let reach = try exchange.reach
        return try exchange.read { views in
            if let found = try lookUp(exchange.query, in: views) {
                var items: [JSON] = []
                for entity in found where try isVisible(entity, to: reach, in: views) {
                    items.append(try json(entity, in: views))
                }
                return .page(items, next: nil)
            }
            if reach == .platform, try filter(exchange, reach, in: views) == nil {
                return try flat(exchange, in: views)
            }
            return try walk(exchange, reach, in: views)
        }
    }

    /// The entity if the token may know of it; else the same answer as for one that does not exist.
    static func visible(_ id: UUIDv7, to reach: Reach, in views: borrowing ViewSnapshot) throws -> Entity {
        guard let entity = try find(id, in: views), try isVisible(entity, to: reach, in: views) else {
            throw Problem(.notFound, "There is no \(noun) \(id).")
        }
        return entity
    }

    static func json(_ entity: Entity, in views: borrowing ViewSnapshot) throws -> JSON {
        let version = try id(of: entity).map { id throws(ViewsError) in try views.version(of: id) } ?? 0
        return shape.json(entity, try context(of: entity, in: views)).adding("version", .integer(version))
    }

    private static func isVisible(
        _ entity: Entity, to reach: Reach, in views: borrowing ViewSnapshot
    ) throws -> Bool {
        if reach.holds(try place(of: entity, in: views)) { return true }
        guard let id = id(of: entity) else { return false }
        return try views.related(kind, to: reach).contains(id)
    }

    private static func flat(_ exchange: Exchange, in views: borrowing ViewSnapshot) throws -> Reply {
        let path = try exchange.query.path()
        guard path.count <= 1 else { throw Query.notACursor }
        let limit = exchange.query.limit
        let entities = try all(after: path.first, limit: limit + 1, in: views)
        var items: [JSON] = []
        for entity in entities.prefix(limit) { items.append(try json(entity, in: views)) }
        let last = entities.count > limit ? id(of: entities[limit - 1]) : nil
        return .page(items, next: last.map { Cursor.text([$0]) })
    }

    private static func walk(
        _ exchange: Exchange, _ reach: Reach, in views: borrowing ViewSnapshot
    ) throws -> Reply {
        let walk = try filter(exchange, reach, in: views) ?? everything(in: reach, views)
        let path = try exchange.query.path()
        guard path.isEmpty || path.count == walk.levels.count + 1 else { throw Query.notACursor }
        let limit = exchange.query.limit
        let paths = try walk.page(after: path, limit: limit + 1, in: views)
        var items: [JSON] = []
        for path in paths.prefix(limit) {
            guard let id = path.last, let entity = try find(id, in: views) else { continue }
            items.append(try json(entity, in: views))
        }
        return .page(items, next: paths.count > limit ? Cursor.text(paths[limit - 1]) : nil)
    }

    /// All that hangs below the token's node, and what is related to it.
    private static func everything(in reach: Reach, _ views: borrowing ViewSnapshot) throws -> Walk {
        switch reach {
        case .platform:
            return Walk(roots: [], levels: [])
        case .provider(let id):
            let providers = try views.subtree(of: id)
            return Walk(roots: providers, levels: kind == .provider ? [] : levels(below: .provider) ?? [])
        case .customer(let id):
            return try below(.customer, id.value, reach, views)
        case .tenant(let id):
            return try below(.tenant, id.value, reach, views)
        case .subscriber(let id):
            return try below(.subscriber, id.value, reach, views)
        }
    }

    private static func below(
        _ node: EntityKind, _ id: UUIDv7, _ reach: Reach, _ views: borrowing ViewSnapshot
    ) throws -> Walk {
        if kind == node { return Walk(roots: [id], levels: []) }
        if let levels = levels(below: node) { return Walk(roots: [id], levels: levels) }
        return Walk(roots: try views.related(kind, to: reach), levels: [])
    }

    /// The kinds of nodes that a list can be narrowed to, each by the parameter that names it.
    static var filters: [(parameter: QueryParameter, node: EntityKind)] {
        [EntityKind.provider, .customer, .tenant, .subscriber].compactMap { node in
            guard levels(below: node) != nil else { return nil }
            let name = kind == .provider ? "parent_id" : "\(node.parameter)_id"
            return (QueryParameter(name, .id, "Only those of this \(node.parameter)."), node)
        }
    }

    private static func filter(
        _ exchange: Exchange, _ reach: Reach, in views: borrowing ViewSnapshot
    ) throws -> Walk? {
        let given = filters.filter { exchange.query.id($0.parameter.name) != nil }
        guard let (parameter, node) = given.first, let id = exchange.query.id(parameter.name) else { return nil }
        guard given.count == 1 else { throw Problem(.badRequest, "A list is narrowed by one node at a time.") }
        guard let place = try views.place(of: node, id), reach.holds(place), let levels = levels(below: node) else {
            throw Problem(
                .badRequest, "Some query parameters cannot be accepted.",
                faults: [FieldFault(.parameter(parameter.name), "names nothing that is there for you")])
        }
        return Walk(roots: [id], levels: levels)
    }
}

extension Reply {
    static func page(_ items: [JSON], next: String?) -> Reply {
        var reply = Reply.ok(["items": .array(items), "next": next.map(JSON.string) ?? .null])
        reply.shown = items.count
        return reply
    }
}

extension EntityKind {
    /// In names of parameters: `service_plan`.
    var parameter: String {
        switch self {
        case .provider: "provider"
        case .contact: "contact"
        case .rateDeck: "rate_deck"
        case .servicePlan: "service_plan"
        case .customer: "customer"
        case .dialPlan: "dial_plan"
        case .tenant: "tenant"
        case .carrier: "carrier"
        case .number: "number"
        case .subscriber: "subscriber"
        case .securityGroup: "security_group"
        case .cdrExport: "cdr_export"
        case .domain: "domain"
        case .user: "user"
        case .UNRECOGNIZED(let value): "unrecognised_\(value)"
        }
    }
}
