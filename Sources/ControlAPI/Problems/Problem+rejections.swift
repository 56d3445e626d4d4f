import ControlPlane
import Hummingbird
import Projections

extension Problem {
    init(_ rejection: AdminRejection) {
        let faults =
            rejection.field.map { [FieldFault(.pointer(Problem.pointer(of: $0)), rejection.fieldReason)] } ?? []
        switch rejection {
        case .invalid, .unknownReference:
            self.init(.invalidFields, "One value cannot be accepted.", faults: faults)
        case .taken, .limitReached:
            self.init(.conflict, rejection.reason.asSentence, faults: faults)
        case .inUse:
            self.init(.conflict, rejection.reason.asSentence)
        case .forbidden:
            self.init(.forbidden, rejection.reason.asSentence)
        case .notFound:
            self.init(.notFound, rejection.reason.asSentence)
        case .versionMismatch(_, let actual):
            self.init(.versionMismatch, "It is at version \(actual) now; read it again and repeat the change.")
        case .idempotencyKeyReused:
            self.init(
                .idempotencyKeyReused, "This key came with another request before; take a new one for a new request.")
        case .unavailable:
            self.init(.unavailable, rejection.reason.asSentence, headers: [.retryAfter: "1"])
        }
    }

    /// The views cannot be read: what exactly is for the operator's log, not for the client.
    init(_ error: ViewsError) {
        self.init(.unavailable, "The views cannot be read now.", headers: [.retryAfter: "5"])
    }

    /// `gateways[1].price_micros` of the control plane is `/gateways/1/price` of the API.
    static func pointer(of field: String) -> String {
        var pointer = ""
        for part in field.split(separator: ".") {
            let pieces = part.split(separator: "[")
            for (index, piece) in pieces.enumerated() {
                let name = index == 0 ? piece : piece.dropLast()
                pointer += "/" + (name.hasSuffix("_micros") ? name.dropLast("_micros".count) : name)
            }
        }
        return pointer.replacing("/amount/micros", with: "/amount/amount")
    }
}

extension AdminRejection {
    /// The reason without the field's name before it.
    fileprivate var fieldReason: String {
        switch self {
        case .invalid(_, let reason): reason
        case .unknownReference: "names nothing that is there for you"
        case .taken(_, let value): "\(value) is taken"
        case .limitReached(_, let limit): "the limit of \(limit) is reached"
        case .notFound, .inUse, .versionMismatch, .idempotencyKeyReused, .forbidden, .unavailable: reason
        }
    }
}

extension String {
    /// With a capital letter and a full stop.
    var asSentence: String {
        guard let first else { return self }
        return first.uppercased() + dropFirst() + (hasSuffix(".") ? "" : ".")
    }
}
