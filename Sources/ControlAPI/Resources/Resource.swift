import ControlPlane
import Model
import Primitives
import Projections

/// One kind of entity as the API offers it: listed, read, made, changed and removed in the same way as the others.
/// What differs is said here; how it is done is in `Resource+operations.swift`.
protocol Resource: SendableMetatype {
    associatedtype Entity: Blank

    static var kind: EntityKind { get }
    /// For people: `rate deck`.
    static var noun: String { get }
    /// In paths: `rate-decks`.
    static var segment: String { get }
    static var shape: Shape<Entity> { get }
    /// What is needed for its operations.
    static var rights: ResourceRights { get }

    /// The kinds on the way from a node of the given kind down to this one, this one last; nil: it is not below such a
    /// node.
    static func levels(below node: EntityKind) -> [EntityKind]?
    /// Query parameters that find one entity by a unique value.
    static var keys: [QueryParameter] { get }

    static func find(_ id: UUIDv7, in views: borrowing ViewSnapshot) throws(ViewsError) -> Entity?
    /// By one of `keys`; nil: none of them is in the query.
    static func lookUp(_ query: Query, in views: borrowing ViewSnapshot) throws(ViewsError) -> [Entity]?
    /// Of the whole platform, by id.
    static func all(
        after id: UUIDv7?, limit: Int, in views: borrowing ViewSnapshot
    ) throws(ViewsError) -> [Entity]

    /// nil for an entity that is still to be made.
    static func id(of entity: Entity) -> UUIDv7?
    static func place(of entity: Entity, in views: borrowing ViewSnapshot) throws(ViewsError) -> Place
    /// Where a token must reach to change the entity. Differs from `place` for providers alone.
    static func placeToChange(_ entity: Entity, in views: borrowing ViewSnapshot) throws(ViewsError) -> Place
    /// Of its amounts.
    static func currency(of entity: Entity, in views: borrowing ViewSnapshot) throws(ViewsError) -> Currency?
    static func references(of entity: Entity, in views: borrowing ViewSnapshot) throws(ViewsError) -> [Reference]
    static func create(_ entity: Entity) -> AdminCommand

    /// The operations and the schemas of the API's document.
    static var operations: [Operation] { get }
    static var schemas: [(String, JSON)] { get }
}

/// The rights that a resource's operations need.
struct ResourceRights: Sendable {
    let read: Right
    /// Makes and removes.
    let write: Right
    let change: Right

    init(read: Right = .readDirectory, write: Right, change: Right? = nil) {
        self.read = read
        self.write = write
        self.change = change ?? write
    }
}

/// A resource whose entities can be changed.
protocol ChangeableResource: Resource {
    static func change(_ entity: Entity, expectedVersion: UInt64?) -> AdminCommand
    /// A field that the role may not change although it may change the entity.
    static func guarded(_ before: Entity, _ after: Entity, from caller: Caller) -> String?
}

extension ChangeableResource {
    static func guarded(_ before: Entity, _ after: Entity, from caller: Caller) -> String? { nil }
}

/// A field that names another entity. A token can only name what it can see.
struct Reference: Equatable {
    let field: String
    let kind: EntityKind
    /// nil: the field is empty.
    let id: UUIDv7?

    init(_ field: String, _ kind: EntityKind, _ id: UUIDv7?) {
        self.field = field
        self.kind = kind
        self.id = id
    }
}

extension Resource {
    static var keys: [QueryParameter] { [] }
    static func lookUp(_ query: Query, in views: borrowing ViewSnapshot) throws(ViewsError) -> [Entity]? { nil }

    static func placeToChange(_ entity: Entity, in views: borrowing ViewSnapshot) throws(ViewsError) -> Place {
        try place(of: entity, in: views)
    }

    static func currency(of entity: Entity, in views: borrowing ViewSnapshot) throws(ViewsError) -> Currency? { nil }

    /// By a number in another system.
    static func found(_ externalID: String, in views: borrowing ViewSnapshot) throws(ViewsError) -> [Entity] {
        var found: [Entity] = []
        for id in try views.entities(kind, externalID: externalID) {
            if let entity = try find(id, in: views) { found.append(entity) }
        }
        return found
    }

    /// For what belongs to a provider.
    static func levels(below node: EntityKind) -> [EntityKind]? { node == .provider ? [kind] : nil }

    static func context(of entity: Entity, in views: borrowing ViewSnapshot) throws(ViewsError) -> FieldContext {
        FieldContext(currency: try currency(of: entity, in: views))
    }
}
