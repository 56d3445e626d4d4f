import ControlPlane
import HTTPTypes
import Model
import Primitives
import Projections

/// What a subscriber may do, and what a call of it would do; nothing is recorded.
enum LineTrialEndpoints {
    private struct Question: Blank {
        var dialled = ""
    }

    private static let shape = Shape<Question>(
        "RouteTrial", [.text("dialled", \.dialled, isRequired: true, "As the phone would send it.")])

    static let operations = [
        Operation(
            method: .post, path: "/v1/subscribers/{subscriber_id}/route", name: "tryRoute", tag: "subscribers",
            summary: "What a call of the subscriber would do: targets, prices and credit, or why it is refused.",
            access: .needs(.tryRoutes), body: .init(schema: Schema.reference("RouteTrial")),
            success: .init(status: .ok, about: "The answer.", schema: Schema.reference("RouteTrialResult")),
            past: .always, handle: { try route($0) }),
        Operation(
            method: .get, path: "/v1/subscribers/{subscriber_id}/permission", name: "getPermission",
            tag: "subscribers", summary: "Whether the subscriber may register and call, and what decides it.",
            access: .needs(.tryRoutes), query: [QueryParameter("number", .text, "E.164 with +: may it be called?")],
            success: .init(status: .ok, about: "The answer.", schema: Schema.reference("LinePermission")),
            handle: { try permission($0) }),
    ]

    static let schemas: [(String, JSON)] = [
        ("RouteTrial", shape.newSchema),
        (
            "RouteTrialResult",
            Schema.object(
                [
                    ("dialled", Schema.text(max: 128)), ("number", Schema.orNull(Schema.text(max: 16))),
                    ("dial_rule", Schema.text(max: 128)), ("direction", Schema.choice(CallDirection.literals)),
                    ("refusal", Schema.choice(Refusal.literals)), ("sip_status", Schema.orNull(Schema.sequence)),
                    ("reason", Schema.text(max: 256)), ("assumes_registration", Schema.flag),
                    ("granted_seconds", Schema.orNull(Schema.sequence)), ("held", Schema.orNull(Schema.money)),
                    ("targets", Schema.list(target)), ("prices", Schema.list(price)), ("route", Schema.list(step)),
                ],
                required: [
                    "route",
                    "dialled", "number", "dial_rule", "direction", "refusal", "sip_status", "reason",
                    "assumes_registration", "granted_seconds", "held", "targets", "prices",
                ])
        ),
        (
            "LinePermission",
            Schema.object(
                [
                    ("may_register", Schema.flag), ("may_call_emergency", Schema.flag), ("may_call", Schema.orNull(Schema.flag)),
                    ("allowed_prefixes", Schema.list(Schema.text(max: 16))), ("levels", Schema.list(level)),
                    ("security_group_id", Schema.orNull(Schema.uuid)), ("steps", Schema.list(SecurityTrialEndpoint.step)),
                ],
                required: ["may_register", "may_call_emergency", "may_call", "allowed_prefixes", "levels", "security_group_id", "steps"])
        ),
    ]

    private static let target = Schema.object(
        [
            ("group", Schema.sequence), ("subscriber_id", Schema.orNull(Schema.uuid)),
            ("carrier_id", Schema.orNull(Schema.uuid)), ("gateway_id", Schema.orNull(Schema.uuid)),
            ("address", Schema.orNull(Schema.text(max: 256))), ("number", Schema.orNull(Schema.text(max: 128))),
        ], required: ["group", "subscriber_id", "carrier_id", "gateway_id", "address", "number"])
    private static let price = Schema.object(
        [
            ("edge", Schema.text(max: 16)), ("rate_deck_id", Schema.uuid), ("version", Schema.sequence),
            ("currency", Schema.text(max: 3)), ("entry", Schema.reference("RateEntry")),
        ], required: ["edge", "rate_deck_id", "version", "currency", "entry"])
    private static let step = Schema.object(
        [
            ("place", Schema.orNull(Schema.sequence)), ("carrier_id", Schema.uuid), ("carrier", Schema.text(max: 128)),
            ("gateway_id", Schema.orNull(Schema.uuid)), ("gateway", Schema.orNull(Schema.text(max: 128))),
            ("verdict", Schema.choice(RouteVerdict.literals)), ("detail", Schema.text(max: 256)),
        ], required: ["place", "carrier_id", "carrier", "gateway_id", "gateway", "verdict", "detail"])
    private static let level = Schema.object(
        [
            ("kind", Schema.choice(["subscriber", "tenant", "customer", "provider"])), ("id", Schema.uuid),
            ("name", Schema.text(max: 256)), ("status", Schema.choice(Status.literals)),
        ], required: ["kind", "id", "name", "status"])

    private static func route(_ exchange: Exchange) throws -> Reply {
        let question = try exchange.decode { body, faults in shape.new(body, FieldContext(), &faults) }
        let id = try exchange.id("subscriber_id")
        return try exchange.read { views in
            _ = try Subscribers.visible(id, to: exchange.reach, in: views)
            let trial = try RouteTrial(from: SubscriberID(id), dialled: question.dialled, in: views, at: exchange.time)
            guard let started = trial.started else { throw Problem(.notFound, "The subscriber's line is incomplete.") }
            var prices: [JSON] = []
            let redaction = try Redaction(exchange.reach, in: views)
            for lock in started.rates {
                let isPayer = try redaction.sees(lock.payer, in: views)
                guard try isPayer || redaction.sees(lock.payee, in: views) else { continue }
                prices.append([
                    "edge": .string(lock.edge), "rate_deck_id": uuid(lock.deckID), "version": .integer(lock.deckVersion),
                    "currency": .string(lock.currency), "entry": Shape<RateEntry>.rateEntry.json(lock.entry),
                ])
            }
            var refusal = Refusal.none
            var status: UInt32?
            var reason = ""
            var targets: [JSON] = []
            switch trial.outcome {
            case .refused(let why, let sipStatus, let text):
                refusal = why
                status = sipStatus
                reason = text
            case .plan(let plan):
                let seesCarriers = redaction.sees(started.caller) && redaction.isProvider
                for (index, group) in plan.groups.enumerated() {
                    targets += group.targets.map { json($0, group: index, seesCarriers: seesCarriers) }
                }
            }
            // Which carriers there are is the business of those who buy from them.
            var route: [JSON] = []
            if redaction.sees(started.caller), redaction.isProvider {
                for step in trial.steps { route.append(try json(step, place: route.count + 1, in: views)) }
            }
            let held = FieldContext(currency: Currency(started.hold.account.currency))
            return .ok([
                "dialled": .string(started.dialled),
                "number": started.calledE164.isEmpty ? JSON.null : .string(started.calledE164),
                "dial_rule": .string(started.dialRule), "direction": .string(started.direction.literal),
                "refusal": .string(refusal.literal), "sip_status": status.map { JSON.integer($0) } ?? .null,
                "reason": .string(reason), "assumes_registration": .bool(trial.assumesRegistration),
                "granted_seconds": started.hasHold ? .integer(started.hold.grantedSeconds) : .null,
                "held": started.hasHold ? held.amount(micros: started.hold.amountMicros) : .null,
                "targets": .array(targets), "prices": .array(prices), "route": .array(route),
            ])
        }
    }

    /// Planned ones come first, so that their places are 1, 2, 3 …
    private static func json(_ step: RouteStep, place: Int, in views: borrowing ViewSnapshot) throws(ViewsError) -> JSON {
        let carrier = try CarrierID(step.carrierID).flatMap { id throws(ViewsError) in try views.carrier(id) }
        let gateway = carrier?.gateways.first { $0.id == step.gatewayID }
        return [
            "place": step.verdict == .planned ? .integer(place) : .null, "carrier_id": uuid(step.carrierID),
            "carrier": .string(carrier?.name ?? ""), "gateway_id": uuid(step.gatewayID),
            "gateway": gateway.map { .string($0.name) } ?? .null, "verdict": .string(step.verdict.literal), "detail": .string(step.detail),
        ]
    }

    private static func json(_ target: Target, group: Int, seesCarriers: Bool) -> JSON {
        let gateway = target.gateway
        let isGateway = !gateway.gatewayID.isEmpty
        // The line sends it on: what becomes of it there is another call, of that line's.
        let isForward = !target.forward.number.isEmpty
        return [
            "group": .integer(group), "subscriber_id": isGateway ? .null : uuid(isForward ? target.forward.subscriberID : target.contact.subscriberID),
            "carrier_id": isGateway && seesCarriers ? uuid(gateway.carrierID) : .null,
            "gateway_id": isGateway && seesCarriers ? uuid(gateway.gatewayID) : .null,
            "address": isGateway && seesCarriers ? .string("\(gateway.host):\(gateway.port)") : .null,
            "number": isGateway ? .string(gateway.number) : isForward ? .string(target.forward.number) : .null,
        ]
    }

    private static func permission(_ exchange: Exchange) throws -> Reply {
        let id = try exchange.id("subscriber_id")
        return try exchange.read { views in
            _ = try Subscribers.visible(id, to: exchange.reach, in: views)
            guard let permission = try LinePermission(of: SubscriberID(id), in: views) else {
                throw Problem(.notFound, "Something above the subscriber is gone.")
            }
            let reach = try exchange.reach
            var levels: [JSON] = []
            for level in permission.levels {
                // Names above the token's node are not its business; that one of them is locked is.
                let place = try views.place(of: level.kind, level.id)
                let isSeen = place.map { reach.holds($0) } ?? false
                levels.append([
                    "kind": .string(level.kind.parameter), "id": .string(level.id.description),
                    "name": .string(isSeen ? level.name : ""), "status": .string(level.status.literal),
                ])
            }
            let gate = try exchange.query.text("number").map { number in
                try permission.gate(number, in: views, at: exchange.time)
            }
            let group = permission.securityGroup.flatMap { UUIDv7(bytes: $0.id) }
            return .ok([
                "may_register": .bool(permission.mayRegister), "may_call_emergency": .bool(permission.mayCallForHelp),
                "may_call": gate.map { JSON.bool(permission.mayCallOut && $0.isOpen) } ?? .null,
                "allowed_prefixes": .array(permission.allowedPrefixes.map(JSON.string)), "levels": .array(levels),
                "security_group_id": group.map { .string($0.description) } ?? .null,
                "steps": gate.map { SecurityTrialEndpoint.json($0) } ?? .array([]),
            ])
        }
    }

    private static func uuid(_ field: some Collection<UInt8>) -> JSON {
        UUIDv7(bytes: field).map { JSON.string($0.description) } ?? .null
    }
}
