import Foundation
import Model
import Primitives
import SIP
import SwiftProtobuf

/// Contacts of an authenticated REGISTER, into the control plane and back (RFC 3261 §10.3, RFC 3327, RFC 5626, RFC 5627).
extension SignalMachine {
    /// Nobody has so many phones: more in one request are not even looked at.
    static let contactsMax = 50

    mutating func bind(_ request: SIPMessage, _ id: ServerTransactionID, _ hop: Hop, _ reply: CredentialReply) {
        var bind = BindContacts()
        bind.subscriberID = reply.subscriberID
        if request.isContactWildcard {
            guard request.expires == 0 else { return kit.respond(request.response(400, toTag: "wildcard"), to: id, .wildcard) }
            bind.removeAll = true
            bind.bindings = [.with { ($0.callID, $0.cseq) = (request.callID, request.cseq.number) }]
        }
        let contacts = request.contacts
        // All contacts, or some: not both (RFC 3261 §10.3, step 6).
        guard request.isContactWildcard || !request.headers.all(.contact).contains("*") else {
            return kit.respond(request.response(400, toTag: "wildcard"), to: id, .wildcard)
        }
        guard contacts.count <= SignalMachine.contactsMax else {
            kit.note(.tooManyContacts(source: hop.remote))
            return kit.respond(request.response(403, reason: "Too many contacts", toTag: "registrar"), to: id, .tooManyContacts)
        }
        let path = request.headers.list(.path)
        // It becomes the Route of every request to the phone (RFC 3327 §5.3).
        guard request.headers.contains(.path) == !path.isEmpty, path.allSatisfy({ NameAddress($0)?.uri.isSIP == true }) else {
            return kit.respond(request.response(400, reason: "Malformed Path", toTag: "path"), to: id)
        }
        let supported = request.supported
        for contact in contacts {
            let asked = contact.expires ?? request.expires ?? configuration.registrationSeconds.upperBound
            guard asked == 0 || asked >= configuration.registrationSeconds.lowerBound else {
                var response = request.response(423, toTag: "brief")
                response.headers.append(.minExpires, String(configuration.registrationSeconds.lowerBound))
                return kit.respond(response, to: id)
            }
            var binding = Binding()
            binding.contactUri = contact.uri.description
            var reached = hop
            // Over a connection it is reached by that connection alone (RFC 5626).
            if path.isEmpty, hop.transport == .udp { reached.remote = reachable(contact.uri, from: hop.remote) }
            binding.flow = kit.flow(reached)
            binding.path = path
            binding.instanceID = contact.parameters["+sip.instance"] ?? ""
            if !binding.instanceID.isEmpty, supported.contains("outbound") {
                binding.regID = contact.parameters["reg-id"].flatMap { UInt32($0) } ?? 0
            }
            // RFC 5626 §6: each flow is registered by itself.
            if binding.regID > 0, bind.bindings.contains(where: { $0.regID > 0 && $0.regID != binding.regID }) {
                return kit.respond(request.response(400, reason: "More than one reg-id", toTag: "outbound"), to: id)
            }
            // RFC 5626 §6: flows need every hop on the way to understand them.
            if binding.regID > 0, request.vias.count > 1, !(path.last?.contains(";ob") ?? false) {
                return kit.respond(request.response(439, reason: "First Hop Lacks Outbound Support", toTag: "outbound"), to: id)
            }
            binding.isBehindNat = path.isEmpty && SocketAddress.Host(contact.uri.host) != hop.remote.host
            // A NAT forgets a flow that is silent; who keeps flows alive by itself says so by its reg-id.
            let most = binding.isBehindNat && binding.regID == 0 && hop.transport == .udp ? configuration.natSeconds : configuration.registrationSeconds.upperBound
            binding.expiresSeconds = min(asked, most)
            binding.callID = request.callID
            binding.cseq = request.cseq.number
            binding.qPermille = contact.parameters["q"].flatMap { Double($0) }.map { UInt32(max(0, min(1, $0)) * 1_000) } ?? 1_000
            binding.userAgent = request.headers[.userAgent] ?? ""
            bind.bindings.append(binding)
        }
        ask(Registering(bind: bind, transaction: id, request: request))
    }

    /// Where a contact's requests go. A phone behind a NAT is reached where its REGISTER came from (RFC 3581); one that names the
    /// very address that it sent from is behind none, and may listen at another port than it sends from (RFC 3261 §19.1.2).
    func reachable(_ contact: URI, from source: SocketAddress) -> SocketAddress {
        guard let host = SocketAddress.Host(contact.host), host == source.host else { return source }
        return SocketAddress(host, port: contact.port ?? 5060)
    }

    mutating func bound(_ reply: BindReply, _ id: ServerTransactionID, _ request: SIPMessage) {
        switch reply.outcome {
        case .ok:
            let supported = request.supported
            var ok = request.response(200, toTag: "registrar")
            for binding in reply.bindings {
                // A URI that was read is written as it was, so it need not be read again.
                var contact = "<" + binding.contactUri + ">;expires=" + String(binding.expiresSeconds)
                if binding.qPermille < 1_000 { contact += ";q=0." + String(binding.qPermille + 1_000).dropFirst() }
                if !binding.instanceID.isEmpty {
                    contact += ";+sip.instance=" + binding.instanceID.quoted
                    if binding.regID > 0 { contact += ";reg-id=" + String(binding.regID) }
                    if supported.contains("gruu"), let gruu = gruu(of: binding.instanceID, request) { contact += ";pub-gruu=" + gruu }
                }
                ok.headers.append(.contact, contact)
            }
            for route in request.headers.list(.path) { ok.headers.append(.path, route) }
            if supported.contains("outbound"), reply.bindings.contains(where: { $0.regID > 0 && $0.callID == request.callID }) {
                ok.headers.append(.require, "outbound")
            }
            ok.headers[CallKit.position] = "\(reply.logPosition)"
            kit.respond(ok, to: id)
            nats.hold(reply.bindings, of: "\(request.to.uri.user ?? "")@\(request.to.uri.host)", configuration, now: kit.now)
            kit.note(.registered(user: request.to.uri.user ?? ""))
        case .stale: kit.respond(request.response(500, reason: "Out of order", toTag: "registrar"), to: id, .outOfOrder)
        case .tooMany: kit.respond(request.response(403, reason: "Too many contacts", toTag: "registrar"), to: id, .tooManyContacts)
        case .tenantFull: kit.respond(request.response(403, reason: "Too many contacts of the tenant", toTag: "registrar"), to: id, .tooManyContacts)
        // What came alone cannot be told to come alone.
        case .unknownSubscriber, .alone, .UNRECOGNIZED: kit.respond(request.response(404, toTag: "registrar"), to: id, .unknownLine)
        }
    }

    /// The address of record with the device's name in it (RFC 5627 §3.2), as a quoted parameter.
    private func gruu(of instance: String, _ request: SIPMessage) -> String? {
        let name = instance.filter { !"<>\"".contains($0) }
        guard !name.isEmpty, name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
        var uri = request.to.uri
        uri.parameters.set("gr", name)
        return uri.description.quoted
    }
}
