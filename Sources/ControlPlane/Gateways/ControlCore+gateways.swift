import Model
import Primitives
import Projections
import SwiftProtobuf

/// Gateways that register or are probed: who does it, and what is found out.
extension ControlCore {
    /// Hands every registration and probe to a living worker, and tells the workers if something has changed.
    mutating func watchGateways(now: Instant) -> [Output] {
        guard gateways.isBusy else { return [] }
        if gateways.isStale {
            do throws(ViewsError) {
                var watch = gateways
                try views.read { snapshot throws(ViewsError) in try watch.read(snapshot) }
                gateways = watch
            } catch {
                return [.note(.viewsBehind(reason: "gateways: \(error)"))]
            }
        }
        let living = workers.roster.workers.filter { $0.kind == .signal }
        guard let book = gateways.assign(to: living, now: now) else { return [] }
        return [announce(.with { $0.gateways = book })]
    }

    /// A worker says how it goes with a gateway. Another state is a fact; a refresh is not.
    mutating func take(
        _ report: GatewayReport, from worker: String, _ recorder: Recorder, _ batch: inout Batch, _ views: inout ViewTransaction
    ) throws -> DeskReply {
        guard let id = GatewayID(report.gatewayID), let kind = report.kind else { return .error(.malformed, "gateway_id") }
        // Right after a start it is not known yet whose gateway it is.
        guard !gateways.isStale else { return .error(.unavailable, "the carriers are being read") }
        guard let carrier = try views.carrier(gateway: id), let carrierID = CarrierID(carrier.id) else { return .error(.notOwner, "no such gateway") }
        let before = try views.gatewayState(id, of: carrierID)
        var decision = Decision(wall: recorder.wall, random: random)
        let owner = gateways.owner(of: id)
        switch kind {
        case .registration(let report):
            // The last word on what is not to be registered any more is said by whoever had it.
            let isFarewell = report.state == .none && before?.registrationWorker == worker
            guard owner == worker || isFarewell else { return .error(.notOwner, "another worker registers there") }
            let known = before?.registration ?? .none
            if known != report.state || (report.state == .registered && before?.registrationWorker != worker) {
                decision.record(
                    .gatewayRegistrationChanged(
                        .with {
                            $0.gatewayID = id.data
                            $0.carrierID = carrier.id
                            $0.state = report.state
                            $0.sipStatus = report.sipStatus
                            $0.reason = String(report.reason.prefix(Router.textMax))
                            $0.worker = worker
                        }), in: id.value)
            }
        case .probe(let report):
            guard owner == worker else { return .error(.notOwner, "another worker probes it") }
            if (before?.outOfService ?? false) == report.inService {
                decision.record(
                    .gatewayServiceChanged(
                        .with {
                            $0.gatewayID = id.data
                            $0.carrierID = carrier.id
                            $0.inService = report.inService
                            $0.sipStatus = report.sipStatus
                            $0.reason = String(report.reason.prefix(Router.textMax))
                            $0.worker = worker
                        }), in: id.value)
            }
        }
        gateways.heard(report, of: id)
        random = decision.random
        try batch.record(decision, actor: recorder.actor, cause: recorder.cause, in: &views)
        return .recorded(at: batch.head)
    }

    /// What every worker that registers or probes has said last.
    package func gatewayStatuses() -> [GatewayStatus] { gateways.statuses }
}

extension Event {
    /// Whether there may be another gateway to look after, or one less.
    var changesGateways: Bool {
        if case .carrierCreated = self { return true }
        if case .carrierChanged = self { return true }
        if case .providerChanged = self { return true }
        if case .entityRemoved(let event) = self { return event.kind == .carrier || event.kind == .provider }
        return false
    }
}
