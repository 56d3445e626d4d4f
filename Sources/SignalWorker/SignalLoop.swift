internal import Bus
internal import DNS
internal import Foundation
internal import Logging
internal import Model
internal import OpenSSL
internal import Primitives
internal import SIP
internal import Synchronization
internal import UDP

/// The worker's thread: waits for sockets and the clock, asks the machine, carries out its effects. It decides nothing.
struct SignalLoop: ~Copyable {
    private let configuration: SignalWorkerConfiguration
    private let logger: Logger
    private var poller = Poller()
    private var relaySocket: Router
    private var deskSocket: Dealer
    private var feedSocket: FeedSubscriber
    private var relays: DealerGroup
    private var studios: DealerGroup
    private let relayToken: Poller.Token
    private let deskToken: Poller.Token
    private let feedToken: Poller.Token
    private let allowlist: Allowlist
    private let listeners: [Listener]
    private var listenerTokens: [Poller.Token] = []
    private var connections: Connections
    private let connectionsToken: Poller.Token
    private var events: [Connections.Event] = []
    private var untold = RelayQueue()
    /// What was told in this minute about connections: once of each kind.
    private var told: Set<String> = []
    private var outbox: OutboxFile
    private let dns: DNSClient
    private let answers: DNSAnswers
    private var machine: SignalMachine
    private var effects: [SignalMachine.Effect] = []
    private var counts: [String: Int] = [:]
    private var nextReport = Instant.now + .seconds(60)
    private var wasGreeted = false
    private var drainUntil: Instant?

    init(_ configuration: SignalWorkerConfiguration, waker: Waker, logger: Logger) throws(SignalWorkerError) {
        let allowlist = Allowlist()
        let listeners = try SignalLoop.listen(configuration)
        var random = RandomSource.pooled()
        let connections = try SignalLoop.connections(configuration, start: random.next() >> 16)
        var facts: [Fact] = []
        let outbox = try OutboxFile(directory: configuration.stateDirectory, facts: &facts)
        let sockets = try SignalLoop.connect(configuration, allowlist)
        let answers = DNSAnswers()
        let dns = try SignalLoop.resolver(configuration, answers, waker)
        var poller = Poller()
        relayToken = poller.add(sockets.relay)
        deskToken = poller.add(sockets.desk)
        feedToken = poller.add(sockets.feed)
        _ = poller.add(waker)
        connectionsToken = poller.add(descriptor: connections.descriptor)
        for listener in listeners { listenerTokens.append(poller.add(descriptor: listener.socket.descriptor)) }

        let shared = configuration.cluster.map { _ in 1 } ?? 0
        let own = listeners.dropLast(shared).map { $0.socket.address }
        var rules = SignalConfiguration(
            worker: configuration.worker, listeners: own, cluster: configuration.cluster,
            busEndpoint: configuration.relayAdvertised ?? sockets.relay.endpoint, incarnation: random.next())
        rules.streams = connections.addresses
        if !configuration.offersSHA256 { rules.algorithms = [.md5] }
        rules.natPing = configuration.natPing
        (rules.sourceRate, rules.sourceBurst) = (configuration.requestsPerSource, 2 * configuration.requestsPerSource)
        (rules.lineRate, rules.lineBurst) = (configuration.requestsPerLine, 2 * configuration.requestsPerLine)
        rules.factsGathered = configuration.factsGathered
        rules.registrationsGathered = configuration.registrationsGathered
        machine = SignalMachine(rules, random: random)
        relays = DealerGroup(as: configuration.keys, in: sockets.context)
        studios = DealerGroup(as: configuration.keys, in: sockets.context)
        self.dns = dns
        self.answers = answers
        self.configuration = configuration
        self.logger = logger
        self.allowlist = allowlist
        self.listeners = listeners
        self.connections = connections
        self.outbox = outbox
        self.poller = poller
        relaySocket = sockets.relay
        deskSocket = sockets.desk
        feedSocket = sockets.feed
        if !facts.isEmpty {
            logger.info("facts of an earlier process are sent again", metadata: ["facts": "\(facts.count)"])
            handle(.remembered(facts))
        }
    }

    private static func listen(_ configuration: SignalWorkerConfiguration) throws(SignalWorkerError) -> [Listener] {
        do throws(SocketError) {
            var listeners: [Listener] = []
            for address in configuration.listeners { listeners.append(try Listener(address, isShared: false)) }
            if let cluster = configuration.cluster { listeners.append(try Listener(cluster, isShared: true)) }
            return listeners
        } catch {
            throw .listener(error)
        }
    }

    private static func connections(_ configuration: SignalWorkerConfiguration, start: UInt64) throws(SignalWorkerError) -> Connections {
        var certificates: Certificates?
        do throws(TLSError) {
            if let directory = configuration.certificates {
                certificates = try Certificates(directory: directory, authorities: configuration.authorities, now: .now)
            }
        } catch {
            throw .certificates(error)
        }
        guard certificates != nil || !configuration.streams.contains(where: { $0.transport.isSecure }) else { throw .noCertificates }
        do throws(SocketError) {
            return try Connections(configuration.streams, limits: configuration.streamLimits, certificates: certificates, start: start)
        } catch {
            throw .listener(error)
        }
    }

    private struct Sockets: ~Copyable {
        let context: BusContext
        let relay: Router
        let desk: Dealer
        let feed: FeedSubscriber
    }

    private static func connect(
        _ configuration: SignalWorkerConfiguration, _ allowlist: Allowlist
    ) throws(SignalWorkerError) -> Sockets {
        do throws(BusError) {
            let context = if let bus = configuration.bus { bus } else { try BusContext() }
            let (keys, control) = (configuration.keys, configuration.controlKey)
            let relay = try Router(listeningOn: configuration.relay, as: keys, allowing: allowlist, in: context)
            let desk = try Dealer(to: configuration.desk, server: control, as: keys, in: context)
            let feed = try FeedSubscriber(to: configuration.feed, server: control, as: keys, in: context)
            return Sockets(context: context, relay: relay, desk: desk, feed: feed)
        } catch {
            throw .bus(error)
        }
    }

    private static func resolver(
        _ configuration: SignalWorkerConfiguration, _ answers: DNSAnswers, _ waker: Waker
    ) throws(SignalWorkerError) -> DNSClient {
        do throws(DNSError) {
            return try DNSClient(servers: configuration.dnsServers) { question, answer in
                answers.put(question, answer)
                waker.wake()
            }
        } catch {
            throw .dns(error)
        }
    }

    // MARK: Running

    mutating func run(stops: borrowing Atomic<Int>) {
        logger.info(
            "signal worker runs",
            metadata: [
                "worker": "\(configuration.worker)", "listeners": "\(machine.configuration.listeners)",
                "connections": "\(machine.configuration.streams)",
                "cluster": "\(configuration.cluster?.description ?? "none")", "relay": "\(machine.configuration.busEndpoint)",
            ])
        handle(.tick)
        while true {
            let now = Instant.now
            let stopped = stops.load(ordering: .relaxed)
            if stopped > 0, drainUntil == nil {
                drainUntil = now + configuration.drainLimit
                handle(.drain)
            }
            if machine.isDrained || stopped > 1 || drainUntil.map({ now >= $0 }) == true { break }
            _ = poller.wait(until: earliest(machine.nextWake, connections.nextWake, untold.nextTry, drainUntil, nextReport), now: now)
            turn()
        }
        if machine.callCount > 0 {
            logger.warning("stopping with open calls; another worker takes them over", metadata: ["calls": "\(machine.callCount)"])
        }
        dns.stop()
        logger.info("signal worker stopped", metadata: ["worker": "\(configuration.worker)"])
    }

    /// Everything that waits, then the clock, then everything that is to be sent.
    private mutating func turn() {
        for (index, listener) in listeners.enumerated() where poller.isReadable(listenerTokens[index]) {
            let address = listener.socket.address
            if poller.hasError(listenerTokens[index]) {
                for remote in listener.takeUnreachable() { handle(.unreachable(remote, listener: address)) }
            }
            for datagram in listener.receive() {
                handle(.datagram(datagram.bytes, listener: address, from: datagram.source))
            }
        }
        if poller.isReadable(connectionsToken) { connections.turn(now: .now, into: &events) }
        takeEvents()
        if poller.isReadable(deskToken) {
            while let message = deskSocket.receive() {
                if let id = message.id { handle(.answer(id, message.body, from: "control")) }
            }
        }
        if poller.isReadable(feedToken) {
            while let body = feedSocket.receive() { handle(.feed(body)) }
        }
        if poller.isReadable(relayToken) {
            while let delivery = relaySocket.receive() { handle(.relay(delivery.message.body, from: delivery.peer.worker)) }
        }
        for (peer, message) in studios.receive(from: poller) {
            if let id = message.id {
                handle(.answer(id, message.body, from: peer))
            } else {
                handle(.notice(message.body, from: peer))
            }
        }
        for (question, answer) in answers.take() { handle(.resolved(question, answer)) }
        for _ in relays.receive(from: poller) {}  // fellows answer nothing on this way
        handle(.tick)
        connections.expire(now: .now, into: &events)
        takeEvents()
        tellAgain()
        for listener in listeners { listener.flush() }
        report()
    }

    private mutating func tellAgain() {
        guard untold.nextTry != nil else { return }
        var queue = untold
        let lost = queue.retry(now: .now) { body, worker in relays.send(.notice(body), to: worker) != .full }
        untold = queue
        if lost > 0 { counts["relay_lost", default: 0] += lost }
    }

    /// What connections have brought; carrying it out may bring more.
    private mutating func takeEvents() {
        while !events.isEmpty {
            let batch = events
            events.removeAll(keepingCapacity: true)
            for event in batch {
                switch event {
                case .message(let bytes, let hop): handle(.message(bytes, hop))
                case .lost(let hop, let never): handle(.lost(hop, never: never))
                case .note(let note): take(note)
                }
            }
        }
    }

    private mutating func handle(_ input: SignalMachine.Input) {
        effects.removeAll(keepingCapacity: true)
        machine.handle(input, now: .now, wall: .now, into: &effects)
        for effect in effects { carryOut(effect) }
        if machine.isGreeted != wasGreeted {
            wasGreeted = machine.isGreeted
            logger.info(wasGreeted ? "the control plane knows this worker" : "greeting the control plane again")
        }
    }

    private mutating func carryOut(_ effect: SignalMachine.Effect) {
        switch effect {
        case .send(let bytes, let listener, let remote):
            listeners.first { $0.socket.address == listener }?.send(bytes, to: remote)
        case .stream(let bytes, let hop): connections.send(bytes, by: hop, now: .now, into: &events)
        case .trusted(let hop): connections.trust(hop)
        case .request(let id, let body, let peer):
            // What the socket does not take is repeated by the machine.
            let message = BusMessage(id: id, body: body)
            _ = peer == "control" ? deskSocket.send(message) : studios.send(message, to: peer)
        case .relay(let body, let worker):
            guard untold.holds(worker) || relays.send(.notice(body), to: worker) == .full else { return }
            if !untold.hold(body, for: worker, now: .now) { counts["relay_lost", default: 0] += 1 }
        case .roster(let roster): connect(roster)
        case .keep(let fact): outbox.keep(fact)
        case .forget(let fact): outbox.forget(fact)
        case .note(let note): take(note)
        case .lookUp(let question): dns.ask(question)
        }
    }

    private mutating func connect(_ roster: Roster) {
        var keys: [String: CurvePublicKey] = [:]
        var wanted: [WorkerKind: Set<String>] = [.signal: [], .media: []]
        for entry in roster.workers where entry.worker != configuration.worker {
            guard let key = CurvePublicKey(bytes: Array(entry.curvePublicKey)) else { continue }
            wanted[entry.kind, default: []].insert(entry.worker)
            do throws(BusError) {
                switch entry.kind {
                case .signal:
                    keys[entry.worker] = key
                    try relays.connect(entry.worker, to: entry.busEndpoint, server: key, watchedBy: &poller)
                case .media: try studios.connect(entry.worker, to: entry.busEndpoint, server: key, watchedBy: &poller)
                case .UNRECOGNIZED: break
                }
            } catch {
                logger.error("no connection to a colleague", metadata: ["worker": "\(entry.worker)", "reason": "\(error)"])
            }
        }
        for peer in relays.peers where wanted[.signal]?.contains(peer) != true { relays.disconnect(peer, watchedBy: &poller) }
        for peer in studios.peers where wanted[.media]?.contains(peer) != true { studios.disconnect(peer, watchedBy: &poller) }
        allowlist.replace(with: keys)
    }

    // MARK: Telling

    private mutating func take(_ note: SignalNote) {
        counts[note.name, default: 0] += 1
        switch note {
        // One of these may be sending thousands.
        case .malformed(let source, let reason): logger.log(level: firstLevel(note), "malformed", metadata: ["from": "\(source)", "reason": "\(reason)"])
        case .tooFast(let source): logger.log(level: firstLevel(note), "too many requests", metadata: ["from": "\(source)"])
        case .turnedAway(let source, let status):
            let text = status == 482 ? "a request came by two ways" : "as many requests wait as may"
            logger.log(level: firstLevel(note), "\(text)", metadata: ["from": "\(source)"])
        case .banned(let source): logger.warning("banned after wrong passwords", metadata: ["from": "\(source.host)"])
        case .wrongPassword(let source, let user):
            logger.notice("wrong user or password", metadata: ["from": "\(source)", "user": "\(user)"])
        case .orphan(let source): logger.debug("a packet of a call that nobody owns", metadata: ["from": "\(source)"])
        case .deskUnanswered: logger.warning("the control plane does not answer")
        case .notEnrolled:
            logger.error("the control plane does not know worker \(configuration.worker): enrol it again")
        case .factRefused(let reason): logger.warning("a fact was refused", metadata: ["reason": "\(reason)"])
        case .recordingRefused(let reason): logger.error("a call is not recorded", metadata: ["reason": "\(reason)"])
        case .adopted(let call): logger.info("a call was taken over", metadata: ["call": "\(call)"])
        case .registered(let user): logger.debug("registered", metadata: ["user": "\(user)"])
        case .tooManyContacts(let source): logger.notice("a REGISTER with too many contacts", metadata: ["from": "\(source)"])
        case .forwarded(let kind): logger.debug("forwarded", metadata: ["kind": "\(kind.literal)"])
        case .serverPassedOver(let server, let next, let status):
            logger.notice("a server of a gateway is passed over", metadata: ["server": "\(server)", "next": "\(next)", "status": "\(status)"])
        case .flowPassedOver(let flow, let next, let status):
            logger.info("a flow of a device is passed over", metadata: ["flow": "\(flow)", "next": "\(next)", "status": "\(status)"])
        case .connection(let source, let end):
            // The first of each kind in a minute is told, the others are counted.
            let level: Logger.Level = end.isWorthTelling && told.insert(end.name).inserted ? .notice : .debug
            logger.log(level: level, "a connection ended: \(end.text)", metadata: ["peer": "\(source)"])
        case .certificates(let text): logger.notice("certificates: \(text)")
        case .movedToStream(let remote): logger.debug("a large request goes by TCP", metadata: ["peer": "\(remote)"])
        }
    }

    /// The first of its kind in a minute is told, the others are counted.
    private mutating func firstLevel(_ note: SignalNote) -> Logger.Level { told.insert(note.name).inserted ? .notice : .debug }

    /// Once a minute, what was counted.
    private mutating func report() {
        guard Instant.now >= nextReport else { return }
        nextReport = Instant.now + .seconds(60)
        told.removeAll()
        guard !counts.isEmpty else { return }
        let text = counts.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
        logger.info("in the last minute: \(text)")
        counts.removeAll()
    }
}
