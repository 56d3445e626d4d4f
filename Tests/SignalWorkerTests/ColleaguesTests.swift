import Foundation
import Model
import Primitives
import Testing

@testable import SignalWorker

/// Who is there, when the control plane knows less than it did.
@Suite struct ColleaguesTests {
    private func roster(_ names: [String], incarnation: UInt8 = 1) -> Roster {
        var roster = Roster()
        for name in names {
            var row = RosterEntry()
            row.worker = name
            row.kind = name.hasPrefix("m") ? .media : .signal
            row.incarnation = Data([incarnation])
            roster.workers.append(row)
        }
        return roster
    }

    private func at(_ seconds: Int) -> Instant { Instant.zero + .seconds(seconds) }

    @Test func whomTheFeedLeavesOutIsDeadAtOnce() {
        var colleagues = Colleagues(grace: .seconds(12))
        _ = colleagues.take(roster(["m1", "w2"]), from: .welcome, now: at(0))
        #expect(colleagues.take(roster(["w2"]), from: .feed, now: at(1)) == ["m1"])
        #expect(!colleagues.isAlive("m1"))
    }

    @Test func whomARestartedControlPlaneDoesNotKnowYetIsNotDead() {
        var colleagues = Colleagues(grace: .seconds(12))
        _ = colleagues.take(roster(["m1", "w2"]), from: .welcome, now: at(0))
        #expect(colleagues.take(roster(["w1"]), from: .welcome, now: at(100)) == [])
        // Others greet it, one after the other: each time the feed tells of those who have.
        #expect(colleagues.take(roster(["w1", "w2"]), from: .feed, now: at(101)) == [])
        #expect(colleagues.isAlive("m1"))
        #expect(colleagues.roster.workers.map(\.worker) == ["m1", "w1", "w2"])
        #expect(colleagues.nextWake == at(112))
        #expect(colleagues.expire(at(111)) == [])
        #expect(colleagues.expire(at(112)) == ["m1"])
    }

    @Test func whoAppearsInTimeIsAsBefore() {
        var colleagues = Colleagues(grace: .seconds(12))
        _ = colleagues.take(roster(["m1"]), from: .welcome, now: at(0))
        _ = colleagues.take(roster([]), from: .welcome, now: at(100))
        #expect(colleagues.take(roster(["m1"]), from: .feed, now: at(101)) == [])
        #expect(colleagues.nextWake == nil)
        #expect(colleagues.take(roster([]), from: .feed, now: at(102)) == ["m1"])
    }

    @Test func aProcessOfTheSameNameIsAnother() {
        var colleagues = Colleagues(grace: .seconds(12))
        _ = colleagues.take(roster(["m1"]), from: .welcome, now: at(0))
        #expect(colleagues.take(roster(["m1"], incarnation: 2), from: .feed, now: at(1)) == ["m1"])
        #expect(colleagues.isAlive("m1"))
    }

    @Test func sessionsAreSpread() {
        var colleagues = Colleagues(grace: .seconds(12))
        _ = colleagues.take(roster(["m1", "m2", "w2"]), from: .welcome, now: at(0))
        var chosen: [String] = []
        for _ in 0..<4 {
            guard let worker = colleagues.mediaWorker() else { break }
            chosen.append(worker)
            colleagues.count(on: worker)
        }
        #expect(chosen == ["m1", "m2", "m1", "m2"])
        #expect(colleagues.mediaWorker(except: ["m1", "m2"]) == nil)
    }
}
