import Foundation
import Model
import Primitives
import SIP
import SwiftProtobuf

/// What a line has set for calls that its phones do not take.
extension CallMachine {
    /// Where the call goes now that its phones have said that; nil: the caller is told. Once for a call.
    mutating func forward(after status: Int) -> Target? {
        guard !hasForwarded, stage == .ringing else { return nil }
        let forward: ForwardTarget? =
            switch status {
            case 486, 600: plan.hasOnBusy ? plan.onBusy : nil
            case 408 where hasRung, 480 where hasRung: plan.hasOnNoAnswer ? plan.onNoAnswer : nil
            // Nobody was there to hear it: phones that are gone say nothing, and some that are there refuse in this way.
            case 404, 408, 410, 430, 480, 500..<600: plan.hasOnUnreachable ? plan.onUnreachable : plan.hasOnNoAnswer ? plan.onNoAnswer : nil
            default: nil
            }
        guard let forward else { return nil }
        hasForwarded = true
        return .with {
            $0.forward = forward
            $0.timeoutSeconds = 600
        }
    }

    func address(_ forward: ForwardTarget, _ kit: CallKit) -> Address {
        let uri = URI(plainUser: forward.number, host: "forward.invalid")
        let from = NameAddress(
            displayName: plan.callerDisplay.isEmpty ? nil : plan.callerDisplay, uri: URI(plainUser: plan.callerNumber, host: "forward.invalid"))
        return Address(uri: uri, hop: kit.internalHop, from: from, to: NameAddress(uri: uri), offered: .plain)
    }

    /// To the worker at which the call rings.
    func address(_ pickup: PickupTarget, _ kit: CallKit) -> Address? {
        guard let call = CallID(pickup.callID) else { return nil }
        let uri = URI(plainUser: call.description, host: "pickup.invalid")
        let from = NameAddress(uri: URI(plainUser: plan.callerNumber, host: "pickup.invalid"))
        let hop = kit.internalHop(kit.configuration.advertised, of: pickup.worker)
        return Address(uri: uri, hop: hop, from: from, to: NameAddress(uri: uri), offered: .plain)
    }

    /// Before the INVITE is on its way to ourselves: what kind of call it is.
    mutating func announce(_ target: Target, _ request: inout SIPMessage, _ kit: inout CallKit) {
        switch target.kind {
        case .forward(let forward):
            kit.forwards[request.callID] = Forwarded(call: id, target: forward, isAnonymous: invite?.request.isAnonymous ?? false)
            guard let invite else { return }
            var forwarded = invite.request.response(181, toTag: a.dialog.localTag)
            forwarded.headers.append(.contact, kit.contactText)
            tellCaller(forwarded, &kit)
        case .pickup(let pickup):
            if let call = CallID(pickup.callID) { request.headers.append(.replaces, call.description) }
        case .contact(let contact):
            for route in contact.path { request.headers.append(.route, route) }
            // Who sends the caller on, as another call of ours says (RFC 3892).
            if a.hop.isInternal, let referrer = invite?.request.headers[.referredBy] { request.headers.append(.referredBy, referrer) }
        case .gateway, .conference, nil: break
        }
    }
}
