import ControlPlane
import Model
import Primitives
import Projections
import Subjects

/// One request on its way through an operation: everything that was checked before, and the platform to act on.
struct Exchange: Sendable {
    let platform: Platform
    /// nil: the question is about now.
    let past: Past?
    /// nil for operations that are open to everybody.
    let caller: Caller?
    let path: [String: String]
    let query: Query
    /// null for operations without a body.
    let body: JSON
    let ifMatch: EntityTag.Condition?
    let requestID: String
    let origin: Origin
    let idempotencyKey: String?
    /// HMAC-SHA-256 over method, target and body.
    let fingerprint: [UInt8]
    /// Of operations whose body is a file.
    var file: [UInt8] = []
}

extension Exchange {
    /// The token that the request came with. An operation that is open to everybody must not ask.
    var token: Caller {
        get throws {
            guard let caller else { throw Problem(.unauthenticated, "This needs a token.") }
            return caller
        }
    }

    var reach: Reach {
        get throws { try token.reach }
    }

    /// An id in the path. Anything but a UUID is an entity that does not exist.
    func id(_ name: String) throws -> UUIDv7 {
        guard let id = UUIDv7(path[name] ?? "") else { throw Problem(.notFound, "There is nothing with this id.") }
        return id
    }

    func read<R>(_ body: (borrowing ViewSnapshot) throws -> R) throws -> R {
        let result =
            if let past {
                try past.states.read(with: platform.views, platform.log) { views throws(ViewsError) in
                    Result { try body(views) }
                }
            } else {
                try platform.views.read { views throws(ViewsError) in Result { try body(views) } }
            }
        return try result.get()
    }

    func submit(_ command: AdminCommand) async throws -> AdminOutcome {
        let request = AdminRequest(
            command, actor: try token.name, requestID: requestID, origin: origin, authority: try token.authority,
            idempotencyKey: idempotencyKey, fingerprint: fingerprint)
        return try await platform.submit(request)
    }

    /// Which version a change is made on top of: what If-Match names, out of which the current one is preferred. A single
    /// one goes to the control plane unseen: under an idempotency key a repetition is no mismatch, and only it knows.
    func expectedVersion(current: UInt64) throws -> UInt64? {
        switch ifMatch {
        case nil: return nil
        case .any?: return current
        case .versions(let versions)?:
            if versions.contains(current) { return current }
            if versions.count == 1 { return versions[0] }
            throw Problem(.versionMismatch, "It is at version \(current) now; read it again and repeat the change.")
        }
    }

    /// Reads the body into something, or throws a problem with everything that is wrong with it.
    func decode<R>(_ read: (JSON, inout FieldFaults) -> R) throws -> R {
        var faults = FieldFaults()
        let result = read(body, &faults)
        guard faults.isEmpty else { throw Problem(faults) }
        return result
    }
}

extension Problem {
    init(_ faults: FieldFaults) {
        let count = faults.faults.count
        self.init(
            .invalidFields, count == 1 ? "One value cannot be accepted." : "\(count) values cannot be accepted.",
            faults: faults.faults)
    }

    static func invalid(_ field: String, _ reason: String) -> Problem {
        Problem(.invalidFields, "One value cannot be accepted.", faults: [FieldFault(.pointer("/" + field), reason)])
    }
}
