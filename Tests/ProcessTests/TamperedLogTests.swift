import Foundation
import Testing

/// `ledgerline log verify` on a log that somebody with the disk has changed: what, and where. Positions are random; the seed
/// is printed with each failure. LEDGERLINE_TAMPERINGS says how many of each kind, LEDGERLINE_TAMPER_SEED which ones.
@Suite(.serialized) struct TamperedLogTests {
    private static let events: UInt64 = 4_000
    let scratch: Scratch
    private let seed: UInt64
    private let rounds: Int

    init() throws {
        scratch = try Scratch()
        let environment = ProcessInfo.processInfo.environment
        seed = environment["LEDGERLINE_TAMPER_SEED"].flatMap { UInt64($0) } ?? .random(in: 0...UInt64.max)
        rounds = environment["LEDGERLINE_TAMPERINGS"].flatMap { Int($0) } ?? 3
    }

    /// A data directory as a platform left it, its log grown to a few thousand events, and its checkpoint.
    private static func original(_ path: String, seed: UInt64) async throws -> (ledger: String, size: UInt64) {
        let platform = TestPlatform(scratch: path)
        let server = try await platform.start()
        guard try await server.stopped() == 0 else { throw ServerFailure(description: server.text) }
        let size = try await tamper(platform.ledger, ["grow", "\(Self.events)", "\(seed)"])
        let checkpoint = try await Ledgerline.finish(["log", "checkpoint", "--data", platform.data])
        try checkpoint.output.write(toFile: path + "/signed", atomically: true, encoding: .utf8)
        return (platform.ledger, UInt64(size) ?? 0)
    }

    private static func verify(_ path: String, _ more: [String] = []) async throws -> (status: Int32, output: String, report: [String: Any]) {
        let (status, output) = try await Ledgerline.finish(["log", "verify", "--data", path + "/data", "--json"] + more)
        return (status, output, (try? JSONSerialization.jsonObject(with: Data(output.utf8))) as? [String: Any] ?? [:])
    }

    @Test func aFlippedBitADroppedAnAddedAndAMovedEventAreFoundAndTheirPlaceIsSaid() async throws {
        let (path, seed, rounds) = (scratch.path, seed, rounds)
        let (ledger, size) = try await Self.original(path, seed: seed)
        let whole = try await Self.verify(path, ["--checkpoint", path + "/signed"])
        #expect(whole.status == 0 && whole.report["events"] as? UInt64 == size, "\(whole.output)")
        try FileManager.default.copyItem(atPath: ledger + "/data.mdb", toPath: path + "/good")
        var random = SeededRandom(state: seed)
        func place(_ range: ClosedRange<UInt64>) -> UInt64 { .random(in: range, using: &random) }

        var cases: [(what: [String], bad: UInt64)] = [
            // The ends, where an index is easily off by one.
            (["flip", "1", "0"], 1), (["flip", "\(size)", "9"], size), (["drop", "1"], 1), (["drop", "\(size)"], size),
            (["add", "1"], 1), (["add", "\(size + 1)"], size + 1), (["swap", "1", "\(size)"], 1),
        ]
        for _ in 0..<rounds {
            let (a, b, c, d, e) = (place(1...size), place(1...size), place(1...size), place(1...size - 1), place(0...1 << 20))
            cases += [
                (["flip", "\(a)", "\(e)"], a), (["drop", "\(b)"], b), (["add", "\(c)"], c), (["swap", "\(d)", "\(place(d + 1...size))"], d),
            ]
        }
        for (what, bad) in cases {
            let comment: Comment = "seed \(seed): \(what)"
            try FileManager.default.removeItem(atPath: ledger + "/data.mdb")
            try FileManager.default.copyItem(atPath: path + "/good", toPath: ledger + "/data.mdb")
            try await tamper(ledger, what)
            let found = try await Self.verify(path)
            #expect(found.status == 1 && found.report["intact"] as? Bool == false, comment)
            #expect(found.report["first_bad_sequence"] as? UInt64 == bad, "\(comment.rawValue): \(found.output)")
            #expect((found.report["finding"] as? String)?.contains("event \(bad)") == true, "\(comment.rawValue): \(found.output)")
        }
    }

    /// Below LMDB: a bit of the file itself, anywhere. A bit that is in no page in use changes nothing; any other is found, and
    /// none ends the command without a word.
    @Test func aFlippedBitAnywhereInTheFileIsFoundOrIsInNoPageInUse() async throws {
        let (path, seed, rounds) = (scratch.path, seed, rounds * 12)
        let (ledger, _) = try await Self.original(path, seed: seed)
        let digest = try await tamper(ledger, ["dump"])
        let good = try Data(contentsOf: URL(fileURLWithPath: ledger + "/data.mdb"))
        // The file is extended ahead of its use with zeros.
        let used = (good.lastIndex { $0 != 0 } ?? 0) / 4_096 * 4_096 + 4_096
        var random = SeededRandom(state: seed)
        var found = 0
        for _ in 0..<rounds {
            let bit = UInt64.random(in: 0..<UInt64(used) * 8, using: &random)
            var bad = good
            bad[Int(bit / 8)] ^= 1 << UInt8(bit % 8)
            try bad.write(to: URL(fileURLWithPath: ledger + "/data.mdb"))
            let verified = try await Self.verify(path)
            let comment: Comment = "seed \(seed), bit \(bit % 8) of byte \(bit / 8): status \(verified.status), \(verified.output)"
            switch verified.status {
            case 0:
                #expect(try await tamper(ledger, ["dump"]) == digest, comment)
            case 1, 74:
                found += 1
                #expect(["event ", "damaged", "format"].contains { verified.output.contains($0) }, comment)
            default: Issue.record(comment)
            }
        }
        #expect(found > rounds / 4, "seed \(seed): \(found) of \(rounds) bits were in use")
    }
}

/// SplitMix64: repeats for a seed.
struct SeededRandom: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
