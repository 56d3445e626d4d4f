import Foundation
import Ledger
import Primitives
import Synchronization
import Testing

@testable import Projections

/// Views built anew beside those that serve.
@Suite final class RebuildTests {
    private let fixture: Fixture
    private var next: String { fixture.path("views.next") }
    private var former: String { fixture.path("views.former") }

    init() throws { fixture = try Fixture() }

    /// One history that goes on.
    private let history = Mutex(History(seed: 31))

    private func fill(steps: Int = 200) throws {
        for _ in 0..<steps {
            let (time, step) = history.withLock { $0.next() }
            try fixture.record(step, at: time)
        }
    }

    private func expectRight() throws {
        let rebuilt = try Views.rebuild(into: fixture.path("check"), from: fixture.log)
        #expect(try Views.difference(fixture.views, rebuilt) == nil)
    }

    @Test(arguments: [nil, ["accounts"], ["cdrs", "live_calls"], ["audit"], ["directory", "rates"]])
    func rebuiltViewsAreEqualAndAreSwappedInAndBack(names: [String]?) throws {
        try fill()
        let views = try #require(try fixture.views.rebuildBeside(next, names, from: fixture.log) { _, _ in true })
        let comparison = try #require(try fixture.views.compare(with: views, from: fixture.log))
        #expect(comparison.count == 0)
        #expect(comparison.applied == fixture.log.head)
        let old = try fixture.views.swap(with: views, from: fixture.log, keepingFormerIn: former)
        #expect(FileManager.default.fileExists(atPath: former + "/data.mdb"))
        #expect(!FileManager.default.fileExists(atPath: next))
        try fill(steps: 50)
        try expectRight()
        // The former lag by now; they catch up on the way back.
        #expect(try old.read { views in views.applied } < fixture.log.head)
        _ = try fixture.views.swap(with: old, from: fixture.log, keepingFormerIn: former)
        #expect(try fixture.views.read { views in views.applied } == fixture.log.head)
        try fill(steps: 50)
        try expectRight()
    }

    @Test func aWriterGoesOnThroughManySwapsAndLosesNothing() throws {
        try fill(steps: 20)
        let isDone = Mutex(false)
        let writing = Mutex(history.withLock { $0 })
        let fixture = fixture
        let writer = Thread {
            var steps = 0
            while steps < 100 || !isDone.withLock({ $0 }) {
                let (time, step) = writing.withLock { $0.next() }
                do { try fixture.record(step, at: time) } catch { Issue.record(error) }
                steps += 1
            }
            isDone.withLock { $0 = false }
        }
        writer.start()
        for _ in 0..<12 {
            let views = try #require(try fixture.views.rebuildBeside(next, nil, from: fixture.log) { _, _ in true })
            #expect(try fixture.views.compare(with: views, from: fixture.log)?.count == 0)
            let old = try fixture.views.swap(with: views, from: fixture.log, keepingFormerIn: former)
            _ = try fixture.views.swap(with: old, from: fixture.log, keepingFormerIn: former)
        }
        isDone.withLock { $0 = true }
        while isDone.withLock({ $0 }) { sched_yield() }
        #expect(try fixture.views.read { views in views.applied } == fixture.log.head)
        try expectRight()
    }

    @Test func differencesAreCountedAndTheFirstAreShown() throws {
        try fill()
        let views = try #require(try fixture.views.rebuildBeside(next, nil, from: fixture.log) { _, _ in true })
        // As a bit that has flipped on the disk, and as a row that was lost.
        try fixture.views.write { views throws(ViewsError) in
            let page = try views.page(.history, limit: 30)
            for (key, _) in page { try views.put([1, 2, 3], key, in: .history) }
            try views.remove(page[0].key, in: .history)
            try views.put([9], Key(text: "stranger"), in: .providers)
        }
        let comparison = try #require(try fixture.views.compare(with: views, from: fixture.log))
        #expect(comparison.count == 31)
        #expect(comparison.first.count == ViewsComparison.firstMax)
        #expect(comparison.first.first == .entry(table: .providers, key: Array("stranger".utf8), [9], nil))
        _ = try fixture.views.swap(with: views, from: fixture.log, keepingFormerIn: former)
        try expectRight()
    }

    @Test func aRebuildThatIsEndedChangesNothing() throws {
        try fill()
        #expect(try fixture.views.rebuildBeside(next, nil, from: fixture.log) { _, _ in false } == nil)
        #expect(try fixture.views.rebuildBeside(next, ["accounts"], from: fixture.log) { _, _ in false } == nil)
        try expectRight()
    }

    // MARK: - at a start

    private func left(bootID: String = "boot-1") throws -> String {
        let path = fixture.path("left")
        let views = try Views(directory: path, bootID: bootID, sizeMax: 1 << 28)
        try views.catchUp(with: fixture.log)
        try views.close()
        return path
    }

    private func open(_ path: String) throws -> ViewsOpening {
        let opening = try Views.open(
            directory: path, next: next, former: former, log: fixture.log, bootID: "boot-1")
        #expect(try Views.difference(opening.views, fixture.views) == nil)
        return opening
    }

    @Test func aDeletedFileIsBuiltAnew() throws {
        try fill()
        let path = try left()
        try FileManager.default.removeItem(atPath: path + "/data.mdb")
        let opening = try open(path)
        #expect(opening.condition == .new)
        #expect(opening.events == fixture.log.head)
    }

    @Test(arguments: [0, 100, 4_096, 20_000])
    func aFileThatWasCutOffIsBuiltAnew(length: Int) throws {
        try fill()
        let path = try left()
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path + "/data.mdb"))
        try file.truncate(atOffset: UInt64(length))
        try file.close()
        let opening = try open(path)
        #expect(opening.events == fixture.log.head)
        #expect(length == 0 || opening.condition == .droppedAsUnreadable)
    }

    @Test func anUnfinishedRebuildIsDropped() throws {
        try fill()
        let path = try left()
        try FileManager.default.createDirectory(atPath: next, withIntermediateDirectories: true)
        try Data("half".utf8).write(to: URL(fileURLWithPath: next + "/data.mdb"))
        #expect(try open(path).condition == .kept)
        #expect(!FileManager.default.fileExists(atPath: next))
    }

    private func remark(_ path: String, _ change: (String) -> String) throws {
        let text = try String(contentsOfFile: path + "/mark", encoding: .utf8)
        try change(text).write(toFile: path + "/mark", atomically: true, encoding: .utf8)
    }

    @Test func anotherVersionIsBuiltBesideTheOldAndTheOldIsTakenUpAgainByItsOwnProgram() throws {
        try fill()
        let path = try left()
        // As a program would have left it whose accounts were of another version.
        try remark(path) { $0.replacingOccurrences(of: "accounts=\(AccountsProjection.version)", with: "accounts=0") }
        var opening: ViewsOpening? = try open(path)
        #expect(opening?.condition == .droppedForOtherProjections)
        #expect(opening?.changed == ["accounts"])
        #expect(opening?.comparison?.count == 0)
        #expect(try String(contentsOfFile: former + "/mark", encoding: .utf8).contains("accounts=0"))
        try opening?.views.close()
        opening = nil
        // The other way round: what is in use is another program's, what was kept is ours.
        let versions = ViewsMark.currentProjections.joined(separator: " ")
        try remark(path) { $0.replacingOccurrences(of: versions, with: "accounts=99") }
        try remark(former) { $0.replacingOccurrences(of: "accounts=0", with: "accounts=\(AccountsProjection.version)") }
        try fill(steps: 30)
        let back = try open(path)
        #expect(back.changed.isEmpty)
        #expect(back.events > 0 && back.events < fixture.log.head)
        #expect(try String(contentsOfFile: former + "/mark", encoding: .utf8).contains("accounts=99"))
    }
}
