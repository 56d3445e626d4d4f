import LMDB
import Ledger
import Model
import Primitives
import Projections
import Testing

@testable import ControlPlane

/// The views' commits are shared among batches: what readers see, and when.
@Suite struct ViewsLagTests {
    private static func town() throws -> Town {
        var settings = ControlSettings()
        settings.viewsLag = .milliseconds(10)
        return try Town(settings: settings)
    }

    /// A call to a line that is not registered is refused, which is a record at once.
    private func record(_ town: Town) throws { _ = try town.start(town.newCall(), from: town.alice, to: "1001") }

    @Test func factsAreSeenWhenTheLagIsOver() throws {
        let town = try Self.town()
        try record(town)
        try record(town)
        #expect(try town.cdrs().isEmpty)
        town.platform.run(.milliseconds(10))
        #expect(try town.cdrs().count == 2)
    }

    @Test func manyFactsShareACommitThatComesLater() throws {
        let town = try Self.town()
        for _ in 0..<1_000 { try record(town) }
        town.platform.run(.milliseconds(10))
        #expect(try town.cdrs().isEmpty)
        town.platform.run(.milliseconds(40))
        #expect(try town.cdrs().count == 1_000)
    }

    @Test func whatTheAPIWasAskedForIsSeenAtOnceWithAllBeforeIt() throws {
        let town = try Self.town()
        try record(town)
        try town.topUp(5_000_000)
        #expect(try town.balance(town.account) == 5_000_000)
        #expect(try town.cdrs().count == 1)
    }

    @Test func factsThatReadersDidNotSeeOutliveAFailingAppend() throws {
        let town = try Self.town()
        try record(town)
        let log = FailingLog(town.platform.log)
        var settings = ControlSettings()
        settings.viewsLag = .milliseconds(10)
        try town.platform.restart(log: log, settings: settings)
        _ = try town.platform.hello("s1")
        try record(town)
        let head = town.platform.head
        log.fail(with: .storage(.diskFull))
        let reply = try town.start(town.newCall(), from: town.alice, to: "1001")
        #expect(reply.error.code == .unavailable)
        #expect(town.platform.head == head)
        log.fail(with: nil)
        try record(town)
        town.platform.run(.milliseconds(10))
        #expect(try town.cdrs().map(\.number) == [1, 2, 3])
    }

    @Test func stoppingPublishes() throws {
        let town = try Self.town()
        try record(town)
        _ = town.platform.core.finish()
        #expect(try town.cdrs().count == 1)
    }
}
