import ArgumentParser
import Foundation

struct CDRCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cdr", abstract: "Lists call records, exports them, and lays them beside a carrier's.", subcommands: [List.self, CDRReconcile.self, CDRExportCommand.self, CDRSchemaCommand.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists call records in the order of their numbers.",
            discussion: "Example: ledgerline cdr list --after 100 --json")

        @Option(help: "Only records after this number.") var after: Int?
        @Option(help: "How many.") var limit = 100
        @Flag(help: "One JSON object a line.") var json = false
        @OptionGroup var access: WorkerCommand.Access

        func run() async throws {
            let answer = try await access.client().request("GET", "/v1/cdrs?limit=\(limit)" + (after.map { "&after=\($0)" } ?? ""))
            for record in answer["items"] as? [[String: Any]] ?? [] {
                if json {
                    try printJSON(record)
                } else {
                    let caller = (record["caller"] as? [String: Any])?["number"] ?? ""
                    print("\(record["number"] ?? "")\t\(record["direction"] ?? "")\t\(caller)\t\(record["dialled"] ?? "")\t\(record["duration_ms"] ?? 0) ms\t\(record["cause"] ?? "")")
                }
            }
        }
    }
}
