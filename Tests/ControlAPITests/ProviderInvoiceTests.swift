import Foundation
import HTTPTypes
import Testing

@testable import ControlAPI

private func money(_ amount: String) -> JSON { ["amount": .string(amount), "currency": "EUR"] }

extension Client {
    fileprivate func post(_ path: String, _ body: JSON = [:], key: String) async throws -> Answer {
        try await post(path, body, ["Idempotency-Key": key])
    }
}

/// Invoices to providers over the API: who issues them, and who sees them.
@Test func anInvoiceToAProviderIsIssuedFromAboveAndSeenOnBothSidesAndNowhereElse() async throws {
    try await TestPlatform.with { client in
        let parent = try await Estate(client, name: "kages", digits: "4313041")
        let below = try await Estate(client, name: "below", digits: "4313042", parent: parent.provider)
        let other = try await Estate(client, name: "omega", digits: "4313043")
        let path = "/v1/providers/\(below.provider)"
        let seller = try await client.token("seller", role: "billing", scope: parent.provider)
        let own = try await client.token("own", role: "provider_admin", scope: below.provider)
        let beside = try await client.token("beside", role: "provider_admin", scope: other.provider)
        let customer = try await client.token("customer", role: "customer_admin", scope: below.customer)
        #expect(
            try await client.patch(
                "/v1/providers/\(parent.provider)/billing",
                [
                    "invoice_prefix": "K-", "payment_days": 14, "exemption_reason": "",
                    "seller": ["name": "Kages GmbH", "city": "Wien", "country": "AT", "vat_number": "ATU12345675"],
                ]
            ).status == 200)
        #expect(try await client.patch("/v1/contacts/\(below.contact)", ["country": "AT", "company": "Below GmbH"]).status == 200)

        let nothing = try await seller.post(path + "/invoices", key: "0")
        #expect(nothing.status == 409 && nothing.text.contains("nothing that belongs on an invoice"), "\(nothing.text)")
        #expect(try await seller.post(path + "/adjustments", ["amount": money("-20"), "reason": "Set-up"], key: "1").status == 201)
        let nobody = try await seller.post(path + "/invoices", key: "2")
        #expect(nobody.status == 409 && nobody.text.contains("set its contact_id"), "\(nobody.text)")
        #expect(try await seller.patch(path, ["vat_rate": "20"]).status == 403, "who posts money changes no terms")
        #expect(try await own.patch(path, ["vat_rate": "0"]).status == 403, "nor does the provider itself")
        #expect(try await client.patch(path, ["contact_id": .string(below.contact), "vat_rate": "20"]).status == 200)
        #expect(try await seller.post(path + "/invoices", ["currency": "CHF"], key: "3").status == 409)
        #expect(try await seller.post(path + "/invoices", ["currency": "euro"], key: "4").status == 422)

        let draft = try await seller.post(path + "/invoices", ["preview": true], key: "5")
        #expect(draft.status == 201 && draft["total"]?.text == "24.00", "\(draft.text)")
        #expect(try await own.post(path + "/invoices", key: "6").status == 403)
        #expect(try await own.post(path + "/invoices", ["preview": true], key: "7").status == 403)
        #expect(try await beside.post(path + "/invoices", key: "8").status == 404)
        let issued = try await seller.post(path + "/invoices", key: "9")
        #expect(issued.status == 201 && issued["number"]?.text == "K-000001", "\(issued.text)")
        #expect(try await seller.post(path + "/invoices", key: "9")["id"] == issued["id"], "a repetition is the same invoice")
        #expect(issued["provider_id"]?.text == parent.provider && issued["buyer_provider_id"]?.text == below.provider && issued["customer_id"] == .null)

        // Both sides see it.
        let invoice = "/v1/invoices/\(issued.id)"
        for asker in [client, seller, own] {
            #expect(try await asker.get(invoice)["total"]?.text == "24.00")
            #expect(try await asker.get("/v1/invoices?buyer_provider_id=\(below.provider)")["items"]?.items?.count == 1)
            let page = try await asker.get(invoice + "/document?format=html")
            #expect(page.text.contains("Below GmbH") && page.text.contains("Set-up"))
            #expect(try await asker.get(invoice + "/document?format=ubl").text.contains("<cbc:RegistrationName>Below GmbH</cbc:RegistrationName>"))
            #expect(try await asker.get(invoice + "/calls").status == 200)
            let pack = try await asker.get(invoice + "/dispute")
            #expect(pack.status == 200 && pack.text.contains("ledgerline.dispute.invoice/3"), "\(pack.text)")
        }
        #expect(try await seller.get("/v1/invoices")["items"]?.items?.count == 1, "its own, as seller")
        #expect(try await own.get("/v1/invoices")["items"]?.items?.isEmpty == true, "it has sold nothing")
        // Nobody else does.
        for asker in [beside, customer] {
            for document in ["", "/document?format=html", "/calls", "/mail"] { #expect(try await asker.get(invoice + document).status == 404, "\(document)") }
            #expect(try await asker.get("/v1/invoices?buyer_provider_id=\(below.provider)").status == 404)
        }
        // Nor does who owes give anything back to itself.
        #expect(try await own.post(invoice + "/credit-notes", ["reason": "x"], key: "10").status == 403)
        let note = try await seller.post(invoice + "/credit-notes", ["reason": "line was down", "amount": money("5")], key: "12")
        #expect(note.status == 201 && note["total"]?.text == "6.00" && note["buyer_provider_id"]?.text == below.provider, "\(note.text)")
        #expect(try await own.get("/v1/accounts/provider_payable.\(below.provider).EUR")["balance"]?["amount"]?.text == "18.00")
        #expect(try await client.get("/v1/trial-balance")["is_zero"] == .bool(true))
    }
}

@Test func thePlatformBillsTheProvidersUnderItInItsOwnName() async throws {
    try await TestPlatform.with { client in
        let estate = try await Estate(client, name: "kages", digits: "4313051")
        let path = "/v1/providers/\(estate.provider)"
        let own = try await client.token("own", role: "provider_admin", scope: estate.provider)
        let books = try await client.token("books", role: "billing")
        #expect(try await own.get("/v1/billing").status == 403)
        #expect(try await books.patch("/v1/billing", ["payment_days": 7]).status == 403, "who posts money changes no terms")
        let billing = try await client.patch(
            "/v1/billing",
            ["invoice_prefix": "P-", "payment_days": 14, "seller": ["name": "Platform AG", "country": "CH", "registration": "CHE-1"]])
        #expect(billing.status == 200 && billing["provider_id"] == .null, "\(billing.text)")
        #expect(try await books.get("/v1/billing")["seller"]?["name"]?.text == "Platform AG")
        #expect(try await client.patch("/v1/billing", ["mail_alerts": true]).status == 422)
        #expect(try await client.patch("/v1/billing", ["approval_above": money("5")]).text.contains("must be XXX"))
        let made = try await client.post("/v1/billing/invoice-templates", ["html": "<h1>{{number}}</h1>{{total}}"])
        let hash = try #require(made["hash"]?.text, "\(made.text)")
        #expect(try await client.get("/v1/billing/invoice-template").text.contains("{{#sections}}"))
        #expect(try await client.patch("/v1/billing", ["template": .string(hash)]).status == 200)
        #expect(try await books.get("/v1/billing/invoice-template").text == "<h1>{{number}}</h1>{{total}}")

        #expect(try await client.patch(path, ["contact_id": .string(estate.contact)]).status == 200)
        #expect(try await books.post(path + "/adjustments", ["amount": money("-3"), "reason": "Set-up"], key: "1").status == 201)
        let issued = try await books.post(path + "/invoices", key: "2")
        #expect(issued.status == 201 && issued["number"]?.text == "P-000001" && issued["provider_id"] == .null, "\(issued.text)")
        #expect(try await own.get("/v1/invoices/\(issued.id)/document?format=html").text == "<h1>P-000001</h1>€3.00")
        #expect(try await client.get("/v1/invoices")["items"]?.items?.map { $0["id"] } == [issued["id"]], "the platform's own")
        #expect(try await own.get("/v1/invoices?buyer_provider_id=\(estate.provider)")["items"]?.items?.count == 1)
        #expect(try await client.get("/v1/trial-balance")["is_zero"] == .bool(true))
    }
}
