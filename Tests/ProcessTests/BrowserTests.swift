import Foundation
import Testing

/// A real browser, and phones with every kind of encryption, against two workers; each check of the script is one of ours.
@Suite struct BrowserTests {
    @Test func aBrowserAndEncryptedPhonesCallAPlainOneAndAreCalled() async throws {
        let scratch = try Scratch()
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "tools/lib/browsers.py")
        let outcome = try await run(
            "python3",
            [
                script.path, "--binary", Ledgerline.binary.path, "--json", scratch.path + "/report.json", "--directory", scratch.path + "/world",
                "--ports-from", "\(Ports.take(200))",
            ])
        #expect(outcome.status == 0, "\(outcome.output.suffix(4_000))")
        let report = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: scratch.path + "/report.json"))) as? [String: Any]
        let checks = report?["checks"] as? [[String: Any]] ?? []
        #expect(checks.count >= 32)
        for check in checks { #expect(check["passed"] as? Bool == true, "\(check)") }
    }
}
