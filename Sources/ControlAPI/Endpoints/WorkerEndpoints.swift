import Bus
import ControlPlane
import Foundation
import HTTPTypes
import Model
import Primitives
import Projections

extension Worker: Blank {}

/// Signal and media workers: who may speak on the bus, and who does.
enum WorkerEndpoints {
    private static let shape = Shape<Worker>(
        "Worker",
        [
            .text("name", \.name, access: .fixed, isRequired: true, max: 16, "1 to 16 of a-z and 0-9; unique."),
            .choice("kind", \.kind, access: .fixed, isRequired: true, "What it does."),
            Field(
                "curve_public_key", \.curvePublicKey, .fixed, isRequired: true, schema: Schema.text(max: 40),
                about: "Of its CURVE key pair, in Z85.",
                read: { worker, _ in .string(CurvePublicKey(bytes: Array(worker.curvePublicKey))?.description ?? "") },
                write: { value, worker, _, pointer, faults in
                    guard let text = value.text, let key = CurvePublicKey(text) else {
                        return faults.add(pointer, "must be a CURVE public key: 40 characters of Z85")
                    }
                    worker.curvePublicKey = Data(key.bytes)
                }),
        ])

    static let operations = [
        Operation(
            method: .get, path: "/v1/workers", name: "listWorkers", tag: "workers",
            summary: "Lists every enrolled worker.",
            access: .needs(.readPlatform),
            success: .init(status: .ok, about: "All of them.", schema: Schema.reference("WorkerPage")),
            past: .never,
            handle: { try await list($0) }),
        Operation(
            method: .post, path: "/v1/workers", name: "enrollWorker", tag: "workers",
            summary: "Admits a worker's key to the bus.",
            access: .needs(.writePlatform), body: .init(schema: Schema.reference("NewWorker")),
            success: .init(status: .created, about: "It is enrolled.", schema: Schema.reference("Enrollment")),
            handle: { try await enroll($0) }),
        Operation(
            method: .get, path: "/v1/workers/{name}", name: "getWorker", tag: "workers", summary: "Reads a worker.",
            access: .needs(.readPlatform), success: .init(status: .ok, about: "The worker.", schema: Schema.reference("Worker")),
            past: .never,
            handle: { exchange in .ok(try await worker(exchange)) }),
        Operation(
            method: .delete, path: "/v1/workers/{name}", name: "revokeWorker", tag: "workers",
            summary: "Revokes a worker's key: its connections are refused.", access: .needs(.writePlatform),
            success: .init(status: .noContent, about: "It is revoked."),
            handle: { exchange in
                _ = try await worker(exchange)
                let outcome = try await exchange.submit(.revokeWorker(name: exchange.path["name"] ?? ""))
                return Reply.done.replayed(outcome.repeated)
            }),
        Operation(
            method: .post, path: "/v1/workers/{name}/drain", name: "drainWorker", tag: "workers",
            summary: "The worker gets no new calls, and ends when its last call has.", access: .needs(.writePlatform),
            success: .init(status: .accepted, about: "It was told."),
            handle: { exchange in
                _ = try await worker(exchange)
                let outcome = try await exchange.submit(.drainWorker(name: exchange.path["name"] ?? ""))
                return Reply(.accepted, .none).replayed(outcome.repeated)
            }),
    ]

    static let schemas: [(String, JSON)] = [
        ("NewWorker", shape.newSchema),
        (
            "Worker",
            Schema.object(
                shape.fields.map { ($0.name, $0.schema) } + [
                    ("state", Schema.choice(["absent", "alive", "draining", "dead"])),
                    ("listeners", Schema.list(Schema.text(max: 64))), ("bus_endpoint", Schema.text(max: 128)),
                    ("calls", Schema.sequence), ("load_permille", Schema.sequence), ("media", Schema.orNull(figures)),
                    ("heard_at", Schema.orNull(Schema.time)),
                ],
                required: shape.fields.map(\.name) + [
                    "state", "listeners", "bus_endpoint", "calls", "load_permille", "media", "heard_at",
                ])
        ),
        ("WorkerPage", Schema.page(of: Schema.reference("Worker"))),
        (
            "Enrollment",
            Schema.object(
                [
                    ("worker", Schema.reference("Worker")),
                    (
                        "control",
                        Schema.object(
                            [
                                ("curve_public_key", Schema.text(max: 40)), ("desk", Schema.text(max: 128)),
                                ("feed", Schema.text(max: 128)),
                            ], required: ["curve_public_key", "desk", "feed"])
                    ),
                ], required: ["worker", "control"])
        ),
    ]

    private static func list(_ exchange: Exchange) async throws -> Reply {
        let workers = try exchange.read { views in try views.workers(limit: .max) }
        let states = await exchange.platform.workers()
        return .page(workers.map { worker in json(worker, states.first { $0.name == worker.name }) }, next: nil)
    }

    private static func enroll(_ exchange: Exchange) async throws -> Reply {
        let worker = try exchange.decode { body, faults in shape.new(body, FieldContext(), &faults) }
        let outcome = try await exchange.submit(.enrollWorker(worker))
        let endpoints = exchange.platform.endpoints()
        return Reply(
            .created,
            .json([
                "worker": json(worker, nil),
                "control": [
                    "curve_public_key": .string(exchange.platform.busKey.description),
                    "desk": .string(endpoints?.desk ?? ""), "feed": .string(endpoints?.feed ?? ""),
                ],
            ]), location: "/v1/workers/\(worker.name)"
        ).replayed(outcome.repeated)
    }

    private static func worker(_ exchange: Exchange) async throws -> JSON {
        let name = exchange.path["name"] ?? ""
        guard let worker = try exchange.read({ views in try views.worker(name) }) else {
            throw Problem(.notFound, "There is no such worker.")
        }
        let states = await exchange.platform.workers()
        return json(worker, states.first { $0.name == name })
    }

    /// Of a media worker, since it started.
    private static let figures = Schema.object(
        [("packets", Schema.sequence), ("packets_by_xdp", Schema.sequence), ("packets_refused", Schema.sequence), ("ports_released", Schema.sequence)],
        required: ["packets", "packets_by_xdp", "packets_refused", "ports_released"])

    private static func json(_ media: MediaFigures) -> JSON {
        [
            "packets": .integer(media.packets), "packets_by_xdp": .integer(media.packetsByXdp), "packets_refused": .integer(media.packetsRefused),
            "ports_released": .integer(media.portsReleased),
        ]
    }

    private static func json(_ worker: Worker, _ status: WorkerStatus?) -> JSON {
        shape.json(worker)
            .adding("state", .string(status?.state.rawValue ?? WorkerStatus.State.absent.rawValue))
            .adding("listeners", .array(status?.listeners.map(JSON.string) ?? []))
            .adding("bus_endpoint", .string(status?.busEndpoint ?? ""))
            .adding("calls", .integer(status?.calls ?? 0))
            .adding("load_permille", .integer(status?.loadPermille ?? 0))
            .adding("media", status?.media.map(json) ?? .null)
            .adding("heard_at", status?.heardAt.map { .string($0.rfc3339) } ?? .null)
    }
}
