import Foundation
import Testing

/// A provider's debt to the platform as an operator deals with it: by the API and the command line of a running platform, from the calls to the payment.
@Suite(.serialized) struct ProviderInvoiceTests {
    let scratch: Scratch
    let platform: TestPlatform

    init() throws {
        scratch = try Scratch()
        platform = TestPlatform(scratch: scratch.path)
    }

    @Test func whatAProviderOwesIsBilledPrintedCheckedAndPaid() async throws {
        let billed = try await Billed.make(platform, calls: 200, isResold: true)
        let server = try await platform.start()
        func ask(_ method: String, _ path: String, _ body: String? = nil, key: String? = nil) async throws -> [String: Any] {
            let answer = try await platform.ask(method, path, token: billed.token, body, key: key)
            return try #require(try JSONSerialization.jsonObject(with: Data(answer.utf8)) as? [String: Any], "\(answer)")
        }
        let access = ["--url", platform.url, "--token", billed.token]

        // Who sells, who buys, and how.
        _ = try await ask(
            "PATCH", "/v1/billing",
            #"{"seller":{"name":"Platform AG","street":"Bahnhofstr. 1","postal_code":"60329","city":"Frankfurt","country":"DE","vat_number":"DE123456788","iban":"DE89370400440532013000"},"invoice_prefix":"P-","payment_days":14,"call_list":true,"vat_rates":[{"country":"DE","class":"standard","rate":"19"}]}"#)
        let contact = try await ask(
            "POST", "/v1/contacts",
            #"{"provider_id":"\#(billed.provider)","name":"Rita","company":"Kages & Co <GmbH>","street":"Am Markt 1","postal_code":"1010","city":"Wien","country":"AT","vat_number":"ATU13585627","email":"bills@kages.example"}"#)
        let provider = try await ask("PATCH", "/v1/providers/\(billed.provider)", #"{"contact_id":"\#(contact["id"] as? String ?? "")","vat_treatment":"by_country"}"#)
        #expect(provider["vat_treatment"] as? String == "by_country", "\(provider)")

        let preview = try await Ledgerline.finish(["invoice", "preview", billed.provider, "--provider", "--data", platform.data])
        #expect(preview.status == 0 && preview.output.contains("Kages &amp; Co &lt;GmbH&gt;") && preview.output.contains("Calls to USA"), "\(preview.output.suffix(400))")
        let issued = try await Ledgerline.finish(["invoice", "issue", billed.provider, "--provider", "--key", "november", "--json"] + access)
        #expect(issued.status == 0, "\(issued.output)")
        let invoice = try #require(try JSONSerialization.jsonObject(with: Data(issued.output.utf8)) as? [String: Any])
        let id = try #require(invoice["id"] as? String)
        #expect(invoice["number"] as? String == "P-000001" && invoice["total"] as? String == "6.00" && invoice["provider_id"] is NSNull)
        #expect(invoice["buyer_provider_id"] as? String == billed.provider && invoice["customer_id"] is NSNull && invoice["calls"] as? Int == 200)
        #expect((invoice["taxes"] as? [[String: Any]])?.first?["category"] as? String == "AE" && (invoice["broken_rules"] as? [String])?.isEmpty == true)
        let again = try await Ledgerline.finish(["invoice", "issue", billed.provider, "--provider", "--key", "november", "--json"] + access)
        #expect(again.output.contains(id), "a repetition is the same invoice")

        // On paper, and for programs.
        let ubl = try await platform.ask("GET", "/v1/invoices/\(id)/document?format=ubl", token: billed.token)
        #expect(ubl.contains("<cbc:ID>AE</cbc:ID>") && ubl.contains("Kages &amp; Co &lt;GmbH&gt;"), "\(ubl.prefix(300))")
        let file = scratch.path + "/invoice.xml"
        let printed = try await Ledgerline.finish(["invoice", "print", id, "--data", platform.data, "--format", "ubl", "--out", file])
        #expect(try printed.status == 0 && String(contentsOfFile: file, encoding: .utf8) == ubl, "\(printed.output)")
        if let kept = ProcessInfo.processInfo.environment["LEDGERLINE_KEEP_UBL"] { try ubl.write(toFile: kept + "/provider.xml", atomically: true, encoding: .utf8) }
        if FileManager.default.fileExists(atPath: "/usr/share/doc/weasyprint") {
            let (first, second) = (scratch.path + "/first.pdf", scratch.path + "/second.pdf")
            let fetched = try await run("curl", ["-sS", "-H", "Authorization: Bearer \(billed.token)", "-o", first, platform.url + "/v1/invoices/\(id)/document"])
            let made = try await Ledgerline.finish(["invoice", "print", id, "--data", platform.data, "--out", second])
            let bytes = try Data(contentsOf: URL(fileURLWithPath: first))
            #expect(fetched.status == 0 && made.status == 0 && bytes.starts(with: Data("%PDF-".utf8)), "\(made.output)")
            #expect(try Data(contentsOf: URL(fileURLWithPath: second)) == bytes, "the file that was made first is the one that is given")
        }
        let calls = try await platform.ask("GET", "/v1/invoices/\(id)/calls", token: billed.token)
        #expect(calls.split(separator: "\r\n").count == 201 && calls.contains(",60,0.03,USD"), "\(calls.prefix(300))")
        let listed = try await Ledgerline.finish(["invoice", "list", "--buyer-provider", billed.provider] + access)
        #expect(listed.output.contains("P-000001"), "\(listed.output)")
        let verified = try await Ledgerline.finish(["invoice", "verify", "--provider", "platform", "--data", platform.data])
        #expect(verified.status == 0 && verified.output.contains("P-000001"), "\(verified.output)")

        // Proven to somebody who has the file and the public key.
        let pack = scratch.path + "/invoice.jsonl"
        let packed = try await Ledgerline.finish(["dispute", "--invoice", id, "--data", platform.data, "--out", pack])
        let checked = try await Ledgerline.finish(["dispute", "verify", pack, "--key", platform.data + "/keys/log-signing.pub"])
        #expect(packed.status == 0 && checked.status == 0, "\(packed.output) \(checked.output)")
        #expect(checked.output.contains("Calls to USA: 200 movements, 12000 s, of 6.00 USD together"), "\(checked.output)")

        // Paid, and the account says so.
        let paid = try await Ledgerline.finish(
            ["provider", "pay", billed.provider, "--amount", "6", "--currency", "USD", "--reason", "transfer 17", "--key", "transfer-17"] + access)
        #expect(paid.status == 0 && paid.output.contains("the provider owes 0.00 USD"), "\(paid.output)")
        let statement = try await Ledgerline.finish(["statement", "provider_payable.\(billed.provider).USD", "--data", platform.data, "--from", "2020-01-01"])
        #expect(statement.output.contains("transfer 17") && statement.output.split(separator: "\n").last?.hasSuffix("0.00") == true, "\(statement.output.suffix(300))")
        let trial = try await ask("GET", "/v1/trial-balance")
        #expect(trial["is_zero"] as? Bool == true, "\(trial)")
        #expect(try await server.stopped() == 0)
    }
}
