import Foundation
import Testing

/// Linphone by UDP, TCP and TLS, driven by its console.
@Suite struct LinphoneTests {
    @Test func linphoneRegistersCallsHoldsAndIsCalled() async throws {
        let scratch = try Scratch()
        try await Certificates.make(in: scratch.path, own: "localhost", peer: "127.0.0.1")
        let tls = Ports.take()
        let estate = try await CallFlowTests.Estate(in: scratch, ["--listen", "tls:127.0.0.1:\(tls)", "--certificates", scratch.path + "/own"])
        try await estate.grow(gateway: Ports.take())
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().appending(path: "tools/lib/linphone_phones.py")
        let played = try await run(
            "timeout",
            [
                "--signal=KILL", "200", "python3", script.path, "\(estate.platform.sip)", "\(tls)", scratch.path + "/root.pem", CallFlowTests.domain, scratch.path, "\(Ports.take(40))",
            ])
        #expect(played.status == 0, "\(played.output.suffix(3_000))")
        let last = played.output.split(separator: "\n").last { $0.hasPrefix("{") } ?? "{}"
        let told = try JSONSerialization.jsonObject(with: Data(last.utf8)) as? [String: [String: Bool]] ?? [:]
        #expect(told.count == 3 && told.values.allSatisfy { $0.values.allSatisfy(\.self) }, "\(last)")
        let records = try await estate.records(6)
        #expect(records.count == 6 && records.allSatisfy { $0["cause"] as? String == "caller_hung_up" }, "\(records.map { $0["cause"] ?? "" })")
        try await estate.end()
    }
}
