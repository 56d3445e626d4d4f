import Foundation
import LMDB
import Ledger
import Model
import Primitives
import Projections
import Rating
import SwiftProtobuf
import Testing

@testable import ControlPlane
@testable import Dispute

/// Price lists that come in parts, and prices of every kind, from the deck to the call's record.
@Suite struct DeckImportTests {
    private func row(_ prefix: String, _ perMinute: Int64, _ change: (inout RateEntry) -> Void = { _ in }) -> RateEntry {
        var entry = RateEntry.with {
            $0.prefix = prefix; $0.destination = "to \(prefix)"; $0.perMinuteMicros = perMinute
            $0.firstIncrementSeconds = 60; $0.nextIncrementSeconds = 60
        }
        change(&entry)
        return entry
    }

    private func add(_ town: Town, _ source: UUIDv7, chunk: UInt32, _ rows: [RateEntry], deck: Data? = nil) throws {
        var event = RateDeckRowsAdded(rows: rows)
        event.importID = Data(source.bytes)
        event.deckID = deck ?? town.retail.id
        event.chunk = chunk
        try town.platform.admin(.addDeckRows(event))
    }

    private func publish(_ town: Town, _ source: UUIDv7, _ change: (inout RateDeckVersion) -> Void = { _ in }) throws {
        var version = RateDeckVersion.with { $0.deckID = town.retail.id; $0.importID = Data(source.bytes) }
        change(&version)
        try town.platform.admin(.publishDeckVersion(version))
    }

    /// The retail price and charge of a call of 61 s to Berkeley.
    private func call(_ town: Town, seconds: Int = 61) throws -> Cdr {
        let call = town.newCall()
        _ = try town.start(call, from: town.alice, to: "2488700")
        if seconds > 0 {
            _ = try town.answer(call)
            town.platform.run(.seconds(seconds), beating: ["s1", "s2"])
        }
        _ = try town.finish(call)
        return try #require(try town.cdrs().last)
    }

    @Test func nothingIsPricedByRowsBeforeAVersionNamesThem() throws {
        let town = try Town()
        let before = try call(town)
        let source = town.newCall().value
        try add(town, source, chunk: 0, [row("1", 1_000_000), row("1209", 2_000_000)])
        try add(town, source, chunk: 1, [row("12092", 60_000), row("9", 1)])
        #expect(try call(town).charges == before.charges)
        try publish(town, source)
        let after = try call(town)
        #expect(after.charges[0].entry == row("12092", 60_000))
        #expect(after.charges[0].deckVersion == 2)
        #expect(after.charges[0].amountMicros == 120_000)
        let head = try town.platform.read { views throws(ViewsError) in try views.deckVersion(RateDeckID(town.retail.id)!, 2) }
        #expect(head?.rows == 4 && head?.contentHash.count == 32 && head?.entries == [])
        let rows = try town.platform.read { views throws(ViewsError) in
            try views.rateEntries(deck: RateDeckID(town.retail.id)!, version: 2, limit: 10)
        }
        #expect(rows.map(\.prefix) == ["1", "1209", "12092", "9"])
        #expect(try town.platform.types(after: 0).filter { $0 == "rate_deck.rows_added" }.count == 2)
    }

    @Test func rowsThatWereAbandonedHarmNobodyAndOthersTakeTheVersion() throws {
        let town = try Town()
        let (abandoned, other) = (town.newCall().value, town.newCall().value)
        try add(town, abandoned, chunk: 0, [row("12092488700", 99_000_000)])
        try add(town, other, chunk: 0, [row("12", 50_000)])
        try publish(town, other)
        #expect(try call(town).charges[0].entry == row("12", 50_000))
        // A restart replays the same.
        try town.platform.restart()
        let next = try town.platform.read { views throws(ViewsError) in try views.latestDeckVersion(RateDeckID(town.retail.id)!) }
        #expect(next == 2)
    }

    @Test func badRowsAreRefusedAndRecordNothing() throws {
        let town = try Town()
        let source = town.newCall().value
        try add(town, source, chunk: 0, [row("1", 1), row("2", 1)])
        let head = town.platform.head
        func refused(_ field: String, _ body: () throws -> Void) {
            do {
                try body()
                Issue.record("\(field): accepted")
            } catch let rejection as AdminRejection {
                #expect(rejection.field == field, "\(rejection)")
            } catch {
                Issue.record("\(error)")
            }
        }
        refused("chunk") { try add(town, source, chunk: 0, [row("3", 1)]) }
        refused("chunk") { try add(town, source, chunk: 2, [row("3", 1)]) }
        refused("rows[0]") { try add(town, source, chunk: 1, [row("2", 1)]) }
        refused("rows[0]") { try add(town, source, chunk: 1, [row("12", 1)]) }
        refused("rows[1]") { try add(town, source, chunk: 1, [row("4", 1), row("3", 1)]) }
        refused("rows[0].per_minute_micros") { try add(town, source, chunk: 1, [row("3", RateEntry.priceMicrosMax + 1)]) }
        refused("rows[0].is_fee_deductible") { try add(town, source, chunk: 1, [row("3", -1) { $0.isFeeDeductible = true }]) }
        refused("rows[0].pattern") { try add(town, source, chunk: 1, [row("", 1) { $0.pattern = "([" }]) }
        refused("import_id") { try add(town, source, chunk: 1, [row("3", 1)], deck: town.wholesale.id) }
        refused("content_hash") { try publish(town, source) { $0.contentHash = Data(repeating: 1, count: 32) } }
        refused("rows") { try publish(town, source) { $0.rows = 3 } }
        refused("entries") { try publish(town, source) { $0.entries = [RateEntry()] } }
        refused("import_id") { try publish(town, town.newCall().value) }
        refused("bands[0].week[0]") {
            try publish(town, source) {
                $0.timeZone = "UTC"
                $0.bands = [.with { $0.number = 1; $0.name = "x"; $0.week = [.with { $0.days = 1 }] }]
            }
        }
        refused("time_zone") { try publish(town, source) { $0.timeZone = "Europe/Atlantis"; $0.bands = [.with { $0.number = 1; $0.name = "x" }] } }
        #expect(town.platform.head == head)
        try add(town, source, chunk: 1, [row("3", 1) { $0.band = 5 }])
        refused("bands") { try publish(town, source) }
        try publish(town, source) { $0.timeZone = "UTC"; $0.bands = [.with { $0.number = 5; $0.name = "x" }] }
        refused("import_id") { try publish(town, source) }
        refused("import_id") { try add(town, source, chunk: 2, [row("4", 1)]) }
    }

    private func publish(_ town: Town, _ rows: [RateEntry], _ change: (inout RateDeckVersion) -> Void = { _ in }) throws {
        var version = RateDeckVersion.with { $0.deckID = town.retail.id; $0.entries = rows }
        change(&version)
        try town.platform.admin(.publishDeckVersion(version))
    }

    /// By the clock of the deck's zone the call comes in within one band or the other; the row is locked, with the clock.
    @Test func theBandInWhichACallComesInHoldsForAllOfIt() throws {
        let town = try Town()
        let now = WallClock(town.platform.wall, utcOffsetSeconds: 0)
        let rows = [row("1", 40_000), row("1209", 60_000) { $0.band = 1 }, row("1209", 90_000) { $0.band = 2 }]
        // The first band ends thirty seconds from now, in a zone that is 5:45 ahead.
        let border = UInt32((now.second + 20_700 + 30) % 86_400)
        try publish(town, rows) {
            $0.timeZone = "Asia/Kathmandu"
            $0.bands = [
                .with { $0.number = 1; $0.name = "before"; $0.week = [.with { $0.days = 127; $0.toSecond = border }] },
                .with { $0.number = 2; $0.name = "after"; $0.week = [.with { $0.days = 127; $0.fromSecond = border; $0.toSecond = 86_400 }] },
            ]
        }
        let before = try call(town)
        let after = try call(town)
        #expect(before.charges[0].entry.band == 1)
        #expect(before.charges[0].amountMicros == 120_000)
        #expect(after.charges[0].entry.band == 2)
        #expect(after.charges[0].amountMicros == 180_000)
        let id = try #require(CallID(after.callID))
        let explanation = try CallExplainer(log: town.platform.log, views: town.platform.views).explanation(of: id)
        #expect(explanation.charges[0].steps[0].contains("band after, by the clock of Asia/Kathmandu, UTC+5:45"))
        #expect(explanation.charges[0].candidates.map(\.band) == ["after", "before", nil])
        // A version without bands says nothing of clocks.
        #expect(explanation.charges[1].steps.count == 4)
    }

    @Test func expressionsAndWholeNumbersPriceCalls() throws {
        let town = try Town()
        try publish(town, [row("", 10_000), row("", 20_000) { $0.pattern = "^\\+1209[0-9]{7}$" }, row("44", 5)])
        #expect(try call(town).charges[0].entry.pattern == "^\\+1209[0-9]{7}$")
        try publish(town, [row("1", 10_000), row("", 20_000) { $0.pattern = "^\\+1209[0-9]{7}$" }, row("12092488700", 30_000) { $0.isExact = true }])
        #expect(try call(town).charges[0].amountMicros == 60_000)
        try publish(town, [row("1", 10_000), row("1209248870", 30_000) { $0.isExact = true }])
        #expect(try call(town).charges[0].amountMicros == 20_000)
    }

    @Test func everyRuleOfAPriceReachesTheRecordAndThePack() throws {
        let town = try Town()
        try publish(
            town,
            [
                row("1", 600_000) {
                    $0.connectionFeeMicros = 50_000; $0.firstPerMinuteMicros = 3_600_000; $0.freeDelaySeconds = 3; $0.freeSeconds = 5
                    $0.minimumSeconds = 61; $0.nextIncrementSeconds = 30; $0.isFeeDeductible = true
                }
            ])
        #expect(try call(town, seconds: 3).charges[0].amountMicros == 0)
        #expect(try call(town, seconds: 5).charges[0].amountMicros == 50_000)
        let cdr = try call(town, seconds: 10)
        // 61 s at least: one first increment at 3.60 and one next of 30 s at 0.60 a minute.
        #expect(cdr.charges[0].billedSeconds == 90)
        #expect(cdr.charges[0].amountMicros == 3_900_000)
        let id = try #require(CallID(cdr.callID))
        let steps = try CallExplainer(log: town.platform.log, views: town.platform.views).explanation(of: id).charges[0].steps
        #expect(
            steps == [
                "10000 ms from answer to end: a second that has begun counts, so 10 s",
                "the first 5 s are free: 5 s are left",
                "at least 61 s are counted: 61 s",
                "increments 60/30: the first of 60 s, then 1 × 30 s, are 90 s billed",
                "the greater of 0.05 connection fee and 3.60 a minute × 60 s ÷ 60 + 0.60 a minute × 30 s ÷ 60, because the fee is a minimum charge: 0.05 and 3.60 + 0.30, so 3.90",
                "rounded half-up to 4 decimals: 3.90 USD",
            ])
    }

    @Test func theCallIsExplainedFromAListThatIsNotOneEvent() throws {
        let town = try Town()
        let source = town.newCall().value
        try add(town, source, chunk: 0, [row("", 1), row("1", 2), row("120", 3)])
        try add(town, source, chunk: 1, [row("1209", 60_000), row("13", 5)])
        try publish(town, source)
        let cdr = try call(town)
        let id = try #require(CallID(cdr.callID))
        let explanation = try CallExplainer(log: town.platform.log, views: town.platform.views).explanation(of: id)
        #expect(explanation.charges[0].candidates.map(\.prefix) == ["1209", "120", "1", ""])
        #expect(explanation.charges[0].chosen.prefix == "1209")
        #expect(explanation.called == "+12092488700")
        // What the token of the customer sees of it.
        var part = explanation
        part.keep(what: .with { $0.charges = [cdr.charges[0]]; $0.calledE164 = "+12092488700" }, showsRoute: true)
        #expect(part.charges.map(\.edge) == ["retail"])
        #expect(part.milestones.isEmpty)
    }
}
