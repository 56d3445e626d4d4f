import ControlPlane
import HTTPTypes
import Model
import Primitives
import Projections

extension Binding: Blank {}

/// Where a subscriber's phones are now.
enum BindingEndpoints {
    private static let shape = Shape<Binding>(
        "Binding",
        [
            .text("contact_uri", \.contactUri, access: .readOnly, "Registered Contact."),
            .shown("expires_seconds", Schema.sequence, "Left.") { .integer($0.expiresSeconds) },
            .text("user_agent", \.userAgent, access: .readOnly, "As the phone names itself."),
            .shown("q", Schema.decimal, "Preference (RFC 3261 §20.10).") {
                .string(Decimal.text(micros: Int64($0.qPermille) * 1_000))
            },
            .text("instance_id", \.instanceID, access: .readOnly, "As the phone names its device."),
            .shown("reg_id", Schema.sequence, "Which of the device's flows (RFC 5626); 0: none is named.") { .integer($0.regID) },
            .shown("path", Schema.list(Schema.text(max: 256)), "Proxies on the way to it (RFC 3327).") { binding, _ in .array(binding.path.map { .string($0) }) },
            .shown("is_behind_nat", Schema.flag, "It was heard from another address than it names.") { binding, _ in .bool(binding.isBehindNat) },
            .text("worker", \.flow.worker, access: .readOnly, "Signal worker that heard it."),
            .text("remote", \.flow.remote, access: .readOnly, "Address that it was heard from."),
        ])

    static let operations = [
        Operation(
            method: .get, path: "/v1/subscribers/{subscriber_id}/bindings", name: "listBindings", tag: "subscribers",
            summary: "Lists the contacts by which a subscriber is reached now.", access: .needs(.readRegistrations),
            success: .init(status: .ok, about: "All of them.", schema: Schema.reference("BindingPage")),
            past: .never,  // registrations are not in the log
            reading: "bindings", handle: { try await list($0) }),
        Operation(
            method: .get, path: "/v1/subscribers/{subscriber_id}/watchers", name: "listWatchers", tag: "subscribers",
            summary: "Lists who watches a subscriber's line: busy lamps, presence, waiting messages.", access: .needs(.readRegistrations),
            success: .init(status: .ok, about: "All of them.", schema: Schema.reference("WatcherPage")),
            past: .never,  // subscriptions are not in the log
            reading: "watchers", handle: { try await listWatchers($0) }),
        Operation(
            method: .delete, path: "/v1/subscribers/{subscriber_id}/bindings", name: "clearBindings", tag: "subscribers",
            summary: "Forgets where a subscriber's phones are: it is reached again when they register again.",
            access: .needs(.clearRegistrations), success: .init(status: .noContent, about: "They are forgotten."),
            handle: { exchange in
                let id = try exchange.id("subscriber_id")
                _ = try exchange.read { views in try Subscribers.visible(id, to: exchange.reach, in: views).entity }
                let outcome = try await exchange.submit(.clearRegistrations(SubscriberID(id)))
                return Reply.done.replayed(outcome.repeated)
            }),
    ]

    static let schemas: [(String, JSON)] = [
        ("Binding", shape.schema), ("BindingPage", Schema.page(of: Schema.reference("Binding"))),
        ("Watcher", watcher), ("WatcherPage", Schema.page(of: Schema.reference("Watcher"))),
    ]

    private static let watcher = Schema.object(
        [
            ("subscriber_id", Schema.uuid), ("event", Schema.text(max: 32)), ("expires_at", Schema.time), ("worker", Schema.text(max: 16)),
            ("remote", Schema.text(max: 64)),
        ], required: ["subscriber_id", "event", "expires_at", "worker", "remote"])

    private static func listWatchers(_ exchange: Exchange) async throws -> Reply {
        let id = try exchange.id("subscriber_id")
        _ = try exchange.read { views in try Subscribers.visible(id, to: exchange.reach, in: views).entity }
        let watchers = await exchange.platform.watchers(SubscriberID(id))
        return .page(
            watchers.map { watcher in
                [
                    "subscriber_id": .string(watcher.subscriber.value.description), "event": .string(watcher.event),
                    "expires_at": .string(watcher.expiresAt.rfc3339), "worker": .string(watcher.flow.worker), "remote": .string(watcher.flow.remote),
                ]
            }, next: nil)
    }

    private static func list(_ exchange: Exchange) async throws -> Reply {
        let id = try exchange.id("subscriber_id")
        _ = try exchange.read { views in try Subscribers.visible(id, to: exchange.reach, in: views).entity }
        let bindings = await exchange.platform.bindings(SubscriberID(id))
        return .page(bindings.map { shape.json($0) }, next: nil)
    }
}
