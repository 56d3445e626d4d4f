import Model
import Primitives
import Tables

extension AccountStatement {
    package static let columns = [
        "sequence", "index", "posted_at", "kind", "source", "amount", "balance", "currency", "journal_id", "call_id", "cdr_number",
    ]

    /// RFC 4180. The first and the last line say what the account stood at: kind `opening` and `closing`.
    package var csv: [UInt8] {
        var writer = CSVWriter()
        writer.append(Self.columns)
        func edge(_ kind: String, _ time: WallTime, _ balance: Int64) -> [String] {
            ["", "", time.rfc3339, kind, "", "", Money.decimal(micros: balance), account.currency, "", "", ""]
        }
        writer.append(edge("opening", from, opening))
        for movement in movements {
            writer.append([
                String(movement.sequence), String(movement.index), movement.at.rfc3339, movement.kind.literal, movement.source,
                Money.decimal(micros: movement.amount), Money.decimal(micros: movement.balance), account.currency,
                movement.journal?.description ?? "", movement.call?.description ?? "", movement.record.map { String($0) } ?? "",
            ])
        }
        writer.append(edge("closing", to, closing))
        return writer.bytes
    }

    /// A plain page. Times are those of the log: UTC.
    /// - Parameter holder: whose account it is, as it is to be called.
    package func page(holder: String) -> String {
        func money(_ micros: Int64) -> String { Money.decimal(micros: micros) }
        func minute(_ time: WallTime) -> String { String(time.rfc3339.prefix(16)).replacing("T", with: " ") }
        var page = HTMLPage(title: "Statement of account")
        page.heading("Statement of account", level: 1)
        page.facts([
            ("Account of", holder), ("Account", account.text), ("From", minute(from) + " UTC"), ("To", minute(to) + " UTC"),
            ("Currency", account.currency), ("As of", "event \(sequence) of the log"),
        ])
        let rows = movements.map { movement in
            [
                minute(movement.at), movement.source.isEmpty ? movement.kind.literal : movement.source,
                movement.record.map { "call record \($0)" } ?? "event \(movement.sequence)", money(movement.amount), money(movement.balance),
            ]
        }
        page.table(
            ["Time (UTC)", "What", "Where it is recorded", "Amount", "Balance"],
            [["", "Opening balance", "", "", money(opening)]] + rows, figures: [3, 4], total: ["", "Closing balance", "", "", money(closing)])
        let sums = sums
        page.paragraph("\(movements.count) movements: \(money(sums.credits)) in, \(money(sums.debits)) out.")
        return page.text
    }
}
