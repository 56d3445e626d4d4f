import Foundation
import LMDB
import Ledger
import OpenSSL
import Primitives
import Synchronization
import Testing

@testable import Backup

private let key = SigningKey(seed: [UInt8](repeating: 7, count: 32))!
private let origin = "test.example/log"

/// A log in a directory that goes with the test, and its backup beside it.
private final class Place: Sendable {
    let path = NSTemporaryDirectory() + "ledgerline-backup-" + UUID().uuidString
    let log: LMDBEventLog
    var to: String { path + "/backup" }

    init(commits: Int) throws {
        try FileManager.default.createDirectory(atPath: path + "/keys", withIntermediateDirectories: true)
        log = try LMDBEventLog(directory: path + "/ledger", durability: .none)
        try grow(commits)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Each commit has two events and an idempotency key; a minute passes between them.
    func grow(_ commits: Int) throws {
        for _ in 0..<commits {
            let next = log.head + 1
            let events = (next...(next + 1)).map { number in
                NewEvent(
                    stream: UUIDv7(high: 0x0190_0000_0000_7000, low: 1 << 63 | (number % 7)), type: "test.happened", schemaVersion: 1,
                    payload: Array("event \(number)".utf8))
            }
            _ = try log.append([
                Commit(
                    events: events, actor: "test", cause: "test", time: Place.time(ofCommit: next), idempotencyKey: Array("key \(next)".utf8),
                    outcome: Array("outcome \(next)".utf8))
            ])
        }
    }

    static func time(ofCommit first: UInt64) -> WallTime { WallTime(microseconds: 1_700_000_000_000_000 + Int64(first) * 60_000_000) }

    func backup(isFull: Bool = false, partEvents: UInt64 = 1_000_000) throws -> [Manifest] {
        var backup = Backup(of: log, origin: origin, key: key, to: to)
        backup.partEventsMax = partEvents
        return try backup.run(isFull: isFull)
    }

    func checkpoint() throws -> Checkpoint {
        Checkpoint(origin: origin, size: log.head, root: try log.rootHash(size: log.head))
    }

    /// Every byte of the restored log up to its end is what the original has there; nothing else is in it.
    func expectEqual(_ restored: String, size: UInt64) throws {
        let copy = try LMDBEventLog(directory: restored + "/ledger", isReadOnly: true)
        #expect(copy.head == size)
        for sequence in 1...size {
            let (theirs, ours) = (try copy.bytes(at: sequence), try log.bytes(at: sequence))
            #expect(theirs == ours)
        }
        #expect(try copy.rootHash(size: size) == log.rootHash(size: size))
        #expect(try LogVerifier(copy).run().isIntact)
        #expect(try IndexVerifier(copy).run() == nil)
        for first in stride(from: UInt64(1), through: log.head, by: 2) {
            let outcome = try copy.outcome(forKey: Array("key \(first)".utf8))
            #expect((outcome?.outcome == Array("outcome \(first)".utf8)) == (first < size), "key \(first) at \(size)")
        }
        #expect(try copy.consistencyProof(from: 1, to: size) == log.consistencyProof(from: 1, to: size))
    }
}

struct BackupTests {
    @Test func aFullCopyAndWhatCameAfterAreRestoredToAnyEndOfACommit() throws {
        let place = try Place(commits: 20)
        #expect(try place.backup().map(\.name) == ["full-40"])
        try place.grow(10)
        #expect(try place.backup(partEvents: 8).map(\.name) == ["events-41-48", "events-49-56", "events-57-60"])
        #expect(try place.backup().isEmpty, "nothing has grown")
        try place.grow(1)
        #expect(try place.backup().map(\.name) == ["events-61-62"])
        #expect(try BackupVerifier(place.to).run() == .init(parts: 5, size: 62, bytes: BackupDirectory(place.to).manifests().reduce(0) { $0 + $1.bytes }))

        for (asked, size) in [(62, 62), (61, 60), (57, 56), (56, 56), (49, 48), (41, 40), (40, 40), (39, 38), (2, 2)] as [(UInt64, UInt64)] {
            let target = place.path + "/restored-\(asked)"
            let outcome = try Restore(from: place.to).run(into: target, target: .sequence(asked))
            #expect(outcome.size == size)
            try place.expectEqual(target, size: size)
        }
        #expect(throws: BackupError.self) { try Restore(from: place.to).run(into: place.path + "/r1", target: .sequence(1)) }
        #expect(throws: BackupError.self) { try Restore(from: place.to).run(into: place.path + "/r63", target: .sequence(63)) }
        #expect(!FileManager.default.fileExists(atPath: place.path + "/r63"))
    }

    @Test func aTimeIsWhatWasRecordedBeforeTheFirstEventAfterIt() throws {
        let place = try Place(commits: 10)
        _ = try place.backup()
        try place.grow(10)
        _ = try place.backup()
        for (time, size) in [(Place.time(ofCommit: 21), 22), (Place.time(ofCommit: 9), 10), (Place.time(ofCommit: 39), 40)] as [(WallTime, UInt64)] {
            let target = place.path + "/at-\(size)"
            #expect(try Restore(from: place.to).run(into: target, target: .time(time)).size == size)
            try place.expectEqual(target, size: size)
        }
        #expect(throws: BackupError.self) {
            try Restore(from: place.to).run(into: place.path + "/none", target: .time(WallTime(microseconds: 0)))
        }
    }

    @Test func aRestoredLogHoldsTheTreeOfAnEarlierCheckpointAndANameOfItsOwn() throws {
        let place = try Place(commits: 10)
        let before = try place.checkpoint()
        try place.grow(10)
        _ = try place.backup()
        let target = place.path + "/restored"
        let outcome = try Restore(from: place.to).run(into: target, target: .sequence(30), signed: before)
        #expect(outcome.origin.hasPrefix("test.example/log/restored-30-") && !outcome.hasKeys)
        let copy = try LMDBEventLog(directory: target + "/ledger")
        #expect(try copy.continues()?.hasPrefix("test.example/log\n30\n") == true)
        let note = try String(contentsOfFile: target + "/keys/log-signing.pub", encoding: .utf8)
        #expect(VerifyingKey.parse(noteKey: note.filter { !$0.isNewline })?.name == outcome.origin)
        // It goes on, and what was signed of the original still holds, but a stranger is told that the name is another.
        _ = try copy.append([
            Commit(
                events: [NewEvent(stream: UUIDv7(high: 0x7000, low: 1 << 63), type: "test.happened", schemaVersion: 1, payload: [])], actor: "test",
                cause: "test", time: WallTime(microseconds: 1))
        ])
        let newer = Checkpoint(origin: outcome.origin, size: 31, root: try copy.rootHash(size: 31)).signed(with: key)
        let proof = ConsistencyProof(old: 20, path: try copy.consistencyProof(from: 20, to: 31), note: newer)
        let read = try ConsistencyProof(text: proof.text)
        #expect(read == proof)
        #expect(throws: ProofError.otherLog(have: origin, proof: outcome.origin)) { try read.verified(from: before, with: key.verifyingKey) }
        #expect(try read.verified(from: before, with: key.verifyingKey, isAcrossRestore: true).size == 31)
        var forged = before
        forged.root = .zero
        #expect(throws: BackupError.self) { try Restore(from: place.to).run(into: place.path + "/x", signed: forged) }
        #expect(try Restore(from: place.to).run(into: place.path + "/same", keepsOrigin: true).origin == origin)
    }

    @Test func aBackupRunsBesideItsWriterAndHoldsOnlyWholeCommits() throws {
        let place = try Place(commits: 200)
        let isDone = Mutex(false)
        // Bounded, so that a machine that is faster at writing than at copying does not fill its disk.
        let writer = Thread { for _ in 0..<500 where !isDone.withLock({ $0 }) { try? place.grow(3) } }
        writer.start()
        defer { isDone.withLock { $0 = true } }
        for _ in 0..<5 { _ = try place.backup(partEvents: 50) }
        _ = try place.backup(isFull: true)
        isDone.withLock { $0 = true }
        let report = try BackupVerifier(place.to).run()
        #expect(report.size >= 400 && report.size % 2 == 0)
        let target = place.path + "/restored"
        let outcome = try Restore(from: place.to).run(into: target)
        #expect(outcome.size == report.size)
        #expect(try outcome.root == place.log.rootHash(size: report.size))
        try place.expectEqual(target, size: report.size)
    }

    @Test func anInterruptedBackupGoesOnAfterItsLastWholePart() throws {
        let place = try Place(commits: 10)
        _ = try place.backup()
        try place.grow(10)
        _ = try place.backup(partEvents: 8)
        // Ended while the second part was being given its manifest, and while a third was being written.
        try FileManager.default.removeItem(atPath: place.to + "/events-37-40.manifest")
        try Data([1, 2, 3]).write(to: URL(fileURLWithPath: place.to + "/events.partial"))
        #expect(try BackupVerifier(place.to).run().size == 36)
        #expect(try place.backup(partEvents: 8).map(\.name) == ["events-37-40"])
        #expect(!FileManager.default.fileExists(atPath: place.to + "/events.partial"))
        #expect(try BackupVerifier(place.to).run().size == 40)
    }

    @Test func everyFlippedByteOfABackupIsFound() throws {
        let place = try Place(commits: 3)
        _ = try place.backup()
        try place.grow(2)
        _ = try place.backup()
        for name in ["events-7-10.events", "events-7-10.manifest", "full-6.manifest", "log.pub"] {
            let url = URL(fileURLWithPath: place.to + "/" + name)
            let good = try Data(contentsOf: url)
            for offset in good.indices where name.hasSuffix(".events") || offset % 7 == 0 {
                var bad = good
                bad[offset] ^= 0x04
                try bad.write(to: url)
                #expect(throws: BackupError.self, "\(name) at \(offset)") { try BackupVerifier(place.to).run() }
            }
            try good.write(to: url)
        }
        let full = URL(fileURLWithPath: place.to + "/full-6/data.mdb")
        var bytes = try Data(contentsOf: full)
        bytes[bytes.count / 2] ^= 1
        try bytes.write(to: full)
        #expect(throws: BackupError.self) { try BackupVerifier(place.to).run() }
        #expect(throws: BackupError.self) { try Restore(from: place.to).run(into: place.path + "/x") }
        #expect(!FileManager.default.fileExists(atPath: place.path + "/x"))
    }

    @Test func aDirectoryIsTheBackupOfOneHistoryAlone() throws {
        let place = try Place(commits: 3)
        _ = try place.backup()
        let other = try Place(commits: 9)
        #expect(throws: BackupError.self) { try Backup(of: other.log, origin: "other.example", key: key, to: place.to).run() }
        // The same name and key, but another history.
        let forked = try Place(commits: 1)
        #expect(throws: BackupError.self) { try Backup(of: forked.log, origin: origin, key: key, to: place.to).run() }
    }

    @Test func keysAreCopiedAsTheyAreNowAndForTheirOwnerAlone() throws {
        let place = try Place(commits: 1)
        _ = try place.backup()
        let (keys, copies) = (place.path + "/keys", place.to + "/keys")
        try Data("secret".utf8).write(to: URL(fileURLWithPath: keys + "/log-signing.pem"))
        try Data("erased later".utf8).write(to: URL(fileURLWithPath: keys + "/subjects.keys"))
        try BackupDirectory(place.to).copyKeys(from: keys)
        try Data("erased".utf8).write(to: URL(fileURLWithPath: keys + "/subjects.keys"))
        try BackupDirectory(place.to).copyKeys(from: keys)
        #expect(try String(contentsOfFile: copies + "/subjects.keys", encoding: .utf8) == "erased")
        let mode = try FileManager.default.attributesOfItem(atPath: copies + "/log-signing.pem")[.posixPermissions] as? Int
        #expect(mode == 0o600)
        let outcome = try Restore(from: place.to).run(into: place.path + "/restored")
        #expect(outcome.hasKeys)
        try FileManager.default.removeItem(atPath: keys + "/subjects.keys")
        try BackupDirectory(place.to).copyKeys(from: keys)
        #expect(!FileManager.default.fileExists(atPath: copies + "/subjects.keys"))
    }
}
