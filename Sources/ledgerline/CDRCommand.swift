import ArgumentParser
import Foundation

struct CDRCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cdr", abstract: "Lists and shows call records, exports them, and lays them beside a carrier's.", subcommands: [List.self, Show.self, CDRReconcile.self, CDRExportCommand.self, CDRSchemaCommand.self])

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

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows a call record, its charges, and what they were put right by.",
            discussion: "Example: ledgerline cdr show 17")

        @Argument(help: "The record's number.") var number: UInt64
        @Flag(help: "One JSON object.") var json = false
        @OptionGroup var access: WorkerCommand.Access

        func run() async throws {
            let record = try await access.client().request("GET", "/v1/cdrs/\(number)")
            if json { return try printJSON(record) }
            func text(_ value: Any?) -> String { value.map { $0 is NSNull ? "" : "\($0)" } ?? "" }
            func money(_ value: Any?) -> String {
                let money = value as? [String: Any]
                return "\(text(money?["amount"])) \(text(money?["currency"]))"
            }
            let caller = (record["caller"] as? [String: Any])?["number"]
            print("record \(number): \(text(record["direction"])) call from \(text(caller)) to \(text(record["dialled"])) \(text(record["called_e164"]))")
            print("\(text(record["started_at"])), \(text(record["duration_ms"])) ms, \(text(record["cause"]))")
            let corrections = record["corrections"] as? [[String: Any]] ?? []
            for charge in record["charges"] as? [[String: Any]] ?? [] {
                let edge = text(charge["edge"])
                print("\(edge): \(money(charge["amount"])), \(text(charge["billed_seconds"])) s, version \(text(charge["deck_version"])) of deck \(text(charge["deck_id"]))")
                for correction in corrections where text(correction["edge"]) == edge {
                    let price = correction["charge"] as? [String: Any]
                    print(
                        "  correction \(text(correction["number"])), \(text(correction["corrected_at"])): \(money(correction["difference"])), so that it is "
                            + "\(money(price?["amount"])) by version \(text(price?["deck_version"])) of deck \(text(price?["deck_id"])): \(text(correction["reason"]))")
                }
            }
        }
    }
}
