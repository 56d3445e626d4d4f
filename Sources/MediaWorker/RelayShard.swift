package import OpenSSL
package import Primitives
internal import RTP
internal import Synchronization
package import UDP

/// One thread that relays: it waits for sockets, moves packets in batches, and takes orders in between.
package final class RelayShard: Sendable {
    private static let wakeTag = UInt64.max
    private static let steeredTag = UInt64.max - 1
    /// Packets moved by one pair of system calls.
    private static let batchCapacity = 64
    /// Batches of the steered ports between two looks at the clock and at the orders.
    private static let steeredBatches = 8
    /// How many packets before a packet its session is asked for, and then its keys: what memory takes is as long as one or two packets' work.
    private static let lookahead = 4
    private static let nearLookahead = 2
    /// Sockets served between two looks at the clock and at the orders.
    private static let readyCapacity = 256

    private let ports: ClosedRange<UInt16>
    private let rules: SourceRules
    private let identity: DTLSIdentity?
    /// Until the thread takes them.
    private let steered: Mutex<SteeredPorts?>
    private let handles: SteeredPorts.Handles?
    private let shortcuts: (@Sendable () -> (any ShortcutTable)?)?
    private let wakeUp: WakeUp
    private let orders = Mutex<[ShardOrder]>([])
    private let answer: @Sendable (ShardAnswer) -> Void
    private let refusedBySystem = Atomic<UInt64>(0)
    private let released = Atomic<UInt64>(0)

    /// - Parameters:
    ///   - steering: nil: packets come by the sockets of their sessions alone.
    ///   - shortcuts: makes, on the shard's thread, what passes packets on without it; nil: there is no such thing.
    ///   - answer: called on the shard's thread; must not block.
    package init(
        ports: ClosedRange<UInt16>, rules: SourceRules, identity: DTLSIdentity? = nil, steering: ShardSteering? = nil,
        shortcuts: (@Sendable () -> (any ShortcutTable)?)? = nil,
        answer: @escaping @Sendable (ShardAnswer) -> Void
    ) throws(SocketError) {
        self.shortcuts = shortcuts
        wakeUp = try WakeUp()
        if let steering {
            let made = try SteeredPorts(host: steering.host, ports: ports, steering: steering.steering, place: steering.place)
            handles = made.handles
            steered = Mutex(consume made)
        } else {
            handles = nil
            steered = Mutex(nil)
        }
        self.ports = ports
        self.rules = rules
        self.identity = identity
        self.answer = answer
    }

    /// Packets that the kernel would not send: no route to the peer, or its queue was full.
    package var packetsRefusedBySystem: UInt64 { refusedBySystem.load(ordering: .relaxed) }

    /// Steered ports that got more than a call can, and are served by their own sockets.
    package var portsReleased: UInt64 { released.load(ordering: .relaxed) }

    /// From any thread.
    package func order(_ order: ShardOrder) {
        orders.withLock { $0.append(order) }
        wakeUp.signal()
    }

    /// The thread's whole life; returns after `.stop`, with every socket closed.
    package func run() {
        do throws(SocketError) {
            var loop = try Loop(
                ports: ports, rules: rules, identity: identity, steered: steered.withLock { $0.take() }, handles: handles, shortcuts: shortcuts?(),
                wakeUp: wakeUp.descriptor)
            while true {
                if loop.relayWhatIsReady(refused: refusedBySystem) {
                    wakeUp.clear()
                    let taken = orders.withLock { orders in
                        let taken = orders
                        orders = []
                        return taken
                    }
                    for order in taken {
                        guard loop.carryOut(order, answer) else { return answer(.ended(reason: nil)) }
                    }
                }
                released.store(loop.portsReleased, ordering: .relaxed)
                for id in loop.takeRefusals() { answer(.refused(id)) }
                loop.tendShortcuts(answer)
            }
        } catch {
            answer(.ended(reason: error.description))
        }
    }

    /// What belongs to the thread alone.
    private struct Loop: ~Copyable {
        private let ports: ClosedRange<UInt16>
        private var core: RelayCore
        private var queue: ReadinessQueue
        private var batch: DatagramBatch
        private var sockets: [MediaSessionID: SessionSockets] = [:]
        /// For each port its socket, -1 for none.
        private var descriptors: [Int32]
        /// Sessions whose conferences have refused them.
        private var refusals: [MediaSessionID] = []
        private var steered: SteeredPorts?
        private let handles: SteeredPorts.Handles?
        private(set) var portsReleased: UInt64 = 0
        private var shortcuts: ShortcutDriver

        init(
            ports: ClosedRange<UInt16>, rules: SourceRules, identity: DTLSIdentity?, steered: consuming SteeredPorts?, handles: SteeredPorts.Handles?,
            shortcuts: (any ShortcutTable)?, wakeUp: Int32
        ) throws(SocketError) {
            var queue = try ReadinessQueue(capacity: RelayShard.readyCapacity)
            try queue.add(wakeUp, tag: RelayShard.wakeTag)
            if let handles { try queue.add(handles.receiver, tag: RelayShard.steeredTag) }
            self.steered = steered
            self.handles = handles
            self.ports = ports
            self.queue = queue
            core = RelayCore(ports: ports, rules: rules, identity: identity, shortcuts: shortcuts == nil ? nil : ShortcutRules())
            self.shortcuts = ShortcutDriver(shortcuts, ports: ports)
            batch = DatagramBatch(capacity: RelayShard.batchCapacity, spareBytes: SRTPSession.spareByteCount, readsDestinations: handles != nil)
            descriptors = Array(repeating: -1, count: ports.count)
        }

        /// Waits, then serves each socket that has packets.
        /// - Returns: whether there are orders.
        mutating func relayWhatIsReady(refused: borrowing Atomic<UInt64>) -> Bool {
            // A change may have begun a handshake of our own.
            var wake = core.nextWake
            if let check = shortcuts.nextCheck { wake = min(check, wake ?? check) }
            let ready = queue.wait(timeoutMilliseconds: core.hasReplies ? 0 : wake.map { Loop.milliseconds(until: $0) })
            let now = Instant.now
            var hasOrders = false
            for index in 0..<ready {
                switch queue.tag(at: index) {
                case RelayShard.wakeTag: hasOrders = true
                case RelayShard.steeredTag: relaySteered(at: now, refused: refused)
                case let tag: relay(port: UInt16(truncatingIfNeeded: tag), at: now, refused: refused)
                }
            }
            playPrompts(at: now, refused: refused)
            core.tick(at: now)
            for id in core.takeRefused() { refusals.append(id) }
            sendReplies(refused: refused)
            return hasOrders
        }

        mutating func takeRefusals() -> [MediaSessionID] {
            guard !refusals.isEmpty else { return [] }
            defer { refusals = [] }
            return refusals
        }

        /// Rounded up, so that what is waited for is due afterwards.
        private static func milliseconds(until time: Instant) -> Int32 {
            Int32(clamping: max(0, ((time - Instant.now).nanoseconds + 999_999) / 1_000_000))
        }

        private mutating func playPrompts(at now: Instant, refused: borrowing Atomic<UInt64>) {
            var lost = 0
            while let next = core.nextPrompt, next <= now {
                // What was received has been sent on: the first place is free.
                guard let verdict = Loop.promptPacket(&core, &batch, at: now) else { break }
                guard case .forward(let port, let destination, let count) = verdict else { continue }
                batch.enqueue(0, count: count, to: destination)
                lost += batch.flush(over: descriptors[Int(port - ports.lowerBound)])
            }
            if lost > 0 { refused.add(UInt64(lost), ordering: .relaxed) }
        }

        private mutating func sendReplies(refused: borrowing Atomic<UInt64>) {
            guard core.hasReplies else { return }
            var lost = 0
            for reply in core.takeReplies() {
                // What was received has been sent on: the first place is free.
                batch.load(reply.bytes.span, at: 0)
                batch.enqueue(0, count: reply.bytes.count, to: reply.destination)
                lost += batch.flush(over: descriptors[Int(reply.port - ports.lowerBound)])
            }
            if lost > 0 { refused.add(UInt64(lost), ordering: .relaxed) }
        }

        private static func promptPacket(
            _ core: inout RelayCore, _ batch: inout DatagramBatch, at now: Instant
        ) -> RelayVerdict? {
            batch.withBytes(at: 0) { bytes in core.promptPacket(at: now, &bytes) }
        }

        /// One batch of one socket; what is left is ready again at once.
        private mutating func relay(port: UInt16, at now: Instant, refused: borrowing Atomic<UInt64>) {
            let received = batch.receive(descriptor: descriptors[Int(port - ports.lowerBound)])
            shortcuts.catchUp(&core, port: port)
            var outgoing: Int32 = -1
            var lost = 0
            for index in 0..<received {
                guard let source = batch.source(at: index) else { continue }
                guard !batch.isTruncated(at: index) else {
                    core.dropTooLong(port: port)
                    continue
                }
                let count = batch.count(at: index)
                switch Loop.handle(&core, &batch, index, count: count, port: port, from: source, at: now) {
                case .drop, .consumed: continue
                case .forward(let ownPort, let destination, let count):
                    let descriptor = descriptors[Int(ownPort - ports.lowerBound)]
                    if descriptor != outgoing {
                        if outgoing >= 0 { lost += batch.flush(over: outgoing) }
                        outgoing = descriptor
                    }
                    batch.enqueue(index, count: count, to: destination)
                case .convert:
                    // What is made of it takes its place in the batch, one packet after the other.
                    if outgoing >= 0 { lost += batch.flush(over: outgoing) }
                    outgoing = -1
                    lost += sendConverted(index, port: port, at: now)
                }
            }
            if outgoing >= 0 { lost += batch.flush(over: outgoing) }
            if lost > 0 { refused.add(UInt64(lost), ordering: .relaxed) }
        }

        /// What has come to all ports that are steered, in the order in which it came.
        private mutating func relaySteered(at now: Instant, refused: borrowing Atomic<UInt64>) {
            guard let handles else { return }
            var lost = 0
            for _ in 0..<RelayShard.steeredBatches {
                let received = batch.receive(descriptor: handles.receiver)
                for index in 0..<min(received, RelayShard.lookahead) { if let port = batch.destinationPort(at: index) { core.expect(port) } }
                for index in 0..<received {
                    let (later, soon) = (index + RelayShard.lookahead, index + RelayShard.nearLookahead)
                    if later < received, let port = batch.destinationPort(at: later) { core.expect(port) }
                    if soon < received, let port = batch.destinationPort(at: soon) { core.expectSoon(port) }
                    guard let port = batch.destinationPort(at: index), let source = batch.source(at: index) else { continue }
                    if steered!.count(port, at: now) { portsReleased += 1 }
                    guard !batch.isTruncated(at: index) else {
                        core.dropTooLong(port: port)
                        continue
                    }
                    shortcuts.catchUp(&core, port: port)
                    switch Loop.handle(&core, &batch, index, count: batch.count(at: index), port: port, from: source, at: now) {
                    case .drop, .consumed: continue
                    case .forward(let ownPort, let destination, let count):
                        let source = SocketAddress(handles.host, port: ownPort)
                        if count <= SteeredPorts.packetBytesMax, batch.enqueue(index, count: count, from: source, to: destination) { continue }
                        // By the port's own socket: the kernel cuts it in pieces, or refuses it.
                        if batch.hasQueued { lost += batch.flush(over: handles.sender) }
                        batch.enqueue(index, count: count, to: destination)
                        lost += batch.flush(over: descriptors[Int(ownPort - ports.lowerBound)])
                    case .convert:
                        if batch.hasQueued { lost += batch.flush(over: handles.sender) }
                        lost += sendConverted(index, port: port, at: now)
                    }
                }
                if batch.hasQueued { lost += batch.flush(over: handles.sender) }
                if received < batch.capacity { break }
            }
            if lost > 0 { refused.add(UInt64(lost), ordering: .relaxed) }
        }

        private mutating func sendConverted(_ index: Int, port: UInt16, at now: Instant) -> Int {
            var lost = 0
            while let verdict = Loop.convertedPacket(&core, &batch, index, port: port, at: now) {
                guard case .forward(let ownPort, let destination, let count) = verdict else { continue }
                batch.enqueue(index, count: count, to: destination)
                lost += batch.flush(over: descriptors[Int(ownPort - ports.lowerBound)])
            }
            return lost
        }

        private static func convertedPacket(
            _ core: inout RelayCore, _ batch: inout DatagramBatch, _ index: Int, port: UInt16, at now: Instant
        ) -> RelayVerdict? {
            batch.withBytes(at: index) { bytes in core.convertedPacket(port: port, at: now, &bytes) }
        }

        /// Static, so that the core and the batch are two variables, both open to change.
        private static func handle(
            _ core: inout RelayCore, _ batch: inout DatagramBatch, _ index: Int, count: Int, port: UInt16,
            from source: SocketAddress, at now: Instant
        ) -> RelayVerdict {
            batch.withBytes(at: index) { bytes in
                core.handle(port: port, from: source, &bytes, count: count, at: now)
            }
        }

        /// - Returns: false when the loop is to end.
        mutating func carryOut(_ order: ShardOrder, _ answer: (ShardAnswer) -> Void) -> Bool {
            if let id = order.session { catchUp(id) }
            switch order {
            case .open(let id, let portA, let portB, let a, let b, let opened):
                do {
                    try core.open(id, portA: portA, portB: portB, a: a, b: b, at: Instant.now)
                    sockets[id] = opened
                    for (port, descriptor) in opened.descriptors {
                        descriptors[Int(port - ports.lowerBound)] = descriptor
                        try queue.add(descriptor, tag: UInt64(port))
                        if steered != nil { steered!.open(port) }
                    }
                } catch {
                    answer(.failed(id, "cannot be relayed: \(error)"))
                }
            case .change(let id, let a, let b):
                do throws(SRTPError) {
                    try core.change(id, a: a, b: b, at: Instant.now)
                } catch {
                    answer(.failed(id, "cannot be changed: \(error)"))
                }
            case .play(let id, let side, let recording, let encoding, let seed):
                core.play(id, to: side, recording, otherwise: encoding, seed: seed, at: Instant.now)
            case .hush(let id, let side): core.hush(id, side)
            case .press(let id, .b, let keys, _) where core.press(inConference: id, keys.events, at: Instant.now): break
            case .press(let id, let side, let keys, let seed):
                let events = KeyStream(
                    keys.events, payloadType: keys.payloadType, clockRate: keys.clockRate, milliseconds: keys.milliseconds, seed: seed, at: Instant.now)
                core.press(id, to: side, events)
            case .record(let id, let tap): core.record(id, into: tap, at: Instant.now)
            case .query(let id):
                answer(.reported(core.report(id) ?? RelayReport.nothing(id)))
            case .close(let id):
                if core.prepareClose(id, at: Instant.now) { close(id, answer) } else { shortcuts.closing.append(id) }
            case .sweep(let since):
                shortcuts.catchUpAll(&core)
                answer(.silent(core.sessions(silentSince: since)))
            case .stop: return false
            }
            return true
        }

        private mutating func close(_ id: MediaSessionID, _ answer: (ShardAnswer) -> Void) {
            let report = core.close(id) ?? RelayReport.nothing(id)
            // Before the answer: whoever reads it may bind the ports again.
            closeSockets(of: id)
            answer(.closed(report))
        }

        /// Brings the session's counts up to date.
        private mutating func catchUp(_ id: MediaSessionID) {
            guard let known = sockets[id] else { return }
            shortcuts.catchUp(&core, port: known.mediaA.address.port)
            shortcuts.catchUp(&core, port: known.mediaB.address.port)
        }

        /// Does what has come of packets, orders and the clock for the shortcuts.
        mutating func tendShortcuts(_ answer: (ShardAnswer) -> Void) {
            shortcuts.tend(&core, at: Instant.now)
            guard !shortcuts.closing.isEmpty else { return }
            for id in shortcuts.takeClosing() {
                if core.prepareClose(id, at: Instant.now) { close(id, answer) } else { shortcuts.closing.append(id) }
            }
        }

        /// Closing a socket also takes it out of the queue.
        private mutating func closeSockets(of id: MediaSessionID) {
            guard let closed = sockets.removeValue(forKey: id) else { return }
            for (port, _) in closed.descriptors {
                if steered != nil { steered!.close(port) }
                descriptors[Int(port - ports.lowerBound)] = -1
            }
        }
    }
}

/// What a shard needs to have its ports steered.
package struct ShardSteering: Sendable {
    package let host: SocketAddress.Host
    package let steering: PortSteering
    /// The shard's own, among those that share it.
    package let place: Int

    package init(host: SocketAddress.Host, steering: PortSteering, place: Int) {
        self.host = host
        self.steering = steering
        self.place = place
    }
}

extension RelayReport {
    /// For a session that could not be opened.
    fileprivate static func nothing(_ id: MediaSessionID) -> RelayReport {
        RelayReport(session: id, openedAt: Instant.now, a: LegCounters(), b: LegCounters())
    }
}
