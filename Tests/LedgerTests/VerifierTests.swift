import LMDB
import OpenSSL
import Primitives
import Testing

@testable import Ledger

@Suite struct VerifierTests {
    let directory: TemporaryDirectory
    let key = SigningKey(seed: [UInt8](repeating: 7, count: 32))!

    init() throws {
        directory = try TemporaryDirectory()
        let log = try open()
        for number in 1...300 as ClosedRange<UInt64> { _ = try log.append([commit([event(number, on: number % 7)])]) }
    }

    private func open() throws -> LMDBEventLog { try LMDBEventLog(directory: directory.path, durability: .none) }

    private func tamper(_ body: (inout WriteTransaction, Database) throws -> Void) throws {
        let environment = try Environment(directory: directory.path, sizeMax: 1 << 40)
        var transaction = try environment.beginWrite()
        let events = try transaction.database("events")
        try body(&transaction, events)
        try transaction.commit()
    }

    /// As `ledgerline log verify` opens it; a writer refuses what it can see of the damage.
    private func finding() throws -> LogVerifier.Finding? {
        try LogVerifier(LMDBEventLog(directory: directory.path, isReadOnly: true)).run().finding
    }

    @Test func anUntouchedLogIsIntact() throws { #expect(try finding() == nil) }

    @Test(arguments: [1, 77, 256, 257, 300] as [UInt64])
    func aFlippedBitIsFoundAndNamed(sequence: UInt64) throws {
        try tamper { transaction, events in
            let key = [UInt8](bigEndian: sequence)
            var bytes = try #require(try transaction.value(of: key, in: events))
            bytes[bytes.count - 3] ^= 0x10
            try transaction.put(key, bytes, in: events)
        }
        #expect(try finding() == .hashDiffers(sequence: sequence))
    }

    @Test(arguments: [1, 150, 299] as [UInt64])
    func aDroppedEventIsFoundAndNamed(sequence: UInt64) throws {
        try tamper { transaction, events in try transaction.remove([UInt8](bigEndian: sequence), from: events) }
        #expect(try finding() == .missing(sequence: sequence))
    }

    @Test func reorderedEventsAreFoundAndNamed() throws {
        try tamper { transaction, events in
            let (a, b) = ([UInt8](bigEndian: 40), [UInt8](bigEndian: 41))
            let (first, second) = (try transaction.value(of: a, in: events)!, try transaction.value(of: b, in: events)!)
            try transaction.put(a, second, in: events)
            try transaction.put(b, first, in: events)
        }
        #expect(try finding() == .hashDiffers(sequence: 40))
    }

    /// Hash and tree agree; only the chain does not.
    @Test(arguments: [(0, -7), (0, 1), (1, 0), (-1, 0), (-1, -7)] as [(Int, Int)])
    func anEventThatNamesAnotherPredecessorIsFoundThoughItIsInTheTree(version: Int, previous: Int) throws {
        let environment = try Environment(directory: directory.path, sizeMax: 1 << 40)
        var transaction = try environment.beginWrite()
        let (events, tiles) = (try transaction.database("events"), try transaction.database("tiles"))
        let key = [UInt8](bigEndian: 290)
        let stored = try #require(try transaction.value(of: key, in: events))
        let parsed = Envelope(parsing: stored.span.bytes)
        var envelope = try #require(parsed)
        envelope.version = UInt64(Int(envelope.version) + version)
        envelope.previous = UInt64(Int(envelope.previous) + previous)
        try transaction.put(key, envelope.bytes, in: events)
        let tile = TileKey(level: 0, index: 1).bytes
        var hashes = try #require(try transaction.value(of: tile, in: tiles))
        hashes.replaceSubrange((289 - 256) * 32..<(290 - 256) * 32, with: MerkleHasher().leaf(envelope.bytes.span.bytes).bytes)
        try transaction.put(tile, hashes, in: tiles)
        try transaction.commit()
        #expect(try finding() == .streamBroken(sequence: 290))
    }

    @Test func aLogRewrittenWithItsTreeDiffersFromWhatWasSigned() throws {
        let signed: String
        do {
            let log = try open()
            signed = Checkpoint(origin: "test.example/log", size: 300, root: try log.rootHash(size: 300)).signed(with: key)
        }
        let checkpoint = try Checkpoint(note: signed, key: key.verifyingKey)
        #expect(try LogVerifier(open()).run(against: checkpoint).isIntact)

        let other = try TemporaryDirectory()
        let forged = try LMDBEventLog(directory: other.path, durability: .none)
        for number in 1...300 as ClosedRange<UInt64> {
            _ = try forged.append([commit([event(number == 150 ? 9_999 : number, on: number % 7)])])
        }
        #expect(try LogVerifier(forged).run().isIntact)
        #expect(try LogVerifier(forged).run(against: checkpoint).finding == .rootDiffers(size: 300))
    }

    @Test func aTruncatedLogIsSmallerThanWhatWasSigned() throws {
        let log = try open()
        let checkpoint = Checkpoint(origin: "test.example/log", size: 301, root: try log.rootHash(size: 300))
        #expect(try LogVerifier(log).run(against: checkpoint).finding == .sizeDiffers(events: 300, expected: 301))
    }
}

@Suite struct CheckpointTests {
    let key = SigningKey(seed: (0..<32).map { UInt8($0) })!

    @Test func aSignedNoteReadsBackAndNoChangedOneDoes() throws {
        let checkpoint = Checkpoint(origin: "test.example/log", size: 12, root: SHA256Digest(Hash.sha256([1]))!)
        let note = checkpoint.signed(with: key)
        #expect(try Checkpoint(note: note, key: key.verifyingKey) == checkpoint)
        #expect(throws: CheckpointError.badSignature) {
            try Checkpoint(note: note.replacingOccurrence(of: "\n12\n", with: "\n13\n"), key: key.verifyingKey)
        }
        let stranger = SigningKey(seed: [UInt8](repeating: 9, count: 32))!
        #expect(throws: CheckpointError.notSigned(by: "test.example/log")) {
            try Checkpoint(note: note, key: stranger.verifyingKey)
        }
        #expect(throws: CheckpointError.malformed) { try Checkpoint(note: "", key: key.verifyingKey) }
        #expect(throws: CheckpointError.malformed) { try Checkpoint(note: "a\n-1\nAA==\n\n", key: key.verifyingKey) }
    }

    @Test func aNoteKeyReadsBackAndItsPartsBelongTogether() throws {
        let text = key.verifyingKey.noteKey(name: "test.example/log")
        let parsed = try #require(VerifyingKey.parse(noteKey: text))
        #expect(parsed.name == "test.example/log" && parsed.key == key.verifyingKey)
        #expect(VerifyingKey.parse(noteKey: "other" + text) == nil)
    }

    @Test func aProofHoldsOfflineAndFailsWhenAnyPartIsChanged() throws {
        let directory = try TemporaryDirectory()
        let log = try LMDBEventLog(directory: directory.path, durability: .none)
        for number in 1...20 as ClosedRange<UInt64> { _ = try log.append([commit([event(number)])]) }
        let proof = try InclusionProof(of: 13, in: log, origin: "test.example/log", key: key)
        let read = try InclusionProof(text: proof.text)
        #expect(read == proof)
        let (event, head) = try read.verified(with: key.verifyingKey)
        #expect(event == (try log.event(at: 13)) && head.size == 20)

        var changed = proof
        changed.envelope[changed.envelope.count - 1] ^= 1
        #expect(throws: ProofError.notIncluded(index: 12, size: 20)) { try changed.verified(with: key.verifyingKey) }
        changed = proof
        changed.path[2] = .zero
        #expect(throws: ProofError.notIncluded(index: 12, size: 20)) { try changed.verified(with: key.verifyingKey) }
        changed = proof
        changed.index = 11
        #expect(throws: ProofError.malformed) { try changed.verified(with: key.verifyingKey) }
        #expect(throws: ProofError.malformed) { try InclusionProof(text: "nonsense") }
    }
}

extension String {
    fileprivate func replacingOccurrence(of old: String, with new: String) -> String {
        guard let range = firstRange(of: old) else { return self }
        return replacingCharacters(in: range, new)
    }

    private func replacingCharacters(in range: Range<Index>, _ new: String) -> String {
        String(self[..<range.lowerBound]) + new + String(self[range.upperBound...])
    }
}
