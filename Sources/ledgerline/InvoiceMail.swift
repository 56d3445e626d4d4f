import ArgumentParser
import Foundation

/// What became of an invoice's mail; with `--send`, once more.
struct InvoiceMail: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mail", abstract: "Says whether an invoice was mailed, or why not; sends it again.",
        discussion: """
            Each mail is a line: when it was wanted, waiting, sent or failed, how often it was tried, to whom, and why it failed.

            Example: ledgerline invoice mail 0198c5a0-7e1d-7c39-8f6e-5d0c6a4f1b22 --send
            """)

    @Argument(help: "The invoice's id.") var invoice: String
    @Flag(help: "Send it once more, to the address that the customer has now.") var send = false
    @Option(help: "The request's key: given again, it sends nothing twice.") var key = UUID().uuidString
    @Flag(help: "One JSON object a line.") var json = false
    @OptionGroup var access: WorkerCommand.Access

    func run() async throws {
        let client = try access.client()
        let path = "/v1/invoices/\(invoice)/mail"
        let mails: [[String: Any]]
        if send {
            mails = [try await client.request("POST", path, headers: ["Idempotency-Key": key])]
        } else {
            mails = try await client.request("GET", path)["items"] as? [[String: Any]] ?? []
            if mails.isEmpty { note("the invoice was not mailed") }
        }
        for mail in mails {
            if json {
                try printJSON(mail)
                continue
            }
            func text(_ name: String) -> String { mail[name].map { $0 is NSNull ? "" : "\($0)" } ?? "" }
            print([text("wanted_at"), text("state"), text("attempts"), text("to"), text("reason")].joined(separator: "\t"))
        }
    }
}
