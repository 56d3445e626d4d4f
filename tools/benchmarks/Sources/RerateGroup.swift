import ArgumentParser
import ControlPlane
import Foundation
import LMDB
import Ledger
import Model
import Primitives
import Projections
import SwiftProtobuf

struct RerateGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rerate", abstract: "Asks what a log's calls would have cost by another deck.",
        discussion: "Example: ledgerline-bench rerate --events 500000")

    @Option(help: "Where directories for the log and the views are made, and removed after.")
    var directory = FileManager.default.fileExists(atPath: ".build") ? ".build" : "/var/tmp"

    @Option(help: "How many events the log has.")
    var events: UInt64 = 500_000

    mutating func run() throws {
        let place = "\(directory)/ledgerline-bench-rerate-\(ProcessInfo.processInfo.processIdentifier)"
        defer { try? FileManager.default.removeItem(atPath: place) }
        try FileManager.default.createDirectory(atPath: "\(place)/ledger", withIntermediateDirectories: true)
        let log = try LMDBEventLog(directory: "\(place)/ledger", durability: .none)
        var calls = SyntheticCalls(seed: 1, providers: 1)
        let deck = try publish(to: log, provider: calls.providers[0])
        try calls.append(events, to: log)
        let views = try Views.rebuild(into: "\(place)/views", from: log)
        try question(views, deck)
    }

    /// What `ledgerline rerate` costs for each call record: set-up order, the record out of the log, the longest prefix, the
    /// charge, its corrections, the sums. Every charged call differs.
    private func question(_ views: Views, _ deck: RateDeckID) throws {
        let terms = RerateTerms(deck: deck, from: WallTime(microseconds: 0), to: WallTime(microseconds: .max))
        let began = ContinuousClock.now
        let scan = RerateScan(try read(views) { views in try Rerater(terms, in: views) })
        var summary = RerateSummary()
        var cursor: RerateScan.Cursor?
        repeat {
            let page = try read(views) { views in try scan.page(after: cursor, limit: 2_000, in: views) }
            summary.add(page)
            cursor = page.next
        } while cursor != nil
        let time = ContinuousClock.now - began
        guard summary.total.differing > 0, summary.total.unrated == 0 else {
            throw Failure("\(summary.total.differing) calls differ and \(summary.total.unrated) cannot be rated")
        }
        Figure(name: "rerate.question", value: Double(summary.records) / (time / .seconds(1)), unit: "calls/s").print()
    }

    private func read<R>(_ views: Views, _ body: (borrowing ViewSnapshot) throws -> R) throws -> R {
        try views.read { views throws(ViewsError) in Result { try body(views) } }.get()
    }

    /// A deck with the ten regions of a number's first digit, cut up: 20,000 prefixes.
    private func publish(to log: LMDBEventLog, provider: UUIDv7) throws -> RateDeckID {
        var random = RandomSource(seed: 2)
        let time = WallTime(microseconds: 1_780_000_000_000_000)
        let id = RateDeckID(at: time, random: &random)
        let deck = RateDeck.with {
            $0.id = id.data
            $0.providerID = Data(provider.bytes)
            $0.name = "Other"
            $0.currency = "USD"
            $0.decimals = 4
        }
        var prefixes: Set<String> = ["1"]
        while prefixes.count < 20_000 { prefixes.insert("1\(Int.random(in: 2...99_999, using: &random))") }
        let version = RateDeckVersion.with {
            $0.deckID = id.data
            $0.version = 1
            $0.effectiveAt = time.microseconds
            $0.entries = prefixes.sorted().map { prefix in
                .with {
                    $0.prefix = prefix
                    $0.perMinuteMicros = Int64.random(in: 100_000...200_000, using: &random)
                    $0.firstIncrementSeconds = 1
                    $0.nextIncrementSeconds = 1
                }
            }
        }
        let events: [Event] = [.rateDeckCreated(.with { $0.deck = deck }), .rateDeckVersionPublished(.with { $0.version = version })]
        let commit = Commit(
            events: events.map { NewEvent(stream: id.value, type: $0.storedType, schemaVersion: 1, payload: $0.serialized()) }, actor: "anna",
            cause: "", time: time)
        _ = try log.append([commit])
        return id
    }
}
