import ControlPlane
import HTTPTypes
import Model
import Primitives
import Projections

/// Views built anew from the log beside those that serve: begun, watched, compared, swapped in, put back.
enum ReplayEndpoints {
    static let operations = [
        Operation(
            method: .get, path: "/v1/replays", name: "listReplays", tag: "replays",
            summary: "Lists the rebuilds of views since the start, the newest first; what the start itself had to rebuild too.",
            access: .needs(.readPlatform),
            success: .init(status: .ok, about: "All of them.", schema: Schema.reference("ReplayPage")),
            handle: { exchange in .page(exchange.platform.replays.all.map(json), next: nil) }),
        Operation(
            method: .post, path: "/v1/replays", name: "startReplay", tag: "replays",
            summary: "Builds views anew from the log in the background; those that serve are not touched.",
            access: .needs(.writePlatform), body: .init(schema: Schema.reference("NewReplay")),
            success: .init(status: .accepted, about: "It has begun.", schema: Schema.reference("Replay")),
            handle: { exchange in
                let names = try exchange.decode { body, faults in views(body, &faults) }
                let status = try allowed { () throws(ReplayRejection) in
                    try exchange.platform.replays.start(names)
                }
                return Reply(.accepted, .json(json(status)), location: "/v1/replays/\(status.id)")
            }),
        Operation(
            method: .get, path: "/v1/replays/{id}", name: "getReplay", tag: "replays", summary: "Shows how far a rebuild is.",
            access: .needs(.readPlatform), success: .init(status: .ok, about: "The rebuild.", schema: Schema.reference("Replay")),
            handle: { exchange in
                guard let status = exchange.platform.replays.status(try exchange.id("id")) else { throw unknown }
                return .ok(json(status))
            }),
        Operation(
            method: .post, path: "/v1/replays/{id}/swap", name: "swapReplay", tag: "replays",
            summary: "Puts the built views in the place of those that serve; no request is refused meanwhile.",
            access: .needs(.writePlatform),
            success: .init(status: .accepted, about: "It is being done.", schema: Schema.reference("Replay")),
            handle: { exchange in
                let id = try exchange.id("id")
                return Reply(
                    .accepted,
                    .json(json(try allowed { () throws(ReplayRejection) in try exchange.platform.replays.swap(id) })))
            }),
        Operation(
            method: .post, path: "/v1/replays/{id}/revert", name: "revertReplay", tag: "replays",
            summary: "Puts the former views back, caught up with the log.", access: .needs(.writePlatform),
            success: .init(status: .accepted, about: "It is being done.", schema: Schema.reference("Replay")),
            handle: { exchange in
                let id = try exchange.id("id")
                return Reply(
                    .accepted,
                    .json(json(try allowed { () throws(ReplayRejection) in try exchange.platform.replays.revert(id) })))
            }),
        Operation(
            method: .delete, path: "/v1/replays/{id}", name: "cancelReplay", tag: "replays",
            summary: "Ends a rebuild, or drops what is not in use: the built views, or after a swap the former ones.",
            access: .needs(.writePlatform), success: .init(status: .noContent, about: "It is ended."),
            handle: { exchange in
                let id = try exchange.id("id")
                try allowed { () throws(ReplayRejection) in try exchange.platform.replays.cancel(id) }
                return .done
            }),
    ]

    static let schemas: [(String, JSON)] = [
        (
            "NewReplay",
            Schema.object(
                [("views", Schema.list(Schema.choice(Views.projectionNames)))], required: [], isClosed: true)
        ),
        (
            "Replay",
            Schema.object(
                [
                    ("id", Schema.uuid), ("views", Schema.list(Schema.choice(Views.projectionNames))),
                    ("state", Schema.choice(ReplayStatus.State.allCases.map(\.rawValue))),
                    ("found_at_start", Schema.orNull(Schema.text(max: 64))), ("events_done", Schema.sequence),
                    ("events_total", Schema.sequence), ("events_per_second", Schema.sequence),
                    ("seconds_left", Schema.orNull(Schema.sequence)), ("started_at", Schema.time),
                    ("finished_at", Schema.orNull(Schema.time)), ("failure", Schema.orNull(Schema.text(max: 1_000))),
                    ("differences", Schema.orNull(Schema.reference("ReplayDifferences"))),
                ],
                required: [
                    "id", "views", "state", "found_at_start", "events_done", "events_total", "events_per_second",
                    "seconds_left", "started_at", "finished_at", "failure", "differences",
                ])
        ),
        (
            "ReplayDifferences",
            Schema.object(
                [
                    ("log_position", Schema.sequence), ("count", Schema.sequence),
                    (
                        "first",
                        Schema.list(
                            Schema.object(
                                [
                                    ("table", Schema.text(max: 64)), ("key", Schema.text(max: 1_024)),
                                    ("serving", Schema.orNull(Schema.text(max: 256))),
                                    ("rebuilt", Schema.orNull(Schema.text(max: 256))),
                                ], required: ["table", "key", "serving", "rebuilt"]))
                    ),
                ], required: ["log_position", "count", "first"])
        ),
        ("ReplayPage", Schema.page(of: Schema.reference("Replay"))),
    ]

    private static let unknown = Problem(.notFound, "There is no such replay since the start of this process.")

    /// nil: all.
    private static func views(_ body: JSON, _ faults: inout FieldFaults) -> [String]? {
        guard let member = body["views"] else { return nil }
        guard let items = member.items, !items.isEmpty else {
            faults.add(JSONPointer().appending("views"), "must be a list of names; leave it out for all")
            return nil
        }
        var names: [String] = []
        for (index, item) in items.enumerated() {
            if let name = item.text, Views.projectionNames.contains(name) {
                names.append(name)
            } else {
                faults.add(
                    JSONPointer().appending("views").appending(index),
                    "must be one of \(Views.projectionNames.joined(separator: ", "))")
            }
        }
        return names
    }

    private static func allowed<R>(_ body: () throws(ReplayRejection) -> R) throws -> R {
        do throws(ReplayRejection) {
            return try body()
        } catch {
            switch error {
            case .unknownView(let name): throw Problem.invalid("views", "there is no view \(name)")
            case .unknownReplay: throw unknown
            case .busy(let id):
                throw Problem(.conflict, "Replay \(id) is not finished: swap it in or drop it first (DELETE).")
            case .state(let state):
                throw Problem(.conflict, "This cannot be done in the state \(state.rawValue), or there is nothing to put back.")
            case .noThread, .closed:
                throw Problem(.unavailable, "No replay can begin now.", headers: [.retryAfter: "5"])
            }
        }
    }

    private static func json(_ status: ReplayStatus) -> JSON {
        [
            "id": .string(status.id.description), "views": .array(status.views.map(JSON.string)),
            "state": .string(status.state.rawValue),
            "found_at_start": status.atStart.map { .string("\($0)") } ?? .null,
            "events_done": .integer(status.applied), "events_total": .integer(status.total),
            "events_per_second": .integer(status.eventsPerSecond),
            "seconds_left": status.secondsLeft.map { .integer($0) } ?? .null,
            "started_at": .string(status.startedAt.rfc3339),
            "finished_at": status.finishedAt.map { .string($0.rfc3339) } ?? .null,
            "failure": status.failure.map(JSON.string) ?? .null,
            "differences": status.comparison.map(json) ?? .null,
        ]
    }

    private static func json(_ comparison: ViewsComparison) -> JSON {
        [
            "log_position": .integer(comparison.applied), "count": .integer(comparison.count),
            "first": .array(comparison.first.map(json)),
        ]
    }

    private static func json(_ difference: ViewsDifference) -> JSON {
        switch difference {
        case .applied(let serving, let rebuilt):
            ["table": "", "key": "", "serving": .string("\(serving)"), "rebuilt": .string("\(rebuilt)")]
        case .entry(let table, let key, let serving, let rebuilt):
            [
                "table": .string(table.rawValue), "key": .string(hex(key)), "serving": summary(serving),
                "rebuilt": summary(rebuilt),
            ]
        }
    }

    /// Its length and its first bytes: enough to see what differs, too little to carry somebody's data away.
    private static func summary(_ value: [UInt8]?) -> JSON {
        value.map { .string("\($0.count) bytes \(hex($0.prefix(48)))\($0.count > 48 ? "…" : "")") } ?? .null
    }
}
