import Foundation
import Model
import Primitives
import SwiftProtobuf
import Testing

@testable import ControlPlane

@Suite struct WorkerTableTests {
    private let wall = WallTime(microseconds: 1_000_000)
    private func at(_ seconds: Int64) -> Instant { .zero + .seconds(seconds) }

    private func hello(_ name: String, _ kind: WorkerKind = .signal, incarnation: UInt8 = 1) -> Hello {
        var hello = Hello()
        hello.worker = name
        hello.kind = kind
        hello.incarnation = .init([incarnation])
        return hello
    }

    @Test func figuresOfAMediaWorkerAreThoseOfItsLastHeartbeat() {
        var table = WorkerTable(deadAfter: .seconds(3))
        var worker = Worker()
        worker.name = "m1"
        worker.kind = .media
        _ = table.greet(hello("m1", .media), publicKey: [], now: .zero, wall: WallTime(microseconds: 0))
        #expect(table.status(of: worker).media == nil)
        table.load("m1", .with { $0.calls = 1; $0.media.packetsByXdp = 7 })
        #expect(table.status(of: worker).media?.packetsByXdp == 7)
    }

    @Test func silenceOfThreeSecondsIsDeath() {
        var table = WorkerTable(deadAfter: .seconds(3))
        #expect(table.heard("s1", now: at(0), wall: wall) == false)
        #expect(table.greet(hello("s1"), publicKey: [], now: at(0), wall: wall) == .first)
        #expect(table.sweep(now: at(2)).isEmpty)
        #expect(table.heard("s1", now: at(2), wall: wall) == true)
        #expect(table.sweep(now: at(4)).isEmpty)
        #expect(table.sweep(now: at(5)) == ["s1"])
        #expect(!table.isAlive("s1"))
        #expect(table.heard("s1", now: at(5), wall: wall) == false)
        #expect(table.roster.workers.isEmpty)
        #expect(table.sweep(now: at(9)).isEmpty)
    }

    @Test func aNewIncarnationIsARestart() {
        var table = WorkerTable(deadAfter: .seconds(3))
        _ = table.greet(hello("s1"), publicKey: [], now: at(0), wall: wall)
        #expect(table.greet(hello("s1"), publicKey: [], now: at(1), wall: wall) == .known)
        #expect(table.greet(hello("s1", incarnation: 2), publicKey: [], now: at(2), wall: wall) == .restarted)
    }

    @Test func expectedWorkersGetTheirGrace() {
        var table = WorkerTable(deadAfter: .seconds(3))
        table.expect("s1", until: at(10))
        table.expect("s2", until: at(10))
        _ = table.greet(hello("s2"), publicKey: [], now: at(9), wall: wall)
        #expect(table.nextDeadline == at(10))
        #expect(table.sweep(now: at(10)) == ["s1"])
        #expect(table.sweep(now: at(11)).isEmpty)
    }

    @Test func nobodyIsBlamedForAStallOfOurOwn() {
        var table = WorkerTable(deadAfter: .seconds(3))
        _ = table.greet(hello("s1"), publicKey: [], now: at(0), wall: wall)
        table.forgive(.seconds(20))
        #expect(table.sweep(now: at(20)).isEmpty)
        #expect(table.sweep(now: at(23)) == ["s1"])
    }

    @Test func callsGoToTheLeastLoadedSignalWorkerThatIsNotDraining() {
        var table = WorkerTable(deadAfter: .seconds(3))
        for name in ["s1", "s2", "s3"] { _ = table.greet(hello(name), publicKey: [], now: at(0), wall: wall) }
        _ = table.greet(hello("m1", .media), publicKey: [], now: at(0), wall: wall)
        table.load("s1", .with { $0.calls = 2 })
        table.load("s3", .with { $0.calls = 1 })
        table.drain("s2")
        var heirs: [String?] = []
        for _ in 0..<4 { heirs.append(table.takeLeastLoadedSignalWorker()) }
        #expect(heirs == ["s3", "s1", "s3", "s1"])
        table.drain("s1")
        table.drain("s3")
        let last = table.takeLeastLoadedSignalWorker()
        #expect(last == "s2")
    }
}
