import ArgumentParser
import Foundation
import Invoices
import Ledger
import Model
import Primitives
import Projections

struct StatementCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "statement", abstract: "What moved an account in a period, read from the log.",
        discussion: """
            Opening balance, every movement with its source and the balance after it, closing balance. Reads the data directory, beside a
            running control plane or without one. Over the network: GET /v1/customers/{id}/statement, GET /v1/accounts/{id}/statement.

            Example: ledgerline statement 0198c5a0-7e1d-7c39-8f6e-5d0c6a4f1b22 --data ./data --from 2026-11-01 --to 2026-12-01
            Example: ledgerline statement 0198c5a0-7e1d-7c39-8f6e-5d0c6a4f1b22 --data ./data --from 2026-11-01 --csv > november.csv
            What a provider owes the one above it: ledgerline statement provider_payable.0198c5a0-7e1d-7c39-8f6e-5d0c6a4f1b22.EUR --data ./data --from 2026-11-01
            """)

    @Argument(help: "The customer's id, or an account's, as `GET /v1/accounts` names it.") var customer: String
    @Option(help: "The data directory.") var data: String
    @Option(help: "Movements then or later: a date (UTC) or a time by RFC 3339.") var from: String
    @Option(help: "And before this; now, if it is not given.") var to: String?
    @Flag(help: "One JSON object a movement, one a line.") var json = false
    @Flag(help: "A table for programs.") var csv = false
    @Flag(help: "A plain page.") var html = false

    func run() async throws {
        guard [json, csv, html].filter({ $0 }).count <= 1 else { throw ValidationError("choose one of --json, --csv and --html") }
        guard CustomerID(customer) != nil || AccountRef(text: customer) != nil else {
            throw ValidationError("\(customer) is neither a customer's id nor an account's, such as provider_payable.0198c5a0-7e1d-7c39-8f6e-5d0c6a4f1b22.EUR")
        }
        let (from, to) = (try time(from, "--from"), try self.to.map { try time($0, "--to") } ?? .current)
        let opened = try OpenedLog(data)
        let views = try opened.views()
        let named = try readViews(views) { views throws(ViewsError) in try lookUp(in: views) }
        guard let (account, holder) = named else { throw fail(.data, "there is no customer or account \(customer)") }
        let statement = try readViews(views) { views throws(ViewsError) in
            Result { () throws(StatementError) in
                try AccountStatement(of: account, from: from, to: to, limit: .max, in: views, opened.log)
            }
        }
        switch statement {
        case .failure(let error): throw fail(.data, "\(error)")
        case .success(let statement): try print(statement, holder: holder)
        }
    }

    /// nil: there is none.
    private func lookUp(in views: borrowing ViewSnapshot) throws(ViewsError) -> (account: AccountRef, holder: String)? {
        if let id = CustomerID(customer) {
            guard let found = try views.customer(id), let currency = Currency(found.currency) else { return nil }
            return (.customer(id, currency), found.name)
        }
        guard let account = AccountRef(text: customer), try views.account(account).postings > 0 else { return nil }
        return (account, try AccountStatement.holder(of: account, in: views))
    }

    private func print(_ statement: AccountStatement, holder: String) throws {
        if csv { return FileHandle.standardOutput.write(Data(statement.csv)) }
        if html { return FileHandle.standardOutput.write(Data(statement.page(holder: holder).utf8)) }
        func money(_ micros: Int64) -> String { Money.decimal(micros: micros) }
        func wide(_ text: String, _ width: Int) -> String { String(repeating: " ", count: max(0, width - text.count)) + text }
        if json {
            for movement in statement.movements {
                try printJSON([
                    "sequence": movement.sequence, "posted_at": movement.at.rfc3339, "kind": movement.kind.literal, "source": movement.source,
                    "amount": money(movement.amount), "balance": money(movement.balance), "currency": statement.account.currency,
                    "cdr_number": movement.record as Any? ?? NSNull(), "journal_id": movement.journal?.description ?? "",
                ])
            }
            return
        }
        Swift.print("account \(statement.account.text), as of event \(statement.sequence)")
        Swift.print("\(statement.from.rfc3339.prefix(19))  \(wide("opening", 40))  \(wide("", 14)) \(wide(money(statement.opening), 14))")
        for movement in statement.movements {
            let source = movement.source.isEmpty ? movement.kind.literal : movement.source
            let place = movement.record.map { "\(source), record \($0)" } ?? source
            Swift.print("\(movement.at.rfc3339.prefix(19))  \(wide(String(place.prefix(40)), 40))  \(wide(money(movement.amount), 14)) \(wide(money(movement.balance), 14))")
        }
        Swift.print("\(statement.to.rfc3339.prefix(19))  \(wide("closing", 40))  \(wide("", 14)) \(wide(money(statement.closing), 14))")
    }

    private func time(_ text: String, _ option: String) throws -> WallTime {
        guard let time = WallTime(rfc3339: text) ?? WallTime(rfc3339: text + "T00:00:00Z") else {
            throw ValidationError("\(option) \(text) is neither a date such as 2026-11-01 nor a time by RFC 3339")
        }
        return time
    }
}
