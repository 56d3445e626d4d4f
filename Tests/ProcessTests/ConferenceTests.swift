import Foundation
import Testing

/// Real phones that talk together: what each hears of the others is measured.
@Suite struct ConferenceTests {
    @Test func threePhonesHearEachOtherAndNotThemselves() async throws {
        let scratch = try Scratch()
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "tools/lib/conferences.py")
        let outcome = try await run(
            "python3",
            [
                script.path, "--binary", Ledgerline.binary.path, "--json", scratch.path + "/report.json", "--directory", scratch.path + "/world",
                "--ports-from", "\(Ports.take(200))",
            ])
        #expect(outcome.status == 0, "\(outcome.output.suffix(4_000))")
        let report = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: scratch.path + "/report.json"))) as? [String: Any]
        let checks = report?["checks"] as? [[String: Any]] ?? []
        #expect(checks.count >= 8)
        for check in checks { #expect(check["passed"] as? Bool == true, "\(check)") }
    }
}
