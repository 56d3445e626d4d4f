import Foundation
import Testing

/// A transfer as a phone makes it.
@Suite struct BaresipTransferTests {
    private static let domain = CallFlowTests.domain

    @Test func baresipResumesAndTransfersAtOnce() async throws {
        let scratch = try Scratch()
        let estate = try await CallFlowTests.Estate(in: scratch)
        try await estate.grow(gateway: Ports.take())
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().appending(path: "tools/lib/transfer_phones.py")
        let played = try await run(
            "timeout", ["--signal=KILL", "150", "python3", script.path, "127.0.0.1:\(estate.platform.sip)", Self.domain, scratch.path, "\(Ports.take(9))"])
        #expect(played.status == 0, "\(played.output.suffix(3_000))")
        let last = played.output.split(separator: "\n").last { $0.hasPrefix("{") } ?? "{}"
        let told = try JSONSerialization.jsonObject(with: Data(last.utf8)) as? [String: Any]
        #expect((told?["alice_at_carol"] as? Double ?? 0) > 1, "\(last)")
        #expect((told?["bob"] as? [String])?.contains("TRANSFER_FAILED") == false, "\(last)")
        let records = try await estate.records(2)
        #expect(records.compactMap { $0["forward_kind"] as? String }.sorted() == ["none", "transferred"])
        #expect(records.allSatisfy { $0["cause"] as? String == "caller_hung_up" }, "\(records.map { $0["cause"] ?? "" })")
        try await estate.end()
    }
}
