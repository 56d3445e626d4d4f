internal import Bus
internal import Foundation
internal import Logging
internal import Model
internal import OpenSSL
internal import Primitives
internal import SwiftProtobuf
internal import Synchronization
internal import UDP

/// The control thread: waits for the bus, the shards and the clock, asks the machines, carries out their effects.
/// It decides nothing.
struct MediaLoop: ~Copyable, Sendable {
    let studioEndpoint: String
    private let configuration: MediaWorkerConfiguration
    private let logger: Logger

    private var poller: Poller
    private var studioSocket: Router
    private var deskSocket: Dealer
    private var feedSocket: FeedSubscriber
    private let studioToken: Poller.Token
    private let deskToken: Poller.Token
    private let feedToken: Poller.Token
    private let allowlist: Allowlist

    private var studio: StudioMachine
    private var desk: DeskMachine
    private var shards: ShardGroup
    private let recorder: Recorder
    private var sounds: SoundFolder
    /// Recordings that are written, until the control thread takes note.
    private let written = Letterbox<RecordingReport>()
    private var random = RandomSource.system
    /// The newest requests to the desk; an answer to an older one comes too late to matter.
    private var asked: [RequestID] = []
    /// Who gets the answer of each ticket.
    private var askers: [StudioMachine.Ticket: (peer: Router.Peer, id: RequestID)] = [:]
    private var lastTicket: StudioMachine.Ticket = 0

    /// When a stop gives up waiting for sessions.
    private var drainUntil: Instant?
    private var isDrained = false
    private var failure: MediaWorkerError?
    private var refusalsLogged: UInt64 = 0
    private var wasGreeted = false
    /// Of sessions that were closed.
    private var packets: (all: UInt64, byXDP: UInt64) = (0, 0)

    init(_ configuration: MediaWorkerConfiguration, waker: Waker, logger: Logger) throws(MediaWorkerError) {
        try MediaLoop.check(configuration)
        let allowlist = Allowlist()
        let sockets = try MediaLoop.connect(configuration, allowlist)
        let identity: DTLSIdentity
        do throws(TLSError) {
            identity = try DTLSIdentity()
        } catch {
            throw .identity(error)
        }
        let shards = try MediaLoop.shards(configuration, identity, waker, logger)
        var poller = Poller()
        studioToken = poller.add(sockets.studio)
        deskToken = poller.add(sockets.desk)
        feedToken = poller.add(sockets.feed)
        _ = poller.add(waker)

        self.configuration = configuration
        self.logger = logger
        self.poller = poller
        self.allowlist = allowlist
        self.shards = shards
        sounds = SoundFolder(configuration.sounds)
        let written = written
        let spool = configuration.recordings.map { RecordingSpool($0) }
        recorder = Recorder(spool: spool) { report in
            written.put(report)
            waker.wake()
        } trouble: { reason in
            logger.error("nothing can be recorded until this is put right", metadata: ["reason": "\(reason)"])
        }
        studioEndpoint = configuration.studioAdvertised ?? sockets.studio.endpoint
        var rules = StudioRules(
            worker: configuration.worker, address: configuration.address, ports: configuration.ports)
        rules.fingerprint = identity.fingerprint
        if let folder = configuration.sounds { SpokenPrompts(folder: folder, logger: logger).add(to: &rules.prompts) }
        studio = StudioMachine(rules: rules, at: Instant.now)
        desk = DeskMachine(
            worker: configuration.worker, address: configuration.address.description, studioEndpoint: studioEndpoint,
            incarnation: random.bytes(16), at: Instant.now)
        studioSocket = sockets.studio
        deskSocket = sockets.desk
        feedSocket = sockets.feed
    }

    // MARK: - Start

    private static func check(_ configuration: MediaWorkerConfiguration) throws(MediaWorkerError) {
        guard PortPool(ports: configuration.ports).total >= 2 else { throw .tooFewPorts(configuration.ports) }
        guard configuration.shards > 0 else { throw .noShards }
        do throws(SocketError) {
            _ = try UDPSocket(binding: SocketAddress(configuration.address, port: 0))
        } catch {
            throw .media(error)
        }
    }

    private struct Sockets: ~Copyable {
        let studio: Router
        let desk: Dealer
        let feed: FeedSubscriber
    }

    private static func connect(
        _ configuration: MediaWorkerConfiguration, _ allowlist: Allowlist
    ) throws(MediaWorkerError) -> Sockets {
        do throws(BusError) {
            let context = if let bus = configuration.bus { bus } else { try BusContext() }
            let (keys, control) = (configuration.keys, configuration.controlKey)
            // The answer to the last close is sent as the worker ends, and is part of a call's record.
            var limits = BusLimits()
            limits.linger = .seconds(2)
            let studio = try Router(
                listeningOn: configuration.studio, as: keys, allowing: allowlist, limits: limits, in: context)
            let desk = try Dealer(to: configuration.desk, server: control, as: keys, in: context)
            let feed = try FeedSubscriber(to: configuration.feed, server: control, as: keys, in: context)
            return Sockets(studio: studio, desk: desk, feed: feed)
        } catch {
            throw .bus(error)
        }
    }

    private static func shards(
        _ configuration: MediaWorkerConfiguration, _ identity: DTLSIdentity, _ waker: Waker, _ logger: Logger
    ) throws(MediaWorkerError) -> ShardGroup {
        let shortcuts = KernelShortcuts.tables(configuration.shortcuts, host: configuration.address, ports: configuration.ports, logger: logger)
        do throws(SocketError) {
            return try ShardGroup(configuration, identity: identity, shortcuts: shortcuts, waker: waker)
        } catch {
            throw .media(error)
        }
    }

    // MARK: - Run

    /// - Parameter stops: how often the worker was told to stop; the waker tells that it changed.
    mutating func run(stops: borrowing Atomic<Int>) -> Result<Void, MediaWorkerError> {
        let files = raiseOpenFileLimit()
        if files < studio.sessionsMax * 4 {
            logger.warning("open files limit sessions", metadata: ["files": "\(files)", "sessions": "\(files / 4)"])
        }
        if let reason = shards.unsteered {
            logger.notice(
                "packets come by a socket for each port; it takes CAP_BPF, CAP_NET_ADMIN and CAP_NET_RAW to take them by one, at less cost",
                metadata: ["reason": "\(reason)"])
        }
        shards.start()
        recorder.start()
        logger.info(
            "media worker runs",
            metadata: [
                "worker": "\(configuration.worker)", "studio": "\(studioEndpoint)",
                "address": "\(configuration.address)",
                "ports": "\(configuration.ports.lowerBound)-\(configuration.ports.upperBound)",
                "shards": "\(configuration.shards)",
            ])
        while !isDrained, failure == nil {
            let now = Instant.now
            _ = poller.wait(until: wake(stops: stops.load(ordering: .relaxed), at: now), now: now)
            turn()
            let stopped = stops.load(ordering: .relaxed)
            if stopped > 0, drainUntil == nil {
                drainUntil = Instant.now + configuration.drainLimit
                handle(.drain)
            }
            if stopped > 1 { isDrained = true }
            if let drainUntil, Instant.now >= drainUntil { isDrained = true }
        }
        if studio.sessionCount > 0 {
            logger.warning("stopping with open sessions", metadata: ["sessions": "\(studio.sessionCount)"])
        }
        endShards()
        logger.info(
            "media worker stopped",
            metadata: [
                "worker": "\(configuration.worker)", "packets": "\(figures.packets)", "packets_by_xdp": "\(figures.packetsByXdp)",
                "packets_refused": "\(figures.packetsRefused)", "ports_released": "\(figures.portsReleased)",
            ])
        return failure.map { .failure($0) } ?? .success(())
    }

    private var figures: MediaFigures {
        var figures = MediaFigures()
        figures.packets = packets.all
        figures.packetsByXdp = packets.byXDP
        figures.packetsRefused = shards.packetsRefusedBySystem
        figures.portsReleased = shards.portsReleased
        return figures
    }

    private func wake(stops: Int, at now: Instant) -> Instant {
        if stops > 1 || (stops > 0 && drainUntil == nil) { return now }
        let next = min(studio.nextWake, desk.nextWake)
        return drainUntil.map { min($0, next) } ?? next
    }

    /// Everything that waits, then the clock.
    private mutating func turn() {
        if poller.isReadable(studioToken) {
            while let delivery = studioSocket.receive() { receive(delivery) }
        }
        if poller.isReadable(deskToken) {
            while let message = deskSocket.receive() { receive(desk: message) }
        }
        if poller.isReadable(feedToken) {
            while let body = feedSocket.receive() { receive(feed: body) }
        }
        for answer in shards.takeAnswers() { receive(answer) }
        takeReports()
        handle(.tick)
        handle(desk: .tick(sessions: studio.sessionCount, sessionsMax: studio.sessionsMax, figures))
        logRefusals()
    }

    private mutating func takeReports() {
        for report in written.takeAll() {
            let id = UUIDv7(bytes: report.recordingID)?.description ?? ""
            if !report.failure.isEmpty { logger.error("a recording failed", metadata: ["recording": "\(id)", "reason": "\(report.failure)"]) }
            handle(desk: .recorded(report))
        }
    }

    private mutating func endShards() {
        shards.orderAll(.stop)
        let deadline = Instant.now + .seconds(2)
        while shards.running > 0, Instant.now < deadline {
            _ = poller.wait(until: deadline, now: Instant.now)
            _ = shards.takeAnswers()
        }
        // Their digests are told now if there is time, else at the next start.
        recorder.stop()
        takeReports()
    }

    // MARK: - Studio

    private mutating func receive(_ delivery: Router.Delivery) {
        // Signal workers send requests alone; a notice from one says nothing to us.
        guard let id = delivery.message.id else { return }
        lastTicket += 1
        askers[lastTicket] = (delivery.peer, id)
        // A body that cannot be read is a request of no kind, which the machine refuses.
        let request = (try? StudioRequest(wireBytes: delivery.message.body)) ?? StudioRequest()
        handle(.request(request, lastTicket, from: delivery.peer.worker))
    }

    private mutating func receive(_ answer: ShardAnswer) {
        switch answer {
        case .reported(let report): handle(.reported(report))
        case .closed(let report):
            packets.all += report.a.packetsIn + report.b.packetsIn
            packets.byXDP += report.a.packetsPassed + report.b.packetsPassed
            handle(.closed(report))
        case .silent(let reports): handle(.silent(reports))
        case .refused(let id): handle(.refused(id))
        case .failed(let id, let reason): logger.error("session \(id) \(reason)")
        case .ended(let reason): failure = .shardEnded(reason ?? "it was told to")
        }
    }

    private mutating func handle(_ input: StudioMachine.Input) {
        var pending = [input]
        while let input = pending.popFirst() {
            var effects: [StudioMachine.Effect] = []
            studio.handle(input, at: Instant.now, wall: WallTime.now, into: &effects)
            for effect in effects { carryOut(effect, &pending) }
        }
    }

    private mutating func carryOut(_ effect: StudioMachine.Effect, _ pending: inout [StudioMachine.Input]) {
        switch effect {
        case .reply(let ticket, let reply):
            guard let asker = askers.removeValue(forKey: ticket) else { return }
            // A reply that cannot be sent is asked for again.
            _ = studioSocket.send(BusMessage(id: asker.id, body: reply.wireBytes()), to: asker.peer)
        case .notice(let owner, let notice):
            // A notice that cannot be sent is repeated while its reason lasts.
            _ = studioSocket.send(.notice(notice.wireBytes()), to: owner)
        case .bind(let id, let portA, let portB, let a, let b):
            pending.append(bind(id, portA: portA, portB: portB, a: a, b: b))
        case .change(let id, let a, let b): shards.order(.change(id, a: a, b: b), about: id)
        case .play(let id, let side, let recording, let encoding):
            shards.order(.play(id, side, recording, encoding, seed: random.next()), about: id)
        case .sound(let id, let side, let name, let loops, let encoding):
            guard var sound = sounds[name, logger] else { return }
            sound.loops = loops
            shards.order(.play(id, side, sound, encoding, seed: random.next()), about: id)
        case .hush(let id, let side): shards.order(.hush(id, side), about: id)
        case .press(let id, let side, let keys): shards.order(.press(id, side, keys, seed: random.next()), about: id)
        case .record(let id, let setup):
            shards.order(.record(id, setup.map { recorder.begin($0) }), about: id)
        case .query(let id): shards.order(.query(id), about: id)
        case .close(let id): shards.order(.close(id), about: id)
        case .sweep(let since): shards.orderAll(.sweep(silentSince: since))
        case .drained: isDrained = true
        }
    }

    private mutating func bind(
        _ id: MediaSessionID, portA: UInt16, portB: UInt16, a: LegSetup, b: LegSetup
    ) -> StudioMachine.Input {
        do throws(SocketError) {
            let sockets = try SessionSockets(host: configuration.address, portA: portA, portB: portB)
            shards.open(id, portA: portA, portB: portB, a: a, b: b, sockets)
            return .bound(id)
        } catch {
            switch error {
            case .addressInUse(let address): return .portTaken(id, address.port)
            case .addressNotLocal, .notPermitted, .tooManyOpenFiles, .failed:
                logger.error("no sockets for a session", metadata: ["reason": "\(error)"])
                return .bindFailed(id, error.description)
            }
        }
    }

    // MARK: - Desk and feed

    private mutating func receive(desk message: BusMessage) {
        guard let id = message.id, let index = asked.firstIndex(of: id),
            let reply = try? DeskReply(wireBytes: message.body)
        else { return }
        asked.remove(at: index)
        handle(desk: .reply(reply))
    }

    private mutating func receive(feed body: [UInt8]) {
        guard let message = try? FeedMessage(wireBytes: body) else {
            return logger.warning("a feed message could not be read")
        }
        handle(desk: .feed(message))
    }

    private mutating func handle(desk input: DeskMachine.Input) {
        var effects: [DeskMachine.Effect] = []
        desk.handle(input, at: Instant.now, into: &effects)
        for effect in effects {
            switch effect {
            case .request(let request): ask(request)
            case .allow(let peers): allow(peers)
            case .drain:
                logger.info("draining, as the control plane says")
                handle(.drain)
            case .refused(let reason): logger.error("\(reason)")
            case .noted(let recording): recorder.note(recording)
            }
        }
        if desk.isGreeted != wasGreeted {
            wasGreeted = desk.isGreeted
            logger.info(wasGreeted ? "the control plane knows this worker" : "greeting the control plane again")
        }
    }

    /// Not repeated when it cannot be sent: the machine speaks each second.
    private mutating func ask(_ request: DeskRequest) {
        let id = RequestID(high: random.next(), low: random.next())
        asked.append(id)
        if asked.count > 24 { asked.removeFirst() }
        _ = deskSocket.send(BusMessage(id: id, body: request.wireBytes()))
    }

    private func allow(_ peers: [DeskMachine.Peer]) {
        var keys: [String: CurvePublicKey] = [:]
        for peer in peers { keys[peer.worker] = CurvePublicKey(bytes: peer.publicKey) }
        allowlist.replace(with: keys)
    }

    private mutating func logRefusals() {
        guard allowlist.refusals > refusalsLogged else { return }
        refusalsLogged = allowlist.refusals
        for refusal in allowlist.takeRefusals() {
            logger.warning("a connection with an unknown key was refused", metadata: ["from": "\(refusal.address)"])
        }
    }
}

extension Array {
    fileprivate mutating func popFirst() -> Element? { isEmpty ? nil : removeFirst() }
}
