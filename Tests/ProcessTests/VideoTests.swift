import Foundation
import Testing

/// Real phones with cameras: what each sees and hears of the other.
@Suite struct VideoTests {
    @Test func phonesSeeEachOtherByWayOfTheMediaWorker() async throws {
        let scratch = try Scratch()
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "tools/lib/video.py")
        let outcome = try await run(
            "python3",
            [
                script.path, "--binary", Ledgerline.binary.path, "--json", scratch.path + "/report.json", "--directory", scratch.path + "/world",
                "--ports-from", "\(Ports.take(200))",
            ])
        #expect(outcome.status == 0, "\(outcome.output.suffix(4_000))")
        let report = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: scratch.path + "/report.json"))) as? [String: Any]
        let checks = report?["checks"] as? [[String: Any]] ?? []
        #expect(checks.count >= 14)
        for check in checks { #expect(check["passed"] as? Bool == true, "\(check)") }
    }
}
