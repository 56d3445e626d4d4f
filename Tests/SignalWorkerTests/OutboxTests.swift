import Bus
import Foundation
import Glibc
import Model
import Primitives
import Testing

@testable import SignalWorker

/// Facts are told in order, and outlive the process.
@Suite struct OutboxTests {
    static let call = CallID(UUIDv7(high: 1, low: 2))

    static func fact(_ number: UInt64, of call: CallID = call) -> Fact {
        Fact(id: RequestID(high: 7, low: number), call: call, body: [UInt8](repeating: UInt8(number), count: Int(number) * 10))
    }

    @Test func theNextFactOfACallWaitsForTheOneBefore() {
        let other = CallID(UUIDv7(high: 3, low: 4))
        var outbox = Outbox()
        #expect(outbox.add(Self.fact(1)) == Self.fact(1))
        #expect(outbox.add(Self.fact(2)) == nil)
        #expect(outbox.add(Self.fact(3, of: other)) == Self.fact(3, of: other))
        #expect(outbox.calls == [Self.call, other])
        #expect(outbox.settle(Self.call) == Self.fact(2))
        #expect(outbox.settle(Self.call) == nil)
        #expect(outbox.calls == [other])
    }

    @Test func whatWasNotForgottenIsThereAfterAKill() throws {
        let directory = try Self.directory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        var found: [Fact] = []
        do {
            var file = try OutboxFile(directory: directory, facts: &found)
            for number in UInt64(1)...4 { file.keep(Self.fact(number)) }
            file.forget(Self.fact(2))
            file.forget(Self.fact(2))
        }
        #expect(found.isEmpty)
        do {
            var file = try OutboxFile(directory: directory, facts: &found)
            #expect(found == [1, 3, 4].map { Self.fact($0) })
            file.forget(Self.fact(1))
        }
        _ = try OutboxFile(directory: directory, facts: &found)
        #expect(found == [3, 4].map { Self.fact($0) })
    }

    @Test func aRecordThatWasTornAtAnyByteCostsThatRecordAlone() throws {
        let directory = try Self.directory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        var found: [Fact] = []
        do {
            var file = try OutboxFile(directory: directory, facts: &found)
            file.keep(Self.fact(1))
            file.keep(Self.fact(2))
        }
        let whole = try [UInt8](Data(contentsOf: URL(fileURLWithPath: directory + "/outbox")))
        let first = whole.count - (37 + 20)
        for length in first..<whole.count {
            #expect(OutboxFile.read(Array(whole[..<length])) == [Self.fact(1)], "torn at \(length)")
        }
        #expect(OutboxFile.read(whole) == [Self.fact(1), Self.fact(2)])
    }

    /// A record that was cut short in the middle of the file would hide all that come after it.
    @Test(.enabled(if: geteuid() == 0, "a small file system is mounted by root alone"))
    func afterAFullDiskEverythingIsThere() throws {
        let directory = try Self.directory()
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try #require(mount("outbox-test", directory, "tmpfs", 0, "size=64k") == 0, "errno \(errno)")
        defer { umount2(directory, Int32(MNT_DETACH)) }
        let ballast = directory + "/ballast"
        try Data(count: 49_152).write(to: URL(fileURLWithPath: ballast))

        let facts = (1...20 as ClosedRange<UInt64>).map { Fact(id: RequestID(high: 9, low: $0), call: Self.call, body: [UInt8](repeating: UInt8($0), count: 1_000)) }
        var found: [Fact] = []
        do {
            var file = try OutboxFile(directory: directory + "/state", facts: &found)
            for fact in facts.dropLast() { file.keep(fact) }
            let whole = try [UInt8](Data(contentsOf: URL(fileURLWithPath: directory + "/state/outbox")))
            let kept = OutboxFile.read(whole)
            #expect(kept.count < 19 && kept == Array(facts.prefix(kept.count)))
            #expect(whole.count == kept.count * 1_037, "of a part nothing stays")
            try FileManager.default.removeItem(atPath: ballast)
            file.keep(facts[19])
        }
        _ = try OutboxFile(directory: directory + "/state", facts: &found)
        #expect(found == facts)
    }

    @Test func aDirectoryThatCannotBeMadeIsNamed() {
        var found: [Fact] = []
        do {
            _ = try OutboxFile(directory: "/dev/null/outbox", facts: &found)
            Issue.record("a directory under /dev/null was made")
        } catch {
            #expect(error.description.contains("/dev/null/outbox"))
        }
    }

    static func directory() throws -> String {
        let url = FileManager.default.temporaryDirectory.appending(path: "outbox-\(UInt64.random(in: 0 ... .max))")
        return url.path()
    }
}
