import Foundation
import Model
import Primitives
import Projections
import Rating
import SwiftProtobuf

/// Which gateways a call is sent to and in which order, and what is left out and why.
///
/// The carriers of a group whose rules fit come in the order of the group's choice; within each of them lower priorities come first,
/// and gateways of one priority share the calls by weight: the first is drawn by the call's own id, so that the same call is always
/// sent the same way. What is full, would lose money or has no price is left out.
struct RouteChoice {
    struct Way {
        let carrier: Carrier
        let gateway: Gateway
    }

    /// What a call needs of its carriers.
    struct Wish {
        let call: CallID?
        let e164: String
        /// As it is shown; nil: it is withheld.
        let caller: String?
        /// Retail and wholesale.
        let chain: [RateLock]
        let providers: [Provider]
        /// Whether a carrier whose price is not known is left out.
        let needsPrice: Bool
        /// When it came in: prices are of then.
        let came: WallTime
        /// When it is decided: starts of the last second are of now.
        let now: WallTime
    }

    private struct Candidate {
        let carrier: Carrier
        let cost: RateLock?
        let rule: OutboundRule?
        let place: Int

        var prefixLength: Int { rule?.calleePrefix.utf8.count ?? 0 }
    }

    private(set) var ways: [Way] = []
    /// Every gateway that was looked at, those that are to be tried first.
    private(set) var steps: [RouteStep] = []
    private var costs: [Data: RateLock] = [:]

    init<State: ViewQueries & ~Copyable>(
        of carrier: Carrier, for wish: Wish, _ normaliser: inout Normaliser, _ patterns: RowPatterns, in state: borrowing State
    ) throws {
        var members = [carrier]
        if !carrier.memberIds.isEmpty {
            members = []
            for id in carrier.memberIds {
                if let id = CarrierID(id), let member = try state.carrier(id) { members.append(member) }
            }
        }
        let losses = LossRule(chain: wish.chain, providers: wish.providers)
        var left: [RouteStep] = []
        var candidates: [Candidate] = []
        for (place, member) in members.enumerated() {
            func leave(_ verdict: RouteVerdict, _ detail: String) {
                left.append(.with { $0.carrierID = member.id; $0.verdict = verdict; $0.detail = detail })
            }
            let rule = Self.rule(of: member, wish, &normaliser)
            guard member.outboundRules.isEmpty || rule != nil else {
                leave(.noRule, "")
                continue
            }
            let cost = try member.costDeckID.isEmpty ? nil : PriceLock.cost(of: member, e164: wish.e164, patterns: patterns, in: state, at: wish.came)
            guard member.costDeckID.isEmpty || cost != nil || !wish.needsPrice else {
                leave(.noPrice, "")
                continue
            }
            if let loss = losses.loss(cost: cost, of: member) {
                leave(.atALoss, loss)
                continue
            }
            candidates.append(Candidate(carrier: member, cost: cost, rule: rule, place: place))
        }
        Self.sort(&candidates, by: carrier.choice)
        var random = RandomSource(seed: (wish.call?.value.high ?? 0) ^ (wish.call?.value.low ?? 0))
        var isStopped = false
        for candidate in candidates {
            guard !isStopped else {
                left.append(.with { $0.carrierID = candidate.carrier.id; $0.verdict = .stopped })
                continue
            }
            isStopped = candidate.rule?.stopper ?? false
            try add(candidate, wish, &left, &random, in: state)
        }
        steps += left
    }

    private mutating func add<State: ViewQueries & ~Copyable>(
        _ candidate: Candidate, _ wish: Wish, _ left: inout [RouteStep], _ random: inout RandomSource, in state: borrowing State
    ) throws {
        let carrier = candidate.carrier
        // Of all its gateways together.
        if let verdict = try Self.limitReached(by: carrier, in: state, at: wish.now) {
            left.append(.with { $0.carrierID = carrier.id; $0.verdict = verdict })
            return
        }
        var free: [Gateway] = []
        for gateway in carrier.gateways {
            var verdict = RouteVerdict.planned
            if gateway.disabled {
                verdict = .disabled
            } else if try Self.isOutOfService(gateway, of: carrier, in: state) {
                verdict = .outOfService
            } else if try Self.isFull(gateway, in: state) {
                verdict = .full
            } else if try Self.isPaced(gateway, in: state, at: wish.now) {
                verdict = .paced
            }
            if verdict == .planned {
                free.append(gateway)
            } else {
                left.append(.with { $0.gatewayID = gateway.id; $0.carrierID = carrier.id; $0.verdict = verdict })
            }
        }
        if carrier.gateways.isEmpty { left.append(.with { $0.carrierID = carrier.id; $0.verdict = .noGateway }) }
        guard !free.isEmpty else { return }
        costs[carrier.id] = candidate.cost
        for gateway in Self.ordered(free, &random) {
            steps.append(
                .with {
                    $0.gatewayID = gateway.id
                    $0.carrierID = carrier.id
                    $0.isCounted = gateway.callsMax > 0
                    $0.isPaced = ways.isEmpty && gateway.callsPerSecondMax > 0
                    $0.carrierIsCounted = carrier.callsMax > 0
                    $0.carrierIsPaced = ways.isEmpty && carrier.callsPerSecondMax > 0
                    $0.detail = candidate.rule?.description_p ?? ""
                })
            ways.append(Way(carrier: carrier, gateway: gateway))
        }
    }

    // MARK: - what becomes of it

    /// Puts the choice into the call's first event.
    func write(to started: inout CallStarted) {
        guard let first = ways.first else { return }
        started.called.carrierID = first.carrier.id
        started.rates += costs[first.carrier.id].map { [$0] } ?? []
        var known: Set<Data> = [first.carrier.id]
        for way in ways where known.insert(way.carrier.id).inserted {
            guard let lock = costs[way.carrier.id] else { continue }
            started.costs.append(.with { $0.carrierID = way.carrier.id; $0.lock = lock })
        }
        // One gateway without limits is no choice.
        guard steps.count > 1 || steps.contains(where: { $0.isCounted || $0.isPaced || $0.carrierIsCounted || $0.carrierIsPaced }) else { return }
        started.route = steps
        for index in started.route.indices {
            // What stands in the event already. Amounts are nobody's business who only asks why.
            let isLimited = started.route[index].carrierIsCounted || started.route[index].carrierIsPaced
            if !isLimited, started.route[index].carrierID == first.carrier.id { started.route[index].carrierID = Data() }
            if started.route[index].verdict == .atALoss { started.route[index].detail = "" }
        }
    }

    /// Why there is no way.
    func refusal(of carrier: Carrier) -> (refusal: Refusal, detail: String) {
        let verdicts = steps.map(\.verdict)
        if verdicts.contains(.full) || verdicts.contains(.paced) {
            let isCarrier = steps.contains { $0.gatewayID.isEmpty && ($0.verdict == .full || $0.verdict == .paced) }
            return (.gatewaysBusy, isCarrier ? "carrier \(carrier.name) has as many calls as it takes" : "every gateway of carrier \(carrier.name) has as many calls as it takes")
        }
        if verdicts.contains(.atALoss) { return (.atALoss, "carrier \(carrier.name): the call would cost more than it earns") }
        if verdicts.contains(.noPrice) { return (.notRated, "no \(PriceLock.carrier) price") }
        if verdicts.contains(.noRule) { return (.noRoute, "no outbound rule of carrier \(carrier.name) fits") }
        if verdicts.contains(.outOfService) { return (.noRoute, "every gateway of carrier \(carrier.name) is out of service") }
        return (.noRoute, "the carrier has no enabled gateway")
    }

    // MARK: - limits

    /// By all gateways of the carrier together.
    static func isFull<State: ViewQueries & ~Copyable>(_ carrier: Carrier, in state: borrowing State) throws -> Bool {
        guard carrier.callsMax > 0, let id = CarrierID(carrier.id) else { return false }
        return try state.limitedCallCount(of: id) >= UInt64(carrier.callsMax)
    }

    private static func limitReached<State: ViewQueries & ~Copyable>(
        by carrier: Carrier, in state: borrowing State, at time: WallTime
    ) throws -> RouteVerdict? {
        if try isFull(carrier, in: state) { return .full }
        guard carrier.callsPerSecondMax > 0, let id = CarrierID(carrier.id) else { return nil }
        return try state.starts(at: id, before: time) >= UInt64(carrier.callsPerSecondMax) ? .paced : nil
    }

    /// It is asked whether it is there, and did not answer.
    private static func isOutOfService<State: ViewQueries & ~Copyable>(
        _ gateway: Gateway, of carrier: Carrier, in state: borrowing State
    ) throws -> Bool {
        guard gateway.probeSeconds > 0, let id = GatewayID(gateway.id), let carrierID = CarrierID(carrier.id) else { return false }
        return try state.gatewayState(id, of: carrierID)?.outOfService ?? false
    }

    static func isFull<State: ViewQueries & ~Copyable>(_ gateway: Gateway, in state: borrowing State) throws -> Bool {
        guard gateway.callsMax > 0, let id = GatewayID(gateway.id) else { return false }
        return try state.liveCallCount(of: id) >= UInt64(gateway.callsMax)
    }

    private static func isPaced<State: ViewQueries & ~Copyable>(
        _ gateway: Gateway, in state: borrowing State, at time: WallTime
    ) throws -> Bool {
        guard gateway.callsPerSecondMax > 0, let id = GatewayID(gateway.id) else { return false }
        return try state.starts(at: id, before: time) >= UInt64(gateway.callsPerSecondMax)
    }

    // MARK: - order

    /// The rule with the longest prefix that fits; of several, the first.
    private static func rule(of carrier: Carrier, _ wish: Wish, _ normaliser: inout Normaliser) -> OutboundRule? {
        var best: OutboundRule?
        for rule in carrier.outboundRules where !rule.disabled && wish.e164.hasPrefix(rule.calleePrefix) {
            if let best, best.calleePrefix.utf8.count >= rule.calleePrefix.utf8.count { continue }
            guard rule.calleePattern.isEmpty || normaliser.matches(rule.calleePattern, wish.e164),
                rule.callerPattern.isEmpty || normaliser.matches(rule.callerPattern, wish.caller ?? "")
            else { continue }
            best = rule
        }
        return best
    }

    private static func sort(_ candidates: inout [Candidate], by choice: CarrierChoice) {
        guard candidates.count > 1 else { return }
        func isBefore(_ l: Candidate, _ r: Candidate) -> Bool {
            if l.prefixLength != r.prefixLength { return l.prefixLength > r.prefixLength }
            return (l.carrier.priority, l.place) < (r.carrier.priority, r.place)
        }
        switch choice {
        case .priority, .UNRECOGNIZED: candidates.sort(by: isBefore)
        case .leastCost:
            // Who says no price comes last.
            func price(_ candidate: Candidate) -> Int64 {
                candidate.cost.flatMap { try? Rater.charge($0, seconds: 60).amountMicros } ?? .max
            }
            let priced = candidates.map { (price: price($0), candidate: $0) }
            candidates = priced.sorted { $0.price == $1.price ? isBefore($0.candidate, $1.candidate) : $0.price < $1.price }.map(\.candidate)
        }
    }

    private static func ordered(_ gateways: [Gateway], _ random: inout RandomSource) -> [Gateway] {
        guard gateways.count > 1 else { return gateways }
        var result: [Gateway] = []
        for priority in Set(gateways.map(\.priority)).sorted() {
            var rest = gateways.filter { $0.priority == priority }
            var total = rest.reduce(0) { $0 + UInt64($1.weight) }
            while total > 0 {
                var drawn = UInt64.random(in: 0..<total, using: &random)
                let index = rest.firstIndex { gateway in
                    if drawn < UInt64(gateway.weight) { return true }
                    drawn -= UInt64(gateway.weight)
                    return false
                }
                guard let index else { break }
                total -= UInt64(rest[index].weight)
                result.append(rest.remove(at: index))
            }
            // Those without a weight take what the others cannot.
            result += rest
        }
        return result
    }
}
