import Bus
import DNS
import Foundation
import Model
import Primitives
import SIP
import SwiftProtobuf

/// Whom an answer on the bus is for.
enum Pending: Sendable {
    case hello
    case heartbeat
    case credential(CredentialKey)
    case source(SocketAddress)
    case bind(Registering)
    case bindBatch([Registering])
    case subscribe(ServerTransactionID, SIPMessage, tag: String)
    /// Whatever the answer is.
    case forgotten
    case start(CallID)
    case fact(Fact)
    case credit(CallID)
    case locate(CallID)
    case disowned(CallID)
    case gatewayCredential(CallID, ClientTransactionID)
    case goodbyeCredential(ClientTransactionID)
    case registrarCredential(Int)
    case gatewayReport(GatewayID, isProbe: Bool)
    case open(CallID)
    case openStream(CallID, place: Int)
    case change(CallID)
    case play(CallID)
    case recording(CallID)
    case close(CallID)
}

/// What a call machine acts with: the transactions, the bus, the time. Everything it wants done is gathered here and carried
/// out after it has returned.
struct CallKit: Sendable {
    static let desk = "control"
    static let position: HeaderName = "X-Ledgerline-Position"
    /// Between calls of ours alone: the tenant of the line that asks for a place in the other call.
    static let tenant: HeaderName = "X-Ledgerline-Tenant"
    static let finalReason: HeaderName = "X-Ledgerline-Reason"

    let configuration: SignalConfiguration
    var transactions: TransactionLayer
    var random: RandomSource
    var now = Instant.zero
    var wall = WallTime(microseconds: 0)
    var layer: [TransactionLayer.Effect] = []
    var requests: RequestTable<Pending>
    var requestEffects: [RequestTable<Pending>.Effect] = []
    /// Whose requests could not even be queued.
    var refused: [Pending] = []
    var effects: [SignalMachine.Effect] = []
    var clientOwners: [ClientTransactionID: CallID] = [:]
    var serverOwners: [ServerTransactionID: CallID] = [:]
    var colleagues: Colleagues
    var outbox = Outbox()
    /// Facts that are on their way as soon as something else goes there, or their time has come.
    var gathered = GatheredFacts()
    var names: NameCache
    /// Whom we are known to by a name.
    var ownNames = OwnNames()
    /// Calls that wait for DNS.
    var nameWaiters: Set<CallID> = []
    /// Peers that are reached by UDP and took no connection, and until when that is believed.
    var withoutStreams: [SocketAddress: Instant] = [:]
    /// The newest position of the log that the control plane has spoken of.
    private(set) var position: UInt64 = 0
    private var positionText = "0"
    private var branches: UInt64 = 0
    private let branchStart: String
    /// Where requests within our dialogs are to be sent; the same in all.
    let contact: NameAddress
    let contactText: String
    /// Calls that go on as calls of our own, by the Call-ID of the INVITE that is on its way to ourselves.
    var forwards: [String: Forwarded] = [:]
    /// Calls whose media worker is lost, while there is no other.
    var stranded: Set<CallID> = []
    /// NOTIFYs that wait for their answers.
    var notices: [ClientTransactionID: Notify] = [:]
    var goodbyes: [ClientTransactionID: Goodbye] = [:]
    /// Of INVITEs that were taken back and may yet be answered, when their calls are over.
    var formerGateways: [ClientTransactionID: GatewayID] = [:]
    /// Messages to ourselves.
    var loop: [(bytes: [UInt8], hop: Hop)] = []

    init(_ configuration: SignalConfiguration, random: RandomSource) {
        self.configuration = configuration
        self.random = random
        transactions = TransactionLayer(
            timers: configuration.timers, clientsMax: configuration.transactionsMax, serversMax: configuration.transactionsMax)
        colleagues = Colleagues(grace: configuration.rosterGrace)
        names = NameCache(addressType: configuration.advertised.host.isV4 ? .a : .aaaa)
        requests = RequestTable(incarnation: configuration.incarnation)
        branchStart = String(configuration.incarnation & 0xFFFF_FFFF, radix: 36) + "-"
        let advertised = configuration.advertised
        contact = NameAddress(uri: URI(user: "ledgerline", host: advertised.host.description, port: advertised.port))
        contactText = contact.description
    }

    // MARK: SIP

    /// A Via of ours whose branch names this worker and the call.
    mutating func via(_ call: CallID) -> Via {
        branches += 1
        // The incarnation keeps branches of a worker that has started again apart from those it used before.
        let mark = OwnerMark(worker: configuration.worker, call: call, part: branchStart + String(branches, radix: 36))
        let advertised = contact.uri
        return Via(host: advertised.host, port: advertised.port, branch: mark.branch)
    }

    /// - Parameter call: gets the answers; nil: nobody waits for one.
    @discardableResult
    mutating func send(_ request: SIPMessage, to hop: Hop, of call: CallID?) -> ClientTransactionID? {
        let way = way(of: request, hop)
        let id = withTransactions { $0.send(way.request, to: way.hop, otherwise: way.otherwise, now: $1, into: &$2) }
        if let id, let call { clientOwners[id] = call }
        return id
    }

    /// What is sent goes out in the order in which it was asked for, packets and words on the bus alike; what comes of it
    /// is looked at afterwards.
    private mutating func withTransactions<Result>(
        _ body: (inout TransactionLayer, Instant, inout [TransactionLayer.Effect]) -> Result
    ) -> Result {
        var made: [TransactionLayer.Effect] = []
        let result = body(&transactions, now, &made)
        for effect in made {
            if case .send(let bytes, let hop) = effect { transmit(bytes, hop) } else { layer.append(effect) }
        }
        return result
    }

    /// Sends by our own listener, or by the fellow who holds the one that the peer knows.
    mutating func transmit(_ bytes: [UInt8], _ hop: Hop) {
        if hop.isInternal { return loopBack(bytes, hop) }
        if let worker = hop.relay, worker != configuration.worker, colleagues.isAlive(worker) {
            var message = RelayMessage()
            message.send.listener = hop.listener.description
            message.send.remote = hop.remote.description
            message.send.message = Data(bytes)
            if hop.transport != .udp {
                message.send.transport = hop.transport.name
                message.send.connection = hop.connection
            }
            effects.append(.relay(serialized(message), to: worker))
            return
        }
        guard hop.transport == .udp else { return effects.append(.stream(bytes, hop)) }
        let listener = configuration.isOurs(hop.listener) ? hop.listener : configuration.advertised
        effects.append(.send(bytes, listener: listener, to: hop.remote))
    }

    /// A final response says at which position of the log it was decided, and why, so that "configured, but 404" is answered
    /// by a number and a word.
    /// - Parameter isForgotten: nothing is to be kept of the request: nobody has shown who sent it.
    mutating func respond(_ response: consuming SIPMessage, to id: ServerTransactionID, _ why: FinalReason? = nil, isForgotten: Bool = false) {
        response = completed(addressed(response, to: id), why)
        withTransactions { if isForgotten { $0.respondOnce(response, to: id, into: &$2) } else { _ = $0.respond(response, to: id, now: $1, into: &$2) } }
        if response.isFinal {
            serverOwners[id] = nil
            serverOwners.shrinkIfSparse()
        }
    }

    /// With who says it; a final one with where it was decided and why.
    func completed(_ response: consuming SIPMessage, _ why: FinalReason?) -> SIPMessage {
        response.headers[.server] = "Ledgerline"
        guard response.isFinal else { return response }
        if response.headers[CallKit.position] == nil { response.headers.append(CallKit.position, positionText) }
        guard response.status >= 300 else { return response }
        if response.headers[CallKit.finalReason] == nil {
            response.headers.append(CallKit.finalReason, (why ?? FinalReason(status: response.status)).rawValue)
        }
        let isChallenge = response.status == 401 || response.status == 407
        if !isChallenge, response.headers[.reason] == nil, [.invite, .register].contains(response.cseq.method) {
            response.headers[.reason] = CallKit.reason(response.status, response.reason)
        }
        return response
    }

    /// What every final response says, for one to bytes that are no message.
    var closingFields: [(HeaderName, String)] {
        [(.server, "Ledgerline"), (CallKit.position, positionText), (CallKit.finalReason, FinalReason.malformed.rawValue)]
    }

    /// RFC 3326. The text is for an operator.
    static func reason(_ status: Int, _ text: String) -> String { "SIP;cause=\(status);text=\(text.quoted)" }

    mutating func heard(position: UInt64) {
        guard position > self.position else { return }
        self.position = position
        positionText = String(position)
    }

    mutating func cancel(_ id: ClientTransactionID, reason: String? = nil) {
        withTransactions { _ = $0.cancel(id, reason: reason, now: $1, into: &$2) }
    }

    mutating func acknowledge(_ ack: SIPMessage, of id: ClientTransactionID?, to hop: Hop) {
        let ack = addressed(ack, by: hop)
        withTransactions { $0.acknowledge(ack, of: id, to: hop, into: &$2) }
    }

    /// The path to a phone: its own listener if that is ours or a living fellow's, else the address that all share.
    func hop(_ flow: Flow) -> Hop? {
        guard let remote = SocketAddress(flow.remote) else { return nil }
        // Whoever has not registered was heard by nobody, so all may call.
        guard let listener = flow.listener.isEmpty ? configuration.advertised : SocketAddress(flow.listener) else { return nil }
        guard flow.transport.isEmpty else { return hop(flow, Transport(flow.transport), listener, remote) }
        if listener == remote { return internalHop(listener, of: flow.worker) }
        if configuration.isOurs(listener) { return Hop(listener: listener, remote: remote) }
        if flow.worker != configuration.worker, colleagues.isAlive(flow.worker) {
            return Hop(listener: listener, remote: remote, relay: flow.worker)
        }
        return Hop(listener: configuration.advertised, remote: remote)
    }

    /// A gateway's flow is no worker's: any may call it.
    func flow(_ hop: Hop, isGateway: Bool = false) -> Flow {
        var flow = Flow()
        flow.worker = isGateway && !hop.isInternal ? "" : hop.relay ?? configuration.worker
        flow.listener = hop.listener.description
        flow.remote = hop.remote.description
        if hop.transport != .udp {
            flow.transport = hop.transport.name
            flow.connection = isGateway ? 0 : hop.connection
        }
        return flow
    }

    // MARK: Bus

    @discardableResult
    mutating func ask(_ request: DeskRequest, _ pending: Pending, policy: RequestPolicy = .query) -> RequestID? {
        // What is asked may depend on what was to be told: a line's next call on the end of the one before.
        sendGathered()
        return submit(request, to: CallKit.desk, pending, policy)
    }

    mutating func ask(_ request: StudioRequest, of worker: String, _ pending: Pending, policy: RequestPolicy = .query) {
        _ = submit(request, to: worker, pending, policy)
    }

    private mutating func submit(
        _ message: some Message, to peer: String, _ pending: Pending, _ policy: RequestPolicy
    ) -> RequestID? {
        var made: [RequestTable<Pending>.Effect] = []
        let id = requests.submit(serialized(message), to: peer, policy: policy, context: pending, now: now, into: &made)
        carryOut(made)
        // A full table is as good as no answer.
        if id == nil { refused.append(pending) }
        return id
    }

    mutating func carryOut(_ made: [RequestTable<Pending>.Effect]) {
        for effect in made {
            if case .send(let id, let body, let peer) = effect {
                effects.append(.request(id, body, to: peer))
            } else {
                requestEffects.append(effect)
            }
        }
    }

    mutating func note(_ note: SignalNote) { effects.append(.note(note)) }
}

func serialized(_ message: some Message) -> [UInt8] { message.wireBytes() }
