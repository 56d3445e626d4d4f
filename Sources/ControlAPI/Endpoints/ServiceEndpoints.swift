import HTTPTypes
import Model
import Primitives
import Projections

/// About the platform itself: whether it lives, and what the API is.
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
            summary: "How many requests were answered with which status since the start.", access: .needs(.readPlatform),
            success: .init(status: .ok, about: "The counters.", schema: Schema.reference("Counters")),
            past: .never,
            handle: { exchange in .ok(["responses": exchange.platform.counters.json]) }),
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
    ]
}
