import Foundation
import Model
import Primitives
import SIP

/// Gateways that are named: where they are, and which of their servers is tried next (RFC 3263).
extension CallMachine {
    /// A gateway whose name DNS is being asked for.
    struct LookingUp: Sendable {
        let target: Target
        let until: Instant
    }

    /// Servers of one gateway that a call is sent to at most.
    private static let serversMax = 4

    /// Where the gateway is, the first to be tried first; nil: DNS is being asked, or it was settled that there is no way.
    mutating func servers(of gateway: GatewayTarget, _ target: Target, _ kit: inout CallKit) -> [SocketAddress]? {
        let seed = id.value.low ^ (UUIDv7(bytes: gateway.gatewayID)?.low ?? 0)
        switch kit.addresses(of: gateway.host, port: gateway.port, by: gateway.transport.transport, seed: seed) {
        case .found(let addresses): return Array(addresses.prefix(Self.serversMax))
        case .waiting:
            kit.nameWaiters.insert(id)
            if lookingUp == nil { lookingUp = LookingUp(target: target, until: kit.now + kit.configuration.gatewaySilence) }
        case .failed(let reason): notFound(target, reason, kit)
        }
        return nil
    }

    private mutating func notFound(_ target: Target, _ reason: String, _ kit: CallKit) {
        var record = CallAttempt()
        record.startedAt = kit.wall.microseconds
        record.endedAt = record.startedAt
        record.gatewayID = target.gateway.gatewayID
        record.target = target.gateway.host
        record.sipStatus = 503
        record.reason = reason
        settled.append(record)
        worstStatus = CallMachine.better(503, than: worstStatus)
    }

    /// DNS has said something.
    mutating func namesFound(_ kit: inout CallKit) {
        guard stage == .ringing, let waiting = lookingUp else { return }
        lookingUp = nil
        ring(waiting.target, &kit)
        if let again = lookingUp {
            lookingUp = LookingUp(target: again.target, until: waiting.until)
        } else if !attempts.contains(where: \.isOpen) {
            ringNextGroup(&kit)
        }
    }

    /// DNS has not said enough in time.
    mutating func expireLookingUp(_ kit: inout CallKit) {
        guard stage == .ringing, let waiting = lookingUp, kit.now >= waiting.until else { return }
        lookingUp = nil
        kit.nameWaiters.remove(id)
        notFound(waiting.target, "DNS does not answer", kit)
        if !attempts.contains(where: \.isOpen) { ringNextGroup(&kit) }
    }

    /// A server of a gateway that was not heard, or says that it cannot: the next one of the same gateway (RFC 3263 §4.3).
    mutating func ringsElsewhere(_ index: Int, _ status: Int, _ kit: inout CallKit) -> Bool {
        let attempt = attempts[index]
        guard stage == .ringing, attempt.record.ringingAt == 0 else { return false }
        if let other = attempt.target.byOtherFlow { return ringsByOtherFlow(index, other, status, &kit) }
        guard attempt.isGateway else { return false }
        kit.names.penalise(attempt.hop.remote, now: kit.now)
        guard let next = attempt.alternatives.first else { return false }
        let before = attempts.count
        ring(attempt.target, at: attempt.alternatives, &kit)
        guard attempts.count > before else { return false }
        // One gateway, one record: from the first try on.
        attempts[index].isSuperseded = true
        if attempts[index].isOpen { attempts[index].state = .failed(status) }
        attempts[attempts.count - 1].record.startedAt = attempt.record.startedAt
        kit.note(.serverPassedOver(gateway: attempt.hop.remote, next: next, status: status))
        return true
    }

    /// A flow of a device that has failed: the device may have another one (RFC 5626 §5.3).
    private mutating func ringsByOtherFlow(_ index: Int, _ other: Target, _ status: Int, _ kit: inout CallKit) -> Bool {
        let before = attempts.count
        ring(other, &kit)
        guard attempts.count > before else { return false }
        if attempts[index].isOpen { attempts[index].state = .failed(status) }
        attempts[index].record.sipStatus = UInt32(status)
        attempts[index].record.reason = "the flow has failed"
        attempts[index].record.endedAt = kit.wall.microseconds
        kit.note(.flowPassedOver(flow: attempts[index].hop.remote, next: attempts[before].hop.remote, status: status))
        return true
    }

    /// What became of each target so far.
    var records: [CallAttempt] {
        var records = settled
        for index in attempts.indices where !attempts[index].isSuperseded { records.append(attempts[index].record) }
        return records
    }
}

extension Target {
    /// The same device by the next of its flows; nil: there is none.
    var byOtherFlow: Target? {
        guard case .contact(let contact) = kind, var next = contact.otherFlows.first else { return nil }
        next.otherFlows = Array(contact.otherFlows.dropFirst())
        var target = self
        target.contact = next
        return target
    }
}
