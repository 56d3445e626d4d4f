/// Pieces of JSON Schema (draft 2020-12), as OpenAPI 3.1 uses it.
enum Schema {
    static let uuid: JSON = ["type": "string", "format": "uuid"]
    static let time: JSON = ["type": "string", "format": "date-time"]
    static let flag: JSON = ["type": "boolean"]
    static let money: JSON = reference("Money")
    /// A decimal number in a string, so that no digit is lost in a floating-point type.
    static let decimal: JSON = ["type": "string", "pattern": #"^[+-]?[0-9]+(\.[0-9]{1,6})?$"#]
    /// Sequence numbers may pass 2^53.
    static let sequence: JSON = ["type": "integer", "format": "int64", "minimum": 0]

    static func text(max: Int) -> JSON { ["type": "string", "maxLength": .integer(max)] }

    static func integer(_ range: ClosedRange<UInt32>) -> JSON {
        ["type": "integer", "minimum": .integer(range.lowerBound), "maximum": .integer(range.upperBound)]
    }

    static func choice(_ words: [String]) -> JSON { ["type": "string", "enum": .array(words.map(JSON.string))] }

    static func list(_ item: JSON, max: Int? = nil) -> JSON {
        .object(["type": "array", "items": item, "maxItems": max.map { JSON.integer($0) }])
    }

    static func reference(_ name: String) -> JSON { ["$ref": .string("#/components/schemas/" + name)] }

    static func object(_ properties: [(String, JSON)], required: [String], isClosed: Bool = false) -> JSON {
        .object([
            "type": "object",
            "properties": .object(properties.map { JSON.Member($0.0, $0.1) }),
            "required": required.isEmpty ? nil : .array(required.map(JSON.string)),
            "additionalProperties": isClosed ? false : nil,
        ])
    }

    static func orNull(_ schema: JSON) -> JSON {
        guard case .object(let members) = schema, case .string(let type)? = schema["type"] else {
            return ["oneOf": [schema, ["type": "null"]]]
        }
        return .object(
            members.map { $0.name == "type" ? JSON.Member("type", [.string(type), "null"]) : $0 })
    }

    static func described<Entity>(_ schema: JSON, _ about: String, access: Field<Entity>.Access) -> JSON {
        var described = schema.adding("description", .string(about))
        switch access {
        case .readWrite, .fixed: break
        case .readOnly: described = described.adding("readOnly", true)
        case .writeOnly: described = described.adding("writeOnly", true)
        }
        return described
    }
}
