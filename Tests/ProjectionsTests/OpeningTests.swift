import Foundation
import Ledger
import Primitives
import Projections
import Testing

/// Each opens views that somebody has left in some state, as a process would find them.
@Suite struct OpeningTests {
    private let log: LMDBEventLog
    private let fixture: Fixture
    private let path: String

    init() throws {
        fixture = try Fixture()
        log = fixture.log
        path = fixture.path("left")
        var history = History(seed: 11)
        try fixture.live(&history, steps: 60)
    }

    private func leave(bootID: String, clean: Bool) throws {
        let views = try Views(directory: path, bootID: bootID, sizeMax: 1 << 28)
        #expect(views.condition == .new)
        try views.catchUp(with: log)
        if clean { try views.close() }
    }

    private func reopen(bootID: String) throws -> (condition: ViewsCondition, applied: UInt64) {
        let views = try Views(directory: path, bootID: bootID, sizeMax: 1 << 28)
        let applied = try views.read { views in views.applied }
        try views.catchUp(with: log)
        #expect(try Views.difference(views, fixture.views) == nil)
        return (views.condition, applied)
    }

    @Test func aKilledProcessLeavesThemAsTheyAre() throws {
        try leave(bootID: "monday", clean: false)
        #expect(try reopen(bootID: "monday") == (.kept, log.head))
    }

    @Test func aCleanStopOutlivesTheMachine() throws {
        try leave(bootID: "monday", clean: true)
        #expect(try reopen(bootID: "tuesday") == (.kept, log.head))
    }

    @Test func anUncleanStopOfTheMachineDropsThem() throws {
        try leave(bootID: "monday", clean: false)
        #expect(try reopen(bootID: "tuesday") == (.droppedAfterUncleanStop, 0))
    }

    @Test func theCleanMarkIsTakenAwayWhenTheyAreOpened() throws {
        try leave(bootID: "monday", clean: true)
        #expect(try reopen(bootID: "tuesday").condition == .kept)
        #expect(try reopen(bootID: "wednesday").condition == .droppedAfterUncleanStop)
    }

    @Test func withoutABootIDOnlyACleanStopIsTrusted() throws {
        try leave(bootID: "", clean: false)
        #expect(try reopen(bootID: "").condition == .droppedAfterUncleanStop)
    }

    @Test func anotherVersionOfAProjectionDropsThem() throws {
        try leave(bootID: "monday", clean: true)
        let mark = try String(contentsOfFile: path + "/mark", encoding: .utf8)
        #expect(mark.contains("accounts=3"))
        try mark.replacingOccurrences(of: "accounts=3", with: "accounts=0").write(
            toFile: path + "/mark", atomically: true, encoding: .utf8)
        #expect(try reopen(bootID: "monday") == (.droppedForOtherProjections, 0))
        #expect(try reopen(bootID: "monday").condition == .kept)
    }

    @Test(arguments: ["", "ledgerline views 2\n", "garbage", "ledgerline views 1\nboot monday\nstate open\n"])
    func aMarkThatCannotBeReadDropsThem(text: String) throws {
        try leave(bootID: "monday", clean: true)
        try text.write(toFile: path + "/mark", atomically: true, encoding: .utf8)
        #expect(try reopen(bootID: "monday").condition == .droppedAfterUncleanStop)
    }

    @Test func aMissingMarkDropsThem() throws {
        try leave(bootID: "monday", clean: true)
        try FileManager.default.removeItem(atPath: path + "/mark")
        #expect(try reopen(bootID: "monday").condition == .droppedAfterUncleanStop)
    }

    @Test func aDeletedDirectoryIsBuiltAnew() throws {
        try leave(bootID: "monday", clean: true)
        try FileManager.default.removeItem(atPath: path)
        #expect(try reopen(bootID: "monday") == (.new, 0))
    }

    @Test func aFileThatIsNoEnvironmentIsReplaced() throws {
        try leave(bootID: "monday", clean: true)
        try Data(repeating: 0x5A, count: 65_536).write(to: URL(fileURLWithPath: path + "/data.mdb"))
        #expect(try reopen(bootID: "monday") == (.droppedAsUnreadable, 0))
    }

    @Test func aDirectoryThatCannotBeMadeIsAnErrorThatNamesIt() throws {
        let file = fixture.path("file")
        try Data().write(to: URL(fileURLWithPath: file))
        #expect {
            _ = try Views(directory: file + "/views", bootID: "monday", sizeMax: 1 << 28)
        } throws: { error in
            if case .file(path: file + "/views", code: _) = error as? ViewsError { true } else { false }
        }
    }

    @Test func closingTwiceIsClosingOnceAndReadingGoesOn() throws {
        let views = try Views(directory: path, bootID: "monday", sizeMax: 1 << 28)
        try views.catchUp(with: log)
        try views.close()
        try views.close()
        #expect(try views.read { views in views.applied } == log.head)
    }

    @Test func theyAreReadBesideTheirWriterAndTheMarkStays() throws {
        try leave(bootID: "monday", clean: true)
        let mark = try String(contentsOfFile: path + "/mark", encoding: .utf8)
        let reader = try Views(reading: path, bootID: "tuesday", sizeMax: 1 << 28)
        #expect(try Views.difference(reader, fixture.views) == nil)
        try reader.close()
        #expect(try String(contentsOfFile: path + "/mark", encoding: .utf8) == mark)
    }

    @Test func whatCannotBeTrustedIsNotRead() throws {
        #expect(throws: ViewsError.untrusted(.new)) { try Views(reading: path, bootID: "monday") }
        try leave(bootID: "monday", clean: false)
        #expect(throws: ViewsError.untrusted(.droppedAfterUncleanStop)) { try Views(reading: path, bootID: "tuesday") }
    }

    @Test func aCheckReplaysTheLogAndFindsThemEqual() throws {
        let (applied, difference) = try fixture.views.check(against: log, replayingInto: fixture.path("scratch"))
        #expect(applied == log.head)
        #expect(difference == nil)
    }

    @Test func aCheckOfViewsThatLagComparesWhatTheyHold() throws {
        let lagging = try Views(directory: path, bootID: "monday", sizeMax: 1 << 28)
        try lagging.catchUp(with: log, through: 17)
        let (applied, difference) = try lagging.check(against: log, replayingInto: fixture.path("scratch"))
        #expect(applied == 17)
        #expect(difference == nil)
    }
}
