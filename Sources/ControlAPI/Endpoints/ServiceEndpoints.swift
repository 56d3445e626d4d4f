import HTTPTypes
import Ledger
import Model
import OpenSSL
import Primitives
import Projections

/// About the platform itself: whether it lives, what the API is, and what the log commits to.
enum ServiceEndpoints {
    static let operations = [
        Operation(
            method: .get, path: "/healthz", name: "getHealth", tag: "service",
            summary: "Whether the control plane answers.",
            access: .open, success: .init(status: .ok, about: "It does.", schema: Schema.reference("Health")),
            handle: { exchange in
                let applied = try exchange.read { views in views.applied }
                return .ok(["status": "ok", "log_position": .integer(applied)])
            }),
        Operation(
            method: .get, path: "/openapi.json", name: "getDocument", tag: "service", summary: "This document.",
            access: .open, success: .init(status: .ok, about: "OpenAPI 3.1.", schema: ["type": "object"]),
            handle: { _ in .ok(OpenAPIDocument.json) }),
        Operation(
            method: .get, path: "/v1/counters", name: "getCounters", tag: "service",
            summary: "How many requests were answered with which status since the start.", access: .platform,
            success: .init(status: .ok, about: "The counters.", schema: Schema.reference("Counters")),
            past: .never,
            handle: { exchange in .ok(["responses": exchange.platform.counters.json]) }),
        Operation(
            method: .get, path: "/v1/log/head", name: "getLogHead", tag: "log",
            summary: "The newest sequence of the log and the root of the tree over it.", access: .anyToken,
            success: .init(status: .ok, about: "The head.", schema: Schema.reference("LogHead")),
            past: .never,
            handle: { try head($0) }),
        Operation(
            method: .get, path: "/v1/log/checkpoint", name: "getCheckpoint", tag: "log",
            summary: "The head as a signed note (C2SP tlog-checkpoint).", access: .anyToken,
            success: .init(
                status: .ok, about: "The checkpoint.", schema: ["type": "string"], mediaType: ContentNegotiation.text),
            past: .never,
            handle: { exchange in
                let log = exchange.platform.log
                let size = log.head
                let checkpoint = Checkpoint(
                    origin: exchange.platform.origin, size: size, root: try log.rootHash(size: size))
                return Reply(.ok, .text(checkpoint.signed(with: exchange.platform.signingKey)))
            }),
    ]

    static let schemas: [(String, JSON)] = [
        (
            "Health",
            Schema.object(
                [("status", Schema.choice(["ok"])), ("log_position", Schema.sequence)],
                required: ["status", "log_position"])
        ),
        (
            "Counters",
            Schema.object(
                [
                    (
                        "responses",
                        ["type": "object", "additionalProperties": Schema.sequence, "description": "By status."]
                    )
                ],
                required: ["responses"])
        ),
        (
            "LogHead",
            Schema.object(
                [
                    ("size", Schema.sequence), ("root_hash", Schema.text(max: 64)), ("origin", Schema.text(max: 128)),
                    ("verifier_key", Schema.text(max: 256)),
                ], required: ["size", "root_hash", "origin", "verifier_key"])
        ),
    ]

    private static func head(_ exchange: Exchange) throws -> Reply {
        let platform = exchange.platform
        let size = platform.log.head
        let root = try platform.log.rootHash(size: size)
        return .ok([
            "size": .integer(size), "root_hash": .string(hex(root.bytes)), "origin": .string(platform.origin),
            "verifier_key": .string(platform.signingKey.verifyingKey.noteKey(name: platform.origin)),
        ])
    }
}
