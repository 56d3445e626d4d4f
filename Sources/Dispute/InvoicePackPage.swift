import Foundation
import Invoices
import Model
import Primitives
import Tables

extension InvoicePack {
    /// The pack as a page for a person.
    ///
    /// - Parameter outcome: of a check.
    package func page(_ outcome: Result<(verdict: Verdict, facts: InvoiceFacts), Contradiction>) -> String {
        switch outcome {
        case .failure(let contradiction):
            var page = HTMLPage(title: "Invoice \(head.invoice)")
            page.heading("Invoice \(head.invoice)", level: 1)
            page.paragraph("This pack does not hold: \(contradiction).", kind: "bad")
            addEnd(to: &page)
            return page.text
        case .success(let (verdict, facts)):
            var page = HTMLPage(title: facts.title)
            page.heading(facts.title, level: 1)
            page.paragraph(facts.summary(head.buyer))
            page.paragraph("Checked: nothing in this pack contradicts the signed log.", kind: "good")
            facts.addDocument(to: &page)
            page.heading("What is proven")
            for line in verdict.proven { page.paragraph(sentence(line)) }
            page.heading("What is not proven")
            for line in verdict.notProven { page.paragraph(sentence(line)) }
            facts.addMovements(to: &page)
            addEnd(to: &page)
            return page.text
        }
    }

    private func addEnd(to page: inout HTMLPage) {
        page.heading("Events and the signed head")
        page.paragraph("\(lines.count) events, with one proof of \(proof.count) hashes for all of them, \(file.count) bytes in all.")
        page.preformatted(head.checkpoint)
        page.paragraph("Made \(head.madeAt) from the log \(head.log). Verifier key in the pack: \(head.key)")
    }

    private func sentence(_ text: String) -> String { text.prefix(1).uppercased() + text.dropFirst() + "." }
}

extension InvoiceFacts {
    fileprivate var title: String { "\(issued.kind == .creditNote ? "Credit note" : "Invoice") \(issued.numberText)" }

    private func money(_ micros: Int64) -> String { InvoiceAmounts.plain(micros, issued.decimals) }

    fileprivate func summary(_ buyer: InvoicePack.Buyer?) -> String {
        let name = buyer.map { [$0.company, $0.name].filter { !$0.isEmpty }.joined(separator: ", ") } ?? ""
        let calls = rows.count { $0.kind == .call }
        return "From \(issued.seller.name) to \(name.isEmpty ? "a buyer that was erased" : name), \(issued.issuedOn): \(money(issued.totalMicros)) \(issued.currency)"
            + (issued.kind == .creditNote ? ", given back of invoice \(issued.creditedNumber)." : ", \(calls) charges of calls and \(rows.count - calls) other movements.")
    }

    fileprivate func addDocument(to page: inout HTMLPage) {
        page.heading(issued.kind == .creditNote ? "The credit note" : "The invoice")
        let calendar = BillingCalendar(timeZone: issued.timeZone)
        page.facts([
            ("Number", "\(issued.numberText), \(issued.number) of its series"), ("Issued", "\(issued.issuedOn), event \(sequence)"), ("Due", issued.dueOn),
            ("Period", "\(calendar.day(of: WallTime(microseconds: issued.periodFrom))) to \(calendar.day(of: WallTime(microseconds: max(issued.periodFrom, issued.periodTo - 1))))"),
            ("Movements", "behind event \(issued.afterSequence), up to event \(issued.throughSequence)"), ("Account", account.text),
        ])
        page.table(
            ["Item", "Movements", "Seconds", "Exact \(issued.currency)", "On paper"],
            issued.lines.map {
                [$0.description_p, "\($0.calls)", $0.seconds > 0 ? "\($0.seconds)" : "", CallExplanation.amount($0.exactMicros, "", withCode: false), money($0.amountMicros)]
            }, figures: [1, 2, 3, 4], total: ["Net", "", "", "", money(issued.netMicros)])
        page.table(
            [], issued.taxes.map { ["VAT \(InvoiceAmounts.percent($0.vatBasisPoints)) %\(issued.hasTaxedLines ? " (\($0.category))" : "") of \(money($0.taxableMicros))", "\(money($0.taxMicros)) \(issued.currency)"] }
                + [["Total", "\(money(issued.totalMicros)) \(issued.currency)"]], figures: [1])
        if issued.kind == .invoice {
            page.heading("The account")
            let exact = { (micros: Int64) in CallExplanation.amount(micros, "", withCode: false) }
            page.table(
                [],
                [
                    ["Before" + (before.map { ", at the end of \($0.invoice.numberText)" } ?? ""), "\(exact(issued.openingMicros)) \(issued.currency)"],
                    ["Paid in or given back", "\(exact(issued.paymentsMicros)) \(issued.currency)"], ["This invoice", "\(exact(-issued.totalMicros)) \(issued.currency)"],
                    ["After", "\(exact(issued.closingMicros)) \(issued.currency)"],
                ], figures: [1])
        }
        let others = notes.filter { $0.sequence != sequence }
        if !others.isEmpty {
            page.heading("Credit notes")
            page.table(
                ["Number", "Issued", "Reason", "Total \(issued.currency)", "Event"],
                others.map { [$0.note.numberText, $0.note.issuedOn, $0.note.reason, money($0.note.totalMicros), "\($0.sequence)"] }, figures: [3, 4])
        }
    }

    /// Every movement, calls apart.
    fileprivate func addMovements(to page: inout HTMLPage) {
        let calendar = BillingCalendar(timeZone: issued.timeZone)
        let others = rows.filter { $0.kind != .call }
        if !others.isEmpty {
            page.heading("Fees, payments, corrections")
            page.table(
                ["At", "What", "", "Charged \(issued.currency)", "Event"],
                others.map {
                    [
                        calendar.text($0.at), $0.kind.literal.split(separator: "_").joined(separator: " "), $0.text,
                        CallExplanation.amount($0.micros, "", withCode: false), "\($0.sequence)",
                    ]
                }, figures: [3, 4])
        }
        let calls = rows.filter { $0.kind == .call }
        guard !calls.isEmpty else { return }
        page.heading("Calls")
        page.paragraph("Times by the clock of \(issued.timeZone). Each has a record of its own, which ledgerline dispute --cdr explains step by step.")
        page.table(
            ["Record", "Started", "From", "To", "Destination", "Billed s", "Charged \(issued.currency)", "Event"],
            calls.map {
                [
                    "\($0.record)", calendar.text($0.at), $0.caller, $0.called, $0.text, "\($0.seconds)", CallExplanation.amount($0.micros, "", withCode: false),
                    "\($0.sequence)",
                ]
            }, figures: [0, 5, 6, 7])
    }
}
