import Bus
import Foundation
import Model
import Primitives
import SIP

/// Phones behind NATs that are reached by UDP from a listener of ours. A NAT forgets a way by which nothing comes: who says nothing for a while
/// is asked something. Who keeps its flow alive by itself (RFC 5626), or talks, is left alone.
struct NATFlows: Sendable {
    struct Flow: Sendable {
        let listener: SocketAddress
        /// As it was registered. There may be many thousands of these, and few are read again.
        var contact: String
        var line: String
        /// A phone with several accounts has them all at one port.
        var others: [String] = []
        var expiresAt: Instant
        var heardAt: Instant

        fileprivate mutating func renew(of line: String, _ contact: String, until end: Instant) {
            if line != self.line, !others.contains(line) { others.append(line) }
            self.contact = contact
            expiresAt = others.isEmpty ? end : max(expiresAt, end)
        }

        /// - Returns: whether it was the last of them.
        fileprivate mutating func leave(_ line: String) -> Bool {
            others.removeAll { $0 == line }
            guard line == self.line else { return false }
            guard let next = others.popLast() else { return true }
            self.line = next
            return false
        }
    }

    private var flows: [SocketAddress: Flow] = [:]
    /// In no order; nearly always one.
    private var byLine: [String: [SocketAddress]] = [:]
    private var due = DeadlineQueue<SocketAddress>()
    /// What is in `due`, each once.
    private var queued: Set<SocketAddress> = []
    private let interval: Duration

    init(interval: Duration) { self.interval = interval }

    var count: Int { flows.count }
    var nextWake: Instant? { due.first }

    /// What holds for a line now, as its registrar says it.
    mutating func hold(_ bindings: [Binding], of line: @autoclosure () -> String, _ configuration: SignalConfiguration, now: Instant) {
        guard interval > .zero, !byLine.isEmpty || bindings.contains(where: \.isBehindNat) else { return }
        let line = line()
        var living: [SocketAddress] = []
        for binding in bindings where binding.isBehindNat && binding.flow.transport.isEmpty && binding.flow.worker == configuration.worker {
            guard let remote = SocketAddress(binding.flow.remote), let listener = SocketAddress(binding.flow.listener), configuration.isOurs(listener)
            else { continue }
            if !living.contains(remote) { living.append(remote) }
            let expiresAt = now + .seconds(Int64(binding.expiresSeconds))
            if flows[remote]?.listener == listener {
                flows[remote]?.renew(of: line, binding.contactUri, until: expiresAt)
            } else {
                drop(remote)
                flows[remote] = Flow(listener: listener, contact: binding.contactUri, line: line, expiresAt: expiresAt, heardAt: now)
            }
            queue(remote, at: now + interval)
        }
        for gone in byLine[line] ?? [] where !living.contains(gone) {
            if flows[gone]?.leave(line) == true { flows[gone] = nil }
        }
        byLine[line] = living.isEmpty ? nil : living
    }

    /// Forgets the flow, for all whose it is.
    private mutating func drop(_ remote: SocketAddress) {
        guard let flow = flows.removeValue(forKey: remote) else { return }
        for line in [flow.line] + flow.others { forget(remote, of: line) }
    }

    private mutating func forget(_ remote: SocketAddress, of line: String) {
        byLine[line]?.removeAll { $0 == remote }
        if byLine[line]?.isEmpty == true { byLine[line] = nil }
    }

    private mutating func queue(_ remote: SocketAddress, at time: Instant) {
        if queued.insert(remote).inserted { due.insert(remote, at: time) }
    }

    /// Something has come from there.
    mutating func heard(_ source: SocketAddress, now: Instant) { flows[source]?.heardAt = now }

    /// The next one that is to be asked.
    mutating func nextSilent(now: Instant) -> (remote: SocketAddress, flow: Flow)? {
        while let first = due.first, first <= now, let remote = due.popFirst(dueBy: now) {
            queued.remove(remote)
            guard let flow = flows[remote] else { continue }
            guard flow.expiresAt > now else {
                drop(remote)
                continue
            }
            guard now - flow.heardAt >= interval else {
                queue(remote, at: flow.heardAt + interval)
                continue
            }
            queue(remote, at: now + interval)
            return (remote, flow)
        }
        return nil
    }
}

extension SignalMachine {
    /// Asks those who have been silent. Nobody waits for the answer: whatever it is, it comes through the NAT.
    mutating func pingNATs() {
        guard let wake = nats.nextWake, wake <= kit.now else { return }
        while let (remote, flow) = nats.nextSilent(now: kit.now) {
            guard let contact = URI(flow.contact) else { continue }
            let own = configuration.advertised
            let via = Via(host: own.host.description, port: own.port, branch: Via.magicCookie + "nat" + hex(kit.random.bytes(8)))
            let from = NameAddress(uri: URI(user: "ledgerline", host: own.host.description), tag: hex(kit.random.bytes(6)))
            var request = SIPMessage(.options, contact, via: via, from: from, to: NameAddress(uri: contact), callID: hex(kit.random.bytes(16)), cseq: 1)
            request.headers.append(.contact, kit.contactText)
            request.headers.append(.userAgent, "Ledgerline")
            kit.transmit(request.bytes, Hop(listener: flow.listener, remote: remote))
        }
    }
}
