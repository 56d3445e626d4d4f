import Foundation
import Testing

/// What speech is worth that went by a media worker, by PESQ; `tools/listening/setup` fetches it.
@Suite struct ListeningTests {
    private static let isThere = FileManager.default.fileExists(atPath: root.appending(path: ".build/listening/python/installed").path)
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    @Test(.enabled(if: isThere, "needs PESQ: tools/listening/setup"))
    func speechIsWorthWhatItsCodecsLeaveOfIt() async throws {
        let scratch = try Scratch()
        let outcome = try await run(
            "python3",
            [
                Self.root.appending(path: "tools/lib/listening.py").path, "--binary", Ledgerline.binary.path, "--json", scratch.path + "/report.json", "--directory",
                scratch.path + "/world", "--ports-from", "\(Ports.take(200))",
            ])
        #expect(outcome.status == 0, "\(outcome.output.suffix(4_000))")
        let report = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: scratch.path + "/report.json"))) as? [String: Any]
        let checks = report?["checks"] as? [[String: Any]] ?? []
        #expect(checks.count >= 24)
        for check in checks { #expect(check["passed"] as? Bool == true, "\(check)") }
    }
}
