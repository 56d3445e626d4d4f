import ControlPlane
import Foundation
import HTTPTypes
import Ledger
import Model
import OpenSSL
import Primitives
import Synchronization
import Testing

@testable import ControlAPI

/// Reads tiles alone, as somebody outside would, and computes the root from them (RFC 6962 §2.1).
private func rootFromTiles(_ client: Client, size: UInt64) async throws -> SHA256Digest {
    let leaves = try await hashes(client, level: 0, count: size)
    func root(_ leaves: ArraySlice<SHA256Digest>) -> SHA256Digest {
        guard leaves.count > 1 else { return leaves.first! }
        var split = 1
        while split * 2 < leaves.count { split *= 2 }
        let middle = leaves.startIndex + split
        return MerkleHasher().node(root(leaves[..<middle]), root(leaves[middle...]))
    }
    return root(leaves[...])
}

private func hashes(_ client: Client, level: UInt8, count: UInt64) async throws -> [SHA256Digest] {
    var hashes: [SHA256Digest] = []
    while UInt64(hashes.count) < count {
        let width = min(256, Int(count) - hashes.count)
        let path = TilePath(.hashes(level: level), index: UInt64(hashes.count / 256), count: width)
        let answer = try await client.with(nil).get("/tile/" + path.text)
        #expect(answer.status == 200, "\(path.text)")
        #expect(answer.headers[.contentType] == "application/octet-stream")
        #expect(answer.headers[.cacheControl] == "public, max-age=31536000, immutable")
        for offset in stride(from: 0, to: answer.bytes.count, by: 32) {
            hashes.append(SHA256Digest(answer.bytes[offset..<(offset + 32)])!)
        }
    }
    return hashes
}

struct PublishedLogTests {
    @Test func aStrangerRebuildsTheSignedRootFromTilesAlone() async throws {
        try await TestPlatform.with { client in
            for number in 1...300 { _ = try await client.post("/v1/tokens", token("t\(number)")) }
            let stranger = client.with(nil)
            let note = try await stranger.get("/checkpoint")
            #expect(note.status == 200 && note.headers[.contentType] == "text/plain; charset=utf-8")
            #expect(note.headers[.cacheControl] == "no-store")
            let key = client.platform.service.signingKey.verifyingKey
            let checkpoint = try Checkpoint(note: note.text, key: key)
            #expect(checkpoint.size >= 300 && checkpoint.origin == "test.example/log")
            #expect(try await rootFromTiles(client, size: checkpoint.size) == checkpoint.root)
            // The level above has the root of each full tile below.
            let above = try await hashes(client, level: 1, count: checkpoint.size / 256)
            #expect(above.count == 1)
        }
    }

    @Test func whatIsNotThereYetIsNotServed() async throws {
        try await TestPlatform.with { client in
            for path in [
                "0/000", "0/001", "1/000", "1/000.p/1", "0/000.p/200", "0/000.p/256", "0/000.p/0", "0/0", "0/00", "0/x000/000",
                "64/000", "-1/000", "0", "", "entries", "0/000.p/1/", "0//000", "0/18446744073709551616",
            ] {
                let absent = try await client.get("/tile/" + path).status
                #expect(absent == 404, "\(path)")
            }
            let served = try await client.get("/tile/0/000.p/1").status
            #expect(served == 200)
            let queried = try await client.get("/tile/0/000.p/1?x=1").status
            #expect(queried == 404)
        }
    }

    @Test func entriesNeedATokenOfThePlatformAndHashToTheTile() async throws {
        try await TestPlatform.with { client in
            let log = client.platform.service.log
            let size = Int(log.head)
            let path = "/tile/entries/000.p/\(size)"
            #expect(try await client.with(nil).get(path).status == 401)
            #expect(try await client.with("llt_wrong").get(path).status == 401)
            let provider = try await client.made("/v1/providers", ["name": "alpha", "namespace": "alpha.example", "currency": "EUR"])
            let scoped = try await client.post("/v1/tokens", ["name": "p", "role": "provider_admin", "scope_id": .string(provider)])
            #expect(try await client.with(scoped["secret"]?.text).get(path).status == 403)
            let auditor = try await client.post("/v1/tokens", ["name": "auditor", "role": "read_only"])
            let bundle = try await client.with(auditor["secret"]?.text).get(path)
            #expect(bundle.status == 200 && bundle.headers[.cacheControl]?.hasPrefix("private") == true)
            let tile = try await client.with(nil).get("/tile/0/000.p/\(size)").bytes
            var rest = bundle.bytes[...]
            var index = 0
            while rest.count >= 2 {
                let length = Int(rest.removeFirst()) << 8 | Int(rest.removeFirst())
                let leaf = Hash.sha256([0x00] + rest.prefix(length))
                #expect(Array(tile[(index * 32)..<(index * 32 + 32)]) == leaf)
                rest = rest.dropFirst(length)
                index += 1
            }
            #expect(index == size && rest.isEmpty)
        }
    }

    @Test func consistencyIsProvenBetweenAnyTwoSizes() async throws {
        try await TestPlatform.with { client in
            for number in 1...12 { _ = try await client.post("/v1/tokens", token("t\(number)")) }
            let head = client.platform.service.log.head
            let key = client.platform.service.signingKey.verifyingKey
            for to in 1...head {
                for from in 0...to {
                    let answer = try await client.with(nil).get("/v1/log/consistency?from=\(from)&to=\(to)")
                    #expect(answer.status == 200)
                    let path = (answer["hashes"]?.items ?? []).compactMap { $0.text.flatMap { Base64.decode($0) }.flatMap { SHA256Digest($0) } }
                    let roots = ["from_root_hash", "to_root_hash"].map { SHA256Digest(Base64.decode(answer[$0]!.text!)!)! }
                    #expect(MerkleProofs.isConsistent(old: from, oldRoot: roots[0], new: to, newRoot: roots[1], path: path))
                    #expect(try Checkpoint(note: answer["checkpoint"]!.text!, key: key).root == roots[1])
                }
            }
            #expect(try await client.get("/v1/log/consistency?from=3&to=2").places == ["from"])
            #expect(try await client.get("/v1/log/consistency?from=0&to=99999").places == ["to"])
            #expect(try await client.get("/v1/log/consistency").places == ["from"])
        }
    }

    private func token(_ name: String) -> JSON { ["name": .string(name), "role": "read_only"] }
}

/// A witness of its own making: it follows C2SP tlog-witness and trusts nobody.
private final class TestWitness: Sendable {
    let name: String
    let signing: SigningKey
    let logKey: VerifyingKey
    let seen: Mutex<Checkpoint?>
    let asked = Mutex<Int>(0)

    init(_ name: String, seed: UInt8, logKey: VerifyingKey, seen: Checkpoint? = nil) {
        self.name = name
        signing = SigningKey(seed: [UInt8](repeating: seed, count: 32))!
        self.logKey = logKey
        self.seen = Mutex(seen)
    }

    var witness: Witness { Witness(key: WitnessKey(name: name, key: signing.verifyingKey), url: "http://\(name)") }

    func answer(_ body: String) throws -> WitnessAnswer {
        asked.withLock { $0 += 1 }
        let proof = try ConsistencyProof(text: body)
        guard let new = try? Checkpoint(note: proof.note, key: logKey) else { return WitnessAnswer(status: 403, body: "") }
        return seen.withLock { seen in
            guard proof.old == seen?.size ?? 0 else { return WitnessAnswer(status: 409, body: "\(seen?.size ?? 0)\n") }
            if let old = seen,
                !MerkleProofs.isConsistent(old: old.size, oldRoot: old.root, new: new.size, newRoot: new.root, path: proof.path)
            {
                return WitnessAnswer(status: 422, body: "")
            }
            seen = new
            return WitnessAnswer(status: 200, body: WitnessKey.cosign(new.body, name: name, at: 1_800_000_000, with: signing).line)
        }
    }
}

struct WitnessTests {
    private let platform: TestPlatform
    private let key: VerifyingKey

    init() throws {
        platform = try TestPlatform()
        key = platform.service.signingKey.verifyingKey
    }

    private func publisher(_ witnesses: [TestWitness], quorum: Int = 0, also: [Witness] = []) -> CheckpointPublisher {
        var policy = WitnessPolicy()
        policy.witnesses = witnesses.map(\.witness) + also
        policy.quorum = quorum
        policy.transport = { url, body in
            guard let witness = witnesses.first(where: { url == "http://\($0.name)/add-checkpoint" }) else {
                throw URLError(.cannotConnectToHost)
            }
            return try witness.answer(body)
        }
        return CheckpointPublisher(
            log: platform.service.log, origin: "test.example/log", key: platform.service.signingKey, policy: policy)
    }

    private func grow(_ count: Int) throws {
        for number in 0..<count {
            var random = RandomSource.system
            let event = NewEvent(stream: UUIDv7(at: .init(microseconds: 1), random: &random), type: "test.grew", schemaVersion: 1, payload: [UInt8(number)])
            _ = try platform.service.log.append([Commit(events: [event], actor: "test", cause: "test", time: .init(microseconds: 1))])
        }
    }

    @Test func aWitnessCosignsAsTheLogGrowsAndItsLineStandsUnderTheCheckpoint() async throws {
        let witness = TestWitness("w1.example", seed: 11, logKey: key)
        let publisher = publisher([witness])
        for round in 1...4 {
            try grow(round * 3)
            try await publisher.publish()
            let published = try await publisher.checkpoint()
            let note = try #require(published)
            let checkpoint = try Checkpoint(note: note, key: key)
            #expect(checkpoint.size == platform.service.log.head)
            let cosignature = try #require(Cosignature(in: note, of: checkpoint.body, by: witness.witness.key))
            #expect(cosignature.time == 1_800_000_000)
            #expect(witness.seen.withLock { $0 } == checkpoint)
            #expect(await publisher.states[0].size == checkpoint.size)
        }
        #expect(witness.asked.withLock { $0 } == 4)
        try await publisher.publish()
        #expect(witness.asked.withLock { $0 } == 4, "nothing has grown")
    }

    @Test func aWitnessThatRemembersMoreThanWeDoIsAskedAgainFromThere() async throws {
        try grow(20)
        let log = platform.service.log
        let before = Checkpoint(origin: "test.example/log", size: 7, root: try log.rootHash(size: 7))
        let witness = TestWitness("w1.example", seed: 11, logKey: key, seen: before)
        let publisher = publisher([witness])
        try await publisher.publish()
        #expect(witness.asked.withLock { $0 } == 2)
        #expect(await publisher.states[0].size == log.head)
    }

    @Test func aForkedAndAnOldCopyAreToldAsWhatTheyAre() async throws {
        try grow(20)
        let forked = TestWitness("fork.example", seed: 11, logKey: key, seen: Checkpoint(origin: "test.example/log", size: 9, root: .zero))
        let longer = TestWitness("longer.example", seed: 12, logKey: key, seen: Checkpoint(origin: "test.example/log", size: 9_999, root: .zero))
        let stranger = TestWitness("stranger.example", seed: 13, logKey: forked.signing.verifyingKey)
        let silent = Witness(key: WitnessKey(name: "silent.example", key: forked.signing.verifyingKey), url: "http://silent.example")
        let publisher = publisher([forked, longer, stranger], also: [silent])
        try await publisher.publish()
        let faults = await publisher.states.map { $0.fault ?? "" }
        #expect(faults[0].contains("another history") && faults[1].contains("9999 events, more than there are"))
        #expect(faults[2].contains("403") && faults[3].contains("does not answer"))
    }

    @Test func withoutAQuorumTheCheckpointBeforeStays() async throws {
        let good = TestWitness("good.example", seed: 11, logKey: key)
        try grow(2)
        let publisher = publisher([good], quorum: 1)
        #expect(try await publisher.checkpoint() == nil, "what nobody has cosigned is not shown")
        try await publisher.publish()
        let first = try await publisher.checkpoint()
        #expect(first != nil)
        good.seen.withLock { $0 = Checkpoint(origin: "test.example/log", size: 1, root: .zero) }
        try grow(2)
        try await publisher.publish()
        #expect(try await publisher.checkpoint() == first)
    }

    @Test func aWitnessIsConfiguredByItsKeyAndAddress() throws {
        let witness = TestWitness("w1.example/a", seed: 11, logKey: key).witness
        #expect(Witness("\(witness.key.noteKey),http://w1.example/a") == witness)
        #expect(Witness("\(witness.key.noteKey),http://w1.example/a/") == witness)
        #expect(Witness(witness.key.noteKey) == nil && Witness("\(witness.key.noteKey),ftp://x") == nil)
        #expect(Witness("x\(witness.key.noteKey),http://w1.example/a") == nil)
        // The key of a log is not that of a witness: another algorithm byte.
        #expect(Witness("\(witness.key.key.noteKey(name: "w1.example/a")),http://w1.example/a") == nil)
    }
}
