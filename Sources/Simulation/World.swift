import Bus
import ControlPlane
import Foundation
import Ledger
import MediaWorker
import Model
import Primitives
import Projections
import SIP
import SignalWorker

/// A whole platform in one thread: production machines of control plane, signal and media workers, with phones, on simulated
/// time and network. The same seed is the same world, to the bit.
package final class World {
    enum Event {
        case datagram([UInt8], from: SocketAddress, to: SocketAddress)
        case desk(from: String, RequestID, [UInt8])
        case deskAnswer(to: String, RequestID, [UInt8])
        case feed(to: String, [UInt8])
        case studio(from: String, to: String, RequestID, [UInt8])
        case studioAnswer(from: String, to: String, RequestID, [UInt8])
        case studioNotice(from: String, to: String, [UInt8])
        case relay(from: String, to: String, [UInt8])
        case wake(String)
        case disk(UInt64, start: UInt64)
        case dial(phone: Int, number: String)
        case kill(WorldPlan.Kill.Target)
        case start(WorldPlan.Kill.Target)
    }

    package let seed: UInt64
    package let plan: WorldPlan
    let directory: String
    var random: RandomSource
    var now = Instant.zero
    let began = WallTime(rfc3339: "2026-11-21T12:00:00Z")!
    var timeline = Timeline<Event>()
    var control: ControlNode?
    var signals: [SignalNode]
    var medias: [MediaNode]
    var phones: [SimulatedPhone] = []
    /// When each node is next to be woken, so that it is not woken twice.
    var wakes: [String: Instant] = [:]
    /// The last delivery on each link of the bus: messages of one link keep their order.
    var links: [String: Instant] = [:]
    let cluster = SocketAddress("10.0.0.100:5060")!
    let domain = "acme.kages.example"
    /// Positions that the control plane has acknowledged facts with.
    var acknowledged: [UInt64] = []
    var customer = CustomerID(UUIDv7(high: 0, low: 0))
    var starts: UInt64 = 0
    package private(set) var steps = 0

    var wall: WallTime { began + .nanoseconds(Int64(now.nanoseconds)) }

    package init(seed: UInt64, plan: WorldPlan? = nil) throws {
        self.seed = seed
        self.plan = plan ?? WorldPlan(seed: seed)
        random = RandomSource(seed: seed)
        let memory = "/dev/shm"
        let parent = FileManager.default.isWritableFile(atPath: memory) ? memory : FileManager.default.temporaryDirectory.path
        directory = parent + "/ledgerline-world-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        signals = [
            SignalNode(name: "s1", listener: SocketAddress("10.0.0.1:5061")!),
            SignalNode(name: "s2", listener: SocketAddress("10.0.0.2:5061")!),
        ]
        medias = [
            MediaNode(name: "m1", address: SocketAddress.Host("10.0.1.1")!),
            MediaNode(name: "m2", address: SocketAddress.Host("10.0.1.2")!),
        ]
        try startControl()
        try provision()
        for index in signals.indices { startSignal(index) }
        for index in medias.indices { startMedia(index) }
        script()
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    /// Runs to the end of the load and of the settling.
    package func run() throws {
        let end = Instant.zero + plan.load + plan.settling
        while let next = timeline.next, next <= end {
            guard let (at, event) = timeline.take() else { break }
            now = at
            steps += 1
            try carryOut(event)
        }
        now = end
        // A control plane that is down at the end is started, so that it can be asked.
        if control == nil { try startControl() }
        finishControl()
    }

    private func carryOut(_ event: Event) throws {
        switch event {
        case .datagram(let bytes, let source, let destination): deliver(bytes, from: source, to: destination)
        case .desk(let worker, let id, let body): try decide(worker, id, body)
        case .deskAnswer(let worker, let id, let body): answer(worker, id, body, from: "control")
        case .feed(let worker, let body): feed(worker, body)
        case .studio(let from, let to, let id, let body): studio(to, from, id, body)
        case .studioAnswer(let from, let to, let id, let body): answer(to, id, body, from: from)
        case .studioNotice(let from, let to, let body): step(to) { .notice(body, from: from) }
        case .relay(let from, let to, let body): step(to) { .relay(body, from: from) }
        case .wake(let node): try wake(node)
        case .disk(let number, let start): written(number, start: start)
        case .dial(let phone, let number):
            phones[phone].dial(number, host: phone == phones.count - 1 ? cluster.description : domain, now, wall)
            flush(phone)
        case .kill(let target): kill(target)
        case .start(let target): try start(target)
        }
    }

    // MARK: Waking

    func schedule(_ node: String, at instant: Instant?) {
        guard let instant else { return }
        if let known = wakes[node], known <= instant, known > now { return }
        let at = max(instant, now + .microseconds(1))
        wakes[node] = at
        timeline.add(.wake(node), at: at)
    }

    private func wake(_ node: String) throws {
        guard wakes[node] == now else { return }
        wakes[node] = nil
        if node == "control" {
            tickControl()
        } else if node.hasPrefix("s") {
            step(node) { .tick }
        } else if node.hasPrefix("m"), let index = medias.firstIndex(where: { $0.name == node }) {
            tickMedia(index)
        } else if let index = phones.firstIndex(where: { $0.name == node }) {
            phones[index].tick(now, wall)
            flush(index)
        }
    }

    // MARK: Phones

    func flush(_ index: Int) {
        let phone = phones[index]
        for datagram in phone.outgoing { send(datagram.bytes, from: phone.address, to: datagram.to) }
        phone.outgoing.removeAll()
        schedule(phone.name, at: phone.nextWake)
    }
}
