import Foundation
import LMDB
import Ledger
import Model
import Primitives
import Projections
import SwiftProtobuf

@testable import Exports

/// A platform's log and views with calls in them, in a directory that goes with the last reference.
final class Books {
    let directory: String
    let log: LMDBEventLog
    let views: Views
    private var random = RandomSource(seed: 7)
    private var next: UInt64 = 1

    /// 2026-11-20T23:00:00Z: midnight in Berlin.
    static let begin: Int64 = 1_795_215_600_000_000

    init() throws {
        directory = NSTemporaryDirectory() + "ledgerline-exports-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory + "/ledger", withIntermediateDirectories: true)
        log = try LMDBEventLog(directory: directory + "/ledger", sizeMax: 1 << 28, durability: .none)
        views = try Views(directory: directory + "/views", log: log, sizeMax: 1 << 28)
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    func id() -> UUIDv7 { UUIDv7(at: WallTime(microseconds: Self.begin), random: &random) }

    func record(_ event: Event, in stream: UUIDv7) throws {
        let time = WallTime(microseconds: Self.begin)
        try views.write { views throws(ViewsError) in
            _ = try views.record(event, stream: stream, time: time)
            do throws(LedgerError) {
                _ = try self.log.append([
                    Commit(
                        events: [
                            NewEvent(
                                stream: stream, type: event.storedType, schemaVersion: event.schemaVersion,
                                payload: event.serialized())
                        ], actor: "test", cause: "test", time: time)
                ])
            } catch {
                throw .log(error)
            }
        }
    }

    /// Calls in turn of customers `a` and `b`, as many as are asked for.
    func call(_ count: Int, provider: Data, customers: [Data]) throws {
        for _ in 0..<count {
            var cdr = Calls.outbound(number: next)
            cdr.callID = Data(id().bytes)
            cdr.caller.providerID = provider
            cdr.caller.customerID = customers[Int(next) % customers.count]
            cdr.charges[0].payer.ownerID = cdr.caller.customerID
            cdr.charges[0].payee.ownerID = provider
            next += 1
            try record(.cdrRecorded(.with { $0.cdr = cdr }), in: UUIDv7(bytes: cdr.callID)!)
        }
    }

    private var corrections: UInt64 = 0

    /// The record's retail charge is put right by so many micro-units.
    func correct(_ number: UInt64, by micros: Int64) throws {
        guard let cdr = try views.read({ views throws(ViewsError) in try views.cdr(number: number) }) else { return }
        corrections += 1
        let correction = ChargeCorrected.with {
            $0.number = corrections
            $0.cdrNumber = number
            $0.callID = cdr.callID
            $0.journalID = Data(id().bytes)
            $0.charge = cdr.charges[0]
            $0.charge.amountMicros += micros
            $0.beforeMicros = cdr.charges[0].amountMicros
            $0.differenceMicros = micros
            $0.reason = "wrong deck"
            $0.correctedAt = Self.begin + 7_200_000_000
        }
        try record(.chargeCorrected(correction), in: UUIDv7(bytes: cdr.callID)!)
    }

    func apply(_ file: CdrFileExported) throws(ExportError) {
        do {
            try record(.cdrFileExported(file), in: UUIDv7(bytes: file.exportID)!)
        } catch {
            throw .refused(reason: "\(error)")
        }
    }
}

enum Calls {
    static func id(_ byte: UInt8) -> Data { Data([0x01, 0x93, 0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, byte]) }

    /// Answered after two seconds, 65.4 s long, charged on two edges.
    static func outbound(number: UInt64) -> Cdr {
        let start = Books.begin + 3_600_000_000
        return .with {
            $0.number = number
            $0.callID = id(1)
            $0.direction = .outbound
            $0.caller.subscriberID = id(2)
            $0.caller.tenantID = id(3)
            $0.caller.customerID = id(4)
            $0.caller.providerID = id(5)
            $0.caller.number = "+12095550100"
            $0.called.number = "+442079460000"
            $0.called.carrierID = id(6)
            $0.dialled = "=cmd|' /C calc'!A0"
            $0.calledE164 = "+442079460000"
            $0.startedAt = start
            $0.answeredAt = start + 2_000_000
            $0.endedAt = start + 67_400_000
            $0.durationMs = 65_400
            $0.cause = .callerHungUp
            $0.sipStatus = 200
            $0.sipCallID = "abc'1\\2@10.0.0.1"
            $0.journalID = id(7)
            $0.charges = [charge("retail", 24_000, .customer, id(4), .providerRevenue, id(5)), charge("carrier", 11_000, .carrierCost, id(5), .carrierPayable, id(6))]
        }
    }

    static func charge(
        _ edge: String, _ micros: Int64, _ payer: AccountKind, _ payerID: Data, _ payee: AccountKind, _ payeeID: Data
    ) -> Charge {
        .with {
            $0.edge = edge
            $0.amountMicros = micros
            $0.currency = "USD"
            $0.decimals = 4
            $0.billedSeconds = 66
            $0.deckID = id(8)
            $0.deckVersion = 3
            $0.entry.prefix = "44"
            $0.entry.destination = "UK, fixed \"line\""
            $0.payer.kind = payer
            $0.payer.ownerID = payerID
            $0.payer.currency = "USD"
            $0.payee.kind = payee
            $0.payee.ownerID = payeeID
            $0.payee.currency = "USD"
        }
    }

    static var names: ExportNames {
        var names = ExportNames()
        names.customers[id(4)] = .with { ($0.name, $0.externalID) = ("Acme", "4711") }
        names.subscribers[id(2)] = .with { ($0.username, $0.displayName) = ("alice", "Alice A.") }
        names.tenants[id(3)] = .with { $0.domain = "acme.example" }
        names.carriers[id(6)] = .with { ($0.name, $0.providerID) = ("Transit", id(5)) }
        names.decks[id(8)] = .with { $0.name = "Standard" }
        return names
    }
}
