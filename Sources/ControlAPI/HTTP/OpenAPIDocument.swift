import HTTPTypes
import Model

/// The API described to programs: OpenAPI 3.1, made of the table that requests are dispatched by.
package enum OpenAPIDocument {
    package static let json: JSON = [
        "openapi": "3.1.0",
        "info": [
            "title": "Ledgerline", "version": "1",
            "summary": "A phone system for many providers, kept in one append-only log.",
            "description": .string(about),
        ],
        "servers": [["url": "/"]],
        "security": [["bearer": []]],
        "tags": .array(tags.map { ["name": .string($0)] }),
        "paths": .object(paths.map { path in JSON.Member(path, pathItem(path)) }),
        "components": [
            "schemas": .object(RouteTable.schemas.map { JSON.Member($0.0, $0.1) }),
            "responses": .object(problems.map { JSON.Member($0.componentName, response($0)) }),
            "securitySchemes": ["bearer": ["type": "http", "scheme": "bearer"]],
        ],
    ]

    private static let about = """
        Ids are UUIDs; times are RFC 3339; amounts are decimal numbers in strings beside their currency. Errors are \
        `application/problem+json` (RFC 9457). A version is the entity tag: send it in `If-Match` to change only what you have \
        read. Send an `Idempotency-Key` with whatever makes or changes something, and a repetition gets the first outcome again.
        """

    /// In the order of the table, each once.
    private static let paths: [String] = unique(RouteTable.operations.map(\.path))
    private static let tags: [String] = unique(RouteTable.operations.map(\.tag))

    private static func unique(_ names: [String]) -> [String] {
        names.reduce(into: []) { unique, name in if !unique.contains(name) { unique.append(name) } }
    }

    private static func pathItem(_ path: String) -> JSON {
        .object(
            RouteTable.operations.filter { $0.path == path }.map {
                JSON.Member($0.method.rawValue, description(of: $0))
            })
    }

    private static func description(of operation: Operation) -> JSON {
        var responses = [JSON.Member(String(operation.success.status.code), success(operation.success))]
        if operation.method == .get, operation.success.hasVersion {
            responses.append(JSON.Member("304", ["description": "It is still the version in If-None-Match."]))
        }
        let statuses = operation.allProblems.map(\.status)
        for kind in problems where statuses.contains(kind.status) {
            responses.append(
                JSON.Member(String(kind.status.code), ["$ref": .string("#/components/responses/" + kind.componentName)])
            )
        }
        return .object([
            "operationId": .string(operation.name), "tags": [.string(operation.tag)],
            "summary": .string(operation.summary),
            "description": .string(
                access(operation.access) + (operation.reading == nil ? "" : " Each answer is recorded in the log before it leaves.")),
            "security": operation.access == .open ? .array([]) : nil,
            "parameters": .array(parameters(of: operation)),
            "requestBody": operation.body.map(requestBody),
            "responses": .object(responses),
        ])
    }

    private static func access(_ access: Operation.Access) -> String {
        switch access {
        case .open: "Needs no token."
        case .needs(let right):
            "Needs the right `\(right.rawValue)`: a token with \(right.holders), for a \(right.rule.level.word) or higher up, within its scope."
        }
    }

    private static func parameters(of operation: Operation) -> [JSON] {
        var parameters: [JSON] = operation.pathParameters.map { name in
            [
                "name": .string(name), "in": "path", "required": true,
                "schema": name.hasSuffix("_id") && name != "account_id" ? Schema.uuid : ["type": "string"],
            ]
        }
        parameters += operation.allQuery.map { parameter in
            [
                "name": .string(parameter.name), "in": "query", "description": .string(parameter.about),
                "schema": parameter.schema,
            ]
        }
        if operation.takesIdempotencyKey {
            parameters.append([
                "name": "Idempotency-Key", "in": "header", "required": .bool(operation.needsIdempotencyKey),
                "schema": ["type": "string", "minLength": 1, "maxLength": 128],
                "description": "Of the client's choice, new for every new request.",
            ])
        }
        if operation.access != .open {
            parameters.append([
                "name": "Ledgerline-On-Behalf-Of", "in": "header", "schema": ["type": "string", "minLength": 1, "maxLength": 128],
                "description": "Who is behind the token; stands in the log with what is changed and read.",
            ])
            parameters.append([
                "name": "Act-As", "in": "header", "schema": ["type": "string", "pattern": "^(provider|customer|tenant|subscriber)/[0-9a-f-]{36}$"],
                "description": "A party below the token's scope: the request is made as if by its own token, and the log says for whom.",
            ])
        }
        if operation.isConditional {
            parameters.append([
                "name": "If-Match", "in": "header", "schema": ["type": "string"],
                "description": "The entity tag of what was read; another version answers 412.",
            ])
        }
        if operation.method == .get, operation.success.hasVersion {
            parameters.append([
                "name": "If-None-Match", "in": "header", "schema": ["type": "string"],
                "description": "The entity tag of what is known; the same version answers 304.",
            ])
        }
        return parameters
    }

    private static func requestBody(_ body: Operation.Body) -> JSON {
        ["required": true, "content": .object(body.mediaTypes.map { JSON.Member($0, ["schema": body.schema]) })]
    }

    private static func success(_ success: Operation.Success) -> JSON {
        .object([
            "description": .string(success.about),
            "headers": success.hasVersion
                ? ["ETag": ["schema": ["type": "string"], "description": "The version."]] : nil,
            "content": success.schema.map { schema in
                .object(
                    [JSON.Member(success.mediaType, ["schema": schema])]
                        + success.otherMediaTypes.map { JSON.Member($0, ["schema": ["type": "string"]]) })
            },
        ])
    }

    /// The first of the problems that share a status, for every status that an operation may answer.
    private static let problems: [Problem.Kind] = {
        let possible = Set(RouteTable.operations.flatMap(\.allProblems))
        return Problem.Kind.allCases.filter(possible.contains).reduce(into: []) { problems, kind in
            if !problems.contains(where: { $0.status == kind.status }) { problems.append(kind) }
        }
    }()

    private static func response(_ kind: Problem.Kind) -> JSON {
        let titles = Problem.Kind.allCases.filter { $0.status == kind.status }.map { "\($0.title) (`\($0.type)`)." }
        return [
            "description": .string(titles.joined(separator: " ")),
            "content": ["application/problem+json": ["schema": Schema.reference("Problem")]],
        ]
    }
}

extension Problem.Kind {
    /// `not-found` is `NotFound`.
    fileprivate var componentName: String {
        rawValue.split(separator: "-").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    }
}
