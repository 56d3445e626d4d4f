import Foundation
import LMDB
import OpenSSL
import Primitives
import Testing

@testable import Ledger

@Suite struct LMDBEventLogTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func open() throws -> LMDBEventLog { try LMDBEventLog(directory: directory.path, durability: .none) }

    @Test func eventsAreNumberedFromOneAndReadBackAsWritten() throws {
        let log = try open()
        #expect(try log.append([commit([event(1), event(2, on: 2)]), commit([event(3)])]) == [.appended(1...2), .appended(3...3)])
        #expect(log.head == 3)
        var read: [Envelope] = []
        try log.read(from: 1) { envelope in
            read.append(envelope)
            return true
        }
        #expect(read.map(\.sequence) == [1, 2, 3])
        #expect(read.map(\.version) == [1, 1, 2])
        #expect(read.map(\.previous) == [0, 0, 1])
        #expect(read.map(\.commit) == [1, 1, 3])
        #expect(read[1].payload == event(2).payload)
        #expect(read[2].actor == "tester" && read[2].cause == "request-1" && read[2].type == "test.happened")
        #expect(try log.history(of: stream(1), before: nil, limit: 10).map(\.sequence) == [3, 1])
        #expect(try log.event(at: 4) == nil)
    }

    @Test func aCommitIsTakenOnlyAtTheVersionsItExpects() throws {
        let log = try open()
        #expect(try log.append([commit([event(1)], expecting: [Expectation(stream: stream(1), version: 0)])]) == [.appended(1...1)])
        let outcomes = try log.append([
            commit([event(2), event(3, on: 2)], expecting: [Expectation(stream: stream(1), version: 0)]),
            commit([event(4)], expecting: [Expectation(stream: stream(1), version: 1), Expectation(stream: stream(2), version: 0)]),
        ])
        #expect(outcomes == [.conflict(stream: stream(1), expected: 0, actual: 1), .appended(2...2)])
        #expect(try log.version(of: stream(2)) == 0)
        #expect(try log.version(of: stream(1)) == 2)
    }

    @Test func laterCommitsOfABatchSeeEarlierOnes() throws {
        let log = try open()
        let first = commit([event(1)], expecting: [Expectation(stream: stream(1), version: 0)])
        #expect(try log.append([first, first]) == [.appended(1...1), .conflict(stream: stream(1), expected: 0, actual: 1)])
    }

    @Test func aRepeatedKeyGetsTheFirstOutcomeAndRecordsNothing() throws {
        let log = try open()
        let first = commit([event(1), event(2)], key: Array("key".utf8), outcome: [7, 8])
        #expect(try log.append([first]) == [.appended(1...2)])
        #expect(try log.append([commit([event(9)], key: Array("key".utf8), outcome: [9])]) == [.repeated(1...2, outcome: [7, 8])])
        #expect(log.head == 2)
        let stored = try #require(try log.outcome(forKey: Array("key".utf8)))
        #expect(stored.sequences == 1...2 && stored.outcome == [7, 8])
    }

    @Test func aReleasedKeyIsFreeAgain() throws {
        let log = try open()
        let key = Array("key".utf8)
        _ = try log.append([commit([event(1)], key: key, outcome: [7])])
        var end = commit([event(2)])
        end.releases = [key, Array("never used".utf8)]
        #expect(try log.append([end]) == [.appended(2...2)])
        #expect(try log.outcome(forKey: key) == nil)
        #expect(try log.append([commit([event(3)], key: key, outcome: [8])]) == [.appended(3...3)])
        #expect(try LogVerifier(log).run().isIntact)
    }

    /// Stored in half as many bytes; what the reader sees is the text.
    @Test(arguments: [
        "0190b7e25fa87c338000000000000001", "0190B7E25FA87C338000000000000001", "0190b7e25fa87c33800000000000000", "desk 0f3a", "",
    ])
    func aCauseComesBackAsItWasWritten(cause: String) throws {
        let log = try open()
        var request = commit([event(1)])
        request.cause = cause
        _ = try log.append([request])
        #expect(try log.event(at: 1)?.cause == cause)
        let bytes = try #require(try log.bytes(at: 1))
        #expect(Envelope(parsing: bytes.span.bytes)?.bytes == bytes)
    }

    @Test func theTreeGoesOnAfterReopeningAtEverySize() throws {
        // Past a full tile of 256 and its neighbours.
        var log: LMDBEventLog? = try open()
        let hasher = MerkleHasher()
        var range = CompactRange()
        var roots: [UInt64: [UInt8]] = [:]
        for number in 1...600 as ClosedRange<UInt64> {
            _ = try log!.append([commit([event(number)])])
            let bytes = try #require(try log!.bytes(at: number))
            range.append(hasher.leaf(bytes.span.bytes), hasher)
            roots[number] = range.root(hasher).bytes
            if number % 37 == 0 || (254...258).contains(number) || (510...514).contains(number) {
                log = nil
                log = try open()
            }
            #expect(try log!.rootHash(size: number).bytes == roots[number])
        }
        for size in [1, 2, 255, 256, 257, 511, 512, 513, 600] as [UInt64] {
            #expect(try log!.rootHash(size: size).bytes == roots[size])
            for sequence in [1, size / 2 + 1, size] {
                let proof = try log!.inclusionProof(of: sequence, size: size)
                let bytes = try #require(try log!.bytes(at: sequence))
                let (leaf, root) = (hasher.leaf(bytes.span.bytes), try log!.rootHash(size: size))
                #expect(MerkleProofs.isIncluded(leaf: leaf, index: sequence - 1, size: size, path: proof, root: root))
            }
        }
        #expect(try LogVerifier(log!).run().isIntact)
    }

    @Test func aSecondWriterIsRefusedAndAReaderIsNot() throws {
        let log = try open()
        _ = try log.append([commit([event(1)])])
        #expect(throws: LedgerError.directoryInUse(path: directory.path)) { try open() }
    }

    @Test func aNewerFormatIsRefused() throws {
        do { _ = try open() }
        do {
            let environment = try Environment(directory: directory.path, sizeMax: 1 << 30)
            var transaction = try environment.beginWrite()
            let meta = try transaction.database("meta")
            try transaction.put(Array("format".utf8), [0, 0, 0, 0, 0, 0, 0, 3], in: meta)
            try transaction.commit()
        }
        let refusal = LedgerError.newerFormat(have: 3, supported: 2)
        #expect(throws: refusal) { try open() }
        #expect(throws: refusal) { try LMDBEventLog(directory: directory.path, isReadOnly: true) }
        #expect("\(refusal)" == "the log has format 3, this binary knows up to 2: use the newer binary")
    }

    @Test func aLogOfTheFirstFormatIsTakenOver() throws {
        let keyed = (0..<3).map { Array("key \($0)".utf8) }
        do {
            let log = try open()
            for key in keyed { _ = try log.append([commit([event(1)], key: key, outcome: [7])]) }
        }
        do {
            let environment = try Environment(directory: directory.path, sizeMax: 1 << 30)
            var transaction = try environment.beginWrite()
            let (meta, commands) = (try transaction.database("meta"), try transaction.database("commands"))
            for (index, key) in keyed.enumerated() {
                let sequence = [UInt8](bigEndian: UInt64(index) + 1)
                try transaction.put(key, sequence + sequence + [7], in: commands)
            }
            try transaction.put(Array("format".utf8), [0, 0, 0, 0, 0, 0, 0, 1], in: meta)
            try transaction.commit()
        }
        #expect(try IndexVerifier(LMDBEventLog(directory: directory.path, isReadOnly: true)).run() == nil)
        do {
            let log = try open()
            let again = try log.append([commit([event(1)], key: keyed[1], outcome: [8])])
            #expect(again == [.repeated(2...2, outcome: [7])])
            #expect(log.head == 3)
        }
        let log = try LMDBEventLog(directory: directory.path, isReadOnly: true)
        #expect(log.formatAtOpening == 2)
        #expect(try IndexVerifier(log).run() == nil)
    }

    @Test func aClockThatIsSetBackDoesNotSetTheLogBack() throws {
        func commit(at microseconds: Int64) -> Commit {
            Commit(events: [event(1), event(2, on: 2)], actor: "tester", cause: "clock", time: WallTime(microseconds: microseconds))
        }
        do {
            let log = try open()
            _ = try log.append([commit(at: 5_000_000), commit(at: 3_000_000)])
            #expect(log.recorded.time == WallTime(microseconds: 5_000_000))
            _ = try log.append([commit(at: 4_999_999), commit(at: 5_000_001)])
        }
        // The clock is still behind after the restart.
        let log = try open()
        _ = try log.append([commit(at: 1_000_000)])
        var times: [Int64] = []
        try log.read(from: 1) { envelope in
            times.append(envelope.time.microseconds)
            return true
        }
        #expect(times == [5_000_000, 5_000_000, 5_000_000, 5_000_000, 5_000_000, 5_000_000, 5_000_001, 5_000_001, 5_000_001, 5_000_001])
        #expect(try LogVerifier(log).run().isIntact)
    }

    @Test func aProducerThatHandsOverNonsenseFailsAlone() async throws {
        let committer = GroupCommitter(try open())
        defer { committer.stop() }
        async let good = committer.submit(commit([event(1)]))
        await #expect(throws: LedgerError.emptyCommit) { try await committer.submit(commit([])) }
        #expect(try await good == .appended(1...1))
    }

    @Test func threadsHandOverManyCommitsAtOnceAndGetAnOutcomeForEach() throws {
        let committer = GroupCommitter(try open(), batchMax: 8)
        let tickets = try (0..<10 as Range<UInt64>).map { number in
            try committer.hand([
                commit([event(number, on: number)], expecting: [Expectation(stream: stream(number), version: 0)]),
                commit([event(number, on: number)], expecting: [Expectation(stream: stream(number), version: 0)]),
            ])
        }
        for (number, ticket) in tickets.enumerated() {
            let outcomes = try committer.wait(for: ticket)
            #expect(committer.isSettled(ticket))
            let sequence = UInt64(number) + 1
            #expect(Array(outcomes) == [
                .appended(sequence...sequence), .conflict(stream: stream(UInt64(number)), expected: 0, actual: 1),
            ])
        }
        committer.stop()
        #expect(throws: LedgerError.stopped) { try committer.hand([commit([event(1)])]) }
    }

    @Test func aFullMapRefusesTheBatchWholeAndTheLogGoesOnAfterwards() throws {
        let small = try LMDBEventLog(directory: directory.path, sizeMax: 1 << 20, durability: .none)
        var appended: UInt64 = 0
        #expect(throws: LedgerError.storage(.mapFull)) {
            while true {
                _ = try small.append([commit([event(appended, size: 4_000), event(appended, on: 2, size: 4_000)])])
                appended += 2
            }
        }
        #expect(small.head == appended && appended > 0)
        #expect(try small.version(of: stream(1)) == appended / 2)
        #expect(try LogVerifier(small).run().isIntact)
    }

    @Test func manyProducersShareFlushesAndLoseNothing() async throws {
        let log = try open()
        let committer = GroupCommitter(log)
        let sequences = try await withThrowingTaskGroup(of: [UInt64].self) { group in
            for producer in 0..<16 as Range<UInt64> {
                group.addTask {
                    var mine: [UInt64] = []
                    for number in 0..<50 as Range<UInt64> {
                        guard case .appended(let range) = try await committer.submit(
                            commit([event(number, on: producer)], expecting: [Expectation(stream: stream(producer), version: number)]))
                        else { continue }
                        mine.append(range.lowerBound)
                    }
                    return mine
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        committer.stop()
        #expect(sequences.sorted() == Array(1...800))
        await #expect(throws: LedgerError.stopped) { try await committer.submit(commit([event(1)])) }
    }
}
