import Foundation
import Ledger
import Model
import Primitives
import SwiftProtobuf
import Testing

@testable import Projections

/// Records with chosen outcomes, straight into the views.
private final class Books {
    let fixture: Fixture
    let provider = UUIDv7(high: 1 << 16 | 0x7000, low: 1 << 63 | 1)
    let customers = [UUIDv7(high: 1 << 16 | 0x7000, low: 1 << 63 | 2), UUIDv7(high: 1 << 16 | 0x7000, low: 1 << 63 | 3)]
    let carrier = UUIDv7(high: 1 << 16 | 0x7000, low: 1 << 63 | 4)
    let gateways = [UUIDv7(high: 1 << 16 | 0x7000, low: 1 << 63 | 5), UUIDv7(high: 1 << 16 | 0x7000, low: 1 << 63 | 6)]
    private(set) var records: UInt64 = 0
    let start: Int64 = 1_790_000_000_000_000

    init() throws { fixture = try Fixture() }

    func add(customer: Int = 0, second: Int64 = 0, prefix: String = "1209248", _ attempts: [CallAttempt], cause: EndCause, talk: UInt64 = 0) throws {
        records += 1
        var cdr = Cdr()
        cdr.number = records
        cdr.callID = Data(UUIDv7(high: 2 << 16 | 0x7000, low: 1 << 63 | records).bytes)
        cdr.direction = .outbound
        cdr.caller.providerID = Data(provider.bytes)
        cdr.caller.customerID = Data(customers[customer].bytes)
        cdr.called.carrierID = Data(carrier.bytes)
        cdr.startedAt = start + second * 1_000_000
        cdr.attempts = attempts
        cdr.cause = cause
        cdr.durationMs = talk
        if talk > 0 { cdr.answeredAt = cdr.startedAt + 3_000_000 }
        cdr.destinationPrefix = prefix
        try fixture.record([(.cdrRecorded(.with { $0.cdr = cdr }), UUIDv7(bytes: cdr.callID)!)], at: WallTime(microseconds: start + (second + 10) * 1_000_000))
    }

    func attempt(_ gateway: Int, _ status: UInt32, delay: Int64? = nil, second: Int64 = 0) -> CallAttempt {
        .with {
            $0.gatewayID = Data(gateways[gateway].bytes)
            $0.startedAt = start + second * 1_000_000
            if let delay { $0.ringingAt = $0.startedAt + delay * 1_000 }
            $0.endedAt = $0.startedAt + 5_000_000
            $0.sipStatus = status
        }
    }

    func ask(_ fill: (inout CallStatistics.Question) -> Void = { _ in }) throws -> [CallStatistics.Group] {
        var question = CallStatistics.Question()
        fill(&question)
        return try fixture.views.read { views throws(ViewsError) in Result { try views.statistics(question) } }.get().groups
    }
}

@Suite struct StatisticsTests {
    /// Ten calls by ITU-T E.411: four answered, two busy, one that rang without an answer, one cancelled while it rang, one that
    /// failed, and one that we refused ourselves, which was no seizure.
    @Test func ratiosAreThoseOfE411() throws {
        let books = try Books()
        for talk in [60_000, 120_000, 30_000, 90_000] as [UInt64] { try books.add([books.attempt(0, 200, delay: 1_000)], cause: .callerHungUp, talk: talk) }
        for _ in 0..<2 { try books.add([books.attempt(0, 486, delay: 500)], cause: .busy) }
        try books.add([books.attempt(0, 480, delay: 2_000)], cause: .noAnswer)
        try books.add([books.attempt(0, 487, delay: 2_000)], cause: .cancelled)
        try books.add([books.attempt(0, 503)], cause: .unreachable)
        try books.add([], cause: .refused)
        let sums = try #require(try books.ask().first).sums
        #expect(sums.calls == 10 && sums.seizures == 9 && sums.refused == 1)
        #expect(sums.answered == 4 && sums.busy == 2 && sums.noAnswer == 1 && sums.cancelled == 1 && sums.failed == 1)
        #expect(sums.asr == 4_444)
        #expect(sums.ner == 8_889)
        #expect(sums.acd == 75_000)
        #expect(sums.delays.total == 8)
        #expect(sums.delays.mean == 1_125)
    }

    @Test func everyGatewayThatWasTriedCounts() throws {
        let books = try Books()
        try books.add([books.attempt(0, 503), books.attempt(1, 200, delay: 800)], cause: .callerHungUp, talk: 10_000)
        try books.add([books.attempt(0, 408), books.attempt(1, 503)], cause: .unreachable)
        let calls = try books.ask()
        #expect(calls.count == 1 && calls[0].sums.calls == 2 && calls[0].sums.answered == 1)
        let attempts = try books.ask { $0.by = [.gateway]; $0.countsAttempts = true }
        #expect(attempts.map(\.sums.calls) == [2, 2])
        #expect(attempts.map(\.sums.answered) == [0, 1])
        let codes = try books.fixture.views.read { views throws(ViewsError) in try views.statisticsParties(Set(attempts.map { $0.values[0] })) }
        #expect(attempts.map { codes[$0.values[0]] } == books.gateways)
    }

    @Test func groupsByHourCustomerAndDestination() throws {
        let books = try Books()
        for index in 0..<100 {
            try books.add(
                customer: index % 2, second: Int64(index) * 144, prefix: index % 4 == 0 ? "4420796" : "1209248",
                [books.attempt(0, index % 5 == 0 ? 486 : 200, delay: Int64(index) * 10)], cause: index % 5 == 0 ? .busy : .callerHungUp, talk: 1_000)
        }
        let byHour = try books.ask { $0.by = [.hour] }
        #expect(byHour.map(\.sums.calls).reduce(0, +) == 100)
        #expect(byHour.count >= 4)
        let both = try books.ask { $0.by = [.customer, .country]; $0.country = { $0.hasPrefix("44") ? 44 : 1 } }
        #expect(both.map(\.sums.calls) == [25, 25, 50])
        let prefixes = try books.ask { $0.by = [.prefix]; $0.prefixDigits = 2 }
        #expect(prefixes.map { $0.values[0] } == [112, 144])
        let codes = try books.fixture.views.read { views throws(ViewsError) in try views.statisticsCode(of: books.customers[1]) }
        let code = try #require(codes)
        let filtered = try books.ask { $0.only = [(.customer, [code])] }
        #expect(filtered.first?.sums.calls == 50)
        // A part of the time: the hour that begins with the first call.
        let part = try books.ask { $0.from = WallTime(microseconds: books.start + 1_440_000_000); $0.to = WallTime(microseconds: books.start + 2_880_000_000) }
        #expect(part.first?.sums.calls == 10)
    }

    @Test func percentilesAreWithinASixteenth() {
        var histogram = DelayHistogram()
        for milliseconds in 1...10_000 as ClosedRange<UInt32> { histogram.add(milliseconds) }
        for percent in [5, 50, 95, 99] as [UInt64] {
            let (exact, found) = (Double(percent) * 100, Double(histogram.percentile(percent) ?? 0))
            #expect(abs(found - exact) <= exact / 16 + 8, "\(percent): \(found)")
        }
        var twice = histogram
        twice.merge(histogram)
        #expect(twice.percentile(50) == histogram.percentile(50) && twice.total == 20_000)
        #expect(DelayHistogram().percentile(50) == nil)
    }

    /// Blocks are filled, and found again by the time at which they were recorded.
    @Test func blocksAreTheSameHoweverRecordsCome() throws {
        let books = try Books()
        for index in 0..<500 { try books.add(second: Int64(index), [books.attempt(0, 503), books.attempt(1, 200, delay: 5)], cause: .callerHungUp, talk: 1) }
        let rebuilt = try Views.rebuild(into: books.fixture.path("anew"), from: books.fixture.log)
        #expect(try Views.difference(books.fixture.views, rebuilt) == nil)
        for second in [0, 1, 250, 499] as [Int64] {
            let sums = try books.ask { $0.from = WallTime(microseconds: books.start + second * 1_000_000); $0.countsAttempts = true }.first?.sums
            #expect(sums?.calls == UInt64(500 - second) * 2)
        }
    }
}
