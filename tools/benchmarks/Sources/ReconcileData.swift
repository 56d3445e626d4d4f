import Foundation
import LMDB
import Ledger
import Model
import Primitives
import Projections
import Reconciliation
import SwiftProtobuf

/// A data directory with the records of calls through one carrier, and the carrier's statement beside it: what the command
/// line is measured on as a whole.
struct ReconcileData {
    let directory: String

    func write(_ file: [UInt8], _ own: OwnCalls) throws {
        try FileManager.default.createDirectory(atPath: directory + "/data", withIntermediateDirectories: true)
        try Data(file).write(to: URL(fileURLWithPath: directory + "/statement.csv"))
        let log = try LMDBEventLog(directory: directory + "/data/ledger", sizeMax: 1 << 34, durability: .none)
        let views = try Views(directory: directory + "/data/views")
        var random = RandomSource(seed: 3)
        let begin = WallTime(microseconds: own.calls.first?.started ?? 0)
        let carrier = UUIDv7(at: begin, random: &random)
        let provider = UUIDv7(at: begin, random: &random)
        try append(
            [
                (
                    provider,
                    .providerCreated(
                        .with {
                            $0.provider.id = Data(provider.bytes)
                            $0.provider.name = "Kages"
                            $0.provider.namespace = "kages.example"
                            $0.provider.currency = "EUR"
                        })
                ),
                (
                    carrier,
                    .carrierCreated(
                        .with {
                            $0.carrier.id = Data(carrier.bytes)
                            $0.carrier.providerID = Data(provider.bytes)
                            $0.carrier.name = "Acme"
                        })
                ),
            ], to: log)
        var batch: [(UUIDv7, Event)] = []
        for call in own.calls {
            let id = UUIDv7(at: WallTime(microseconds: call.started), random: &random)
            batch.append((id, .cdrRecorded(.with { $0.cdr = record(call, id, carrier, provider) })))
            if batch.count == 10_000 {
                try append(batch, to: log)
                batch.removeAll(keepingCapacity: true)
            }
        }
        if !batch.isEmpty { try append(batch, to: log) }
        try views.catchUp(with: log)
        try views.close()
    }

    private func record(_ call: OwnCall, _ id: UUIDv7, _ carrier: UUIDv7, _ provider: UUIDv7) -> Cdr {
        .with {
            $0.number = call.cdr
            $0.callID = Data(id.bytes)
            $0.direction = .outbound
            $0.caller.providerID = Data(provider.bytes)
            $0.called.carrierID = Data(carrier.bytes)
            $0.calledE164 = call.number.description
            $0.called.number = call.number.description
            $0.startedAt = call.started
            $0.answeredAt = call.answered
            $0.endedAt = call.answered + call.milliseconds * 1_000
            $0.durationMs = UInt64(call.milliseconds)
            $0.charges = [
                .with {
                    $0.edge = "carrier"
                    $0.amountMicros = call.micros
                    $0.billedSeconds = call.billedSeconds
                    $0.currency = "EUR"
                    $0.decimals = 4
                    $0.entry.prefix = "49"
                    $0.entry.perMinuteMicros = 12_300
                    $0.entry.firstIncrementSeconds = 1
                    $0.entry.nextIncrementSeconds = 1
                    $0.payee.kind = .carrierPayable
                    $0.payee.ownerID = Data(carrier.bytes)
                    $0.payee.currency = "EUR"
                }
            ]
        }
    }

    private func append(_ events: [(stream: UUIDv7, event: Event)], to log: LMDBEventLog) throws {
        let commit = Commit(
            events: events.map { NewEvent(stream: $0.stream, type: $0.event.storedType, schemaVersion: 1, payload: $0.event.serialized()) },
            actor: "bench", cause: "", time: WallTime(microseconds: 1_796_000_000_000_000))
        _ = try log.append([commit])
    }
}
