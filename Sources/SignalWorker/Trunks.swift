import Bus
import DNS
import Foundation
import Model
import Primitives
import SIP
import SwiftProtobuf

/// The gateways that are more than an address and a port, and what this worker does about them.
struct Trunks: Sendable {
    struct Registration: Sendable {
        let entry: GatewayEntry
        /// Host and port of the registrar; no port: RFC 3263 says.
        let registrar: URI
        let contact: URI
        let callID: String
        let tag: String
        var machine: RegistrationMachine
        /// What waits for DNS, or is on its way.
        var order: RegistrationMachine.Order?
        var transaction: ClientTransactionID?
        var target: SocketAddress?
        /// Servers that have failed since the last success.
        var tried: Set<SocketAddress> = []
        var answeredAt: WallTime?
        /// It is another worker's by now, or nobody's: what becomes of it is not this gateway's state any more.
        var isLeaving = false
    }

    struct Probe: Sendable {
        let entry: GatewayEntry
        var machine: ProbeMachine
        var transaction: ClientTransactionID?
        var target: SocketAddress?
        var isWaitingForName = false
        var tried: Set<SocketAddress> = []
        var answeredAt: WallTime?
    }

    enum Owner: Hashable, Sendable {
        case registration(Int)
        case probe(GatewayID)
    }

    var entries: [GatewayID: GatewayEntry] = [:]
    /// By the order in which they were begun.
    var registrations: [Int: Registration] = [:] { didSet { isStirred = true } }
    var nextRegistration = 0
    var probes: [GatewayID: Probe] = [:] { didSet { isStirred = true } }
    var owners: [ClientTransactionID: Owner] = [:]
    /// When names are looked at again, so that no call has to wait for DNS.
    var namesDue: Instant? { didSet { isStirred = true } }
    /// When `tickTrunks` is due; nil: never. There may be hundreds of trunks, and packets come by the thousand.
    private(set) var nextWake: Instant?
    private var isStirred = false
    private var sources: [SocketAddress.Host: [Source]] = [:]

    /// An address by which a gateway is known.
    private struct Source: Sendable {
        let gateway: GatewayID
        /// nil: of its registrar, which alone does not make a call the gateway's.
        let port: UInt16?
        let anyPort: Bool
    }

    static let namesInterval = Duration.seconds(5)
    /// What DNS says comes in bursts.
    static let namesPause = Duration.milliseconds(50)
    static let contactParameter = "trunk"

    /// Finds out again when the next thing is to be done, if anything has changed.
    mutating func settle() {
        guard isStirred else { return }
        isStirred = false
        let machines = registrations.values.compactMap(\.machine.nextWake) + probes.values.map(\.machine.nextWake)
        nextWake = (machines + [namesDue].compactMap(\.self)).min()
    }

    func current(_ gateway: GatewayID) -> Int? {
        registrations.filter { !$0.value.isLeaving && $0.value.entry.gatewayID == gateway.data }.keys.max()
    }

    // MARK: Whose call it is

    /// - Parameter places: addresses of gateways' hosts, and of registrars.
    mutating func know(_ places: [(gateway: GatewayID, address: SocketAddress, isRegistrar: Bool)]) {
        sources.removeAll(keepingCapacity: true)
        for place in places {
            let source = Source(
                gateway: place.gateway, port: place.isRegistrar ? nil : place.address.port, anyPort: !place.isRegistrar && entries[place.gateway]?.anyPort == true)
            sources[place.address.host, default: []].append(source)
        }
    }

    /// A call to the Contact that we have registered, from where the gateway or its registrar is.
    func registered(_ request: SIPMessage, from source: SocketAddress) -> GatewayEntry? {
        guard let text = request.requestURI?.parameters[Self.contactParameter], let bytes = bytes(hex: text), let id = UUIDv7(bytes: bytes),
            let entry = entries[GatewayID(id)], !entry.registrationUser.isEmpty,
            sources[source.host]?.contains(where: { $0.gateway == GatewayID(id) }) == true
        else { return nil }
        return entry
    }

    /// What was dialled. Whoever calls our registered Contact as it is says elsewhere whom it wants.
    func dialled(_ request: SIPMessage) -> String {
        let user = request.requestURI?.numberOrUser ?? ""
        guard let uri = request.requestURI, let text = uri.parameters[Self.contactParameter], let bytes = bytes(hex: text),
            let id = UUIDv7(bytes: bytes), entries[GatewayID(id)]?.registrationUser == user
        else { return user }
        let called = request.headers["P-Called-Party-ID"].flatMap { NameAddress($0) }?.uri.numberOrUser
        return called ?? request.to.uri.numberOrUser ?? user
    }

    /// Of several gateways at one address, the first by id.
    func exact(_ source: SocketAddress) -> GatewayEntry? {
        sources[source.host]?.filter { $0.port == source.port }.map(\.gateway).min().flatMap { entries[$0] }
    }

    /// - Parameter transport: by which it has come: who is called by TCP or TLS calls in the same way.
    func fromAnyPort(_ source: SocketAddress, by transport: Transport) -> GatewayEntry? {
        let possible = sources[source.host]?.filter(\.anyPort).compactMap { entries[$0.gateway] } ?? []
        return possible.filter { $0.transport == .udp || $0.transport.transport == transport }.min { $0.gatewayID.lexicographicallyPrecedes($1.gatewayID) }
    }
}

extension GatewayEntry {
    var source: SourceReply {
        .with {
            $0.found = true
            $0.carrierID = carrierID
            $0.gatewayID = gatewayID
            $0.providerID = providerID
        }
    }

    /// Where it is asked whether it is there; nil: no SIP URI.
    var uri: URI? { URI(port == 0 ? "sip:\(host)" : "sip:\(host):\(port)") }

    /// Where it is registered; nil: no SIP URI.
    var registrarURI: URI? { registrar.isEmpty ? uri : URI("sip:\(registrar)") }

    /// Whether both mean the same registration.
    func registersLike(_ other: GatewayEntry) -> Bool {
        registrationUser == other.registrationUser && transport == other.transport && registrarURI == other.registrarURI && registrationSeconds == other.registrationSeconds
            && secretMark == other.secretMark
    }
}
