import Foundation
import Testing

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

    @Test func theLaddersAreFound() { #expect(Self.names.count > 20) }
}
