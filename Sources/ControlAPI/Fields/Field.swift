import Model

/// Something that exists before any of its fields is set.
protocol Blank: Sendable {
    init()
}

/// One member of an entity's JSON: its name, its schema, how it is read from the entity and how it is set. The
/// document that describes the API and the code that obeys it are made of the same value.
struct Field<Entity: Blank>: Sendable {
    enum Access: Sendable {
        case readWrite
        /// Set when the entity is made; afterwards only the same value is accepted.
        case fixed
        case readOnly
        case writeOnly
    }
    typealias Path<Value> = any WritableKeyPath<Entity, Value> & Sendable
    typealias Reader = @Sendable (Entity, FieldContext) -> JSON
    typealias Writer = @Sendable (JSON, inout Entity, FieldContext, JSONPointer, inout FieldFaults) -> Void

    let name: String
    let access: Access
    /// To make the entity. Only such a field refuses null; elsewhere null is the value of a new entity.
    let isRequired: Bool
    let schema: JSON
    let read: Reader
    private let write: Writer
    private let clear: @Sendable (inout Entity) -> Void

    init<Value>(
        _ name: String, _ path: Path<Value>, _ access: Access, isRequired: Bool,
        schema: JSON, about: String, read: @escaping Reader, write: @escaping Writer
    ) {
        self.name = name
        self.access = access
        self.isRequired = isRequired
        self.schema = Schema.described(schema, about, access: access)
        self.read = read
        self.write = write
        clear = { entity in entity[keyPath: path] = Entity()[keyPath: path] }
    }

    /// A member that is shown and cannot be set.
    static func shown(_ name: String, _ schema: JSON, _ about: String, read: @escaping Reader) -> Field {
        Field(shown: name, schema, about, read)
    }

    private init(shown name: String, _ schema: JSON, _ about: String, _ read: @escaping Reader) {
        self.name = name
        access = .readOnly
        isRequired = false
        self.schema = Schema.described(schema, about, access: Access.readOnly)
        self.read = read
        write = { _, _, _, _, _ in }
        clear = { _ in }
    }

    func set(
        _ value: JSON, in entity: inout Entity, _ context: FieldContext, _ pointer: JSONPointer,
        _ faults: inout FieldFaults
    ) {
        guard access != .readOnly else { return faults.add(pointer, "cannot be set") }
        guard value != .null else {
            if isRequired { faults.add(pointer, "is required") } else { clear(&entity) }
            return
        }
        write(value, &entity, context, pointer, &faults)
    }
}
