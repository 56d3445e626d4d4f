import Model
import Primitives
import SIP

/// Peers by TLS who know us by a name and not by an address (Microsoft Teams Direct Routing): Contact and From bear that name, which
/// is the one in our certificate; hold is `a=inactive`; and they are not told that we take REFER, for then they would send it.
struct OwnNames: Sendable {
    private var names: [SocketAddress.Host: String] = [:]

    /// Bounded by the networks that Teams has; an operator's own gateways are few.
    private static let rememberedMax = 10_000

    mutating func learn(_ name: String, towards host: SocketAddress.Host) {
        guard !name.isEmpty, names[host] != name else { return }
        if names.count >= Self.rememberedMax { names.removeAll() }
        names[host] = name
    }

    subscript(_ hop: Hop) -> String? {
        guard hop.transport == .tls, !names.isEmpty else { return nil }
        return names[hop.remote.host]
    }

    /// Their media stack knows one way of holding.
    func hold(_ offer: inout SDP, _ index: Int, on hop: Hop) {
        guard self[hop] != nil, offer.media.indices.contains(index), offer.direction(of: index) == .sendonly else { return }
        offer.media[index].direction = .inactive
    }
}

extension Trunks {
    /// 52.112.0.0/14 and 52.122.0.0/15: where calls of Teams come from, whichever of its names we call it by.
    static func isTeams(_ host: SocketAddress.Host) -> Bool {
        switch host {
        case .v4(let address): address >> 18 == 0x3470_0000 >> 18 || address >> 17 == 0x347A_0000 >> 17
        case .v6: false
        }
    }

    /// A call of Teams names the one it wants by our own name; its address may be any of its networks'.
    func fromTeams(_ request: SIPMessage, on hop: Hop) -> GatewayEntry? {
        guard hop.transport == .tls, Trunks.isTeams(hop.remote.host), let host = request.requestURI?.host else { return nil }
        return entries.values.filter { $0.profile == .teams && $0.ownName == host }.min { $0.gatewayID.lexicographicallyPrecedes($1.gatewayID) }
    }
}

extension SignalMachine {
    /// Who we are to a gateway that we ask something outside of calls. Teams wants its names without a user.
    func identity(towards entry: GatewayEntry) -> (from: URI, contact: NameAddress) {
        let place = place(of: entry)
        guard entry.profile == .teams, !entry.ownName.isEmpty else {
            return (URI(user: "ledgerline", host: configuration.advertised.host.description), kit.contact)
        }
        var contact = URI(host: entry.ownName, port: place.address.port)
        contact.parameters.set("transport", place.transport.name.lowercased())
        return (URI(host: entry.ownName, port: place.address.port), NameAddress(uri: contact))
    }
}
