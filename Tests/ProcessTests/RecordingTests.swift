import Foundation
import Testing

/// Real phones whose calls are recorded and held: what is in the recordings is measured, and what is heard on hold.
@Suite struct RecordingTests {
    @Test func recordedCallsHoldBothSidesAndOutliveAKill() async throws {
        let scratch = try Scratch()
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "tools/lib/recordings.py")
        let outcome = try await run(
            "python3",
            [
                script.path, "--binary", Ledgerline.binary.path, "--json", scratch.path + "/report.json", "--directory", scratch.path + "/world",
                "--ports-from", "\(Ports.take(200))",
            ])
        #expect(outcome.status == 0, "\(outcome.output.suffix(4_000))")
        let report = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: scratch.path + "/report.json"))) as? [String: Any]
        let checks = report?["checks"] as? [[String: Any]] ?? []
        #expect(checks.count >= 18)
        for check in checks { #expect(check["passed"] as? Bool == true, "\(check)") }
    }
}
