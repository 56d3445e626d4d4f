import Foundation
import Ledger
import Model
import Primitives
import Projections
import Testing

@Suite struct ReplayTests {
    @Test(arguments: 1...12)
    func replayEqualsLive(seed: UInt64) throws {
        let fixture = try Fixture()
        var history = History(seed: seed)
        try fixture.live(&history, steps: 400)
        let rebuilt = try Views.rebuild(into: fixture.path("rebuilt"), from: fixture.log)
        #expect(try Views.difference(fixture.views, rebuilt) == nil)
        try rebuilt.read { views throws(ViewsError) in
            #expect(views.applied == fixture.log.head)
            for line in try views.trialBalance() { #expect(line.micros == 0) }
            #expect(try views.nextCDRNumber() == history.cdrs + 1)
            #expect(try views.liveCallCount() == UInt64(history.livingCalls.count))
        }
    }

    /// What is put off while events are taken in is made up at the end of each piece, wherever calls are then.
    @Test(arguments: 1...8)
    func inWhateverPiecesALogIsTakenInTheViewsAreTheSame(seed: UInt64) throws {
        let fixture = try Fixture()
        var history = History(seed: seed)
        try fixture.live(&history, steps: 300)
        var random = RandomSource(seed: seed)
        let pieces = try Views.rebuild(into: fixture.path("pieces"), from: fixture.log, through: 1)
        while try pieces.read({ views in views.applied }) < fixture.log.head {
            let applied = try pieces.read { views in views.applied }
            try pieces.catchUp(with: fixture.log, through: applied + UInt64.random(in: 1...60, using: &random))
        }
        #expect(try Views.difference(fixture.views, pieces) == nil)
    }

    @Test(arguments: 1...4)
    func everyStreamHasTheVersionThatTheLogGivesIt(seed: UInt64) throws {
        let fixture = try Fixture()
        var history = History(seed: seed)
        try fixture.live(&history, steps: 150)
        var streams: [UUIDv7] = []
        try fixture.log.read(from: 1) { envelope in
            streams.append(envelope.stream)
            return true
        }
        for stream in streams {
            let version = try fixture.log.version(of: stream)
            #expect(try fixture.views.read { views throws(ViewsError) in try views.version(of: stream) } == version)
        }
    }

    @Test func catchingUpStopsWhereItIsTold() throws {
        let fixture = try Fixture()
        var history = History(seed: 7)
        try fixture.live(&history, steps: 100)
        let early = try Views.rebuild(into: fixture.path("early"), from: fixture.log, through: 42)
        #expect(try early.read { views in views.applied } == 42)
        #expect(try Views.difference(fixture.views, early) == .applied(fixture.log.head, 42))
        var told: [UInt64] = []
        let count = try early.catchUp(with: fixture.log) { applied, _ in told.append(applied) }
        #expect(count == fixture.log.head - 42)
        #expect(told == [fixture.log.head])
        #expect(try Views.difference(fixture.views, early) == nil)
        #expect(try early.catchUp(with: fixture.log) == 0)
    }

    @Test func aLogLongerThanOneTransactionIsTakenInWhole() throws {
        let fixture = try Fixture()
        var random = RandomSource(seed: 1)
        let stream = UUIDv7(at: WallTime(microseconds: 1), random: &random)
        var event = ContactChanged()
        event.contact.id = Data(stream.bytes)
        try fixture.append(Array(repeating: Event.contactChanged(event).new(stream), count: 10_000))
        #expect(try fixture.views.catchUp(with: fixture.log) == 10_000)
        #expect(try fixture.views.read { views throws(ViewsError) in try views.version(of: stream) } == 10_000)
    }

    @Test func viewsOfAnotherLogAreBuiltAnew() throws {
        let one = try Fixture()
        let two = try Fixture()
        var a = History(seed: 1)
        var b = History(seed: 2)
        try one.live(&a, steps: 50)
        try two.live(&b, steps: 80)
        #expect(try one.views.catchUp(with: two.log) == two.log.head)
        #expect(try Views.difference(one.views, two.views) == nil)
    }

    @Test func viewsAheadOfARestoredLogAreBuiltAnew() throws {
        let fixture = try Fixture()
        var history = History(seed: 3)
        try fixture.live(&history, steps: 20)
        let ahead = try Fixture()
        try fixture.log.read(from: 1) { envelope in
            do {
                try ahead.append(
                    [
                        NewEvent(
                            stream: envelope.stream, type: envelope.type, schemaVersion: 1, payload: envelope.payload)
                    ],
                    at: envelope.time)
            } catch {
                Issue.record(error)
            }
            return envelope.sequence < 10
        }
        #expect(try fixture.views.catchUp(with: ahead.log) == 10)
        #expect(try fixture.views.read { views in views.applied } == 10)
    }

    @Test func whatABodyThrowsLeavesNothingBehind() throws {
        struct Refused: ViewsFailure {
            init(_ error: ViewsError) {}
        }
        let fixture = try Fixture()
        var history = History(seed: 5)
        try fixture.live(&history, steps: 30)
        let (time, step) = history.next()
        #expect(throws: Refused.self) {
            try fixture.views.write { (views) throws(Refused) in
                do throws(ViewsError) {
                    for (event, stream) in step { _ = try views.record(event, stream: stream, time: time) }
                } catch {
                    throw Refused(error)
                }
                throw Refused(.unreadable(table: .meta))
            }
        }
        let rebuilt = try Views.rebuild(into: fixture.path("rebuilt"), from: fixture.log)
        #expect(try Views.difference(fixture.views, rebuilt) == nil)
    }

    @Test func aTransactionSeesWhatItHasRecordedAndASnapshotDoesNot() throws {
        let fixture = try Fixture()
        var random = RandomSource(seed: 1)
        var tenant = Tenant()
        tenant.id = Data(UUIDv7(at: WallTime(microseconds: 1), random: &random).bytes)
        tenant.domain = "one.example"
        var event = TenantCreated()
        event.tenant = tenant
        let stream = try #require(UUIDv7(bytes: tenant.id))
        try fixture.views.write { views throws(ViewsError) in
            let context = try views.record(.tenantCreated(event), stream: stream, time: WallTime(microseconds: 9))
            #expect(context == EventContext(sequence: 1, stream: stream, version: 1, time: WallTime(microseconds: 9)))
            #expect(try views.tenant(domain: "one.example") == tenant)
            #expect(try views.version(of: stream) == 1)
            #expect(views.applied == 1)
            let seen = try fixture.views.read { views throws(ViewsError) in try views.tenant(domain: "one.example") }
            #expect(seen == nil)
        }
        #expect(
            try fixture.views.read { views throws(ViewsError) in try views.tenant(domain: "one.example") } == tenant)
    }
}
