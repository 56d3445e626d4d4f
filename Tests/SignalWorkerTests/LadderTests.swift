import Foundation
import Testing

@testable import SignalWorker

/// Each file of `Fixtures/ladders` is a promise; its name says which.
@Suite struct LadderTests {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures/ladders")

    static let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder.path())) ?? [])
        .filter { $0.hasSuffix(".txt") }.map { String($0.dropLast(4)) }.sorted()

    @Test(arguments: names)
    func workersDoWhatTheLadderSays(name: String) throws {
        try expectLadder(String(contentsOf: Self.folder.appending(path: name + ".txt"), encoding: .utf8))
    }

    /// However often a side offers, no more is kept of a call than the offers under way.
    @Test func aCallOfManyOffersIsAsSmallAsOthers() throws {
        var text = try String(contentsOf: Self.folder.appending(path: "hold-and-resume.txt"), encoding: .utf8)
        let steps = text.split(separator: "\n")
        let answered = try #require(steps.firstIndex { $0.contains("ACK") && $0.contains("alice -> w1") })
        text = "open\n" + steps[...answered].joined(separator: "\n") + "\n"
        for second in 2..<60 {
            text += """
                \(second) s     alice -> w1     INVITE \(second % 2 == 0 ? "hold" : "")
                        w1    -> bob    INVITE
                        bob   -> w1     200 INVITE
                        w1    -> bob    ACK
                        w1    -> m1     Change
                        w1    -> desk   CallUpdated
                        w1    -> alice  200
                        alice -> w1     ACK

                """
        }
        var runner = LadderRunner(try Ladder(text))
        runner.run(#_sourceLocation)
        let kit = try #require(runner.world.workers["w1"]?.kit)
        #expect(runner.world.openCalls == 1)
        // Those that began it.
        #expect(kit.clientOwners.count <= 1)
    }

    @Test func theLaddersAreFound() { #expect(Self.names.count > 20) }
}
