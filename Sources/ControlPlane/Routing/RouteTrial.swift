package import Model
import PhoneNumbers
package import Primitives
package import Projections

/// What a call of a subscriber would do, by the very code that routes calls; nothing is recorded.
///
/// Registrations are not in the log, so a subscriber that is called is taken to be registered; `assumesRegistration`
/// says that the answer rests on it.
package struct RouteTrial: Sendable {
    package enum Outcome: Sendable {
        case plan(CallPlan)
        /// With the final response that the caller would get.
        case refused(Refusal, sipStatus: UInt32, reason: String)
    }

    /// Parties, numbers, prices and credit as far as it was decided; nil: the caller is not a subscriber.
    package let started: CallStarted?
    package let outcome: Outcome
    package let assumesRegistration: Bool
    /// Of a call to a carrier: the gateways in the order of trying, then what is left out. The order among weights is that of one call.
    package let steps: [RouteStep]

    /// - Parameters:
    ///   - dialled: as the phone would send it.
    ///   - wall: the time whose prices are in force.
    package init<State: ViewQueries & ~Copyable>(
        from caller: SubscriberID, dialled: String, leaseSeconds: UInt32 = ControlSettings().creditLeaseSeconds,
        in state: borrowing State, at wall: WallTime
    ) throws {
        var request = StartCall()
        request.callerSubscriberID = caller.data
        request.dialled = dialled
        request.startedAt = wall.microseconds
        if let line = try Line.of(caller, in: state) { request.domain = line.tenant.domain }
        var router = Router(leaseSeconds: leaseSeconds)
        var registrar = Registrar()
        var lines = LineCalls()
        var routing = try router.route(request, worker: "", registrar: registrar, lines: lines, in: state, at: wall)
        if try Self.dependsOnCalls(routing, of: caller, in: state) {
            try lines.restore(from: state)
            routing = try router.route(request, worker: "", registrar: registrar, lines: lines, in: state, at: wall)
        }
        var isAssumed = false
        if case .refused(.notRegistered, _) = routing.outcome,
            let called = routing.started.flatMap({ SubscriberID($0.called.subscriberID) })
        {
            registrar.restore(called, ContactRow([Registrar.Held(binding: Binding(), expiresAt: wall + .seconds(60))]))
            routing = try router.route(request, worker: "", registrar: registrar, lines: lines, in: state, at: wall)
            isAssumed = true
        }
        started = routing.started
        assumesRegistration = isAssumed
        steps = routing.steps
        outcome =
            switch routing.outcome {
            case .plan(let plan): .plan(plan)
            case .refused(let refusal, let reason): .refused(refusal, sipStatus: routing.status ?? refusal.sipStatus, reason: reason)
            }
    }

    /// Whether it matters who is in which call: for the limits of lines, and for picking up. Then all that run are looked at.
    private static func dependsOnCalls<State: ViewQueries & ~Copyable>(
        _ routing: Routing, of caller: SubscriberID, in state: borrowing State
    ) throws -> Bool {
        if case .refused(.nothingToPickUp, _) = routing.outcome { return true }
        for id in [caller, routing.started.flatMap { SubscriberID($0.called.subscriberID) }].compactMap(\.self) {
            if let line = try state.subscriber(id), line.concurrentCallsMax > 0 { return true }
        }
        return false
    }
}

/// Whether a subscriber may register and call, level by level.
package struct LinePermission: Sendable {
    /// From the subscriber up; each must be active.
    package struct Level: Sendable {
        package let kind: EntityKind
        package let id: UUIDv7
        package let name: String
        package let status: Status
    }

    package let levels: [Level]
    package let allowedPrefixes: [String]
    /// That the line is judged by; nil: its own prefixes alone decide.
    package let securityGroup: SecurityGroup?
    private let caller: CallGate.Caller
    package let mayRegister: Bool
    /// Whether its status, and those above it, let it call at all.
    package let mayCallOut: Bool
    package let mayCallForHelp: Bool

    /// What is said of a call to a number outside the platform, rule by rule.
    package func gate<State: ViewQueries & ~Copyable>(
        _ e164: String, in state: borrowing State, at time: WallTime
    ) throws -> CallGate {
        try CallGate(
            e164, facts: PhoneNumbers.facts(of: e164), group: securityGroup, caller: caller, in: state, at: time)
    }

    /// nil: the subscriber, or something above it, was not there.
    package init?<State: ViewQueries & ~Copyable>(of id: SubscriberID, in state: borrowing State) throws {
        guard let line = try Line.of(id, in: state) else { return nil }
        var levels = [
            Level(kind: .subscriber, id: id.value, name: line.subscriber.username, status: line.subscriber.status),
            Level(kind: .tenant, id: line.tenantID.value, name: line.tenant.name, status: line.tenant.status),
            Level(kind: .customer, id: line.customerID.value, name: line.customer.name, status: line.customer.status),
        ]
        for provider in line.providers {
            guard let id = ProviderID(provider.id) else { continue }
            levels.append(Level(kind: .provider, id: id.value, name: provider.name, status: provider.status))
        }
        self.levels = levels
        allowedPrefixes = line.subscriber.allowedPrefixes
        (mayRegister, mayCallOut, mayCallForHelp) = (line.allows(.register), line.allows(.callOut), line.allows(.emergency))
        securityGroup = try line.securityGroup(in: state)
        caller = line.gateCaller
    }
}
