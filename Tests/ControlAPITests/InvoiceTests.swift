import Foundation
import HTTPTypes
import Testing

@testable import ControlAPI

private func money(_ amount: String) -> JSON { ["amount": .string(amount), "currency": "EUR"] }

@Test func anInvoiceIsPreviewedIssuedListedAndPrinted() async throws {
    try await TestPlatform.with { client in
        let estate = try await Estate(client, name: "kages", digits: "4313001")
        let (customer, billing) = ("/v1/customers/\(estate.customer)", "/v1/providers/\(estate.provider)/billing")
        func post(_ path: String, _ body: JSON, _ key: String) async throws -> Answer { try await client.post(path, body, ["Idempotency-Key": key]) }
        let nothing = try await post(customer + "/invoices", [:], "0")
        #expect(nothing.status == 409 && nothing.text.contains("nothing that belongs on an invoice"), "\(nothing.text)")
        #expect(try await client.patch(customer, ["vat_rate": "19"]).status == 200)
        #expect(try await post(customer + "/adjustments", ["amount": money("-20"), "reason": "Hosted PBX"], "1").status == 201)
        let draft = try await post(customer + "/invoices", ["preview": true], "2")
        #expect(draft.status == 201 && draft["total"]?.text == "23.80", "\(draft.text)")
        #expect(try await client.get("/v1/invoices?customer_id=\(estate.customer)")["items"]?.items?.isEmpty == true)
        #expect(try await client.patch(billing, ["invoice_prefix": "K-", "payment_days": 14]).status == 200)
        let issued = try await post(customer + "/invoices", [:], "3")
        #expect(issued.status == 201 && issued["number"]?.text == "K-000001", "\(issued.text)")
        #expect(try await post(customer + "/invoices", [:], "3")["id"] == issued["id"], "a repetition is the same invoice")
        let path = "/v1/invoices/\(issued.id)"
        #expect(try await client.get(customer + "/balance")["balance"]?["amount"]?.text == "-23.80")
        // A seller without a country cannot send an electronic invoice, and is told what is missing.
        let refused = try await client.get(path + "/document?format=ubl")
        #expect(refused.status == 409 && refused.text.contains("BR-09"), "\(refused.text)")
        let page = try await client.get(path + "/document?format=html")
        #expect(page.text.contains("K-000001") && page.headers[.contentType] == "text/html; charset=utf-8")
        let note = try await post(path + "/credit-notes", ["reason": "line was down", "amount": money("5")], "4")
        #expect(note.status == 201 && note["total"]?.text == "5.95" && note["number"]?.text == "C-000001", "\(note.text)")
        #expect(try await post(path + "/credit-notes", ["reason": "more", "amount": money("16")], "5").status == 422)
        #expect(try await client.get("/v1/invoices?provider_id=\(estate.provider)")["items"]?.items?.count == 2)
        // The customer sees its own; another one's it does not.
        let own = try await client.token("own", role: "customer_admin", scope: estate.customer)
        #expect(try await own.get("/v1/invoices")["items"]?.items?.count == 2)
        let stranger = try await Estate(client, name: "omega", digits: "4313002")
        let other = try await client.token("other", role: "customer_admin", scope: stranger.customer)
        #expect(try await other.get(path).status == 404)
        #expect(try await client.get("/v1/trial-balance")["is_zero"] == .bool(true))
        // Who sees everything of the calls gets the proof of them; here there are none, so the provider does too.
        let provider = try await client.token("kages", role: "provider_admin", scope: estate.provider)
        for asker in [client, provider] {
            let pack = try await asker.get(path + "/dispute")
            #expect(pack.status == 200 && pack.headers[.contentType] == "application/jsonl", "\(pack.text)")
            #expect(pack.text.contains(#""format":"ledgerline.dispute.invoice/1""#) && pack.text.contains("invoice.issued"))
        }
        #expect(try await own.get(path + "/dispute").status == 403)
        #expect(try await client.get("/v1/invoices/\(estate.customer)/dispute").status == 404)
        let calls = try await client.get(path + "/calls")
        #expect(calls.text.hasPrefix("cdr_number,started_at,"), "\(calls.text)")
    }
}

@Test func aTemplateIsAFactAndStaysWithTheInvoicesThatWereMadeByIt() async throws {
    try await TestPlatform.with { client in
        let estate = try await Estate(client, name: "kages", digits: "4313003")
        let (customer, provider) = ("/v1/customers/\(estate.customer)", "/v1/providers/\(estate.provider)")
        func issue(_ key: String) async throws -> Answer {
            _ = try await client.post(customer + "/adjustments", ["amount": money("-1"), "reason": "x"], ["Idempotency-Key": "a" + key])
            return try await client.post(customer + "/invoices", [:], ["Idempotency-Key": "i" + key])
        }
        #expect(try await client.get(provider + "/invoice-template").text.contains("{{#sections}}"))
        #expect(try await client.post(provider + "/invoice-templates", ["html": "{{#open}}"]).status == 422)
        let made = try await client.post(provider + "/invoice-templates", ["html": "<h1>{{title}} {{number}}</h1>{{total}}"])
        let hash = try #require(made["hash"]?.text)
        #expect(try await client.patch(provider + "/billing", ["template": .string(hash)]).status == 200)
        let first = try await issue("1")
        #expect(try await client.patch(provider + "/billing", ["template": .null]).status == 200)
        let second = try await issue("2")
        let page = try await client.get("/v1/invoices/\(first.id)/document?format=html").text
        #expect(page == "<h1>Invoice 000001</h1>€1.00")
        #expect(try await client.get("/v1/invoices/\(second.id)/document?format=html").text.hasPrefix("<!DOCTYPE html>"))
    }
}
