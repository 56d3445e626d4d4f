/// The JSON of an entity: its fields, in their order.
struct Shape<Entity: Blank>: Sendable {
    /// Of the schema, in the document.
    let name: String
    let fields: [Field<Entity>]

    init(_ name: String, _ fields: [Field<Entity>]) {
        self.name = name
        self.fields = fields
    }

    func json(_ entity: Entity, _ context: FieldContext = FieldContext()) -> JSON {
        .object(
            fields.compactMap { field in
                field.access == .writeOnly ? nil : JSON.Member(field.name, field.read(entity, context))
            })
    }

    /// A new entity out of a body that has every required field.
    func new(
        _ body: JSON, _ context: FieldContext, at pointer: JSONPointer = JSONPointer(), _ faults: inout FieldFaults
    ) -> Entity {
        var entity = Entity()
        merge(body, into: &entity, context, at: pointer, &faults)
        guard let members = body.members else { return entity }
        for field in fields where field.isRequired && !members.contains(where: { $0.name == field.name }) {
            faults.add(pointer.appending(field.name), "is required")
        }
        return entity
    }

    /// Sets what the body has and leaves the rest (RFC 7396). A name that is not a field is refused: a typing error
    /// must not look like a success.
    func merge(
        _ body: JSON, into entity: inout Entity, _ context: FieldContext, at pointer: JSONPointer = JSONPointer(),
        _ faults: inout FieldFaults
    ) {
        guard let members = body.members else { return faults.add(pointer, "must be an object") }
        for member in members {
            let place = pointer.appending(member.name)
            guard let field = fields.first(where: { $0.name == member.name }) else {
                faults.add(place, "is not a field of \(name)")
                continue
            }
            field.set(member.value, in: &entity, context, place, &faults)
        }
    }

    /// Of what a response holds.
    var schema: JSON {
        Schema.object(
            fields.filter { $0.access != .writeOnly }.map { ($0.name, $0.schema) },
            required: fields.filter { $0.access != .writeOnly }.map(\.name))
    }

    /// Of a body that makes an entity.
    var newSchema: JSON {
        let settable = fields.filter { $0.access != .readOnly }
        return Schema.object(
            settable.map { ($0.name, $0.schema) }, required: settable.filter(\.isRequired).map(\.name), isClosed: true)
    }

    /// Of a body that changes one.
    var patchSchema: JSON {
        Schema.object(
            fields.filter { $0.access != .readOnly }.map { ($0.name, $0.schema) }, required: [], isClosed: true)
    }
}
