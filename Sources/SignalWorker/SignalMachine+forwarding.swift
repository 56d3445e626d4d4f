import Foundation
import Model
import Primitives
import SIP

/// INVITEs from ourselves: a call that is forwarded goes on as a call of the line that forwards it, and one that is picked up
/// comes to the call that it takes.
extension SignalMachine {
    mutating func goOn(_ request: SIPMessage, _ id: ServerTransactionID, _ hop: Hop) {
        if let replaced = request.headers[.replaces] {
            if Replaced(replaced) != nil {
                let tenant = request.headers[CallKit.tenant].flatMap { bytes(hex: $0) } ?? []
                return replace(request, id, hop, subscriber: Data(), tenant: Data(tenant))
            }
            return pickUp(replaced, request, id, hop)
        }
        guard let forwarded = kit.forwards.removeValue(forKey: request.callID), calls.count < configuration.callsMax else {
            return kit.respond(request.response(503, toTag: "forward"), to: id)
        }
        kit.note(.forwarded(forwarded.target.kind))
        start(request, id, hop, .forwarded(forwarded))
    }

    private mutating func pickUp(_ replaced: String, _ request: SIPMessage, _ id: ServerTransactionID, _ hop: Hop) {
        guard let text = replaced.split(separator: ";").first, let value = UUIDv7(String(text)), calls.contains(CallID(value)) else {
            return kit.respond(request.response(481, toTag: "pickup"), to: id)
        }
        withCall(CallID(value)) { call, kit in call.pickedUp(by: request, id, hop, &kit) }
    }
}
