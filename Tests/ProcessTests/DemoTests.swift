import Foundation
import Testing

/// The demo with real phones: the same script that tools/demo runs, on the binary that was just built.
@Suite(.serialized) struct DemoTests {
    @Test func everyCheckOfTheDemoPasses() throws {
        let scratch = try Scratch()
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("tools/lib/demo.py")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "python3", script.path, "--binary", Ledgerline.binary.path, "--json", scratch.path + "/demo.json", "--directory", scratch.path + "/demo",
            "--ports-from", "\(Ports.take(200))",
        ]
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(output)")
        let report = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: scratch.path + "/demo.json"))) as? [String: Any]
        let checks = report?["checks"] as? [[String: Any]] ?? []
        #expect(checks.count >= 25)
        for check in checks { #expect(check["passed"] as? Bool == true, "\(check)") }
    }
}
