import Foundation
import Testing

/// The pack of an invoice, from calls to a stranger's machine: made by the binary beside a running server, checked by it with nothing but two files.
@Suite(.serialized) struct InvoiceDisputeTests {
    let scratch: Scratch
    let platform: TestPlatform

    init() throws {
        scratch = try Scratch()
        platform = TestPlatform(scratch: scratch.path)
    }

    @Test func whoHasTheFileAndThePublicKeyCanCheckTheInvoice() async throws {
        let billed = try await Billed.make(platform, calls: 200)
        let server = try await platform.start()
        func post(_ path: String, _ body: String) async throws -> [String: Any] {
            let answer = try await platform.ask("POST", path, token: billed.token, body, key: "1")
            return try #require(try JSONSerialization.jsonObject(with: Data(answer.utf8)) as? [String: Any], "\(answer)")
        }
        let issued = try await post("/v1/customers/\(billed.customer)/invoices", "{}")
        let id = try #require(issued["id"] as? String, "\(issued)")
        #expect(issued["total"] as? String == "8.00")
        let (pack, page) = (scratch.path + "/invoice.jsonl", scratch.path + "/invoice.html")
        let made = try await Ledgerline.finish(["dispute", "--invoice", id, "--data", platform.data, "--out", pack, "--html", page])
        #expect(made.status == 0 && made.output.contains("events with one proof"), "\(made.output)")
        let text = try String(contentsOfFile: page, encoding: .utf8)
        #expect(text.contains("200 charges of calls") && text.contains("Calls to USA"))
        // The API gives the same events.
        let given = try await platform.ask("GET", "/v1/invoices/\(id)/dispute", token: billed.token)
        let written = try String(contentsOfFile: pack, encoding: .utf8)
        #expect(given.hasPrefix(#"{"buyer":"#) && given.split(separator: "\n").count == written.split(separator: "\n").count)
        let key = scratch.path + "/published.pub"
        try FileManager.default.copyItem(atPath: platform.data + "/keys/log-signing.pub", toPath: key)
        #expect(try await server.stopped() == 0)
        try FileManager.default.removeItem(atPath: platform.data)

        let checked = try await Ledgerline.finish(["dispute", "verify", pack, "--key", key])
        #expect(checked.status == 0 && checked.output.contains("the pack of an invoice holds"), "\(checked.output)")
        #expect(checked.output.contains("Calls to USA: 200 movements, 12000 s, of 8.00 USD together"), "\(checked.output)")
        let json = try await Ledgerline.finish(["dispute", "verify", pack, "--key", key, "--json"])
        #expect(json.output.contains(#""holds":true"#) && json.output.contains(#""kind":"invoice""#), "\(json.output)")

        // One bit, one line, another key.
        let bytes = try Data(contentsOf: URL(fileURLWithPath: pack))
        func status(_ bytes: Data) async throws -> (status: Int32, output: String) {
            let changed = scratch.path + "/changed.jsonl"
            try bytes.write(to: URL(fileURLWithPath: changed))
            return try await Ledgerline.finish(["dispute", "verify", changed, "--key", key])
        }
        var flipped = bytes
        flipped[bytes.count / 2] ^= 1
        let ofFlipped = try await status(flipped).status
        #expect([1, 65].contains(ofFlipped))
        var lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        let dropped = try #require(lines.firstIndex { $0.contains("cdr.recorded") })
        lines.remove(at: dropped)
        let without = try await status(Data(lines.joined(separator: "\n").utf8))
        #expect(without.status == 65 && without.output.contains("it was cut off, or lines were added"), "\(without.output)")
        try "ledgerline.example/log+0eb1c8a1+AQ==".write(toFile: key, atomically: true, encoding: .utf8)
        let underAnother = try await status(bytes).status
        #expect(underAnother != 0)
    }
}
