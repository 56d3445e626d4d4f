package import Primitives

/// All transactions of one process: absorbs repetitions, repeats what is unanswered, matches responses, ACK and CANCEL.
///
/// The layer does for the application what every application would do alike:
/// - a CANCEL is answered (200 or 481) and the INVITE it is aimed at is reported as `cancelled`;
/// - a 2xx to an INVITE is repeated until its ACK (§13.3.1.4), and an ACK that was sent for a 2xx is sent
///   again when that 2xx is repeated (§13.2.2.4);
/// - a request that arrived twice by different paths gets 482 (§8.2.2.2);
/// - when a table is full a new request gets 503 without leaving anything behind.
package struct TransactionLayer: Sendable {
    package enum Failure: Hashable, Sendable {
        /// No final response came: to be treated as 408 (§8.1.3.1).
        case timeout
        /// The transport could not deliver: to be treated as 503.
        case unreachable
    }

    package enum Effect: Hashable, Sendable {
        case send([UInt8], Hop)
        /// A new request other than ACK and CANCEL; its top Via is stamped with the source (RFC 3581).
        case request(ServerTransactionID, SIPMessage, Hop)
        /// The INVITE is cancelled and waits for its 487; the CANCEL itself has been answered.
        case cancelled(ServerTransactionID, SIPMessage)
        /// The ACK of our 2xx. nil when the layer did not send that 2xx (a call taken over from another process).
        case acknowledged(ServerTransactionID?, SIPMessage, Hop)
        /// No ACK came for our 2xx: a BYE is due (§13.3.1.4).
        case unacknowledged(ServerTransactionID)
        /// The way back to whoever sent an INVITE is gone before a final response.
        case unreachable(ServerTransactionID)
        /// Every provisional response, and each final one once: repetitions stay inside. Each 2xx to an INVITE is to be
        /// acknowledged (see `acknowledge`), one for each To tag when the request forked.
        case response(ClientTransactionID, SIPMessage, Hop)
        case failed(ClientTransactionID, Failure)
        /// A response that no transaction waits for.
        case stray(SIPMessage, Hop)
        /// To be sent, and nothing is kept of it: 503 (full) or 482 (merged) to a new request, 481 to a CANCEL of nothing.
        case refused(SIPMessage, Hop)
    }

    private enum Key: Hashable, Sendable {
        case client(UInt64)
        case server(UInt64)
    }

    package let timers: Timers
    package let clientsMax: Int
    package let serversMax: Int
    var clients: [UInt64: ClientEntry] = [:]
    var clientKeys: [ClientKey: UInt64] = [:]
    var servers: [UInt64: ServerEntry] = [:]
    var serverKeys: [ServerKey: UInt64] = [:]
    var merges: [MergeKey: UInt64] = [:]
    var answers: [AnswerKey: UInt64] = [:]
    /// The newest request, until the layer is asked for anything but to answer it and forget it.
    var arrival: Arrival?
    private var wakes = WakeQueue<Key>()
    private var nextNumber: UInt64 = 1

    package init(timers: Timers = .standard, clientsMax: Int = 50_000, serversMax: Int = 50_000) {
        self.timers = timers
        self.clientsMax = clientsMax
        self.serversMax = serversMax
    }

    package var clientCount: Int { clients.count }
    package var serverCount: Int { servers.count + (arrival == nil ? 0 : 1) }

    /// The request of a transaction, and where its answers go; nil when it has its final one.
    package func origin(of id: ServerTransactionID) -> (request: SIPMessage, hop: Hop)? {
        if let arrival, arrival.number == id.number { return (arrival.request, arrival.hop) }
        guard let entry = servers[id.number], let request = entry.request else { return nil }
        return (request, entry.origin.hop)
    }

    /// When `tick` is due at the latest; it may turn out that nothing was to do.
    package var nextWake: Instant? { earliest(wakes.first, arrival?.machine.nextWake) }

    /// Carries out every timer that has run out, in the order of their instants.
    package mutating func tick(now: Instant, into effects: inout [Effect]) {
        if let due = arrival?.machine.nextWake, due <= now { keepArrival() }
        while let (key, at) = wakes.pop(due: now) {
            switch key {
            case .client(let number):
                guard let place = clients.index(forKey: number), Self.takes(&clients.values[place].scheduled, at) else { continue }
                drive(client: number, .tick, now: now, into: &effects)
            case .server(let number):
                guard let place = servers.index(forKey: number), Self.takes(&servers.values[place].scheduled, at) else { continue }
                drive(server: number, .tick, now: now, into: &effects)
            }
        }
    }

    /// Whether it is for that instant that the entry waits, and not for another since; then for none any more. Looked at in place:
    /// an entry is large.
    private static func takes(_ scheduled: inout Instant?, _ at: Instant) -> Bool {
        guard scheduled == at else { return false }
        scheduled = nil
        return true
    }

    /// Works on an entry where it is: to take it out of its table and put it back costs more than all that is done to it.
    @discardableResult
    mutating func change<Result>(server number: UInt64, _ body: (inout ServerEntry) -> Result) -> Result? {
        guard let place = servers.index(forKey: number) else { return nil }
        return body(&servers.values[place])
    }

    @discardableResult
    mutating func change<Result>(client number: UInt64, _ body: (inout ClientEntry) -> Result) -> Result? {
        guard let place = clients.index(forKey: number) else { return nil }
        return body(&clients.values[place])
    }

    /// Takes a message from the network.
    package mutating func receive(_ message: consuming SIPMessage, on hop: Hop, now: Instant, into effects: inout [Effect]) {
        guard let method = message.method else { return receive(response: message, on: hop, now: now, into: &effects) }
        receive(request: message, method, on: hop, now: now, into: &effects)
    }

    /// The transport could not deliver to that hop: every transaction towards it ends now.
    package mutating func unreachable(_ hop: Hop, now: Instant, into effects: inout [Effect]) {
        keepArrival()
        // Sorted, because the order of a dictionary differs from run to run.
        for number in clients.filter({ $0.value.origin.hop == hop }).keys.sorted() {
            if takeOtherWay(client: number, now: now, into: &effects) { continue }
            drive(client: number, .unreachable, now: now, into: &effects)
        }
        for number in servers.filter({ $0.value.origin.hop == hop }).keys.sorted() {
            drive(server: number, .unreachable, now: now, into: &effects)
        }
    }

    mutating func takeNumber() -> UInt64 {
        defer { nextNumber += 1 }
        return nextNumber
    }

    /// Puts the entry into the queue unless an earlier wake is already there.
    mutating func schedule(client number: UInt64) {
        guard let wake = change(client: number, { Self.due($0.nextWake, &$0.scheduled) }) ?? nil else { return }
        wakes.insert(.client(number), at: wake)
    }

    mutating func schedule(server number: UInt64) {
        guard let wake = change(server: number, { Self.due($0.nextWake, &$0.scheduled) }) ?? nil else { return }
        wakes.insert(.server(number), at: wake)
    }

    /// When it is to be waited for anew; nil: what is waited for is no later.
    private static func due(_ wake: Instant?, _ scheduled: inout Instant?) -> Instant? {
        guard let wake, scheduled.map({ wake < $0 }) ?? true else { return nil }
        scheduled = wake
        return wake
    }
}
