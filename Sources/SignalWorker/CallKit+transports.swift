import Foundation
import Model
import Primitives
import SIP

/// Which of our addresses a message names, and by which way it goes.
extension CallKit {
    /// Beyond this a request may be torn apart on its way by UDP, and goes by TCP if it can (RFC 3261 §18.1.1).
    private static let datagramMax = 1_300
    private static let rememberedMax = 10_000

    struct Way {
        var request: SIPMessage
        var hop: Hop
        var otherwise: (request: SIPMessage, hop: Hop)?
    }

    mutating func way(of request: SIPMessage, _ hop: Hop) -> Way {
        let plain = addressed(request, by: hop)
        guard let stream = streamForLarge(plain, hop) else { return Way(request: plain, hop: hop) }
        note(.movedToStream(remote: hop.remote))
        return Way(request: addressed(request, by: stream), hop: stream, otherwise: (plain, hop))
    }

    /// nil for what fits a datagram, and for a peer that is known to take no connections or may be behind a NAT.
    private func streamForLarge(_ request: SIPMessage, _ hop: Hop) -> Hop? {
        guard hop.transport == .udp, hop.relay == nil, hop.remote != hop.listener, !configuration.streams.isEmpty,
            request.body.count > 400 || request.headers.fields.count > 16, request.bytes.count > CallKit.datagramMax
        else { return nil }
        if let until = withoutStreams[hop.remote], now < until { return nil }
        if let uri = request.requestURI, let host = SocketAddress.Host(uri.host), host != hop.remote.host { return nil }
        return configuration.hop(to: hop.remote, by: .tcp)
    }

    mutating func takesNoStreams(_ remote: SocketAddress) {
        if withoutStreams.count >= CallKit.rememberedMax { withoutStreams.removeAll() }
        withoutStreams[remote] = now + .seconds(600)
    }

    /// A message of ours with the Via and the Contact that a peer on that way can use.
    func addressed(_ message: consuming SIPMessage, by hop: Hop, isSecure: Bool = false) -> SIPMessage {
        let local = configuration.local(on: hop)
        guard hop.transport != .udp || local != configuration.advertised else { return message }
        if message.isRequest, !message.vias.isEmpty {
            message.vias[0].transport = hop.transport
            message.vias[0].host = local.host.description
            message.vias[0].port = local.port
        }
        let ownName = ownNames[hop]
        if ownName != nil, let allowed = message.headers[.allow], allowed.hasPrefix(CallMachine.allowed) {
            message.headers[.allow] = CallMachine.allowedOfCarriers + allowed.dropFirst(CallMachine.allowed.count)
        }
        let plain = contact
        guard message.headers[.contact] == plain.description else { return message }
        var own = plain
        own.uri.host = ownName ?? local.host.description
        own.uri.port = local.port
        if ownName != nil {
            // Who knows us by our name knows no sips.
        } else if isSecure || message.requestURI?.isSecure == true { own.uri.scheme = "sips" }
        // RFC 7118 §5.2: there is one name for both kinds of WebSocket.
        let name = hop.transport.isWebSocket ? "ws" : hop.transport.name.lowercased()
        if hop.transport != .udp { own.uri.parameters.set("transport", name) }
        message.headers[.contact] = own.description
        return message
    }

    /// A response, as the way of its request asks for it.
    func addressed(_ response: consuming SIPMessage, to id: ServerTransactionID) -> SIPMessage {
        guard let origin = transactions.origin(of: id) else { return response }
        return addressed(response, by: origin.hop, isSecure: origin.request.requestURI?.isSecure == true)
    }

    /// To a peer that came by a connection: by that, here or at the fellow who holds it; when its holder is gone, by a new one.
    func hop(_ flow: Flow, _ transport: Transport, _ listener: SocketAddress, _ remote: SocketAddress) -> Hop? {
        if flow.worker == configuration.worker {
            return Hop(transport, listener: listener, remote: remote, connection: flow.connection)
        }
        if !flow.worker.isEmpty, colleagues.isAlive(flow.worker) {
            return Hop(transport, listener: listener, remote: remote, connection: flow.connection, relay: flow.worker)
        }
        return configuration.hop(to: remote, by: transport)
    }
}

extension SipTransport {
    var transport: Transport {
        switch self {
        case .udp, .UNRECOGNIZED: .udp
        case .tcp: .tcp
        case .tls: .tls
        }
    }
}

extension Hop {
    var framing: SIPMessage.Framing { transport == .tcp || transport == .tls ? .stream : .datagram }
}
