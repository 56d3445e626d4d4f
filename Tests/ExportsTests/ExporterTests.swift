import Foundation
import Model
import OpenSSL
import Primitives
import Projections
import SwiftProtobuf
import Testing

@testable import Exports

/// An export over books, run as the schedule runs it.
private struct Run {
    let books: Books
    var export: CdrExport
    let folder: ExportFolder
    let provider = Calls.id(5)
    let customers = [Calls.id(4), Calls.id(14)]

    init(_ format: CdrExportFormat = .jsonLines, customer: Data = Data()) throws {
        books = try Books()
        folder = try ExportFolder(books.directory + "/export")
        export = .with {
            $0.id = Calls.id(99)
            $0.format = format
            $0.interval = .hourly
            $0.timeZone = "UTC"
            $0.customerID = customer
            $0.createdAt = Books.begin
        }
    }

    var exporter: Exporter {
        let books = books
        return Exporter(views: books.views, folder: folder) { file throws(ExportError) in try books.apply(file) }
    }

    func hour(_ number: Int64) -> WallTime { WallTime(microseconds: Books.begin + number * 3_600_000_000 + 1) }

    /// Record numbers and call numbers of everything that a reader of the folder can see, in the order of the files.
    func seen() throws -> (records: [Int], cdrs: [Int], names: [String]) {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".jsonl") }.sorted()
        var records: [Int] = []
        var cdrs: [Int] = []
        for name in names {
            for line in String(decoding: folder.bytes(name) ?? [], as: UTF8.self).split(separator: "\n") {
                let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
                records.append(try #require(object["record"] as? Int))
                cdrs.append(try #require(object["cdr"] as? Int))
            }
        }
        return (records, cdrs, names)
    }
}

@Test func aFileGoesOnWhereTheOneBeforeEndedAndNamesItsHash() throws {
    let run = try Run()
    try run.books.call(3, provider: run.provider, customers: run.customers)
    #expect(try run.exporter.run(run.export, at: run.hour(1)) == 1)
    try run.books.call(4, provider: run.provider, customers: run.customers)
    #expect(try run.exporter.run(run.export, at: run.hour(1)) == 0)
    #expect(try run.exporter.run(run.export, at: run.hour(2)) == 1)
    #expect(try run.seen().cdrs == Array(1...7))
    let verified = ChainVerifier(folder: run.folder.path)
    #expect(verified.faults == [])
    #expect(verified.records == 7)
    #expect(verified.files == 2)
}

@Test func aCustomersExportNumbersItsOwnRecordsWithoutGaps() throws {
    let run = try Run(customer: Calls.id(4))
    try run.books.call(10, provider: run.provider, customers: run.customers)
    _ = try run.exporter.run(run.export, at: run.hour(1))
    let seen = try run.seen()
    #expect(seen.records == Array(1...5))
    #expect(seen.cdrs == [2, 4, 6, 8, 10])
}

/// Lines of all files, as (kind, call record, retail amount).
private func lines(_ run: Run) throws -> [[String]] {
    var lines: [[String]] = []
    for name in try run.seen().names {
        for line in String(decoding: run.folder.bytes(name) ?? [], as: UTF8.self).split(separator: "\n") {
            let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            lines.append(["kind", "cdr", "correction", "retail_amount", "duration_ms"].map { "\(object[$0] ?? "")" })
        }
    }
    return lines
}

@Test func correctionsAreRecordsOfTheirOwnBehindTheCalls() throws {
    let run = try Run()
    try run.books.call(3, provider: run.provider, customers: run.customers)
    try run.books.correct(2, by: -4_000)
    #expect(try run.exporter.run(run.export, at: run.hour(1)) == 1)
    try run.books.call(1, provider: run.provider, customers: run.customers)
    try run.books.correct(2, by: 1_000)
    try run.books.correct(1, by: 500)
    #expect(try run.exporter.run(run.export, at: run.hour(2)) == 1)
    #expect(try run.exporter.run(run.export, at: run.hour(3)) == 1)
    let none = "<null>"
    #expect(
        try lines(run) == [
            ["call", "1", none, "0.024", "65400"], ["call", "2", none, "0.024", "65400"], ["call", "3", none, "0.024", "65400"],
            ["correction", "2", "1", "-0.004", "0"], ["call", "4", none, "0.024", "65400"], ["correction", "2", "2", "0.001", "0"],
            ["correction", "1", "3", "0.0005", "0"],
        ])
    #expect(try run.seen().records == Array(1...7))
    let files = try run.books.views.read { views throws(ViewsError) in
        try views.exportFiles(of: CdrExportID(run.export.id)!, limit: 10)
    }
    #expect(files.map(\.firstCorrection) == [1, 2, 0] && files.map(\.lastCorrection) == [1, 3, 0])
    #expect(files.map(\.correctionCursor) == [1, 3, 3])
    #expect(ChainVerifier(folder: run.folder.path).faults == [])
    // Made again from the views, to the byte.
    for file in files {
        try FileManager.default.removeItem(atPath: run.folder.path + "/" + file.name)
        #expect(Hash.sha256(try run.exporter.bytes(of: file, run.export)) == Array(file.sha256))
    }
}

@Test func aCustomersExportHoldsTheCorrectionsOfItsOwnCallsAlone() throws {
    let run = try Run(customer: Calls.id(4))
    try run.books.call(4, provider: run.provider, customers: run.customers)
    for record in UInt64(1)...4 { try run.books.correct(record, by: 1_000) }
    _ = try run.exporter.run(run.export, at: run.hour(1))
    #expect(try lines(run).map { $0[0] + $0[1] } == ["call2", "call4", "correction2", "correction4"])
    #expect(try run.seen().records == Array(1...4))
}

@Test func moreThanAFileHoldsIsSeveralFiles() throws {
    let run = try Run(.sipwiseAdmin)
    try run.books.call(5_001, provider: run.provider, customers: run.customers)
    #expect(try run.exporter.run(run.export, at: run.hour(1)) == 2)
    #expect(ChainVerifier(folder: run.folder.path).faults == [])
    #expect(ChainVerifier(folder: run.folder.path).records == 5_001)
}

/// A crash before any step, drawn by a seed, again and again while calls go on.
@Test(arguments: UInt64(1)...12)
func noRecordIsLostOrRepeatedWhateverStepTheProcessDiesAt(seed: UInt64) throws {
    let run = try Run()
    var random = RandomSource(seed: seed)
    var made = 0
    var hour: Int64 = 0
    for _ in 0..<40 {
        let count = Int(random.next() % 4)
        try run.books.call(count, provider: run.provider, customers: run.customers)
        made += count
        hour += Int64(random.next() % 2)
        var left = Int(random.next() % 9)
        var exporter = run.exporter
        exporter.checkpoint = { step throws(ExportError) in
            left -= 1
            if left < 0 { throw .killed(step) }
        }
        _ = try? exporter.run(run.export, at: run.hour(hour))
        // A reader at any moment: what it sees is in order, whole and once.
        let seen = try run.seen()
        #expect(seen.records == Array(1..<(seen.records.count + 1)), "seed \(seed)")
    }
    _ = try run.exporter.run(run.export, at: run.hour(hour + 1))
    let seen = try run.seen()
    #expect(seen.cdrs == Array(1..<(made + 1)), "seed \(seed)")
    #expect(ChainVerifier(folder: run.folder.path).faults == [], "seed \(seed)")
}

@Test func aFileThatIsGoneIsMadeAgainToTheByte() throws {
    let run = try Run()
    try run.books.call(5, provider: run.provider, customers: run.customers)
    _ = try run.exporter.run(run.export, at: run.hour(1))
    try run.books.call(5, provider: run.provider, customers: run.customers)
    _ = try run.exporter.run(run.export, at: run.hour(2))
    let id = try #require(CdrExportID(run.export.id))
    let file = try #require(try run.books.views.read { views throws(ViewsError) in try views.exportFile(of: id, 2) })
    let before = run.folder.bytes(file.name)
    try FileManager.default.removeItem(atPath: run.folder.path + "/" + file.name)
    #expect(try run.exporter.bytes(of: file, run.export) == before)
    #expect(ChainVerifier(folder: run.folder.path).faults == ["\(file.name) is missing"])
}

@Test func anybodyFindsAChangedAMissingAndAForeignFile() throws {
    let run = try Run()
    for hour in 1...3 {
        try run.books.call(2, provider: run.provider, customers: run.customers)
        _ = try run.exporter.run(run.export, at: run.hour(Int64(hour)))
    }
    let names = try run.seen().names
    var bytes = try #require(run.folder.bytes(names[0]))
    bytes[10] ^= 1
    try Data(bytes).write(to: URL(fileURLWithPath: run.folder.path + "/" + names[0]))
    #expect(ChainVerifier(folder: run.folder.path).faults.contains { $0.contains("has been changed") })
    try FileManager.default.removeItem(atPath: run.folder.path + "/" + names[1])
    try FileManager.default.removeItem(atPath: run.folder.path + "/" + names[1] + ".json")
    #expect(ChainVerifier(folder: run.folder.path).faults.contains { $0.contains("1 files are missing") })
    try Data("x".utf8).write(to: URL(fileURLWithPath: run.folder.path + "/stray.csv"))
    #expect(ChainVerifier(folder: run.folder.path).faults.contains("stray.csv has no manifest"))
}
