import Foundation
import Model
import Primitives
import Simulation
import Testing

enum Seed {
    /// Worlds that found something once.
    static let pinned: [UInt64] = [811_184_287, 879_234_098, 422_931_185, 191_590_150]

    /// SEED=n runs one world; LEDGERLINE_SEEDS=n runs as many fresh ones (default 200).
    static var all: [UInt64] {
        let environment = ProcessInfo.processInfo.environment
        if let one = environment["SEED"].flatMap({ UInt64($0) }) { return [one] }
        let count = environment["LEDGERLINE_SEEDS"].flatMap { Int($0) } ?? 200
        // Fresh ones each day, the same within a day: a failure of the morning is there in the afternoon.
        let day = UInt64(Date().timeIntervalSince1970 / 86_400)
        var random = RandomSource(seed: day)
        return pinned + (0..<count).map { _ in random.next() % 1_000_000_000 }
    }
}

@Suite struct WorldTests {
    @Test(arguments: Seed.all)
    func noCallAndNoCentIsLostWhateverDies(seed: UInt64) throws {
        let world = try World(seed: seed)
        try world.run()
        let findings = try world.findings()
        #expect(findings.isEmpty, "run again with SEED=\(seed): \(findings.prefix(5).map(\.description))")
    }

    @Test func aQuietWorldCarriesItsCalls() throws {
        let world = try World(seed: 4, plan: WorldPlan())
        try world.run()
        #expect(try world.findings().isEmpty)
        #expect(world.summary.registered == 6)
        #expect(world.summary.calls == 14)
        #expect(world.summary.answeredByPhones > 0)
        let records = try world.records()
        #expect(records.count == 14)
        // What a phone answered, and nothing else, was answered.
        #expect(records.filter { $0.answeredAt > 0 }.count == world.summary.answeredByPhones)
    }

    @Test(arguments: [5, 6, 7] as [UInt64])
    func transferredCallsAreTwoRecordsOfTwoPayers(seed: UInt64) throws {
        var plan = WorldPlan()
        (plan.transfersPermille, plan.holdsPermille, plan.calls) = (600, 300, 30)
        let world = try World(seed: seed, plan: plan)
        try world.run()
        #expect(try world.findings().isEmpty)
        let records = try world.records()
        let transferred = records.filter { $0.forwardKind == .transferred }
        #expect(transferred.contains { $0.answeredAt > 0 }, "nobody was transferred: \(records.count) records")
        for record in transferred {
            let parent = try #require(records.first { $0.callID == record.forwardedFrom })
            #expect([parent.caller.subscriberID, parent.called.subscriberID].contains(record.caller.subscriberID))
        }
    }

    @Test(arguments: [3, 17, 99] as [UInt64])
    func theSameSeedIsTheSameWorld(seed: UInt64) throws {
        let (first, second) = (try World(seed: seed), try World(seed: seed))
        try first.run()
        try second.run()
        #expect(first.steps == second.steps)
        #expect(try first.rootHash() == second.rootHash())
    }
}
