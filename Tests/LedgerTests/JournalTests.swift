import Foundation
import LMDB
import OpenSSL
import Primitives
import Testing

@testable import Ledger

/// What is durable in the journal before the tables have it.
@Suite struct JournalTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func open() throws -> LMDBEventLog { try LMDBEventLog(directory: directory.path) }

    private func file(_ index: Int, of directory: TemporaryDirectory? = nil) -> URL {
        URL(fileURLWithPath: "\((directory ?? self.directory).path)/journal-\(index)")
    }

    private func copy() throws -> TemporaryDirectory {
        let copy = try TemporaryDirectory()
        for name in ["data.mdb", "journal-0", "journal-1"] where FileManager.default.fileExists(atPath: "\(directory.path)/\(name)") {
            try FileManager.default.copyItem(atPath: "\(directory.path)/\(name)", toPath: "\(copy.path)/\(name)")
        }
        return copy
    }

    @Test func readersSeeWhatWasRecordedAfterItIsPublished() throws {
        let log = try open()
        #expect(try log.record([commit([event(1), event(2, on: 2)], key: [7], outcome: [70]), commit([event(3)])]) == [.appended(1...2), .appended(3...3)])
        #expect(log.head == 0)
        #expect(log.recorded.head == 3)
        #expect(log.unpublishedBytes > 0)
        #expect(try log.event(at: 1) == nil)
        #expect(try log.version(of: stream(1)) == 0)
        // Whoever records next follows from it all the same.
        #expect(try log.record([commit([event(4)], expecting: [Expectation(stream: stream(1), version: 1)])]) == [.conflict(stream: stream(1), expected: 1, actual: 2)])
        #expect(try log.record([commit([event(4)], key: [7])]) == [.repeated(1...2, outcome: [70])])
        #expect(try log.outcome(forKey: [7])?.outcome == [70])
        try log.publish()
        #expect(log.head == 3)
        #expect(log.unpublishedBytes == 0)
        #expect(try log.event(at: 3)?.previous == 1)
        #expect(try log.outcome(forKey: [7])?.outcome == [70])
        #expect(try log.record([commit([event(4)], expecting: [Expectation(stream: stream(1), version: 2)])]) == [.appended(4...4)])
    }

    @Test func aKeyThatIsReleasedIsFreeAtOnce() throws {
        let log = try open()
        _ = try log.record([commit([event(1)], key: [7], outcome: [70])])
        var end = commit([event(2)])
        end.releases = [[7]]
        _ = try log.record([end])
        #expect(try log.outcome(forKey: [7]) == nil)
        #expect(try log.record([commit([event(3)], key: [7], outcome: [71])]) == [.appended(3...3)])
        // A kill before anything is published changes nothing of it.
        let left = try copy()
        #expect(try LMDBEventLog(directory: left.path).outcome(forKey: [7])?.outcome == [71])
        try log.publish()
        #expect(try log.outcome(forKey: [7])?.outcome == [71])
    }

    /// The same batches, whichever way they become durable, make the same log to the byte.
    @Test(arguments: [1, 2, 3] as [UInt64])
    func aLogIsTheSameWhicheverWayItBecameDurable(_ seed: UInt64) throws {
        var random = RandomSource(seed: seed)
        let plain = try TemporaryDirectory()
        let expected = try LMDBEventLog(directory: plain.path, durability: .none)
        var number: UInt64 = 0
        // Each round is a process that ends without a word to the log.
        while number < 400 { try run(&random, &number, expected) }
        let log = try open()
        #expect(log.head == expected.head)
        #expect(try log.rootHash(size: log.head) == expected.rootHash(size: expected.head))
        #expect(try LogVerifier(log).run().isIntact)
        for key in 0..<250 as Range<UInt8> {
            for index in 0..<4 as Range<UInt8> {
                #expect(try log.outcome(forKey: [key, index])?.sequences == expected.outcome(forKey: [key, index])?.sequences)
            }
        }
    }

    private func run(_ random: inout RandomSource, _ number: inout UInt64, _ expected: LMDBEventLog) throws {
        let log = try open()
        #expect(log.head == expected.head)
        while number < 400 {
            let batch = (0...(random.next() % 3)).map { index in
                var next = commit(
                    (0...(random.next() % 2)).map { event(number * 10 + $0, on: random.next() % 9, size: Int(random.next() % 900)) },
                    key: [UInt8(number % 250), UInt8(index)], outcome: [UInt8(index)])
                if number > 9 { next.releases = [[UInt8((number - 9) % 250), UInt8(index)]] }
                return next
            }
            number += 1
            let outcomes = try expected.append(batch)
            switch random.next() % 10 {
            case 0: #expect(try log.append(batch) == outcomes)
            case 1:
                #expect(try log.record(batch) == outcomes)
                try log.publish()
            case 2:
                #expect(try log.record(batch) == outcomes)
                let left = try copy()
                #expect(try LMDBEventLog(directory: left.path).head == expected.head)
            case 3:
                #expect(try log.record(batch) == outcomes)
                return
            default: #expect(try log.record(batch) == outcomes)
            }
            #expect(log.recorded.head == expected.head)
        }
    }

    /// Power fails while the last record is written: the ones before it are there, of itself nothing.
    @Test func aTornRecordIsAsIfItHadNotBeenWritten() throws {
        try { () throws in
            let log = try open()
            _ = try log.append([commit([event(1)])])
            _ = try log.record([commit([event(2)])])
            _ = try log.record([commit([event(3, size: 3_000)])])
        }()
        let whole = try Data(contentsOf: file(0))
        let first = JournalRecord.Place(Array(whole), at: 0)
        let end = try #require(first?.end)
        var cuts = Array(stride(from: end, to: end + 3_000, by: 331))
        cuts += [end + 1, end + 31, end + 32, end + 40, end + 95, end + 96]
        for cut in cuts {
            let torn = try copy()
            var bytes = whole
            bytes.replaceSubrange(cut..., with: Data(count: whole.count - cut))
            try bytes.write(to: file(0, of: torn))
            let log = try LMDBEventLog(directory: torn.path)
            #expect(log.head == 2, "cut at \(cut)")
            #expect(try log.append([commit([event(4)])]) == [.appended(3...3)])
        }
    }

    @Test func aDamagedRecordThatOthersFollowIsRefused() throws {
        try { () throws in
            let log = try open()
            for number in 1...3 as ClosedRange<UInt64> { _ = try log.record([commit([event(number, size: 500)])]) }
        }()
        var bytes = try Data(contentsOf: file(0))
        bytes[200] ^= 1
        try bytes.write(to: file(0))
        #expect(throws: LedgerError.damaged(sequence: 1)) { try open() }
        #expect(try LMDBEventLog(directory: directory.path, isReadOnly: true).leftInJournal == .unusable(.damaged(sequence: 1)))
    }

    @Test func aJournalIsNotTakenForTheContinuationOfAnOlderCopyOrOfAnotherLog() throws {
        try { () throws in
            let log = try open()
            _ = try log.append([commit([event(1)])])
        }()
        let old = try copy()
        try { () throws in
            let log = try open()
            _ = try log.append([commit([event(2)])])
            _ = try log.record([commit([event(3)])])
        }()
        try FileManager.default.copyItem(at: file(0), to: file(0, of: old))
        #expect(throws: LedgerError.journalOfAnother(continues: 2, head: 1)) { try LMDBEventLog(directory: old.path) }
        let reader = try LMDBEventLog(directory: old.path, isReadOnly: true)
        #expect(reader.head == 1)
        #expect(reader.leftInJournal == .unusable(.journalOfAnother(continues: 2, head: 1)))
        // As long, and of other events.
        let other = try TemporaryDirectory()
        try { () throws in
            let log = try LMDBEventLog(directory: other.path)
            _ = try log.append([commit([event(1)]), commit([event(8)])])
        }()
        try FileManager.default.copyItem(at: file(0), to: file(0, of: other))
        #expect(throws: LedgerError.journalOfAnother(continues: 2, head: 2)) { try LMDBEventLog(directory: other.path) }
    }

    @Test func whatIsTooMuchForTheJournalGoesIntoTheTables() throws {
        let log = try open()
        for number in 1...5 as ClosedRange<UInt64> {
            #expect(try log.record([commit([event(number, size: 1_000_000)])]) == [.appended(number...number)])
        }
        #expect(log.recorded.head == 5)
        // Four of them fill a file; they wait to be published while the other one is written.
        #expect(log.head == 0)
        #expect(try log.record([commit([event(6, size: Journal.capacity)])]) == [.appended(6...6)])
        #expect(log.head == 6)
        try log.publish()
        #expect(try LogVerifier(log).run().isIntact)
        let size = try #require(FileManager.default.attributesOfItem(atPath: file(0).path)[.size] as? Int)
        #expect(size <= Journal.capacity)
    }

    /// Another process that reads sees a running writer's log as far as it is published, a killed one's to its end.
    @Test func aReaderOfAStoppedLogSeesItsEnd() throws {
        var log: LMDBEventLog? = try open()
        _ = try log?.append([commit([event(1)])])
        _ = try log?.record([commit([event(2)])])
        let left = try copy()
        #expect(try LMDBEventLog(directory: left.path, isReadOnly: true).head == 2)
        log = nil
        let reader = try LMDBEventLog(directory: directory.path, isReadOnly: true)
        #expect(reader.head == 2)
        #expect(reader.leftInJournal == .nothing)
        #expect(try LogVerifier(reader).run().isIntact)
    }

    @Test func aReaderIsToldOfWhatItCannotTakeIn() throws {
        try { () throws in
            let log = try open()
            _ = try log.append([commit([event(1)])])
            _ = try log.record([commit([event(2), event(3)])])
        }()
        // Somebody else's lock stands for a directory that cannot be written: root may write everywhere.
        try FileManager.default.createDirectory(atPath: directory.path + "/writer.lock.d", withIntermediateDirectories: true)
        try FileManager.default.removeItem(atPath: directory.path + "/writer.lock")
        try FileManager.default.moveItem(atPath: directory.path + "/writer.lock.d", toPath: directory.path + "/writer.lock")
        let reader = try LMDBEventLog(directory: directory.path, isReadOnly: true)
        #expect(reader.head == 1)
        #expect(reader.leftInJournal == .events(2))
    }

    @Test func tablesThatRefuseLeaveTheJournalAsItIs() throws {
        let small = try LMDBEventLog(directory: directory.path, sizeMax: 1 << 20)
        var recorded: UInt64 = 0
        #expect(throws: LedgerError.storage(.mapFull)) {
            while true {
                _ = try small.record([commit([event(recorded, size: 50_000)])])
                recorded += 1
                try small.publish()
            }
        }
        #expect(small.recorded.head == recorded && small.head == recorded - 1)
        // Nothing more is promised before the tables have taken what was.
        #expect(throws: LedgerError.storage(.mapFull)) { try small.record([commit([event(recorded, size: 10)])]) }
        #expect(small.recorded.head == recorded)
        let left = try copy()
        let large = try LMDBEventLog(directory: left.path)
        #expect(large.head == recorded)
        #expect(try LogVerifier(large).run().isIntact)
    }

    @Test func aKeyThatNoTableTakesIsRefusedBeforeItIsPromised() throws {
        let log = try open()
        for count in [0, 512] {
            #expect(throws: LedgerError.keySize(have: count, limit: 511)) {
                try log.record([commit([event(1)], key: [UInt8](repeating: 1, count: count))])
            }
        }
        #expect(try log.record([commit([event(1)], key: [UInt8](repeating: 1, count: 511))]) == [.appended(1...1)])
        try log.publish()
    }

    /// Batches become durable while others are published, by two threads.
    @Test func publishingDoesNotDisturbRecording() throws {
        let log = try open()
        let publisher = LogPublisher(log)
        for number in 0..<3_000 as Range<UInt64> {
            _ = try log.record([commit([event(number, on: number % 50, size: 600)], expecting: [Expectation(stream: stream(number % 50), version: number / 50)])])
            publisher.recorded()
        }
        publisher.stop()
        #expect(log.head > 0)
        try log.publish()
        #expect(log.head == 3_000)
        #expect(try LogVerifier(log).run().isIntact)
        #expect(try IndexVerifier(log).run() == nil)
    }
}
