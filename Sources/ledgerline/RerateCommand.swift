import ArgumentParser
import ControlPlane
import Foundation
import Model
import Primitives
import Projections
import Tables

struct RerateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rerate", abstract: "Says what calls would have cost their customers by another deck, and puts the charges right.",
        discussion: """
            Asks the data directory, beside a running control plane or without one, and writes nothing. What counts of a call is its charge
            with all corrections so far. With --post the differences are posted through the API, in the order in which the calls came in; the
            charges themselves stay, and running it again posts nothing. See docs/rerate.md.

            Example: ledgerline rerate --data ./data --deck 0193… --from 2026-11-01 --to 2026-12-01 --csv november.csv
            Example: ledgerline rerate --data ./data --deck 0193… --deck-version 4 --from 2026-11-01 --to 2026-12-01 --customer 0193… --post --reason "Rate of 4 Nov"
            """)

    @Option(help: "The data directory; needed for the question, not for --post.") var data: String?
    @Option(help: "Calls that came in then or later: a time (RFC 3339), or a date in UTC.") var from: String
    @Option(help: "And before this.") var to: String
    @Option(help: "The deck by which they should have been charged: its id.") var deck: String
    @Option(help: "Its version (default: of each call the one in force when it came in).") var deckVersion: UInt32?
    @Flag(help: "Its newest version.") var latest = false
    @Option(help: "Only this customer's calls: its id.") var customer: String?
    @Option(help: "Only charges that were made by this deck: its id.") var chargedBy: String?
    @Flag(help: "Print every call whose charge differs, or that cannot be rated.") var calls = false
    @Option(help: "Write every call that is asked about to this file.") var csv: String?
    @Flag(help: "Print JSON.") var json = false
    @Flag(help: "Post the differences.") var post = false
    @Option(help: "Why, for people: it stands beside every correction.") var reason: String?
    @OptionGroup var access: WorkerCommand.Access

    func validate() throws {
        guard data != nil || post else { throw ValidationError("give --data, or --post") }
        guard !post || reason?.isEmpty == false else { throw ValidationError("--post needs --reason") }
        guard data != nil || (csv == nil && !calls) else { throw ValidationError("--csv and --calls need --data") }
        guard !latest || deckVersion == nil else { throw ValidationError("give --deck-version or --latest") }
    }

    func run() async throws {
        var terms = RerateTerms(
            deck: try id(deck, "--deck"), version: deckVersion, from: try time(from, "--from"), to: try time(to, "--to"),
            customer: try customer.map { try id($0, "--customer") }, chargedBy: try chargedBy.map { try id($0, "--charged-by") })
        var expected: UInt64 = 0
        if let data {
            let views = try OpenedLog(data).views()
            if latest { terms.version = try readViews(views) { views throws(ViewsError) in try views.latestDeckVersion(terms.deck) } }
            expected = try ask(terms, views)
        }
        if post {
            let client = try access.client()
            if latest, data == nil { terms.version = try await newest(client) }
            try await correct(terms, client, expected: expected)
        }
    }

    // MARK: - the question

    /// Returns how many charges differ.
    private func ask(_ terms: RerateTerms, _ views: Views) throws -> UInt64 {
        let rerater: Rerater
        do {
            rerater = try read(views) { views in try Rerater(terms, in: views) }
        } catch let rejection as AdminRejection {
            throw fail(.data, rejection.reason)
        }
        let scan = RerateScan(rerater)
        var report = RerateReport(rerater.currency)
        var table = try csv.map { try RerateTable($0) }
        var progress = Progress("rerate", unit: "call records")
        let end = try readViews(views) { views throws(ViewsError) in try views.nextCDRNumber() - 1 }
        var cursor: RerateScan.Cursor?
        repeat {
            let page = try read(views) { views in
                let page = try scan.page(after: cursor, limit: 2_000, in: views)
                try report.learn(page, in: views)
                return page
            }
            report.summary.add(page)
            for line in page.lines {
                try table?.add(line)
                if calls, let text = RerateReport.text(line) { print(text) }
            }
            progress.tell(report.summary.records, of: end)
            cursor = page.next
        } while cursor != nil
        progress.end()
        try table?.finish()
        if json { try printJSON(report.json(terms)) } else { print(report.text) }
        for (reason, calls) in report.summary.byReason { note("\(calls) calls cannot be rated: \(reason.reason)") }
        return report.summary.total.differing
    }

    private func read<R>(_ views: Views, _ body: (borrowing ViewSnapshot) throws -> R) throws -> R {
        try readViews(views) { views throws(ViewsError) in Result { try body(views) } }.get()
    }

    // MARK: - the correction

    private func correct(_ terms: RerateTerms, _ client: APIClient, expected: UInt64) async throws {
        var body: [String: Any] = [
            "deck_id": terms.deck.description, "from": terms.from.rfc3339, "to": terms.to.rfc3339, "reason": reason ?? "",
        ]
        if let version = terms.version { body["version"] = version }
        if let customer = terms.customer { body["customer_id"] = customer.description }
        if let chargedBy = terms.chargedBy { body["charged_by_deck_id"] = chargedBy.description }
        let run = UUID().uuidString
        var corrections: UInt64 = 0
        var step = 0
        var micros: Int64 = 0
        var currency = ""
        var progress = Progress("post", unit: "corrections")
        while true {
            step += 1
            let answer = try await client.request("POST", "/v1/rerates", body, headers: ["Idempotency-Key": "rerate-\(run)-\(step)"])
            guard let posted = (answer["corrections"] as? NSNumber)?.uint64Value, let difference = answer["difference"] as? [String: Any],
                let code = difference["currency"] as? String, let unit = Currency(code), let text = difference["amount"] as? String,
                let money = try? Money(parsing: text, unit)
            else { throw fail(.data, "the control plane's answer is of another form: is it of the same version?") }
            corrections += posted
            micros += money.micros
            currency = code
            if let id = answer["rerate_id"] as? String { body["rerate_id"] = id }
            progress.tell(corrections, of: max(corrections, expected))
            guard let next = answer["next"] as? String else { break }
            body["after"] = next
        }
        progress.end()
        let id = body["rerate_id"] as? String
        if json {
            try printJSON([
                "corrections": corrections, "difference": ["amount": Money.decimal(micros: micros), "currency": currency],
                "rerate_id": id as Any? ?? NSNull(),
            ])
        } else {
            print("posted \(corrections) \(corrections == 1 ? "correction" : "corrections"), \(Money.decimal(micros: micros)) \(currency)" + (id.map { ", re-rating \($0)" } ?? ""))
        }
    }

    private func newest(_ client: APIClient) async throws -> UInt32 {
        var after = 0
        var newest: UInt32 = 0
        while true {
            let page = try await client.request("GET", "/v1/rate-decks/\(deck)/versions?limit=500&after=\(after)")
            for version in page["items"] as? [[String: Any]] ?? [] {
                newest = max(newest, (version["version"] as? NSNumber)?.uint32Value ?? 0)
            }
            guard page["next"] is String else { break }
            after = Int(newest)
        }
        guard newest > 0 else { throw fail(.data, "the deck has no version") }
        return newest
    }

    // MARK: - reading options

    private func id<Entity>(_ text: String, _ option: String) throws -> ID<Entity> {
        guard let id = ID<Entity>(text) else { throw ValidationError("\(option) is an id such as 01930000-0000-7000-8000-000000000001") }
        return id
    }

    private func time(_ text: String, _ option: String) throws -> WallTime {
        guard let time = WallTime(rfc3339: text) ?? WallTime(rfc3339: text + "T00:00:00Z") else {
            throw ValidationError("\(option) is a time such as 2026-11-01T00:00:00+01:00, or a date such as 2026-11-01")
        }
        return time
    }
}
