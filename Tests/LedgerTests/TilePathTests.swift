import LMDB
import Ledger
import OpenSSL
import Testing

@Suite struct TilePathTests {
    @Test(arguments: [
        (TilePath(.hashes(level: 0), index: 1_234_067), "0/x001/x234/067"), (TilePath(.hashes(level: 0), index: 0), "0/000"),
        (TilePath(.hashes(level: 5), index: 999, count: 1), "5/999.p/1"), (TilePath(.hashes(level: 63), index: 1_000), "63/x001/000"),
        (TilePath(.entries, index: 1_000_000, count: 255), "entries/x001/x000/000.p/255"),
        (TilePath(.hashes(level: 1), index: .max), "1/x018/x446/x744/x073/x709/x551/615"),
    ])
    func anAddressIsWrittenAsTheSpecificationSays(path: TilePath, text: String) {
        #expect(path.text == text)
        #expect(TilePath(text) == path)
    }

    @Test(arguments: [
        "", "0", "/", "0/", "0/0", "0/00", "0/0000", "0/x000/000", "0/x001", "0/x001/x234", "0/001/234", "00/000", "64/000", "x/000", "0/000.p",
        "0/000.p/", "0/000.p/0", "0/000.p/256", "0/000.p/01", "0/000.p/+1", "0/+00", "0/000/", "Entries/000", "0/x018/x446/x744/x073/x709/x551/616",
        "0/x001/x234/067.p/8/9", "0/x001.p/8", "0/-01",
    ])
    func anyOtherSpellingIsNone(text: String) { #expect(TilePath(text) == nil) }
}

@Suite struct CosignatureTests {
    private let log = SigningKey(seed: [UInt8](repeating: 7, count: 32))!
    private let secret = SigningKey(seed: [UInt8](repeating: 8, count: 32))!
    private var witness: WitnessKey { WitnessKey(name: "w.example/1", key: secret.verifyingKey) }
    private let head = Checkpoint(origin: "test.example/log", size: 3, root: .zero)

    @Test func aGoodOneIsFoundUnderANoteAndAChangedOneIsNot() throws {
        let line = WitnessKey.cosign(head.body, name: "w.example/1", at: 1_700_000_000, with: secret).line
        let note = head.signed(with: log) + line
        #expect(Cosignature(in: note, of: head.body, by: witness)?.time == 1_700_000_000)
        // The log's own signature is still read from a note that others have signed too.
        #expect(try Checkpoint(note: note, key: log.verifyingKey) == head)
        var other = head
        other.size = 4
        #expect(Cosignature(in: note, of: other.body, by: witness) == nil)
        #expect(Cosignature(in: note, of: head.body, by: WitnessKey(name: "w.example/2", key: secret.verifyingKey)) == nil)
        #expect(Cosignature(in: note, of: head.body, by: WitnessKey(name: "w.example/1", key: log.verifyingKey)) == nil)
        for place in line.indices.dropFirst(15).dropLast(3) {
            var bad = line
            bad.replaceSubrange(place...place, with: line[place] == "A" ? "B" : "A")
            #expect(Cosignature(in: bad, of: head.body, by: witness) == nil)
        }
    }

    @Test func aProofOfConsistencyReadsBackAndChangedOnesDoNotHold() throws {
        let directory = try TemporaryDirectory()
        let events = try LMDBEventLog(directory: directory.path, durability: .none)
        for number in 1...70 as ClosedRange<UInt64> { _ = try events.append([commit([event(number)])]) }
        for old in [0, 1, 2, 33, 64, 69, 70] as [UInt64] {
            let older = Checkpoint(origin: "test.example/log", size: old, root: try events.rootHash(size: old))
            let newer = Checkpoint(origin: "test.example/log", size: 70, root: try events.rootHash(size: 70))
            let proof = ConsistencyProof(
                old: old, path: try events.consistencyProof(from: old, to: 70), note: newer.signed(with: log))
            #expect(try ConsistencyProof(text: proof.text) == proof)
            #expect(try proof.verified(from: older, with: log.verifyingKey) == newer)
            var changed = older
            changed.root = .zero
            guard old > 0 else { continue }
            #expect(throws: ProofError.notConsistent(old: old, new: 70)) { try proof.verified(from: changed, with: log.verifyingKey) }
        }
        #expect(throws: ProofError.malformed) { try ConsistencyProof(text: "old 01\n\nx") }
    }
}
