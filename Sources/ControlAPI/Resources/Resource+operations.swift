import HTTPTypes
import Model

extension Resource {
    static var idParameter: String { kind.parameter + "_id" }
    static var path: String { "/v1/" + segment }
    static var itemPath: String { "\(path)/{\(idParameter)}" }

    /// The operations that every resource has.
    static var basicOperations: [Operation] {
        [
            Operation(
                method: .get, path: path, name: "list\(shape.name)s", tag: segment, summary: "Lists \(noun)s.",
                access: .needs(rights.read),
                query: filters.map(\.parameter) + keys + [.after, .limit],
                success: .init(status: .ok, about: "A page.", schema: Schema.reference(shape.name + "Page")),
                handle: { try list($0) }),
            Operation(
                method: .post, path: path, name: "create\(shape.name)", tag: segment, summary: "Makes a \(noun).",
                access: .needs(rights.write),
                body: .init(schema: Schema.reference("New" + shape.name)),
                success: .init(
                    status: .created, about: "It is made.", schema: Schema.reference(shape.name), hasVersion: true),
                handle: { try await post($0) }),
            Operation(
                method: .get, path: itemPath, name: "get\(shape.name)", tag: segment, summary: "Reads a \(noun).",
                access: .needs(rights.read),
                success: .init(
                    status: .ok, about: "The \(noun).", schema: Schema.reference(shape.name), hasVersion: true),
                handle: { try get($0) }),
            Operation(
                method: .delete, path: itemPath, name: "remove\(shape.name)", tag: segment,
                summary: "Removes a \(noun) that nothing refers to. Its history stays.",
                access: .needs(rights.write),
                success: .init(status: .noContent, about: "It is removed."), isConditional: true,
                handle: { try await delete($0) }),
        ]
    }

    static var basicSchemas: [(String, JSON)] {
        [
            (shape.name, Schema.versioned(shape.schema)),
            (shape.name + "Page", Schema.page(of: Schema.reference(shape.name))),
            ("New" + shape.name, shape.newSchema),
        ]
    }

    static var operations: [Operation] { basicOperations }
    static var schemas: [(String, JSON)] { basicSchemas }
}

extension ChangeableResource {
    static var operations: [Operation] {
        basicOperations + [
            Operation(
                method: .patch, path: itemPath, name: "change\(shape.name)", tag: segment,
                summary: "Changes what the body names, and leaves the rest (RFC 7396).",
                access: .needs(rights.change),
                body: .init(
                    schema: Schema.reference(shape.name + "Patch"),
                    mediaTypes: [ContentNegotiation.mergePatch, ContentNegotiation.json]),
                success: .init(
                    status: .ok, about: "It is changed.", schema: Schema.reference(shape.name), hasVersion: true),
                isConditional: true, handle: { try await patch($0) })
        ]
    }

    static var schemas: [(String, JSON)] { basicSchemas + [(shape.name + "Patch", shape.patchSchema)] }
}

extension Schema {
    static func page(of item: JSON) -> JSON {
        object(
            [
                ("items", list(item)),
                (
                    "next",
                    orNull([
                        "type": "string",
                        "description": "To be sent as `after` for the page behind this one; null: this is the last.",
                    ])
                ),
            ], required: ["items", "next"])
    }

    /// With the version that is also the entity tag.
    static func versioned(_ schema: JSON) -> JSON {
        guard case .object(let members) = schema else { return schema }
        return .object(
            members.map { member in
                switch (member.name, member.value) {
                case ("properties", let properties):
                    JSON.Member(
                        "properties",
                        properties.adding(
                            "version",
                            [
                                "type": "integer", "minimum": 1, "readOnly": true,
                                "description": "Of the entity; also its entity tag.",
                            ]))
                case ("required", .array(let names)): JSON.Member("required", .array(names + ["version"]))
                default: member
                }
            })
    }
}
