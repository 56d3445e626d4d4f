import Foundation
import Model
import PhoneNumbers
import Primitives
import Projections
import Rating
import SwiftProtobuf

/// Turns "who dialled what" into a call plan or a refusal. Reads the state and the registrar; changes
/// neither.
struct Router: Sendable {
    private var normaliser = Normaliser()
    private var book = NumberBook()
    private let patterns = RowPatterns()
    /// Talk time that a prepaid call is granted at a time.
    private let leaseSeconds: UInt32
    /// No header field of a caller gets into the log at a greater length.
    static let textMax = 128

    /// Longer than any request of a worker waits for its answer.
    private static let waitMax: Duration = .seconds(300)

    init(leaseSeconds: UInt32) { self.leaseSeconds = leaseSeconds }

    /// When the call came in, by the worker's clock. Prices are looked up by it, so a clock that is wrong is not believed.
    private static func setUp(_ request: StartCall, at wall: WallTime) -> WallTime {
        let told = WallTime(microseconds: request.startedAt)
        guard request.startedAt > 0, told <= wall, wall - told <= waitMax else { return wall }
        return told
    }

    mutating func route<State: ViewQueries & ~Copyable>(
        _ request: StartCall, worker: String, registrar: Registrar, lines: LineCalls = LineCalls(),
        in state: borrowing State, at wall: WallTime
    ) throws -> Routing {
        var started = CallStarted()
        started.callID = request.callID
        started.worker = worker
        started.dialled = String(request.dialled.prefix(Self.textMax))
        started.sipCallID = String(request.sipCallID.prefix(Self.textMax))
        started.sourceAddress = String(request.sourceAddress.prefix(Self.textMax))
        started.startedAt = Self.setUp(request, at: wall).microseconds
        started.logPosition = state.applied
        started.isAnonymous = request.isAnonymous
        if let gateway = GatewayID(request.gatewayID) {
            return try inbound(request, from: gateway, started, registrar: registrar, lines: lines, in: state, at: wall)
        }
        if !request.forwardedFrom.isEmpty {
            guard let forwarded = try Forwarding(request, by: worker, in: state) else {
                return Routing(started: nil, outcome: .refused(.unknownSource, reason: "no call of the worker's was to be forwarded"))
            }
            forwarded.write(to: &started)
        }
        guard let id = SubscriberID(request.callerSubscriberID), let line = try Line.of(id, in: state) else {
            return Routing(started: nil, outcome: .refused(.unknownSource, reason: "the caller is not a subscriber"))
        }
        // Who transfers chooses it by hand; what goes on by itself, whoever has called, takes nobody's call.
        let isByHand = request.forwardedFrom.isEmpty || request.forwardKind == .transferred
        if isByHand, let service = PickupCode(request.dialled), try state.subscriber(tenant: line.tenantID, user: request.dialled) == nil {
            return try pickUp(service, line, request, started, lines: lines, in: state)
        }
        return try fromLine(line, request, consume started, registrar: registrar, lines: lines, in: state, at: wall)
    }

    // MARK: - from a subscriber

    private mutating func fromLine<State: ViewQueries & ~Copyable>(
        _ line: Line, _ request: StartCall, _ given: consuming CallStarted, registrar: Registrar, lines: LineCalls, in state: borrowing State,
        at wall: WallTime
    ) throws -> Routing {
        var started = given
        let outside = try line.outsideNumber(claimed: request.fromUser, in: state)
        started.caller = line.party(number: outside ?? line.extensionNumber)
        started.direction = .onNet
        started.called.number = started.dialled
        func refused(_ refusal: Refusal, _ reason: String) -> Routing {
            Routing(started: started, outcome: .refused(refusal, reason: reason))
        }
        // A call that is passed on is not one for help, whoever passes it on.
        let isForHelp = started.forwardedFrom.isEmpty && isEmergency(request.dialled, of: line)
        guard line.allows(isForHelp ? .emergency : .callOut) else {
            started.direction = try direction(of: request.dialled, line, in: state)
            var routing = refused(.locked, "the caller's line, or something above it, is not active")
            if line.allows(.emergency) { routing.detail = "the line is locked, and calls emergency numbers alone" }
            return routing
        }
        guard request.dialled.count <= Self.textMax, !request.dialled.isEmpty else {
            return refused(.invalidNumber, "the dialled text is empty or too long")
        }
        // The domain of another tenant is not a way around the dial plan.
        let domain = request.domain.lowercased()
        if domain != line.tenant.domain, let other = try state.tenant(domain: domain), other.id != line.tenant.id {
            return refused(.unknownNumber, "\(request.domain) is another tenant's domain")
        }
        // A call that it forwards is not one more that it makes, but one more that its customer has.
        let isForwarded = !started.forwardedFrom.isEmpty
        if !isForHelp, let limit = try limitReached(by: line, isOfLine: !isForwarded, lines, in: state) {
            started.direction = try direction(of: request.dialled, line, in: state)
            return refused(.limitReached, limit)
        }
        if line.blocksCalls(to: request.dialled), !isForHelp {
            started.direction = try direction(of: request.dialled, line, in: state)
            return refused(.numberBlocked, "the line does not call \(request.dialled)")
        }

        if let room = line.tenant.rooms.first(where: { $0.extension == request.dialled }) { return confer(room, line, started, shown: request.fromUser) }
        if let subscriber = try state.subscriber(tenant: line.tenantID, user: request.dialled),
            let colleague = SubscriberID(subscriber.id)
        {
            started.called.number = request.dialled
            if !isForHelp, try line.blocksCalls(to: subscriber, in: state) { return refused(.numberBlocked, "the line does not call \(subscriber.username)") }
            let shown = isForwarded ? request.fromUser : line.extensionNumber
            return try toLine(
                colleague, shown: shown, display: display(of: line, request), caller: line, started,
                registrar: registrar, lines: lines, isAnonymous: request.isAnonymous, instance: request.instanceID, isBrowser: request.isBrowser, in: state, at: wall)
        }

        let e164: String
        switch try normalise(request.dialled, line, in: state) {
        case .number(let number, let rule):
            e164 = number
            started.dialRule = rule
        case .noRule:
            started.direction = Self.isOutside(request.dialled) ? .outbound : .onNet
            return refused(.unknownNumber, "no alias and no rule of the dial plan matches")
        case .notANumber(let made):
            started.direction = .outbound
            return refused(.invalidNumber, "\(made.prefix(Self.textMax)) is not an E.164 number")
        }
        started.calledE164 = e164
        started.called.number = e164
        let inventoried = try state.number(e164: e164)
        if inventoried == nil { started.direction = .outbound }

        if line.blocksCalls(to: e164), !isForHelp {
            var routing = refused(.numberBlocked, "the line does not call \(e164)")
            routing.detail = "on the line's own list of blocked numbers"
            return routing
        }

        if let inventoried {
            guard let subscriber = SubscriberID(inventoried.subscriberID) else {
                return refused(.unknownNumber, "\(e164) is in the inventory, but assigned to nobody")
            }
            if !isForHelp, let called = try state.subscriber(subscriber), try line.blocksCalls(to: called, in: state) {
                return refused(.numberBlocked, "the line does not call \(called.username)")
            }
            let own = outside ?? line.extensionNumber
            return try toLine(
                subscriber, shown: isForwarded && isE164(request.fromUser) ? request.fromUser : own,
                display: display(of: line, request), caller: line, started, registrar: registrar, lines: lines,
                isAnonymous: request.isAnonymous, instance: request.instanceID, isBrowser: request.isBrowser, in: state, at: wall)
        }
        let decided = exchange(&started, with: CallStarted())
        return try toCarrier(line, request, number: outside, isForHelp: isForHelp, decided, in: state, at: wall)
    }

    private mutating func normalise<State: ViewQueries & ~Copyable>(
        _ dialled: String, _ line: Line, in state: borrowing State
    ) throws -> Normaliser.Result {
        let rules: [DialRule] = if let id = line.dialPlanID { try state.dialPlan(id)?.rules ?? [] } else { [] }
        return normaliser.normalise(dialled, by: rules, countryCode: line.countryCode, areaCode: line.areaCode)
    }

    /// Where a call would have gone that is refused before that is looked up, for its record.
    private mutating func direction<State: ViewQueries & ~Copyable>(
        of dialled: String, _ line: Line, in state: borrowing State
    ) throws -> CallDirection {
        guard dialled.count <= Self.textMax, !line.tenant.rooms.contains(where: { $0.extension == dialled }),
            try state.subscriber(tenant: line.tenantID, user: dialled) == nil
        else { return .onNet }
        switch try normalise(dialled, line, in: state) {
        case .number(let e164, _): return try state.number(e164: e164) == nil ? .outbound : .onNet
        case .notANumber: return .outbound
        case .noRule: return Self.isOutside(dialled) ? .outbound : .onNet
        }
    }

    /// What no rule makes a number of: longer than any extension.
    private static func isOutside(_ dialled: String) -> Bool {
        let digits = withoutSeparators(dialled)
        return digits.utf8.count > 7 && digits.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }

    /// Who a forwarded call comes from is who called first.
    private func display(of line: Line, _ request: StartCall) -> String {
        request.forwardedFrom.isEmpty ? line.subscriber.displayName : String(request.fromDisplay.prefix(Self.textMax))
    }

    /// Which limit another call of the line would break; nil: none.
    /// - Parameter isOfLine: whether the line's own limit counts, beside its customer's.
    private func limitReached<State: ViewQueries & ~Copyable>(
        by line: Line, isOfLine: Bool = true, _ lines: LineCalls, in state: borrowing State
    ) throws -> String? {
        if isOfLine, let limit = try ownLimitReached(by: line, lines, in: state) { return limit }
        let customerMax = line.customer.concurrentCallsMax > 0 ? line.customer.concurrentCallsMax : line.plan.concurrentCallsMax
        if customerMax > 0, try state.liveCallCount(of: line.customerID) >= UInt64(customerMax) {
            return "the customer's limit of \(customerMax) calls"
        }
        return nil
    }

    /// The same of the line's own limit alone.
    func ownLimitReached<State: ViewQueries & ~Copyable>(
        by line: Line, _ lines: LineCalls, in state: borrowing State
    ) throws -> String? {
        let max = line.subscriber.concurrentCallsMax
        guard max > 0, try callCount(of: line.id, lines, in: state) >= Int64(max) else { return nil }
        return "the line's limit of \(max) calls"
    }

    /// How many calls a line is in: of those that are recorded as its own, without what has gone on to others, and with those that it has
    /// taken over. The recorded ones count from their start; the others are looked up, because they may have ended since they were followed.
    private func callCount<State: ViewQueries & ~Copyable>(
        of line: SubscriberID, _ lines: LineCalls, in state: borrowing State
    ) throws -> Int64 {
        var count = Int64(clamping: try state.liveCallCount(of: line))
        for (call, step) in lines.moved(of: line) where try state.closedLiveCall(call) != nil { count += step }
        return count
    }

    // MARK: - to a subscriber

    private func toLine<State: ViewQueries & ~Copyable>(
        _ id: SubscriberID, shown: String, display: String, caller: Line?, _ started: CallStarted,
        registrar: Registrar, lines: LineCalls, isAnonymous: Bool, instance: String, isBrowser: Bool, in state: borrowing State, at wall: WallTime
    ) throws -> Routing {
        var started = started
        func refused(_ refusal: Refusal, _ reason: String) -> Routing {
            Routing(started: started, outcome: .refused(refusal, reason: reason))
        }
        guard let called = try Line.of(id, in: state) else {
            return refused(.unknownNumber, "the called subscriber is gone")
        }
        started.called = called.party(number: started.called.number)
        guard called.allows(.callIn) else { return refused(.locked, "the called line, or something above it, is not active") }
        if called.id != caller?.id {
            // Both numbers by which the caller may be known: the one that is shown, and the one that the call is billed to.
            if let (refusal, detail) = try called.refusal(ofCaller: [shown, started.caller.number], caller, isAnonymous: isAnonymous, in: state) {
                var routing = refused(refusal, detail)
                routing.detail = detail
                return routing
            }
        }
        let came = WallTime(microseconds: started.startedAt)
        let contacts = registrar.ringing(of: id, instance: instance, at: wall)
        var isFull: String?
        if called.id != caller?.id, called.customerID != caller?.customerID || called.subscriber.concurrentCallsMax > 0 {
            isFull = try limitReached(by: called, lines, in: state)
        }
        let answer = called.answer(at: came, isFull: isFull, isReachable: !contacts.isEmpty || called.isFixed)
        let away: ForwardTarget?
        switch answer {
        case .ring: away = nil
        case .refuse(let refusal, let reason): return refused(refusal, reason)
        case .forward(let target):
            // It would come back to a line that has sent it on before, or go from line to line without end.
            guard !started.forwardedBy.contains(called.subscriber.id), started.forwardedBy.count < Forwarding.linesMax else {
                var routing = refused(.forwardLoop, "the line forwards the call, and \(started.forwardedBy.count) lines have done so before it")
                routing.detail = "forwarding goes round: \(started.forwardedBy.count) lines have sent the call on"
                return routing
            }
            away = target
        }

        // Who is called from outside pays for it, if the plan says so; who calls another customer's line likewise. What neither a
        // deck nor a service rate has a price for is covered by what the customer pays a month.
        let payer: (line: Line, deck: Data, leg: LegType)?
        if let caller {
            payer = caller.customerID == called.customerID ? nil : (caller, caller.plan.onNetRateDeckID, .sip)
        } else {
            let isTollFree = try state.number(e164: started.calledE164)?.type == .tollFree
            payer = (called, called.plan.inboundRateDeckID, isTollFree ? .tollFree : .did)
        }
        if let payer {
            started.rates = try PriceLock.locks(
                toLineFor: payer.line, deck: payer.deck, leg: payer.leg, e164: started.calledE164, patterns: patterns, in: state, at: came)
            switch try CreditLease.open(payer.line, started.rates, seconds: leaseSeconds, in: state) {
            case .unlimited: break
            case .held(let hold): started.hold = hold
            case .refused(let reason): return refused(.noCredit, reason)
            // No limit is given: those of security groups are of calls that leave the platform.
            case .overLimit: return refused(.spendLimit, "a limit of spend is reached")
            }
        }

        var plan = CallPlan()
        plan.direction = started.direction
        plan.grantedSeconds = started.hold.grantedSeconds
        plan.callerNumber = shown
        plan.callerDisplay = display
        plan.callerMediaSecurity = caller?.subscriber.mediaSecurity ?? .plain
        plan.setTreatment(caller, called)
        plan.logPosition = started.logPosition
        if let away {
            plan.groups = [.with { $0.targets = [Forwarding.target(away)] }]
            return Routing(started: started, outcome: .plan(plan))
        }
        if !started.forwardedBy.contains(called.subscriber.id), started.forwardedBy.count < Forwarding.linesMax {
            called.setForwards(of: &plan)
        }
        if contacts.isEmpty { plan.groups = called.fixedTargets(for: started.called.number) }
        // Contacts of the same preference ring together, the next preference after them (RFC 3261 §16.6).
        var preference: UInt32?
        for contact in contacts {
            if preference != contact.binding.preference { plan.groups.append(TargetGroup()) }
            preference = contact.binding.preference
            var target = Target()
            target.contact = called.target(contact.binding, for: started.called.number)
            target.contact.otherFlows = registrar.otherFlows(of: contact, of: id, at: wall).map { called.target($0.binding, for: started.called.number) }
            target.timeoutSeconds = called.ringSeconds
            plan.groups[plan.groups.count - 1].targets.append(target)
        }
        // Browsers and phones do not understand each other's media: a media worker speaks both.
        let hasBrowser = isBrowser || contacts.contains { ["WS", "WSS"].contains($0.binding.flow.transport.uppercased()) }
        if started.hold.grantedSeconds == 0, !hasBrowser, caller?.mediaPath(to: called) == .direct {
            plan.mediaPath = .direct
            started.mediaPath = .direct
        }
        return Routing(started: started, outcome: .plan(plan))
    }

    // MARK: - to a carrier

    private mutating func toCarrier<State: ViewQueries & ~Copyable>(
        _ line: Line, _ request: StartCall, number: String?, isForHelp: Bool, _ given: consuming CallStarted, in state: borrowing State, at wall: WallTime
    ) throws -> Routing {
        var started = given
        started.direction = .outbound
        func refused(_ refusal: Refusal, _ reason: String) -> Routing {
            Routing(started: started, outcome: .refused(refusal, reason: reason))
        }
        let e164 = started.calledE164
        // By the time that the record will say, so that whoever looks a price or a rule up later finds the same.
        let came = WallTime(microseconds: started.startedAt)
        let group = try line.securityGroup(in: state)
        var spendLeft: Int64?
        // Whatever a dial plan makes of 911: who calls for help is not asked for permission.
        if !isForHelp {
            if let group { started.securityGroupID = group.id }
            let gate = try CallGate(
                e164, facts: group == nil ? nil : book.facts(of: e164), group: group, caller: line.gateCaller, in: state,
                at: came)
            if let (refusal, detail) = gate.refusal {
                var routing = refused(refusal, "\(e164): \(detail)")
                routing.detail = detail
                return routing
            }
            spendLeft = gate.left
        }
        guard let carrierID = line.carrierID, let carrier = try state.carrier(carrierID) else {
            return refused(.noRoute, "neither tenant nor service plan has a carrier")
        }
        let leg = try line.plan.asksForLegs || FreeUnitsOffer.asksForLegs(line.customerID, in: state) ? LegType(called: e164, book.facts(of: e164)) : .pstn
        switch try PriceLock.locks(for: line, e164: e164, leg: leg, patterns: patterns, in: state, at: came) {
        case .locked(let locks): started.rates = locks
        case .noPrice(let edge):
            // Without a price it costs nothing: better than that nobody comes.
            guard isForHelp else { return refused(.notRated, "no \(edge) price for \(e164)") }
        }
        let wish = RouteChoice.Wish(
            call: CallID(request.callID), e164: e164, caller: number, chain: started.rates, providers: isForHelp ? [] : line.providers, needsPrice: !isForHelp, came: came, now: wall)
        let choice = try RouteChoice(of: carrier, for: wish, &normaliser, patterns, in: state)
        guard !choice.ways.isEmpty else {
            let (refusal, detail) = choice.refusal(of: carrier)
            started.called.carrierID = carrier.id
            var routing = refused(refusal, refusal == .notRated ? "\(detail) for \(e164)" : detail)
            routing.detail = detail
            routing.steps = choice.steps
            return routing
        }
        choice.write(to: &started)

        // It is charged by its price, and neither refused nor ended for want of money.
        switch isForHelp ? .unlimited : try CreditLease.open(line, started.rates, seconds: leaseSeconds, limit: spendLeft, in: state) {
        case .unlimited: break
        case .held(let hold): started.hold = hold
        case .refused(let reason): return refused(.noCredit, reason)
        case .overLimit:
            let detail = "security group \(group?.name ?? ""): what is left of the day's limit does not pay for the first increment"
            var routing = refused(.spendLimit, detail)
            routing.detail = detail
            return routing
        }

        var plan = CallPlan()
        plan.direction = .outbound
        plan.callerNumber = number ?? ""
        plan.callerDisplay = line.subscriber.displayName
        plan.callerMediaSecurity = line.subscriber.mediaSecurity
        plan.setTreatment(line, nil)
        plan.grantedSeconds = started.hold.grantedSeconds
        plan.logPosition = started.logPosition
        plan.groups = choice.ways.map { way in
            var target = Target()
            target.gateway = GatewayTarget(
                way.gateway, of: way.carrier, e164: e164, dialled: started.dialled, caller: number,
                display: line.subscriber.displayName)
            target.timeoutSeconds = Line.ringSecondsUsual
            var group = TargetGroup()
            group.targets = [target]
            return group
        }
        var routing = Routing(started: started, outcome: .plan(plan))
        routing.steps = choice.steps
        return routing
    }

    private func isEmergency(_ dialled: String, of line: Line) -> Bool {
        let digits = withoutSeparators(dialled)
        guard (2...6).contains(digits.utf8.count), let region = line.region else { return false }
        return PhoneNumbers.isEmergency(digits, in: region)
    }

    // MARK: - from a carrier

    private mutating func inbound<State: ViewQueries & ~Copyable>(
        _ request: StartCall, from gatewayID: GatewayID, _ started: CallStarted, registrar: Registrar, lines: LineCalls,
        in state: borrowing State, at wall: WallTime
    ) throws -> Routing {
        guard let carrierID = CarrierID(request.carrierID), let carrier = try state.carrier(carrierID),
            let gateway = carrier.gateways.first(where: { $0.id == gatewayID.data }), !gateway.disabled
        else {
            return Routing(started: nil, outcome: .refused(.unknownSource, reason: "the gateway is not one of ours"))
        }
        var started = started
        started.direction = .inbound
        started.caller.carrierID = carrier.id
        started.caller.gatewayID = gateway.id
        started.caller.providerID = carrier.providerID
        started.caller.number = String(request.fromUser.prefix(Self.textMax))
        started.called.number = started.dialled
        func refused(_ refusal: Refusal, _ reason: String) -> Routing {
            Routing(started: started, outcome: .refused(refusal, reason: reason))
        }
        let received = withoutSeparators(started.dialled)
        let made = gateway.inboundPrefix + received.dropFirst(Int(gateway.inboundStrip))
        // Carriers send E.164 with or without the plus.
        guard let e164 = [made, "+" + made].first(where: isE164) else {
            return refused(.invalidNumber, "\(made) is not an E.164 number")
        }
        started.calledE164 = e164
        started.called.number = e164
        if gateway.callsMax > 0 || carrier.callsMax > 0 {
            let gatewayIsFull = try RouteChoice.isFull(gateway, in: state)
            guard try !gatewayIsFull && !RouteChoice.isFull(carrier, in: state) else {
                let who = gatewayIsFull ? "gateway \(gateway.name)" : "carrier \(carrier.name)"
                var routing = refused(.gatewaysBusy, "the \(who) has as many calls as it takes")
                routing.detail = "\(who) has as many calls as it takes"
                return routing
            }
            started.route = [
                .with {
                    $0.gatewayID = gateway.id
                    $0.carrierID = carrier.id
                    $0.isCounted = gateway.callsMax > 0
                    $0.carrierIsCounted = carrier.callsMax > 0
                }
            ]
        }
        for (index, rule) in carrier.inboundRules.enumerated() where !rule.disabled {
            let text =
                switch rule.field {
                case .caller, .UNRECOGNIZED: started.caller.number
                case .callerName: String(request.fromDisplay.prefix(Self.textMax))
                case .called: e164
                case .received: started.dialled
                }
            guard normaliser.matches(rule.pattern, text) else { continue }
            var routing = refused(.inboundRule, rule.reason.isEmpty ? "refused by a rule" : rule.reason)
            routing.detail = "inbound rule \(index + 1) of carrier \(carrier.name): \(rule.reason)"
            routing.status = rule.rejectCode
            return routing
        }
        guard let number = try state.number(e164: e164),
            try isReachable(number, by: carrier, in: state)
        else { return refused(.unknownNumber, "\(e164) does not come in by this carrier") }
        guard let subscriber = SubscriberID(number.subscriberID) else {
            return refused(.unknownNumber, "\(e164) is assigned to nobody")
        }
        return try toLine(
            subscriber, shown: started.caller.number, display: String(request.fromDisplay.prefix(Self.textMax)),
            caller: nil, started, registrar: registrar, lines: lines, isAnonymous: request.isAnonymous, instance: request.instanceID, isBrowser: request.isBrowser, in: state, at: wall)
    }

    /// By the number's own carrier if it names one, else by any of its provider or of those above.
    private func isReachable<State: ViewQueries & ~Copyable>(
        _ number: Number, by carrier: Carrier, in state: borrowing State
    ) throws -> Bool {
        if let id = CarrierID(number.carrierID) {
            guard id.data != carrier.id else { return true }
            return try state.carrier(id)?.memberIds.contains(carrier.id) ?? false
        }
        var owner = number.providerID
        while owner != carrier.providerID {
            guard let id = ProviderID(owner), let provider = try state.provider(id) else { return false }
            owner = provider.parentID
        }
        return true
    }
}
