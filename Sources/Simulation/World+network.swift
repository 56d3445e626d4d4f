import Primitives
import SignalWorker

/// Datagrams: lost, doubled and overtaken as the plan says. And the bus: in order on each link, lost when an end is dead.
extension World {
    func send(_ bytes: [UInt8], from source: SocketAddress, to destination: SocketAddress) {
        for _ in 0..<(random.next() % 1_000 < plan.duplicationPermille ? 2 : 1) {
            guard random.next() % 1_000 >= plan.lossPermille else { continue }
            let latency = UInt64.random(in: plan.latencyMilliseconds, using: &random) * 1_000 + random.next() % 1_000
            timeline.add(.datagram(bytes, from: source, to: destination), at: now + .microseconds(Int64(latency)))
        }
    }

    func deliver(_ bytes: [UInt8], from source: SocketAddress, to destination: SocketAddress) {
        if destination == cluster {
            // As the kernel does with SO_REUSEPORT: one source, one socket, as long as the sockets are the same.
            let living = signals.filter { $0.machine != nil }
            guard !living.isEmpty else { return }
            let node = living[Int(source.port) % living.count]
            step(node.name) { .datagram(bytes, listener: destination, from: source) }
        } else if let node = signals.first(where: { $0.listener == destination }) {
            step(node.name) { .datagram(bytes, listener: destination, from: source) }
        } else if let index = phones.firstIndex(where: { $0.address == destination }) {
            phones[index].receive(bytes, from: source, now, wall)
            flush(index)
        }
    }

    func post(_ event: Event, on link: String) {
        guard random.next() % 1_000 >= plan.busLossPermille else { return }
        let earliest = now + .microseconds(Int64(100 + random.next() % 900))
        let at = max(earliest, (links[link] ?? .zero) + .microseconds(1))
        links[link] = at
        timeline.add(event, at: at)
    }
}
