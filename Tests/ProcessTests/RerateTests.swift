import Foundation
import Testing

/// `ledgerline rerate` against a real server: asked, posted, repeated, and cut off in the middle.
@Suite(.serialized) struct RerateTests {
    let scratch: Scratch
    let platform: TestPlatform

    init() throws {
        scratch = try Scratch()
        platform = TestPlatform(scratch: scratch.path)
    }

    private func make(_ calls: Int) async throws -> Billed { try await Billed.make(platform, calls: calls) }

    @Test func aQuestionWritesNothingPostingBooksTheDifferenceAndAgainBooksNothing() async throws {
        let billed = try await make(20)
        let server = try await platform.start()
        #expect(try await billed.balance() == "-0.80")
        let explained = try await Ledgerline.finish(["explain", "--cdr", "1", "--data", platform.data])
        #expect(explained.status == 0 && explained.output.contains("0.04"), "\(explained.output)")
        let head = try await Ledgerline.finish(["log", "checkpoint", "--data", platform.data]).output
        let asked = try await billed.rerate(["--data", platform.data])
        #expect(asked.status == 0 && asked.output.contains(#/total USD +20 +20 +0 +0\.80? +1\.20? +0\.40? /#), "\(asked.output)")
        #expect(try await Ledgerline.finish(["log", "checkpoint", "--data", platform.data]).output.split(separator: "\n")[2] == head.split(separator: "\n")[2])
        #expect(try await billed.balance() == "-0.80")

        let posted = try await billed.post()
        #expect(posted.status == 0 && posted.report["corrections"] as? Int == 20, "\(posted.output)")
        #expect((posted.report["difference"] as? [String: Any])?["amount"] as? String == "0.40", "\(posted.output)")
        #expect(try await billed.balance() == "-1.20")
        let again = try await billed.post()
        #expect(again.status == 0 && again.report["corrections"] as? Int == 0, "\(again.output)")
        #expect(try await billed.balance() == "-1.20")
        try await billed.expectBooksInOrder()
        #expect(try await server.stopped() == 0)
    }

    /// SIGKILL after some of the steps, of 250 calls each, were posted: at other moments in each round.
    @Test(arguments: [1, 3]) func aServerThatIsKilledInTheMiddleLeavesTheRestToTheRepetition(step: Int) async throws {
        let calls = 2_000
        let billed = try await make(calls)
        var server = try await platform.start()
        let posting = Task { try await billed.post().status }
        // Until the log has grown by so many commits of a step.
        let before = try await billed.size()
        while try await billed.size() < before + step * 501 - 250, server.isRunning { await Task.yield() }
        try await server.killed()
        let cut = try await posting.value
        #expect(cut != 0)

        server = try await platform.start()
        let half = try await billed.corrections()
        #expect(!half.isEmpty && half.count < calls && half.count % 250 == 0, "\(half.count)")
        let rest = try await billed.post()
        #expect(rest.status == 0 && rest.report["corrections"] as? Int == calls - half.count, "\(rest.output)")
        let all = try await billed.corrections()
        #expect(Set(all.map(\.number)) == Set(1...calls) && all.allSatisfy { $0.counts == 1 })
        #expect(try await billed.balance() == "-120.00")
        #expect(try await billed.post().report["corrections"] as? Int == 0)
        try await billed.expectBooksInOrder()
        #expect(try await server.stopped() == 0)
    }
}
