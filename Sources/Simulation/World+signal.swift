import Bus
import Model
import Primitives
import SignalWorker

extension World {
    func startSignal(_ index: Int) {
        starts += 1
        let node = signals[index]
        var configuration = SignalConfiguration(
            worker: node.name, listeners: [node.listener], cluster: cluster, busEndpoint: "tcp://\(node.name):1", incarnation: seed &* 31 &+ starts)
        configuration.factsGathered = .milliseconds(20)
        configuration.registrationsGathered = .milliseconds(20)
        signals[index].machine = SignalMachine(configuration, random: RandomSource(seed: seed &* 1_009 &+ starts))
        let facts = node.outbox
        if !facts.isEmpty { step(node.name) { .remembered(facts) } }
        schedule(node.name, at: now)
    }

    /// Hands one input to a living worker and carries out what it wants.
    func step(_ name: String, _ input: () -> SignalMachine.Input) {
        guard let index = signals.firstIndex(where: { $0.name == name }), signals[index].machine != nil else { return }
        var effects: [SignalMachine.Effect] = []
        signals[index].machine?.handle(input(), now: now, wall: wall, into: &effects)
        for effect in effects { carryOut(effect, index) }
        schedule(name, at: signals[index].machine?.nextWake)
    }

    private func carryOut(_ effect: SignalMachine.Effect, _ index: Int) {
        let name = signals[index].name
        switch effect {
        case .send(let bytes, let listener, let remote): send(bytes, from: listener, to: remote)
        case .request(let id, let body, let peer):
            if peer == "control" {
                post(.desk(from: name, id, body), on: "\(name)>control")
            } else {
                post(.studio(from: name, to: peer, id, body), on: "\(name)>\(peer)")
            }
        case .relay(let body, let worker): post(.relay(from: name, to: worker, body), on: "\(name)>\(worker)")
        case .roster(let roster): signals[index].colleagues = Set(roster.workers.map(\.worker))
        case .keep(let fact): signals[index].outbox.append(fact)
        case .forget(let fact): signals[index].outbox.removeAll { $0.id == fact.id }
        case .note: break
        // No gateway of the world is named, and its phones speak UDP.
        case .lookUp, .stream, .trusted: break
        }
    }

    /// An answer of the control plane or of a media worker.
    func answer(_ name: String, _ id: RequestID, _ body: [UInt8], from peer: String) {
        if let index = medias.firstIndex(where: { $0.name == name }) { return deskAnswered(index, body) }
        step(name) { .answer(id, body, from: peer) }
    }

    func feed(_ name: String, _ body: [UInt8]) {
        if let index = medias.firstIndex(where: { $0.name == name }) { return feedMedia(index, body) }
        step(name) { .feed(body) }
    }
}
