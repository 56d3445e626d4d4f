import ControlPlane
import Foundation
import Ledger
import Mail
import Model
import OpenSSL
import Primitives
import Projections
import Testing

@testable import ControlAPI

/// Invoices of a platform whose mail goes to a real SMTP server.
@Suite struct InvoiceMailTests {
    private struct Post: Sendable {
        let sink: MailSink
        let platform: TestPlatform
        let api: Platform

        /// - Parameter leavesByItself: otherwise mail waits for `send`, so that what waits can be looked at however long that takes.
        init(leavesByItself: Bool = false) async throws {
            let sink = try await MailSink()
            self.sink = sink
            platform = try TestPlatform { Self.configure(&$0, sink, leavesByItself) }
            api = Platform(platform.service)
        }

        /// The platform after a restart.
        func restarted() throws -> TestPlatform { try platform.reopened { Self.configure(&$0, sink, false) } }

        private static func configure(_ configuration: inout ControlPlaneConfiguration, _ sink: MailSink, _ leavesByItself: Bool) {
            configuration.mail = MailSettings(
                server: MailServer(host: "127.0.0.1", port: sink.port, encryption: .none, from: "noreply@platform.example"), publicURL: "https://console.example/")
            configuration.mailLeavesByItself = leavesByItself
        }

        func send(at time: WallTime = .now) async {
            let mail = platform.service.mail
            await withCheckedContinuation { continuation in
                Thread.detachNewThread {
                    mail?.pass(at: time)
                    continuation.resume()
                }
            }
        }
    }

    /// What a platform leaves to the one after it.
    private actor Kept {
        private(set) var value = ("", "")
        func keep(_ invoice: String, _ letter: String) { value = (invoice, letter) }
    }

    private struct Books: Sendable {
        let client: Client
        let estate: Estate
        var customer: String { "/v1/customers/\(estate.customer)" }
        var billing: String { "/v1/providers/\(estate.provider)/billing" }

        init(_ client: Client, _ billing: JSON) async throws {
            self.client = client
            estate = try await Estate(client, name: "kages", digits: "4313001")
            #expect(try await client.patch(self.billing, billing).status == 200)
        }

        func issue(_ key: String) async throws -> Answer {
            _ = try await client.post(
                customer + "/adjustments", ["amount": ["amount": "-20", "currency": "EUR"], "reason": "Hosted PBX"], ["Idempotency-Key": "a" + key])
            let issued = try await client.post(customer + "/invoices", [:], ["Idempotency-Key": "i" + key])
            try #require(issued.status == 201, "\(issued.text)")
            return issued
        }

        func mails(_ invoice: Answer) async throws -> [JSON] { try await client.get("/v1/invoices/\(invoice.id)/mail")["items"]?.items ?? [] }
    }

    private static let seller: JSON = ["name": "Kages GmbH", "country": "AT", "city": "Wien", "vat_number": "ATU12345675"]

    @Test func anInvoiceIsMailedWithItsFilesInTheCustomersLanguage() async throws {
        let post = try await Post()
        try await TestPlatform.with(post.platform, post.api) { client in
            let books = try await Books(client, ["seller": Self.seller, "invoice_prefix": "K-", "payment_days": 14, "mail_invoices": true])
            #expect(try await client.patch("/v1/contacts/\(books.estate.contact)", ["country": "AT", "email": "anna@acme.example", "language": "pt-BR"]).status == 200)
            #expect(try await client.patch(books.customer, ["vat_rate": "20"]).status == 200)
            let invoice = try await books.issue("1")
            #expect(try await client.get("/v1/invoices/\(invoice.id)/document?format=html").text.contains("<html lang=\"pt\">"))
            #expect(try await books.mails(invoice).map { $0["state"] } == ["waiting"])
            await post.send()
            let mail = try #require(try await post.sink.next())
            #expect(mail.to == "anna@acme.example" && mail.header("Content-Language") == "pt-BR")
            #expect(mail.bodies[0].contains("fatura K-000001") && mail.bodies[0].contains("Olá, Anna!") && mail.bodies[0].contains("€\u{A0}24,00"), "\(mail.bodies[0])")
            // The same bytes as anybody is given, and the hash in the log.
            let pdf = try await client.get("/v1/invoices/\(invoice.id)/document?format=pdf")
            let ubl = try await client.get("/v1/invoices/\(invoice.id)/document?format=ubl")
            let text = mail.content.replacing("\r\n", with: "")
            #expect(pdf.status == 200 && text.contains(Base64.encode(pdf.bytes)) && text.contains("filename=\"K-000001.pdf\""))
            #expect(ubl.status == 200 && text.contains(Base64.encode(ubl.bytes)) && text.contains("filename=\"K-000001.xml\""))
            #expect(try await client.get("/v1/invoices/\(invoice.id)")["pdf_sha256"]?.text == hex(Hash.sha256(pdf.bytes)))
            let sent = try await books.mails(invoice)
            #expect(sent.map { $0["state"] } == ["sent"] && sent[0]["attempts"] == 1 && sent[0]["to"] == "anna@acme.example")
            // What became of it stands where the invoice is.
            let history = try await client.get("/v1/entities/\(invoice.id)/history")["items"]?.items?.compactMap { $0["type"]?.text } ?? []
            #expect(history == ["invoice.issued", "letter.wanted", "invoice.printed", "letter.sent"], "\(history)")
            // Nothing is sent twice by itself, and once more by asking.
            await post.send()
            #expect(try await client.patch(books.customer, ["email": "bills@acme.example", "language": "de"]).status == 200)
            let path = "/v1/invoices/\(invoice.id)/mail"
            let again = try await client.post(path, nil, ["Idempotency-Key": "again"])
            #expect(again.status == 201 && again["state"] == "waiting" && again["to"] == "bills@acme.example", "\(again.text)")
            #expect(try await client.post(path, nil, ["Idempotency-Key": "again"])["id"] == again["id"])
            await post.send()
            let second = try #require(try await post.sink.next())
            #expect(second.to == "bills@acme.example" && second.bodies[0].contains("Rechnung K-000001") && second.bodies[0].contains("24,00\u{A0}€"), "\(second.bodies[0])")
            #expect(try await books.mails(invoice).map { $0["state"] } == ["sent", "sent"])
            // A credit note goes out likewise.
            let note = try await client.post("/v1/invoices/\(invoice.id)/credit-notes", ["reason": "line was down"], ["Idempotency-Key": "c"])
            #expect(note.status == 201, "\(note.text)")
            await post.send()
            let third = try #require(try await post.sink.next())
            #expect(third.bodies[0].contains("Rechnungskorrektur C-000001") && third.bodies[0].contains("zur Rechnung K-000001"))
            // Neither address is in the log.
            let log = post.platform.service.log
            for sequence in 1...log.head {
                let bytes = Data(try log.bytes(at: sequence) ?? [])
                for address in ["anna@acme.example", "bills@acme.example"] { #expect(bytes.range(of: Data(address.utf8)) == nil, "event \(sequence)") }
            }
        }
    }

    @Test func whoIsToBeMailedIsTheProvidersAndTheCustomersChoice() async throws {
        let post = try await Post()
        try await TestPlatform.with(post.platform, post.api) { client in
            let books = try await Books(client, ["seller": Self.seller])
            #expect(try await client.patch(books.customer, ["email": "bills@acme.example"]).status == 200)
            #expect(try await books.mails(books.issue("1")).isEmpty)
            #expect(try await client.patch(books.customer, ["invoice_mail": "always"]).status == 200)
            #expect(try await books.mails(books.issue("2")).count == 1)
            #expect(try await client.patch(books.billing, ["mail_invoices": true]).status == 200)
            #expect(try await client.patch(books.customer, ["invoice_mail": "never"]).status == 200)
            #expect(try await books.mails(books.issue("3")).isEmpty)
            // Without an address, nobody is asked again and again.
            #expect(try await client.patch(books.customer, ["invoice_mail": "providers", "email": ""]).status == 200)
            let nobody = try await books.mails(books.issue("4"))
            #expect(nobody.count == 1 && nobody[0]["state"] == "failed" && nobody[0]["reason"]?.text?.contains("has an e-mail address") == true, "\(nobody)")
            let customer = try await client.token("own", role: "customer_admin", scope: books.estate.customer)
            let invoice = try await client.get("/v1/invoices?customer_id=\(books.estate.customer)")["items"]?[1]?["id"]?.text ?? ""
            #expect(try await customer.get("/v1/invoices/\(invoice)/mail")["items"]?.items?.count == 1)
            #expect(try await customer.post("/v1/invoices/\(invoice)/mail", nil, ["Idempotency-Key": "x"]).status == 403)
        }
    }

    /// What the server does not take is tried again with the same id, also by the process that comes after this one.
    @Test func anInvoiceThatCouldNotBeMailedIsMailedAfterARestart() async throws {
        let post = try await Post()
        try post.sink.reply("451 later")
        let kept = Kept()
        try await TestPlatform.with(post.platform, post.api) { client in
            let books = try await Books(client, ["seller": Self.seller, "mail_invoices": true])
            _ = try await client.patch(books.customer, ["email": "bills@acme.example"])
            let invoice = try await books.issue("1")
            await post.send()
            #expect(try await post.sink.next() == nil)
            let mails = try await books.mails(invoice)
            #expect(mails[0]["state"] == "waiting" && mails[0]["attempts"] == 1 && mails[0]["reason"] == "the mail server answers 451", "\(mails)")
            await kept.keep(invoice.id, mails[0]["id"]?.text ?? "")
        }
        let (id, wanted) = await kept.value
        try post.sink.reply("")
        let later = try post.restarted()
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                later.service.mail?.pass(at: .now + .seconds(31))
                continuation.resume()
            }
        }
        let mail = try #require(try await post.sink.next())
        #expect(mail.header("Message-ID") == "<\(wanted).letter@platform.example>" && mail.bodies[0].contains("invoice 000001"), "\(mail.bodies[0])")
        try await TestPlatform.with(later) { client in
            let mails = try await client.get("/v1/invoices/\(id)/mail")["items"]?.items ?? []
            #expect(mails.map { $0["state"] } == ["sent"] && mails[0]["attempts"] == 2, "\(mails)")
        }
    }

    @Test func aCustomerIsToldThatItsBalanceIsLow() async throws {
        let post = try await Post(leavesByItself: true)
        try await TestPlatform.with(post.platform, post.api) { client in
            let books = try await Books(client, ["seller": Self.seller, "mail_alerts": true])
            let changed = try await client.patch(
                books.customer, ["email": "boss@acme.example", "language": "es", "low_balance_alert": ["amount": "10", "currency": "EUR"]])
            #expect(changed.status == 200, "\(changed.text)")
            // The thread that keeps the books looks every second.
            let mail = try #require(try await post.sink.next())
            #expect(mail.to == "boss@acme.example" && mail.bodies[0].contains("0,00\u{A0}€") && mail.bodies[0].contains("10,00\u{A0}€"), "\(mail.bodies[0])")
            #expect(mail.header("Content-Language") == "es")
        }
    }
}
