import ArgumentParser
import Foundation

struct StatsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats", abstract: "ASR, NER, ACD and post-dial delay of calls, by up to three dimensions.",
        discussion: """
            Dimensions: hour, day, provider, customer, tenant, carrier, gateway, country, prefix, direction, cause, refusal, status. By carrier
            or gateway every attempt counts, else every call. Times are RFC 3339.

            Example: ledgerline stats --by carrier,hour --from 2026-11-21T00:00:00Z
            Example: ledgerline stats --by country --json
            """)

    @Option(help: "Dimensions, with commas; none: one sum.") var by = ""
    @Option(help: "Calls that came in then or later.") var from: String?
    @Option(help: "Calls that came in before.") var to: String?
    @Option(help: "How many digits a prefix has, 1 to 7.") var prefixDigits: Int?
    @Option(help: "Only this customer's calls.") var customer: String?
    @Option(help: "Only attempts at this carrier.") var carrier: String?
    @Flag(help: "Print one JSON object.") var json = false
    @OptionGroup var access: WorkerCommand.Access

    func run() async throws {
        var components = URLComponents()
        let given = [
            ("by", by.isEmpty ? nil : by), ("from", from), ("to", to), ("prefix_digits", prefixDigits.map(String.init)),
            ("customer_id", customer), ("carrier_id", carrier),
        ]
        components.queryItems = given.compactMap { name, value in value.map { URLQueryItem(name: name, value: $0) } }
        let query = components.percentEncodedQuery ?? ""
        let answer = try await access.client().request("GET", "/v1/statistics" + (query.isEmpty ? "" : "?" + query))
        if json { return try printJSON(answer) }
        for line in Self.lines(answer) { print(line) }
    }

    static func lines(_ answer: [String: Any]) -> [String] {
        func text(_ value: Any?) -> String { value.map { $0 is NSNull ? "-" : "\($0)" } ?? "-" }
        let dimensions = answer["by"] as? [String] ?? []
        var rows = [dimensions + ["calls", "answered", "ASR %", "NER %", "ACD s", "PDD ms p50", "p95"]]
        for group in answer["groups"] as? [[String: Any]] ?? [] {
            let values = group["values"] as? [Any] ?? []
            let names = group["names"] as? [Any] ?? []
            let delay = group["pdd_milliseconds"] as? [String: Any]
            rows.append(
                zip(values, names).map { $1 is NSNull ? text($0) : text($1) } + [
                    text(group["calls"]), text(group["answered"]), text(group["asr"]), text(group["ner"]), text(group["acd_seconds"]),
                    text(delay?["p50"]), text(delay?["p95"]),
                ])
        }
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            zip(row.indices, row).map { column, cell in
                let space = String(repeating: " ", count: widths[column] - cell.count)
                return column < dimensions.count ? cell + space : space + cell
            }.joined(separator: "  ")
        }
    }
}
