import ControlPlane
import Model
import Primitives
import Projections

/// A gateway and how it goes with it: what the log knows, and what the worker that registers or probes it said last.
struct GatewayStateRecord {
    private let gateway: Gateway
    private let state: GatewayState
    private let status: GatewayStatus?

    init(_ gateway: Gateway, of carrier: Carrier, _ statuses: [GatewayStatus], in views: borrowing ViewSnapshot) throws {
        self.gateway = gateway
        let id = GatewayID(gateway.id)
        var known: GatewayState?
        if let id, let carrierID = CarrierID(carrier.id) { known = try views.gatewayState(id, of: carrierID) }
        state = known ?? GatewayState()
        status = statuses.first { $0.gateway == id }
    }

    func json(_ shape: Shape<Gateway>) -> JSON {
        shape.json(gateway).adding("registration", registration).adding("service", service)
    }

    /// null: it does not register.
    private var registration: JSON {
        guard !gateway.registrationUser.isEmpty else { return .null }
        let said = status?.registration
        let worker = status?.worker ?? state.registrationWorker
        return [
            "state": .string((said?.state ?? state.registration).literal),
            "since": Self.time(state.registrationSince), "until": Self.time(said?.until ?? 0),
            "worker": worker.isEmpty ? .null : .string(worker),
            "last_status": Self.status(said?.sipStatus ?? state.registrationStatus),
            "last_reason": .string(said?.reason ?? state.registrationReason),
            "last_answer_at": Self.time(said?.answeredAt ?? 0), "server": .string(said?.target ?? ""),
        ]
    }

    /// null: it is not probed.
    private var service: JSON {
        guard gateway.probeSeconds > 0 else { return .null }
        let said = status?.probe
        let worker = status?.worker ?? state.serviceWorker
        return [
            "in_service": .bool(!state.outOfService), "since": Self.time(state.serviceSince),
            "worker": worker.isEmpty ? .null : .string(worker),
            "last_status": Self.status(said?.sipStatus ?? state.serviceStatus),
            "last_reason": .string(said?.reason ?? state.serviceReason),
        ]
    }

    private static func time(_ microseconds: Int64) -> JSON { microseconds == 0 ? .null : JSON.time(microseconds: microseconds) }
    /// null: nothing was answered.
    private static func status(_ status: UInt32) -> JSON { status == 0 ? .null : .integer(status) }

    static func schema(of shape: Shape<Gateway>) -> JSON {
        let when = Schema.orNull(Schema.time)
        let worker = Schema.orNull(Schema.text(max: 16))
        let code = Schema.orNull(Schema.integer(100...699))
        let registration = Schema.object(
            [
                ("state", Schema.choice(RegistrationState.literals)), ("since", when), ("until", when), ("worker", worker), ("last_status", code),
                ("last_reason", Schema.text(max: 128)), ("last_answer_at", when), ("server", Schema.text(max: 64)),
            ], required: ["state", "since", "until", "worker", "last_status", "last_reason", "last_answer_at", "server"])
        let service = Schema.object(
            [("in_service", Schema.flag), ("since", when), ("worker", worker), ("last_status", code), ("last_reason", Schema.text(max: 128))],
            required: ["in_service", "since", "worker", "last_status", "last_reason"])
        let fields = shape.fields.filter { $0.access != .writeOnly }
        return Schema.object(
            fields.map { ($0.name, $0.schema) } + [("registration", Schema.orNull(registration)), ("service", Schema.orNull(service))],
            required: fields.map(\.name) + ["registration", "service"])
    }
}
