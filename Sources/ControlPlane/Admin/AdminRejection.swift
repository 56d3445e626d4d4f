/// Why a command was refused. Nothing was recorded.
package enum AdminRejection: Error, Equatable, Sendable {
    /// The field's value cannot be: `reason` says what would be.
    case invalid(field: String, reason: String)
    /// The field refers to something that is not there, or that belongs to somebody else.
    case unknownReference(field: String, id: String)
    /// The value is unique, and used by another entity.
    case taken(field: String, value: String)
    /// The entity that the command is about does not exist.
    case notFound(entity: String, id: String)
    /// Others depend on it: they have to go first.
    case inUse(reason: String)
    case versionMismatch(expected: UInt64, actual: UInt64)
    case limitReached(field: String, limit: UInt64)
    /// The same idempotency key came with another command before.
    case idempotencyKeyReused
    /// The token does not allow it, as it stands now.
    case forbidden(reason: String)
    /// It cannot be durable now (disk full, stopping): nothing was recorded, try again.
    case unavailable(reason: String)
}

extension AdminRejection {
    /// The HTTP status with this meaning (RFC 9110).
    package var status: Int {
        switch self {
        case .invalid, .unknownReference, .idempotencyKeyReused: 422
        case .taken, .inUse, .limitReached: 409
        case .notFound: 404
        case .forbidden: 403
        case .versionMismatch: 412
        case .unavailable: 503
        }
    }

    /// The field of the entity that is at fault, by its name in `entities.proto`.
    package var field: String? {
        switch self {
        case .invalid(let field, _), .unknownReference(let field, _), .taken(let field, _), .limitReached(let field, _):
            field
        case .notFound, .inUse, .versionMismatch, .idempotencyKeyReused, .forbidden, .unavailable: nil
        }
    }

    /// One sentence for a person, without secrets.
    package var reason: String {
        switch self {
        case .invalid(let field, let reason): "\(field): \(reason)"
        case .unknownReference(let field, let id): "\(field): there is no such entity here: \(id)"
        case .taken(let field, let value): "\(field): \(value) is taken"
        case .notFound(let entity, let id): "there is no \(entity) \(id)"
        case .inUse(let reason): reason
        case .forbidden(let reason): reason
        case .versionMismatch(let expected, let actual):
            "it has changed since: expected version \(expected), it is at \(actual)"
        case .limitReached(let field, let limit): "\(field): the limit of \(limit) is reached"
        case .idempotencyKeyReused: "the idempotency key was used for another request"
        case .unavailable(let reason): reason
        }
    }
}

extension AdminRejection: CustomStringConvertible {
    package var description: String { reason }
}

// Short forms for the deciders.
extension AdminRejection {
    static func invalid(_ field: String, _ reason: String) -> AdminRejection { .invalid(field: field, reason: reason) }

    static func unknownReference(_ field: String, _ id: String) -> AdminRejection {
        .unknownReference(field: field, id: id)
    }

    static func taken(_ field: String, _ value: String) -> AdminRejection { .taken(field: field, value: value) }

    static func notFound(_ entity: String, _ id: String) -> AdminRejection { .notFound(entity: entity, id: id) }
}
