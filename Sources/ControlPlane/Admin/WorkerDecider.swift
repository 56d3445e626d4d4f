import Model
import OpenSSL
import Primitives
import Projections
import SwiftProtobuf

/// Worker processes that may speak on the bus: a name, a kind and a CURVE public key.
enum WorkerDecider {
    /// Workers are known by name; their stream id is made from it.
    static func stream(of name: String) -> UUIDv7 {
        let digest = Hash.sha256(Array("ledgerline worker ".utf8) + Array(name.utf8))
        guard let id = UUIDv7(bytes: digest[0..<16]) else { preconditionFailure("SHA-256 has 32 bytes") }
        return id
    }

    static func enroll<State: ViewQueries & ~Copyable>(
        _ worker: Worker, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        guard (1...16).contains(worker.name.utf8.count),
            worker.name.utf8.allSatisfy({ (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) })
        else {
            throw AdminRejection.invalid("name", "must be 1 to 16 of a-z and 0-9: it is part of every tag and branch")
        }
        try Checks.recognised(worker.kind.isRecognised, field: "kind")
        guard worker.curvePublicKey.count == 32 else {
            throw AdminRejection.invalid("curve_public_key", "must be 32 bytes")
        }
        guard try state.worker(worker.name) == nil else { throw AdminRejection.taken("name", worker.name) }
        let stream = stream(of: worker.name)
        decision.record(.workerEnrolled(.with { $0.worker = worker }), in: stream)
        decision.admissions.append(.admit(name: worker.name, publicKey: Array(worker.curvePublicKey)))
        return stream
    }

    static func revoke<State: ViewQueries & ~Copyable>(
        _ name: String, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        guard try state.worker(name) != nil else { throw AdminRejection.notFound("worker", name) }
        let stream = stream(of: name)
        decision.record(.workerRevoked(.with { $0.name = name }), in: stream)
        decision.admissions.append(.dismiss(name: name))
        return stream
    }
}
