import Foundation
import LMDB
import Ledger
import Model
import Primitives
import Testing

@testable import Projections

/// Views as of a sequence, put together from a snapshot and the running views' journals, against views that were built
/// from the log's beginning to that sequence and know nothing of what came later.
@Suite struct SnapshotTests {
    private let fixture: Fixture
    private let store: SnapshotStore

    init() throws {
        fixture = try Fixture()
        store = SnapshotStore(directory: fixture.path("snapshots"), keys: nil)
    }

    @Test(arguments: 1...6)
    func anAnswerAsOfASequenceIsThatOfViewsBuiltUpToIt(seed: UInt64) throws {
        var history = History(seed: seed)
        var random = RandomSource(seed: seed)
        for _ in 0..<4 {
            try fixture.live(&history, steps: 90)
            try store.write(from: fixture.views, log: fixture.log)
        }
        try fixture.live(&history, steps: 60)
        #expect(store.sequences.count == 4)
        let head = fixture.log.head
        let bare = SnapshotStore(directory: fixture.path("none"), keys: nil)
        var neighbours: [StateViews] = []
        for asked in (0..<12).map({ _ in UInt64.random(in: 0...head, using: &random) }) + [0, 1, head] {
            let expected = try Views.rebuild(
                into: fixture.path("upto-\(asked)-\(neighbours.count)"), from: fixture.log, through: asked)
            for states in [
                try store.states(asOf: asked, log: fixture.log), try bare.states(asOf: asked, log: fixture.log),
                try bare.states(asOf: asked, log: fixture.log, neighbours: neighbours),
            ] {
                #expect(states.sequence == asked)
                try states.read(with: fixture.views, fixture.log) { past throws(ViewsError) in
                    #expect(past.applied == asked)
                    try expected.read { expected throws(ViewsError) in
                        let difference = try Views.firstDifference(past, expected)
                        #expect(difference == nil, "as of \(asked)")
                        let (record, expectedRecord) = (try past.nextCDRNumber(), try expected.nextCDRNumber())
                        #expect(record == expectedRecord)
                    }
                }
                neighbours.append(states)
            }
        }
        #expect(store.faults.isEmpty)
    }

    @Test func everyKeyOfTheFutureIsUnknownInThePast() throws {
        var history = History(seed: 9)
        try fixture.live(&history, steps: 100)
        let asked = fixture.log.head
        try fixture.live(&history, steps: 200)
        let states = try store.states(asOf: asked, log: fixture.log)
        let then = try Views.rebuild(into: fixture.path("then"), from: fixture.log, through: asked)
        try states.read(with: fixture.views, fixture.log) { past throws(ViewsError) in
            try then.read { then throws(ViewsError) in
                try fixture.views.read { now throws(ViewsError) in
                    for table in Table.allCases where table != .meta {
                        try now.scan(table, from: Key()) { key, _ throws(ViewsError) in
                            let (found, expected) = (try past.value(key, in: table), try then.value(key, in: table))
                            #expect(found == expected, "\(table) \(hex(key.bytes))")
                            let (a, b) = (try past.last(in: table, atOrBefore: key), try then.last(in: table, atOrBefore: key))
                            #expect(a?.key == b?.key && a?.value == b?.value, "\(table) at or before \(hex(key.bytes))")
                            return true
                        }
                    }
                }
            }
        }
    }

    @Test func theNewestSnapshotThatIsNotAfterTheQuestionIsTaken() throws {
        var history = History(seed: 2)
        try fixture.live(&history, steps: 50)
        let first = try #require(try store.write(from: fixture.views, log: fixture.log))
        try fixture.live(&history, steps: 50)
        let second = try #require(try store.write(from: fixture.views, log: fixture.log))
        #expect(try store.write(from: fixture.views, log: fixture.log) == nil, "it is there already")
        try fixture.live(&history, steps: 50)
        var runOver: UInt64 = 0
        _ = try store.states(asOf: first, log: fixture.log) { applied, _ in runOver = applied }
        #expect(runOver == 0)
        _ = try store.states(asOf: fixture.log.head, log: fixture.log) { applied, _ in runOver = applied }
        #expect(runOver == fixture.log.head)
        #expect(store.sequences == [first, second])
    }

    @Test func aSnapshotIsWrittenForThePastToo() throws {
        var history = History(seed: 3)
        try fixture.live(&history, steps: 120)
        let middle = fixture.log.head / 2
        #expect(try store.write(asOf: middle, log: fixture.log) == middle)
        try expectAnswer(asOf: middle + 3)
        #expect(store.faults.isEmpty)
    }

    @Test(arguments: [0, 4_096, 40_000])
    func aDamagedSnapshotIsPassedOverAndCounted(offset: Int) throws {
        let sequence = try twoSnapshots()
        let path = store.directory + "/\(sequence)/data.mdb"
        var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        bytes[offset] ^= 0x10
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        try expectAnswer(asOf: sequence)
        #expect(store.faults == [sequence: .damaged])
    }

    @Test func aSnapshotWithoutItsFilesIsPassedOverAndCounted() throws {
        let sequence = try twoSnapshots()
        try FileManager.default.removeItem(atPath: store.directory + "/\(sequence)/data.mdb")
        try expectAnswer(asOf: sequence)
        #expect(store.faults == [sequence: .unreadable])
        try FileManager.default.removeItem(atPath: store.directory + "/\(sequence)/manifest")
        try expectAnswer(asOf: sequence)
        #expect(store.faults == [sequence: .unreadable])
    }

    @Test func aSnapshotOfOtherProjectionsIsPassedOverAndWrittenAnew() throws {
        let sequence = try twoSnapshots()
        let path = store.directory + "/\(sequence)/manifest"
        let text = try String(contentsOfFile: path, encoding: .utf8)
        try text.replacing("accounts=", with: "accounts=9").write(toFile: path, atomically: true, encoding: .utf8)
        try expectAnswer(asOf: sequence)
        #expect(store.faults == [sequence: .otherProjections])
        #expect(try store.write(asOf: sequence, log: fixture.log) == sequence)
        #expect(store.faults.isEmpty)
        try expectAnswer(asOf: sequence)
        #expect(store.faults.isEmpty)
    }

    @Test func aSnapshotOfAnotherLogIsPassedOver() throws {
        let sequence = try twoSnapshots()
        let other = try Fixture()
        var history = History(seed: 77)
        try other.live(&history, steps: 400)
        let asked = max(sequence, 1)
        try #require(other.log.head >= asked)
        let states = try store.states(asOf: asked, log: other.log)
        let expected = try Views.rebuild(into: other.path("expected"), from: other.log, through: asked)
        try states.read(with: other.views, other.log) { past throws(ViewsError) in
            let difference = try expected.read { expected throws(ViewsError) in
                try Views.firstDifference(past, expected)
            }
            #expect(difference == nil)
        }
        #expect(store.faults[sequence] == .otherLog)
    }

    @Test func viewsThatAreBehindTheQuestionSaySo() throws {
        var history = History(seed: 4)
        try fixture.live(&history, steps: 60)
        let head = fixture.log.head
        let behind = try Views.rebuild(into: fixture.path("behind"), from: fixture.log, through: head - 5)
        let states = try store.states(asOf: head, log: fixture.log)
        #expect(throws: ViewsError.behind(asked: head, have: head - 5)) {
            try states.read(with: behind, fixture.log) { _ in () }
        }
    }

    @Test func whatIsKeptStandsEvenlyOverTheLog() throws {
        for sequence in 1...40 {
            try FileManager.default.createDirectory(
                atPath: store.directory + "/\(sequence)00", withIntermediateDirectories: true)
            try store.prune(limit: 16)
        }
        let left = store.sequences
        #expect(left.count == 16)
        #expect(Array(left.suffix(8)) == (33...40).map { UInt64($0) * 100 })
        let gaps = zip([0] + left, left).map { $1 - $0 }
        #expect(try #require(gaps.max()) <= 800)
        try store.removeAll()
        #expect(store.sequences.isEmpty)
    }

    @Test func tablesOfStateAreGoneWithTheirHolder() throws {
        var history = History(seed: 5)
        try fixture.live(&history, steps: 30)
        do { _ = try store.states(asOf: 10, log: fixture.log) }
        let work = try FileManager.default.contentsOfDirectory(atPath: store.directory + "/work")
        #expect(work.isEmpty)
    }

    // MARK: -

    /// - Returns: the sequence of the newer one, with events behind it.
    private func twoSnapshots() throws -> UInt64 {
        var history = History(seed: 6)
        try fixture.live(&history, steps: 60)
        try store.write(from: fixture.views, log: fixture.log)
        try fixture.live(&history, steps: 60)
        let sequence = try #require(try store.write(from: fixture.views, log: fixture.log))
        try fixture.live(&history, steps: 30)
        return sequence
    }

    private func expectAnswer(asOf sequence: UInt64) throws {
        let states = try store.states(asOf: sequence, log: fixture.log)
        let expected = try Views.rebuild(
            into: fixture.path("expected-\(UUID().uuidString)"), from: fixture.log, through: sequence)
        try states.read(with: fixture.views, fixture.log) { past throws(ViewsError) in
            let difference = try expected.read { expected throws(ViewsError) in
                try Views.firstDifference(past, expected)
            }
            #expect(difference == nil)
        }
    }
}
