import Foundation
import LMDB
import Ledger
import Model
import OpenSSL
import Primitives
import Projections
import Rating
import SwiftProtobuf
import Testing

@testable import ControlPlane
@testable import Dispute

/// Calls of the town charged anew: what is posted, and what is not.
@Suite struct RerateTests {
    /// Calls of so many seconds each, by the hour, at 4 cents a minute retail, 3 wholesale and 1 of cost, in whole minutes.
    private func town(_ seconds: [Int], seed: UInt64 = 1, prepaid: Bool = false) throws -> Town {
        let town = try Town(seed: seed, prepaid: prepaid)
        if prepaid { try town.topUp(100_000_000) }
        for seconds in seconds { try call(town, seconds) }
        return town
    }

    private func call(_ town: Town, _ seconds: Int) throws {
        let call = town.newCall()
        _ = try town.start(call, from: town.alice, to: "2488700")
        if seconds > 0 {
            _ = try town.answer(call)
            town.platform.run(.seconds(seconds), beating: ["s1", "s2"])
        }
        _ = try town.finish(call)
        town.platform.advance(.seconds(10))
        _ = try town.platform.desk("s1", .with { $0.heartbeat.calls = 0 })
        _ = try town.platform.desk("s2", .with { $0.heartbeat.calls = 0 })
    }

    private func publish(
        _ town: Town, _ deck: RateDeck, perMinute: Int64, next: UInt32 = 60, at: WallTime? = nil, prefix: String = "1"
    ) throws {
        try town.platform.admin(
            .publishDeckVersion(
                .with {
                    $0.deckID = deck.id
                    $0.effectiveAt = at?.microseconds ?? 0
                    $0.entries = [
                        .with {
                            $0.prefix = prefix
                            $0.destination = "North America"
                            $0.perMinuteMicros = perMinute
                            $0.firstIncrementSeconds = 60
                            $0.nextIncrementSeconds = next
                        }
                    ]
                }))
    }

    private func terms(_ town: Town, version: UInt32? = nil, customer: CustomerID? = nil, chargedBy: RateDeckID? = nil) -> RerateTerms {
        RerateTerms(
            deck: RateDeckID(town.retail.id)!, version: version, from: WallTime(rfc3339: "2026-11-01T00:00:00Z")!,
            to: WallTime(rfc3339: "2026-12-01T00:00:00Z")!, customer: customer, chargedBy: chargedBy)
    }

    private func ask(_ town: Town, _ terms: RerateTerms) throws -> (summary: RerateSummary, lines: [RerateScan.Line]) {
        try read(town) { views in
            let scan = RerateScan(try Rerater(terms, in: views))
            var summary = RerateSummary()
            var lines: [RerateScan.Line] = []
            var cursor: RerateScan.Cursor?
            repeat {
                let page = try scan.page(after: cursor, limit: 2, in: views)
                summary.add(page)
                lines += page.lines
                cursor = page.next
            } while cursor != nil
            return (summary, lines)
        }
    }

    private func read<R>(_ town: Town, _ body: (borrowing ViewSnapshot) throws -> R) throws -> R {
        try town.platform.views.read { views throws(ViewsError) in Result { try body(views) } }.get()
    }

    /// One step as the API makes it. Returns where the next goes on.
    private func step(
        _ town: Town, _ terms: RerateTerms, id: UUIDv7? = nil, after cursor: RerateScan.Cursor? = nil, atMost: Int = 250, key: String? = nil
    ) throws -> (outcome: AdminOutcome, next: RerateScan.Cursor?) {
        let page = try read(town) { views in
            try RerateScan(try Rerater(terms, in: views)).page(after: cursor, limit: 1_000, differencesMax: atMost, in: views)
        }
        let numbers = page.lines.compactMap { line -> UInt64? in
            guard case .rated(let charge) = line.verdict, charge.differenceMicros != 0 else { return nil }
            return line.cdr.number
        }
        let step = RerateStep(terms, id: id, reason: "wrong deck", records: numbers, looked: UInt64(page.records), next: page.next)
        return (try town.platform.admin(.rerate(step), key: key), page.next)
    }

    private func corrections(_ town: Town) throws -> [ChargeCorrected] {
        try read(town) { views in try views.corrections(limit: 10_000) }
    }

    private func isZero(_ town: Town) throws -> Bool {
        try read(town) { views in try views.trialBalance().allSatisfy { $0.micros == 0 } }
    }

    /// The views, built anew from the log, are those that grew.
    private func expectReplayIsEqual(_ town: Town) throws {
        let path = town.platform.directory.path + "/views-anew"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let anew = try Views(directory: path, keys: town.platform.keys, sizeMax: 1 << 30)
        try anew.catchUp(with: town.platform.log)
        #expect(try Views.difference(town.platform.views, anew) == nil)
    }

    @Test func theQuestionSaysTheDifferencePerCallPerCustomerAndInTotal() throws {
        let town = try town([61, 0, 30])
        let before = town.platform.head
        try publish(town, town.retail, perMinute: 60_000, next: 1, at: WallTime(rfc3339: "2026-11-01T00:00:00Z")!)
        let (summary, lines) = try ask(town, terms(town, version: 2))
        #expect(lines.map(\.cdr.number) == [1, 3])
        guard case .rated(let first) = try #require(lines.first).verdict else { throw TestFailure.unexpected("not rated") }
        // 61 s: two whole minutes at 4 cents before, 61 s at 6 cents now.
        #expect((first.beforeMicros, first.corrected.amountMicros, first.differenceMicros) == (80_000, 61_000, -19_000))
        #expect(first.costMicros == 80_000)
        #expect(summary.records == 3)
        #expect((summary.total.calls, summary.total.differing, summary.total.unrated) == (2, 2, 0))
        #expect((summary.total.before, summary.total.after, summary.total.difference) == (120_000, 121_000, 1_000))
        #expect((summary.total.marginBefore, summary.total.marginAfter) == (0, 1_000))
        #expect(summary.byCustomer.map(\.id.data) == [town.customer.id])
        #expect(summary.byCustomer.first?.sums == summary.total)
        // Nothing but the new version was written.
        #expect(try town.platform.types(after: before) == ["rate_deck.version_published"])
    }

    @Test func theVersionInForceWhenACallStartedCountsUnlessOneIsNamed() throws {
        let town = try town([30])
        let boundary = town.platform.wall
        try publish(town, town.retail, perMinute: 50_000, at: boundary)
        try call(town, 30)
        #expect(try ask(town, terms(town)).summary.total.differing == 0)
        #expect(try ask(town, terms(town, version: 2)).summary.total.difference == 10_000)
        // A version that is published late for an earlier time is the one that was in force.
        try publish(town, town.retail, perMinute: 10_000, at: WallTime(rfc3339: "2026-11-01T00:00:00Z")!)
        #expect(try ask(town, terms(town)).summary.total.differing == 0)
        try publish(town, town.retail, perMinute: 10_000, at: boundary)
        #expect(try ask(town, terms(town)).summary.total.difference == -40_000)
    }

    @Test(arguments: [false, true]) func aCorrectionPostsTheDifferenceAndRepeatingItNothing(prepaid: Bool) throws {
        let town = try town([61, 30, 200], prepaid: prepaid)
        let originals = try town.cdrs()
        let balance = try town.balance(town.account)
        let revenue = try town.balance(.of(.providerRevenue, owner: town.provider.id, currency: "USD"))
        try publish(town, town.retail, perMinute: 50_000)
        let head = town.platform.head
        let (outcome, next) = try step(town, terms(town, version: 2))
        #expect(next == nil)
        #expect(
            try town.platform.types(after: head)
                == Array(repeating: ["journal.posted", "charge.corrected"], count: 3).flatMap { $0 } + ["rerate.stepped"])
        // Two, one and four minutes, a cent each.
        #expect(try town.balance(town.account) == balance - 70_000)
        #expect(try town.balance(.of(.providerRevenue, owner: town.provider.id, currency: "USD")) == revenue + 70_000)
        #expect(try isZero(town))
        #expect(try town.cdrs() == originals)
        let corrections = try corrections(town)
        #expect(corrections.map(\.number) == [1, 2, 3])
        #expect(corrections.map(\.cdrNumber) == [1, 2, 3])
        #expect(corrections.map(\.differenceMicros) == [20_000, 10_000, 40_000])
        #expect(corrections.map(\.beforeMicros) == [80_000, 40_000, 160_000])
        #expect(corrections.allSatisfy { $0.ordinal == 1 && $0.rerateID == Data(outcome.id.bytes) && $0.reason == "wrong deck" })
        let first = try #require(corrections.first)
        #expect(try Rater.charge(RateLock(first.charge), milliseconds: originals[0].durationMs) == first.charge)

        let after = town.platform.head
        #expect(try ask(town, terms(town, version: 2)).summary.total.differing == 0)
        let again = try step(town, terms(town, version: 2))
        #expect(again.outcome.id == .platform)
        #expect(town.platform.head == after)
        // Whoever asked before the first was posted finds in the transaction that nothing is left.
        let late = RerateStep(terms(town, version: 2), id: nil, reason: "", records: [1, 2, 3], looked: 3, next: nil)
        #expect(try town.platform.admin(.rerate(late)).id == .platform)
        #expect(town.platform.head == after)
        try expectReplayIsEqual(town)
    }

    @Test func aSecondCorrectionStartsFromWhatTheFirstLeftAndTheWayBackIsExact() throws {
        let town = try town([61])
        let balance = try town.balance(town.account)
        try publish(town, town.retail, perMinute: 50_000)
        try publish(town, town.retail, perMinute: 70_000)
        _ = try step(town, terms(town, version: 2))
        _ = try step(town, terms(town, version: 3))
        #expect(try corrections(town).map(\.differenceMicros) == [20_000, 40_000])
        #expect(try corrections(town).map(\.ordinal) == [1, 2])
        _ = try step(town, terms(town, version: 1))
        #expect(try town.balance(town.account) == balance)
        #expect(try corrections(town).last?.differenceMicros == -60_000)
        #expect(try isZero(town))
    }

    @Test func theSameRecordInOneStepTwiceIsPutRightOnce() throws {
        let town = try town([30])
        try publish(town, town.retail, perMinute: 50_000)
        let step = RerateStep(terms(town, version: 2), id: nil, reason: "", records: [1, 1, 1], looked: 3, next: nil)
        try town.platform.admin(.rerate(step))
        #expect(try corrections(town).count == 1)
    }

    @Test func aRepetitionUnderItsKeyGivesTheFirstOutcome() throws {
        let town = try town([30, 30])
        try publish(town, town.retail, perMinute: 50_000)
        let first = try step(town, terms(town, version: 2), atMost: 1, key: "a")
        let head = town.platform.head
        let again = try step(town, terms(town, version: 2), atMost: 1, key: "a")
        #expect(again.outcome.repeated && again.outcome.id == first.outcome.id && again.outcome.sequence == first.outcome.sequence)
        #expect(town.platform.head == head)
    }

    @Test func whatCannotBeRatedIsNamedWithItsReasonAndNotCorrected() throws {
        let town = try town([30])
        try publish(town, town.retail, perMinute: 50_000, prefix: "44")
        let (summary, lines) = try ask(town, terms(town, version: 2))
        #expect(lines.map(\.verdict) == [.unrated(.noPrice, try town.cdrs()[0].charges[0])])
        #expect(summary.byReason.map(\.reason) == [.noPrice] && summary.total.unrated == 1 && summary.total.difference == 0)
        let head = town.platform.head
        _ = try step(town, terms(town, version: 2))
        #expect(town.platform.head == head)
        let early = try town.create(
            .with {
                $0.providerID = town.provider.id
                $0.name = "Early"
                $0.currency = "USD"
            }, AdminCommand.createRateDeck)
        var others = terms(town)
        others.deck = RateDeckID(early.id)!
        #expect(try ask(town, others).summary.byReason.map(\.reason) == [.noVersion])
    }

    @Test func onlyTheCallsThatAreAskedAboutAreConcerned() throws {
        let town = try town([30, 30])
        let cdrs = try town.cdrs()
        let other = try town.create(
            .with {
                $0.providerID = town.provider.id
                $0.contactID = town.contact.id
                $0.servicePlanID = town.plan.id
                $0.name = "Other"
                $0.currency = "USD"
            }, AdminCommand.createCustomer)
        try publish(town, town.retail, perMinute: 50_000)
        #expect(try ask(town, terms(town, version: 2, customer: CustomerID(town.customer.id)!)).summary.total.calls == 2)
        #expect(try ask(town, terms(town, version: 2, customer: CustomerID(other.id)!)).summary.total.calls == 0)
        #expect(try ask(town, terms(town, version: 2, chargedBy: RateDeckID(town.retail.id)!)).summary.total.calls == 2)
        #expect(try ask(town, terms(town, version: 2, chargedBy: RateDeckID(town.cost.id)!)).summary.total.calls == 0)
        var part = terms(town, version: 2)
        part.from = WallTime(microseconds: cdrs[0].startedAt + 1)
        #expect(try ask(town, part).lines.map(\.cdr.number) == [2])
        part.to = WallTime(microseconds: cdrs[1].startedAt)
        #expect(try ask(town, part).lines.isEmpty)
    }

    @Test func termsThatMakeNoSenseAreRefused() throws {
        let town = try town([])
        func refused(_ field: String, _ change: (inout RerateTerms) -> Void) {
            var terms = terms(town)
            change(&terms)
            #expect {
                try town.platform.admin(.rerate(RerateStep(terms, id: nil, reason: "", records: [], looked: 0, next: nil)))
            } throws: { ($0 as? AdminRejection)?.field == field }
        }
        refused("deck_id") { $0.deck = RateDeckID(town.customer.id)! }
        refused("deck_id") { $0.deck = RateDeckID(town.wholesale.id)! }
        refused("version") { $0.version = 9 }
        refused("to") { $0.to = $0.from }
        refused("customer_id") { $0.customer = CustomerID(town.provider.id)! }
        refused("charged_by_deck_id") { $0.chargedBy = RateDeckID(town.provider.id)! }
    }

    /// The process ends between steps, or before a step is durable: whatever was posted, going on from the start ends with the same sums.
    @Test(arguments: UInt64(1)...4) func whereverTheProcessEndsGoingOnGivesTheSameSum(seed: UInt64) throws {
        let lengths = (0..<9).map { 20 + $0 * 35 }
        let whole = try town(lengths)
        try publish(whole, whole.retail, perMinute: 47_000, next: 1)
        _ = try step(whole, terms(whole, version: 2))
        let wanted = try (whole.balance(whole.account), corrections(whole).map(\.differenceMicros))

        let broken = try town(lengths)
        try publish(broken, broken.retail, perMinute: 47_000, next: 1)
        var random = RandomSource(seed: seed)
        var cursor: RerateScan.Cursor?
        var id: UUIDv7?
        for _ in 0..<40 {
            if Int.random(in: 0..<3, using: &random) == 0 {
                // The process is gone: the views may be behind, what was asked is forgotten, and it begins at the start.
                try broken.platform.restart(seed: random.next())
                (cursor, id) = (nil, nil)
                continue
            }
            let done = try step(broken, terms(broken, version: 2), id: id, after: cursor, atMost: 1 + Int.random(in: 0..<3, using: &random))
            if done.outcome.id != .platform { id = done.outcome.id }
            cursor = done.next
            if cursor == nil, done.outcome.id == .platform { break }
        }
        #expect(try (broken.balance(broken.account), corrections(broken).map(\.differenceMicros)) == wanted)
        #expect(try isZero(broken))
        try expectReplayIsEqual(broken)
    }

    @Test func aDisputePackHoldsTheCorrectionAndComputesItAgain() throws {
        let town = try town([61])
        try publish(town, town.retail, perMinute: 50_000)
        _ = try step(town, terms(town, version: 2))
        let key = SigningKey(seed: Array(0..<32))!
        let call = CallID(try town.cdrs()[0].callID)!
        let pack = try PackMaker(log: town.platform.log, views: town.platform.views, origin: "town.example/log", key: key)
            .pack(call: call, at: town.platform.wall)
        #expect(pack.events.map(\.type).suffix(3) == ["cdr.recorded", "journal.posted", "charge.corrected"])
        let verdict = try pack.verified(with: ("town.example/log", key.verifyingKey))
        #expect(
            verdict.proven.contains {
                $0.hasPrefix("correction 1: the retail charge was put right by 0.02 USD to 0.10 USD for 120 s, by version 2 of deck")
            })
        #expect(pack.explanation.corrections.map(\.reason) == ["wrong deck"])
        #expect(pack.explanation.corrections.first?.movements.map(\.amount) == ["-0.02", "0.02"])
        #expect(pack.explanation.milestones.last?.what == "the retail charge was put right by 0.02 USD to 0.10 USD: wrong deck")
    }
}
