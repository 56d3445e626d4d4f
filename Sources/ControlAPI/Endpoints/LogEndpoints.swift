import HTTPTypes
import Ledger
import Model
import OpenSSL
import Primitives
import Projections

/// What the log commits to: its head, its checkpoint, and that it only grew.
enum LogEndpoints {
    static let operations = [
        Operation(
            method: .get, path: "/v1/log/head", name: "getLogHead", tag: "log",
            summary: "The newest sequence of the log and the root of the tree over it.", access: .needs(.readLogHead),
            success: .init(status: .ok, about: "The head.", schema: Schema.reference("LogHead")),
            past: .never,
            handle: { try head($0) }),
        Operation(
            method: .get, path: "/v1/log/checkpoint", name: "getCheckpoint", tag: "log",
            summary: "The head as a signed note (C2SP tlog-checkpoint), signed now.", access: .needs(.readLogHead),
            success: .init(
                status: .ok, about: "The checkpoint.", schema: ["type": "string"], mediaType: ContentNegotiation.text),
            past: .never,
            handle: { exchange in
                let platform = exchange.platform
                return Reply(.ok, .text(try platform.signed(size: platform.log.head)))
            }),
        Operation(
            method: .get, path: "/checkpoint", name: "getPublishedCheckpoint", tag: "log",
            summary: "The published checkpoint, with the witnesses' cosignatures (C2SP tlog-tiles). For everybody; tiles are under /tile/.",
            access: .open,
            success: .init(
                status: .ok, about: "The checkpoint.", schema: ["type": "string"], mediaType: ContentNegotiation.text),
            past: .never,
            handle: { exchange in
                guard let checkpoint = try await exchange.platform.publisher.checkpoint() else {
                    throw Problem(.unavailable, "Not enough witnesses have cosigned a checkpoint since the start.")
                }
                return Reply(.ok, .text(checkpoint))
            }),
        Operation(
            method: .get, path: "/v1/log/consistency", name: "getConsistency", tag: "log",
            summary: "The proof that the log of one size holds that of a smaller one unchanged (RFC 6962). Hashes alone, so for everybody.",
            access: .open,
            query: [
                QueryParameter("from", .number(0...UInt64(Int64.max)), "The smaller size."),
                QueryParameter("to", .number(0...UInt64(Int64.max)), "The larger size; the head if it is not given."),
            ],
            success: .init(status: .ok, about: "The proof.", schema: Schema.reference("Consistency")),
            past: .never,
            handle: { try consistency($0) }),
        Operation(
            method: .get, path: "/v1/log/witnesses", name: "listWitnesses", tag: "log",
            summary: "Who is asked to cosign checkpoints, and what came of it.", access: .needs(.readPlatform),
            success: .init(status: .ok, about: "The witnesses.", schema: Schema.reference("Witnesses")),
            past: .never,
            handle: { exchange in
                let states = await exchange.platform.publisher.states
                return .ok(["items": .array(states.map(witness))])
            }),
    ]

    static let schemas: [(String, JSON)] = [
        (
            "LogHead",
            Schema.object(
                [
                    ("size", Schema.sequence), ("root_hash", Schema.text(max: 64)), ("origin", Schema.text(max: 128)),
                    ("verifier_key", Schema.text(max: 256)),
                ], required: ["size", "root_hash", "origin", "verifier_key"])
        ),
        (
            "Consistency",
            Schema.object(
                [
                    ("from", Schema.sequence), ("to", Schema.sequence), ("from_root_hash", Schema.text(max: 64)),
                    ("to_root_hash", Schema.text(max: 64)),
                    ("hashes", Schema.list(Schema.text(max: 64), max: ConsistencyProof.hashesMax)),
                    ("checkpoint", ["type": "string", "description": "The larger tree, signed."]),
                ], required: ["from", "to", "from_root_hash", "to_root_hash", "hashes", "checkpoint"])
        ),
        (
            "Witnesses",
            Schema.object(
                [
                    (
                        "items",
                        Schema.list(
                            Schema.object(
                                [
                                    ("name", ["type": "string"]), ("url", ["type": "string"]),
                                    ("size", Schema.orNull(Schema.sequence)), ("time", Schema.orNull(Schema.time)),
                                    ("fault", Schema.orNull(["type": "string"])),
                                ], required: ["name", "url", "size", "time", "fault"]))
                    )
                ], required: ["items"])
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

    private static func consistency(_ exchange: Exchange) throws -> Reply {
        let log = exchange.platform.log
        let head = log.head
        guard let from = exchange.query.number("from") else {
            throw Problem(
                .badRequest, "Some query parameters cannot be accepted.",
                faults: [FieldFault(.parameter("from"), "must be given: the size of the tree that you have")])
        }
        let to = exchange.query.number("to") ?? head
        guard from <= to, to <= head else {
            let name = from > to ? "from" : "to"
            throw Problem(
                .badRequest, "Some query parameters cannot be accepted.",
                faults: [FieldFault(.parameter(name), "must be at most \(from > to ? to : head)")])
        }
        return .ok([
            "from": .integer(from), "to": .integer(to),
            "from_root_hash": .string(Base64.encode(try log.rootHash(size: from).bytes)),
            "to_root_hash": .string(Base64.encode(try log.rootHash(size: to).bytes)),
            "hashes": .array(try log.consistencyProof(from: from, to: to).map { .string(Base64.encode($0.bytes)) }),
            "checkpoint": .string(try exchange.platform.signed(size: to)),
        ])
    }

    private static func witness(_ state: WitnessState) -> JSON {
        [
            "name": .string(state.witness.key.name), "url": .string(state.witness.url),
            "size": state.size.map { .integer($0) } ?? .null,
            "time": state.time.map { .string(WallTime(microseconds: Int64($0) * 1_000_000).rfc3339) } ?? .null,
            "fault": state.fault.map { .string($0) } ?? .null,
        ]
    }
}

extension Platform {
    func signed(size: UInt64) throws(LedgerError) -> String {
        Checkpoint(origin: origin, size: size, root: try log.rootHash(size: size)).signed(with: signingKey)
    }
}
