import ArgumentParser
import Foundation
import LMDB
import Ledger
import Model
import Primitives
import Projections
import SwiftProtobuf

/// What a question about calls takes when there are many.
struct StatisticsGroup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "statistics", abstract: "ASR, NER, ACD and post-dial delay of many calls, by dimensions.",
        discussion: "Example: ledgerline-bench statistics --calls 10000000 --directory /var/tmp")

    @Option(help: "Where directories for the log and the views are made, and removed after.")
    var directory = FileManager.default.fileExists(atPath: ".build") ? ".build" : "/var/tmp"
    @Option(help: "How many call records there are.") var calls: UInt64 = 1_000_000

    mutating func run() async throws {
        let place = "\(directory)/ledgerline-bench-\(ProcessInfo.processInfo.processIdentifier)"
        defer { try? FileManager.default.removeItem(atPath: place) }
        try FileManager.default.createDirectory(atPath: place + "/ledger", withIntermediateDirectories: true)
        let log = try LMDBEventLog(directory: place + "/ledger", durability: .none)
        var records = StatisticsRecords()
        var left = calls
        while left > 0 {
            let count = min(left, 5_000)
            _ = try log.append([records.commit(count)])
            left -= count
        }
        let views = try Views.rebuild(into: place + "/views", from: log)
        Figure(name: "statistics.rows", value: Double(try ask(views, []).rows), unit: "rows").print()
        try measure("all", views, [])
        try measure("carrier_hour", views, [.carrier, .hour])
        try measure("customer", views, [.customer])
        try measure("country_cause", views, [.country, .cause])
        try measure("gateway_status_day", views, [.gateway, .status, .day])
        // The last hundredth of the records.
        try measure("recent", views, [.carrier], from: records.now + .milliseconds(-Int64(calls / 100) * StatisticsRecords.step))
    }

    private func ask(_ views: Views, _ by: [CallStatistics.Dimension], from: WallTime? = nil) throws -> CallStatistics {
        var question = CallStatistics.Question()
        question.by = by
        question.countsAttempts = by.contains(.carrier) || by.contains(.gateway)
        question.country = { UInt32($0.prefix(2)) ?? 0 }
        if let from { question.from = from }
        return try views.read { views throws(ViewsError) in Result { try views.statistics(question) } }.get()
    }

    /// The median of seven; the first one, which reads the pages in, is not among them.
    private func measure(_ name: String, _ views: Views, _ by: [CallStatistics.Dimension], from: WallTime? = nil) throws {
        _ = try ask(views, by, from: from)
        var times: [Duration] = []
        var groups = 0
        for _ in 0..<7 {
            let began = ContinuousClock.now
            groups = try ask(views, by, from: from).groups.count
            times.append(ContinuousClock.now - began)
        }
        Figure(name: "statistics.\(name)", value: times.sorted()[3] / .milliseconds(1), unit: "ms").print()
        Figure(name: "statistics.\(name)_groups", value: Double(groups), unit: "groups").print()
    }
}

/// Records of calls of a thousand customers by twenty gateways, four a second: 60 % answered, one in ten by the second gateway.
private struct StatisticsRecords {
    /// Milliseconds between two calls.
    static let step: Int64 = 250

    private(set) var now = WallTime(microseconds: 1_790_000_000_000_000)
    private var random = RandomSource(seed: 1)
    private var number: UInt64 = 0
    private let providers: [Data]
    private let customers: [Data]
    private let carriers: [Data]
    private let gateways: [Data]

    init() {
        func ids(_ count: Int, _ kind: UInt64) -> [Data] { (0..<count).map { Data(UUIDv7(high: kind << 16 | 0x7000, low: 1 << 63 | UInt64($0)).bytes) } }
        (providers, customers, carriers, gateways) = (ids(20, 1), ids(1_000, 2), ids(10, 3), ids(20, 4))
    }

    mutating func commit(_ count: UInt64) -> Commit {
        var events: [NewEvent] = []
        for _ in 0..<count {
            now = now + .milliseconds(Self.step)
            let stream = UUIDv7(at: now, random: &random)
            let event = Event.cdrRecorded(.with { $0.cdr = cdr(stream) })
            events.append(NewEvent(stream: stream, type: event.storedType, schemaVersion: event.schemaVersion, payload: event.serialized()))
        }
        return Commit(events: events, actor: "bench", cause: "bench", time: now)
    }

    private mutating func cdr(_ call: UUIDv7) -> Cdr {
        number += 1
        let draw = random.next()
        let customer = Int(draw % 1_000)
        let first = Int((draw >> 10) % 20)
        let isSecond = (draw >> 16) % 10 == 0
        let isAnswered = (draw >> 24) % 10 < 6
        var cdr = Cdr()
        cdr.number = number
        cdr.callID = Data(call.bytes)
        cdr.direction = .outbound
        cdr.caller.customerID = customers[customer]
        cdr.caller.providerID = providers[customer % 20]
        cdr.called.carrierID = carriers[first / 2]
        cdr.startedAt = now.microseconds - 60_000_000
        cdr.destinationPrefix = String(2_000_000 + (draw >> 28) % 7_000_000)
        if isSecond { cdr.attempts.append(attempt(gateways[(first + 1) % 20], 503, delay: 0)) }
        let status: UInt32 = isAnswered ? 200 : [486, 480, 487, 404][Int((draw >> 50) % 4)]
        cdr.attempts.append(attempt(gateways[first], status, delay: Int64(300 + (draw >> 40) % 4_000)))
        cdr.cause = isAnswered ? .callerHungUp : .busy
        if isAnswered {
            cdr.answeredAt = cdr.startedAt + 8_000_000
            cdr.durationMs = 20_000 + (draw >> 32) % 200_000
        }
        return cdr
    }

    private func attempt(_ gateway: Data, _ status: UInt32, delay: Int64) -> CallAttempt {
        .with {
            $0.gatewayID = gateway
            $0.startedAt = now.microseconds - 60_000_000
            if delay > 0 { $0.ringingAt = $0.startedAt + delay * 1_000 }
            $0.endedAt = now.microseconds
            $0.sipStatus = status
        }
    }
}
