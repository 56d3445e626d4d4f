import Foundation
import LMDB
import Ledger
import Model
import Primitives
import Projections

/// A log and its views in a directory of their own, removed with the last reference.
final class Fixture: Sendable {
    let directory: String
    let log: LMDBEventLog
    let views: Views

    init(bootID: String = "boot-1") throws {
        directory = NSTemporaryDirectory() + "ledgerline-views-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory + "/ledger", withIntermediateDirectories: true)
        log = try LMDBEventLog(directory: directory + "/ledger", sizeMax: 1 << 28, durability: .none)
        views = try Views(directory: directory + "/views", log: log, bootID: bootID, sizeMax: 1 << 28)
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    func path(_ name: String) -> String { "\(directory)/\(name)" }

    /// Records events as the sequencer does: into the open transaction first, then into the log, then both are kept.
    @discardableResult
    func record(_ step: History.Step, at time: WallTime = WallTime(microseconds: 1)) throws -> [EventContext] {
        try views.write { (views) throws(ViewsError) in
            var contexts: [EventContext] = []
            var events: [NewEvent] = []
            for (event, stream) in step {
                contexts.append(try views.record(event, stream: stream, time: time))
                events.append(event.new(stream))
            }
            try self.append(events, at: time)
            return contexts
        }
    }

    /// Past the views, as another binary's log would come.
    func append(_ events: [NewEvent], at time: WallTime = WallTime(microseconds: 1)) throws(ViewsError) {
        do {
            _ = try log.append([Commit(events: events, actor: "test", cause: "test", time: time)])
        } catch {
            throw .log(error)
        }
    }

    func live(_ history: inout History, steps: Int) throws {
        for _ in 0..<steps {
            let (time, step) = history.next()
            try record(step, at: time)
        }
    }
}

extension Event {
    func new(_ stream: UUIDv7) -> NewEvent {
        NewEvent(stream: stream, type: storedType, schemaVersion: schemaVersion, payload: serialized())
    }
}
