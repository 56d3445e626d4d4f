internal import Bus
internal import Foundation
internal import OpenSSL
internal import Primitives
internal import Synchronization
internal import UDP

/// The shards of a worker, as its control thread sees them: which of them has which session, and what they say.
struct ShardGroup: ~Copyable, Sendable {
    /// Letters from the shards' threads to the control thread, in order.
    private final class Letters: Sendable {
        private let letters = Mutex<[ShardAnswer]>([])
        private let waker: Waker

        init(waker: Waker) { self.waker = waker }

        func put(_ answer: ShardAnswer) {
            letters.withLock { $0.append(answer) }
            waker.wake()
        }

        func takeAll() -> [ShardAnswer] {
            letters.withLock { letters in
                defer { letters = [] }
                return letters
            }
        }
    }

    private let shards: [RelayShard]
    private let letters: Letters
    private var shardOf: [MediaSessionID: Int] = [:]
    private var sessionCounts: [Int]
    /// Threads that have not said that they ended.
    private(set) var running = 0
    /// Why the ports are not steered, for the log; nil: they are, or were not meant to be.
    let unsteered: SocketError?

    /// - Parameters:
    ///   - shortcuts: as of a shard.
    ///   - waker: woken when there are answers.
    init(
        _ configuration: MediaWorkerConfiguration, identity: DTLSIdentity, shortcuts: (@Sendable () -> (any ShortcutTable)?)? = nil, waker: Waker
    ) throws(SocketError) {
        let letters = Letters(waker: waker)
        let count = configuration.shards
        func make(_ steering: PortSteering?) throws(SocketError) -> [RelayShard] {
            var shards: [RelayShard] = []
            for place in 0..<count {
                let steering = steering.map { ShardSteering(host: configuration.address, steering: $0, place: place) }
                shards.append(
                    try RelayShard(
                        ports: configuration.ports, rules: configuration.sources, identity: identity, steering: steering, shortcuts: shortcuts
                    ) { letters.put($0) })
            }
            return shards
        }
        let shards: [RelayShard]
        var unsteered: SocketError?
        if configuration.steersPorts {
            do throws(SocketError) {
                shards = try make(PortSteering(host: configuration.address, places: count))
            } catch {
                unsteered = error
                shards = try make(nil)
            }
        } else {
            shards = try make(nil)
        }
        self.shards = shards
        self.unsteered = unsteered
        self.letters = letters
        sessionCounts = Array(repeating: 0, count: count)
    }

    mutating func start() {
        for (number, shard) in shards.enumerated() {
            let thread = Thread {
                nameThread("media-relay-\(number)")
                shard.run()
            }
            thread.start()
        }
        running = shards.count
    }

    /// Packets that the kernel would not send.
    var packetsRefusedBySystem: UInt64 { shards.reduce(0) { $0 + $1.packetsRefusedBySystem } }
    /// Steered ports that got more than a call can.
    var portsReleased: UInt64 { shards.reduce(0) { $0 + $1.portsReleased } }

    /// Gives the session to the shard that has the fewest.
    mutating func open(
        _ id: MediaSessionID, portA: UInt16, portB: UInt16, a: LegSetup, b: LegSetup, _ sockets: SessionSockets
    ) {
        var chosen = 0
        for shard in shards.indices where sessionCounts[shard] < sessionCounts[chosen] { chosen = shard }
        // Who talks together is mixed by one thread.
        if let room = b.seat?.room { chosen = Int(room.reduce(UInt32(0)) { $0 &* 31 &+ UInt32($1) }) % shards.count }
        shardOf[id] = chosen
        sessionCounts[chosen] += 1
        shards[chosen].order(.open(id, portA: portA, portB: portB, a: a, b: b, sockets))
    }

    /// An order about a session that is open.
    func order(_ order: ShardOrder, about id: MediaSessionID) {
        guard let shard = shardOf[id] else { return }
        shards[shard].order(order)
    }

    func orderAll(_ order: ShardOrder) {
        for shard in shards { shard.order(order) }
    }

    mutating func takeAnswers() -> [ShardAnswer] {
        let answers = letters.takeAll()
        for answer in answers {
            switch answer {
            case .closed(let report):
                if let shard = shardOf.removeValue(forKey: report.session) { sessionCounts[shard] -= 1 }
            case .ended: running -= 1
            case .reported, .silent, .failed, .refused: break
            }
        }
        return answers
    }
}
