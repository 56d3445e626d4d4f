import Foundation
import Model
import Primitives
import SIP

/// INVITEs that take the place of a dialog (RFC 3891), and what a trusted side says of who calls.
extension SignalMachine {
    /// INVITE with Replaces (RFC 3891), from a line or from a call of ours: only of the tenant whose dialog is to be replaced.
    mutating func replace(_ request: SIPMessage, _ id: ServerTransactionID, _ hop: Hop, subscriber: Data, tenant: Data) {
        guard let wanted = Replaced(request.headers[.replaces] ?? ""), let mark = OwnerMark(tag: wanted.toTag) ?? OwnerMark(tag: wanted.fromTag) else {
            return kit.respond(request.response(481, toTag: "replaces"), to: id, .noDialog)
        }
        let found = calls.update(mark.call) { call in call.side(of: wanted).map { (side: $0, tenant: call[$0]?.tenant) } }
        guard let (side, owner) = found ?? nil else { return kit.respond(request.response(481, toTag: "replaces"), to: id, .noDialog) }
        guard !tenant.isEmpty, owner == tenant else {
            return kit.respond(request.response(403, toTag: "replaces"), to: id, .replacesForbidden)
        }
        kit.serverOwners[id] = mark.call
        if hop.isInternal { kit.respond(request.response(100), to: id) }
        withCall(mark.call) { call, kit in call.replace(side, by: request, id, on: hop, subscriber: subscriber, tenant: hop.isInternal ? Data() : tenant, &kit) }
    }

    /// The worker that carries the call of ours in which a place is wanted, if it is another one.
    func ownerOfReplaced(_ request: SIPMessage) -> String? {
        guard request.method == .invite, let wanted = request.headers[.replaces].flatMap({ Replaced($0) }),
            let mark = OwnerMark(tag: wanted.toTag) ?? OwnerMark(tag: wanted.fromTag), !calls.contains(mark.call)
        else { return nil }
        let owner = located[mark.call] ?? mark.worker
        return owner != configuration.worker && kit.colleagues.isAlive(owner) ? owner : nil
    }

    /// Who calls, as a trusted side says it, where From does not (RFC 3325 §9.1).
    static func asserted(_ request: SIPMessage) -> String? {
        let from = request.from.uri.numberOrUser ?? ""
        guard from.isEmpty || from.lowercased() == "anonymous" || request.from.uri.host == "anonymous.invalid" else { return nil }
        return request.addresses(.assertedIdentity).compactMap(\.uri.numberOrUser).first
    }
}

/// The dialog that a Replaces header names (RFC 3891 §6.1); its to-tag is ours, or that of the dialog's other end when it was copied
/// from a request of that end.
struct Replaced: Hashable {
    let callID: String
    let toTag: String
    let fromTag: String

    init?(_ text: String) {
        let parts = text.split(separator: ";").map { $0.trimmingCharacters(in: .whitespaces) }
        func value(_ name: String) -> String? {
            parts.dropFirst().first { $0.lowercased().hasPrefix(name + "=") }.map { String($0.dropFirst(name.count + 1)) }
        }
        guard let callID = parts.first, !callID.isEmpty, let to = value("to-tag"), let from = value("from-tag") else { return nil }
        self.callID = callID
        toTag = to
        fromTag = from
    }
}

extension CallMachine {
    func side(of replaced: Replaced) -> Side? {
        func isMeant(_ dialog: Dialog) -> Bool {
            dialog.callID == replaced.callID
                && (dialog.localTag == replaced.toTag && dialog.remoteTag == replaced.fromTag
                    || dialog.localTag == replaced.fromTag && dialog.remoteTag == replaced.toTag)
        }
        if isMeant(a.dialog) { return .a }
        if let b, isMeant(b.dialog) { return .b }
        return nil
    }

    /// A request of a party that rings, or whose place another one has taken: that one hangs up, or does not know yet.
    mutating func request(ofFormer request: SIPMessage, _ transaction: ServerTransactionID, _ kit: inout CallKit) {
        guard !requestOfRinging(request, transaction, &kit) else { return }
        guard request.method == .bye, let index = farewells.firstIndex(where: { $0.leg.dialog.matches(request) }) else {
            return kit.respond(request.response(481), to: transaction)
        }
        farewells.remove(at: index)
        kit.respond(request.response(200), to: transaction)
    }
}
