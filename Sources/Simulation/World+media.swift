import Bus
import Foundation
import MediaWorker
import Model
import Primitives
import SwiftProtobuf

extension World {
    func startMedia(_ index: Int) {
        starts += 1
        let node = medias[index]
        var rules = StudioRules(worker: node.name, address: node.address, ports: 30_000...30_399)
        rules.orphanLimit = .seconds(60)
        medias[index].studio = StudioMachine(rules: rules, at: now)
        medias[index].desk = DeskMachine(
            worker: node.name, address: node.address.description, studioEndpoint: "tcp://\(node.name):1",
            incarnation: UUIDv7(high: seed, low: starts).bytes, at: now)
        medias[index].askers = [:]
        medias[index].openedAt = [:]
        schedule(node.name, at: now)
    }

    func studio(_ name: String, _ worker: String, _ id: RequestID, _ body: [UInt8]) {
        guard let index = medias.firstIndex(where: { $0.name == name }), medias[index].studio != nil,
            let request = try? StudioRequest(serializedBytes: body)
        else { return }
        medias[index].tickets += 1
        let ticket = medias[index].tickets
        medias[index].askers[ticket] = (worker, id)
        drive(index, .request(request, ticket, from: worker))
    }

    func tickMedia(_ index: Int) {
        guard let studio = medias[index].studio else { return }
        drive(index, .tick)
        drive(index, desk: .tick(sessions: studio.sessionCount, sessionsMax: studio.sessionsMax, MediaFigures()))
        schedule(medias[index].name, at: medias[index].studio?.nextWake)
        schedule(medias[index].name, at: medias[index].desk?.nextWake)
    }

    private func drive(_ index: Int, _ input: StudioMachine.Input) {
        var inputs = [input]
        while !inputs.isEmpty {
            var effects: [StudioMachine.Effect] = []
            medias[index].studio?.handle(inputs.removeFirst(), at: now, wall: wall, into: &effects)
            for effect in effects { carryOut(effect, index, &inputs) }
        }
    }

    private func carryOut(_ effect: StudioMachine.Effect, _ index: Int, _ inputs: inout [StudioMachine.Input]) {
        let name = medias[index].name
        func report(_ id: MediaSessionID) -> RelayReport {
            RelayReport(session: id, openedAt: medias[index].openedAt[id] ?? now, a: LegCounters(), b: LegCounters())
        }
        switch effect {
        case .reply(let ticket, let reply):
            guard let asker = medias[index].askers.removeValue(forKey: ticket) else { return }
            post(.studioAnswer(from: name, to: asker.worker, asker.id, bytes(of: reply)), on: "\(name)>\(asker.worker)")
        case .notice(let owner, let notice):
            post(.studioNotice(from: name, to: owner, bytes(of: notice)), on: "\(name)>\(owner)")
        case .bind(let id, _, _, _, _):
            medias[index].openedAt[id] = now
            inputs.append(.bound(id))
        case .query(let id): inputs.append(.reported(report(id)))
        case .close(let id):
            inputs.append(.closed(report(id)))
            medias[index].openedAt[id] = nil
        case .sweep(let since):
            let silent = medias[index].openedAt.filter { $0.value < since }.keys.sorted()
            inputs.append(.silent(silent.map(report)))
        case .change, .play, .press, .sound, .hush, .record, .drained: break
        }
    }

    // MARK: Desk

    func deskAnswered(_ index: Int, _ body: [UInt8]) {
        guard let reply = try? DeskReply(serializedBytes: body) else { return }
        drive(index, desk: .reply(reply))
    }

    func feedMedia(_ index: Int, _ body: [UInt8]) {
        guard let message = try? FeedMessage(serializedBytes: body) else { return }
        drive(index, desk: .feed(message))
    }

    private func drive(_ index: Int, desk input: DeskMachine.Input) {
        guard medias[index].desk != nil else { return }
        var effects: [DeskMachine.Effect] = []
        medias[index].desk?.handle(input, at: now, into: &effects)
        let name = medias[index].name
        for case .request(let request) in effects {
            medias[index].requests += 1
            starts += 1
            let id = RequestID(high: seed, low: 1 << 40 | starts)
            post(.desk(from: name, id, bytes(of: request)), on: "\(name)>control")
        }
        schedule(name, at: medias[index].desk?.nextWake)
    }

    func bytes(of message: some Message) -> [UInt8] {
        do {
            return try message.serializedBytes()
        } catch {
            preconditionFailure("a proto3 message without required fields always serialises: \(error)")
        }
    }
}
