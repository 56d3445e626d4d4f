import Foundation
import Model
import Primitives
import Projections
import SwiftProtobuf
import Testing

@testable import ControlPlane

@Suite struct WorkerDeathTests {
    private func answered(_ town: Town, worker: String = "s1") throws -> CallID {
        let call = town.newCall()
        _ = try town.start(call, from: town.alice, to: "2488700", worker: worker)
        _ = try town.answer(call, worker: worker)
        return call
    }

    private func adoptions(_ town: Town) -> [AdoptCall] {
        town.platform.feed.compactMap { if case .adopt(let adopt)? = $0.kind { adopt } else { nil } }
    }

    @Test func answeredCallsMoveAndEarlyOnesAreClosed() throws {
        let town = try Town()
        let running = try answered(town)
        let ringing = town.newCall()
        _ = try town.start(ringing, from: town.bob, to: "2488700")
        town.platform.run(.seconds(4), beating: ["s2"])
        #expect(try town.live(running)?.worker == "s2")
        let adopt = try #require(adoptions(town).first)
        #expect(adopt.worker == "s2")
        #expect(adopt.callID == running.data)
        #expect(adopt.snapshot.mediaWorker == "m1")
        #expect(adopt.started.worker == "s1")
        let cdr = try #require(try town.cdrs().first)
        #expect(cdr.callID == ringing.data)
        #expect(cdr.cause == .workerLost)
        // Both ran when their worker was last heard.
        #expect(adopt.knownUntil == cdr.endedAt && adopt.knownUntil >= adopt.answeredAt)
        #expect(cdr.worker == "s1")
        #expect(town.platform.feed.last { $0.roster.workers.count > 0 }?.roster.workers.map(\.worker) == ["s2"])
        // The heir reports the end; the charge runs from the answer.
        town.platform.run(.seconds(116), beating: ["s2"])
        _ = try town.finish(running, worker: "s2")
        #expect(try town.cdrs().last?.worker == "s2")
        #expect(try town.cdrs().last?.durationMs == 120_000)
    }

    @Test func creditOfACallThatHasMovedIsRenewedByItsHeirAlone() throws {
        let town = try Town(prepaid: true)
        try town.topUp(5_000_000)
        let call = try answered(town)
        let granted = try town.renew(call, used: 1).creditGranted.grantedSeconds
        #expect(granted > 0)
        town.platform.run(.seconds(4), beating: ["s2"])
        #expect(try town.live(call)?.worker == "s2")
        #expect(try town.renew(call, used: 5, worker: "s2").creditGranted.grantedSeconds >= granted)
        _ = try town.platform.hello("s1", incarnation: 2)
        #expect(try town.renew(call, used: 9).error.code == .notOwner)
        _ = try town.finish(call, worker: "s2")
        #expect(try town.renew(call, used: 9, worker: "s2").error.code == .notOwner)
    }

    @Test func callsGoToTheLeastLoaded() throws {
        let town = try Town()
        try town.platform.enroll("s3")
        _ = try town.platform.hello("s3")
        for _ in 0..<4 { _ = try answered(town) }
        _ = try answered(town, worker: "s2")
        town.platform.run(.seconds(4), beating: ["s2", "s3"], calls: ["s2": 1, "s3": 0])
        #expect(adoptions(town).map(\.worker).sorted() == ["s2", "s2", "s3", "s3"])
    }

    @Test func aWorkerThatComesBackHearsWhatItHasLost() throws {
        let town = try Town()
        let moved = try answered(town)
        let closed = town.newCall()
        _ = try town.start(closed, from: town.bob, to: "2488700")
        town.platform.run(.seconds(4), beating: ["s2"])
        #expect(try town.answer(closed).error.code == .sayHello)
        let unheardOf = town.newCall()
        let welcome = try town.platform.hello("s1", calls: [moved, closed, unheardOf]).welcome
        #expect(welcome.lostCalls == [moved.data, closed.data])
        #expect(try town.answer(closed).error.code == .notOwner)
        #expect(try town.finish(closed).error.code == .notOwner)
        #expect(try town.finish(moved, cause: .mediaTimeout).error.code == .notOwner)
        #expect(try town.cdrs().count == 1)
    }

    /// What its outbox held when it was killed: a party had hung up, nobody was told, and the heir knows of nobody to ask.
    @Test func anEndThatThePartyMadeIsRecordedAfterTheCallHasMoved() throws {
        let town = try Town()
        let moved = try answered(town)
        let end = town.platform.wall + .seconds(1)
        town.platform.run(.seconds(4), beating: ["s2"])
        #expect(try town.live(moved)?.worker == "s2")
        _ = try town.platform.hello("s1", incarnation: 2)
        _ = try town.finish(moved, endedAt: end)
        let cdr = try #require(try town.cdrs().last)
        #expect(cdr.callID == moved.data)
        #expect(cdr.worker == "s1")
        #expect(cdr.endedAt == end.microseconds)
        let order = try #require(town.platform.feed.last { $0.hangUp.callID == moved.data }?.hangUp)
        #expect(order.worker == "s2")
        #expect(order.cause == cdr.cause)
        #expect(try town.finish(moved, worker: "s2").error.code == .notOwner)
        #expect(try town.cdrs().count == 1)
    }

    @Test func aRestartedProcessGetsItsAnsweredCallsFromTheLedger() throws {
        let town = try Town()
        let running = try answered(town)
        let kept = try answered(town)
        let ringing = town.newCall()
        _ = try town.start(ringing, from: town.bob, to: "2488700")
        _ = try town.platform.desk("s2", .with { $0.heartbeat.calls = 50 })
        town.platform.feed = []
        let welcome = try town.platform.hello("s1", incarnation: 2, calls: [kept]).welcome
        #expect(welcome.lostCalls.isEmpty)
        #expect(adoptions(town).map(\.worker) == ["s1"])
        #expect(adoptions(town).map(\.callID) == [running.data])
        #expect(try town.live(running)?.worker == "s1")
        #expect(try town.live(kept)?.worker == "s1")
        #expect(try town.live(ringing) == nil)
    }

    @Test func anAdoptionThatWasLostIsToldAgain() throws {
        let town = try Town()
        let call = try answered(town)
        town.platform.feed = []
        let head = town.platform.head
        _ = try town.platform.hello("s1")
        #expect(adoptions(town).map(\.callID) == [call.data])
        #expect(town.platform.head == head)
    }

    @Test func callsWaitForAnHeirAndAreClosedWhenTheLeaseIsOver() throws {
        let town = try Town()
        let call = try answered(town)
        town.platform.run(.seconds(2), beating: ["s1"])
        town.platform.run(.seconds(30))
        #expect(try town.live(call)?.worker == "s1")
        _ = try town.platform.hello("s2", incarnation: 9)
        town.platform.run(.seconds(1), beating: ["s2"])
        #expect(try town.live(call)?.worker == "s2")
        // Now nobody comes.
        town.platform.run(.seconds(62))
        #expect(try town.live(call) != nil)
        town.platform.run(.seconds(2))
        let cdr = try #require(try town.cdrs().first)
        #expect(cdr.cause == .workerLost)
        #expect(cdr.answeredAt > 0)
        // It ends when its worker was last heard: 2 s with s1, 31 s until s2 had it.
        #expect(cdr.durationMs == 33_000)
        #expect(cdr.charges.map(\.billedSeconds) == [60, 60, 60])
    }

    @Test func afterAStartWorkersGetTimeToComeBack() throws {
        let town = try Town()
        let call = try answered(town)
        try town.platform.restart()
        town.platform.run(.seconds(9))
        #expect(try town.live(call)?.worker == "s1")
        #expect(try town.answer(call).error.code == .sayHello)
        #expect(try town.platform.hello("s1", calls: [call]).welcome.lostCalls.isEmpty)
        town.platform.run(.seconds(30), beating: ["s1"])
        #expect(try town.live(call)?.worker == "s1")
        #expect(try town.finish(call).recorded.logPosition > 0)
    }

    /// Both were killed: the worker's new process is the first that the new control process hears of, and has none of the old one's calls.
    @Test func aRingingCallThatNobodyHasAfterAStartIsClosed() throws {
        let town = try Town(prepaid: true)
        try town.topUp(5_000_000)
        let kept = town.newCall()
        let lost = town.newCall()
        _ = try town.start(kept, from: town.bob, to: "2488700")
        _ = try town.start(lost, from: town.alice, to: "2488700")
        let running = try answered(town)
        try town.platform.restart()
        town.platform.feed = []
        _ = try town.platform.hello("s1", incarnation: 2, calls: [kept])
        #expect(try town.live(lost) == nil)
        #expect(try town.cdrs().map(\.callID) == [lost.data])
        #expect(try town.cdrs().map(\.cause) == [.workerLost])
        #expect(try town.live(kept)?.worker == "s1")
        #expect(adoptions(town).map(\.callID) == [running.data])
    }

    @Test func aStallOfTheControlPlaneKillsNobody() throws {
        let town = try Town()
        let call = try answered(town)
        town.platform.run(.seconds(1), beating: ["s1", "s2"])
        town.platform.advance(.seconds(30))
        town.platform.run(.seconds(1))
        #expect(try town.live(call)?.worker == "s1")
        #expect(adoptions(town).isEmpty)
    }

    @Test func aRevokedWorkersCallsGoOnElsewhere() throws {
        let town = try Town()
        let call = try answered(town)
        try town.platform.admin(.revokeWorker(name: "s1"))
        #expect(town.platform.admissions.last == .dismiss(name: "s1"))
        town.platform.run(.seconds(1), beating: ["s2"])
        #expect(try town.live(call)?.worker == "s2")
        #expect(try town.finish(call).error.code == .notEnrolled)
    }

    @Test func aCallThatItsWorkerForgotIsClosed() throws {
        let town = try Town()
        let call = town.newCall()
        _ = try town.start(call, from: town.alice, to: "2488700")
        town.platform.run(.seconds(14 * 60), beating: ["s1", "s2"])
        #expect(try town.live(call) != nil)
        town.platform.run(.seconds(3 * 60), beating: ["s1", "s2"])
        #expect(try town.cdrs().map(\.cause) == [.workerLost])
    }

    @Test func aWorkerSaysWhatItIs() throws {
        let town = try Town()
        #expect(try town.platform.hello("s1", .media).error.code == .malformed)
        #expect(try town.platform.hello("nobody").error.code == .notEnrolled)
        let pretender = DeskRequest.with {
            $0.hello.worker = "s2"
            $0.hello.kind = .signal
        }
        #expect(try town.platform.desk("s1", pretender).error.code == .malformed)
    }

    @Test func locatingTellsTheOwnerAndGivesTheSnapshotToItAlone() throws {
        let town = try Town()
        let call = try answered(town)
        let request = DeskRequest.with { $0.locateCall.callID = call.data }
        let own = try town.platform.desk("s1", request).callLocated
        #expect(own.owner == "s1" && own.ownerAlive && own.snapshot.mediaWorker == "m1")
        let other = try town.platform.desk("s2", request).callLocated
        #expect(other.found && !other.hasSnapshot)
        #expect(try town.platform.desk("s2", .with { $0.locateCall.callID = Data() }).callLocated.found == false)
    }

    @Test func feedNumbersHaveNoGap() throws {
        let town = try Town()
        _ = try answered(town)
        town.platform.run(.seconds(10), beating: ["s2"])
        let numbers = town.platform.feed.map(\.number)
        #expect(!numbers.isEmpty)
        for (number, next) in zip(numbers, numbers.dropFirst()) { #expect(next == number + 1) }
        #expect(try town.platform.hello("s2").welcome.feedNumber == numbers.last)
    }
}
