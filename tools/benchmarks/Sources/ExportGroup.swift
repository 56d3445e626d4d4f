import ArgumentParser
import Exports
import Foundation
import Model
import Primitives
import SwiftProtobuf

struct ExportGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Call records written to files.",
        discussion: "Example: ledgerline-bench export --records 100000")

    @Option(help: "Records of the file.") var records = 100_000

    /// What a file of an export costs, from records in memory to a file on the disk, synced and named: answered calls to a carrier with two charges.
    mutating func run() throws {
        var random = RandomSource(seed: 7)
        let calls = (1...max(1, records)).map { ExportRecord.call(Self.call(UInt64($0), &random)) }
        let directory = NSTemporaryDirectory() + "ledgerline-bench-export-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let folder = try ExportFolder(directory)
        let formats: [(String, CdrExportFormat)] = [("csv", .csv), ("jsonl", .jsonLines), ("sipwise", .sipwiseAdmin), ("ivoz", .ivozBrand)]
        for (name, format) in formats {
            let layout = ExportLayout(format, timeZone: "Europe/Berlin")
            let clock = ContinuousClock()
            let start = clock.now
            var file = CdrFileExported()
            file.name = layout.name(file: 1, dueAt: 1_795_215_600_000_000)
            try folder.write(&file, layout.bytes(calls, firstRecord: 1, ExportNames()))
            Figure(name: "export.\(name)", value: Double(calls.count) / ((clock.now - start) / .seconds(1)), unit: "records/s").print()
        }
    }

    private static func call(_ number: UInt64, _ random: inout RandomSource) -> Cdr {
        let started = 1_795_215_600_000_000 + Int64(number) * 250_000
        let ids = (0..<8).map { _ in Data(UUIDv7(at: WallTime(microseconds: started), random: &random).bytes) }
        var cdr = Cdr()
        cdr.number = number
        cdr.callID = ids[0]
        cdr.direction = .outbound
        cdr.caller.subscriberID = ids[1]
        cdr.caller.tenantID = ids[2]
        cdr.caller.customerID = ids[3]
        cdr.caller.providerID = ids[4]
        cdr.caller.number = "+12095550100"
        cdr.called.number = "+442079460000"
        cdr.called.carrierID = ids[5]
        cdr.dialled = "00442079460000"
        cdr.calledE164 = "+442079460000"
        cdr.startedAt = started
        cdr.answeredAt = started + 2_000_000
        cdr.endedAt = started + 67_400_000
        cdr.durationMs = 65_400
        cdr.sipStatus = 200
        cdr.sipCallID = "\(number)@10.0.0.1"
        cdr.journalID = ids[6]
        for edge in ["retail", "carrier"] {
            var charge = Charge()
            charge.edge = edge
            charge.amountMicros = 24_000
            charge.currency = "USD"
            charge.billedSeconds = 66
            charge.deckID = ids[7]
            charge.deckVersion = 3
            charge.entry.prefix = "44"
            charge.entry.destination = "United Kingdom"
            cdr.charges.append(charge)
        }
        return cdr
    }
}
