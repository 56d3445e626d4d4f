import ArgumentParser
import Foundation

struct GatewayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gateway", abstract: "Shows how it goes with the gateways of carriers.",
        discussion: "Example: ledgerline gateway list",
        subcommands: [List.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists gateways: where they are, whether they are registered and whether they answer.",
            discussion: "Example: ledgerline gateway list --carrier 0191… --json")

        @Option(help: "Only this carrier's.") var carrier: String?
        @OptionGroup var access: WorkerCommand.Access
        @Flag(help: "One JSON object a line.") var json = false

        func run() async throws {
            let client = try access.client()
            var rows = [["CARRIER", "GATEWAY", "ADDRESS", "REGISTRATION", "UNTIL", "IN SERVICE", "WORKER", "LAST ANSWER"]]
            for carrier in try await carriers(client) {
                guard let id = carrier["id"] as? String else { continue }
                let page = try await client.request("GET", "/v1/carriers/\(id)/gateways")
                for gateway in page["items"] as? [[String: Any]] ?? [] {
                    if json { try printJSON(gateway) } else { rows.append(Self.row(carrier, gateway)) }
                }
            }
            guard !json else { return }
            let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
            for row in rows {
                let last = row.count - 1
                let cells = row.indices.map { $0 == last ? row[$0] : row[$0] + String(repeating: " ", count: widths[$0] - row[$0].count) }
                print(cells.joined(separator: "  "))
            }
        }

        private func carriers(_ client: APIClient) async throws -> [[String: Any]] {
            if let carrier { return [try await client.request("GET", "/v1/carriers/\(carrier)")] }
            var found: [[String: Any]] = []
            var next: String? = ""
            while let after = next {
                let page = try await client.request("GET", "/v1/carriers?limit=500" + (after.isEmpty ? "" : "&after=\(after)"))
                found += page["items"] as? [[String: Any]] ?? []
                next = page["next"] as? String
            }
            return found
        }

        private static func row(_ carrier: [String: Any], _ gateway: [String: Any]) -> [String] {
            func text(_ value: Any?) -> String { value.map { $0 is NSNull ? "-" : "\($0)" } ?? "-" }
            let registration = gateway["registration"] as? [String: Any]
            let service = gateway["service"] as? [String: Any]
            let port = gateway["port"] as? Int ?? 0
            let last = [registration, service].compactMap { part -> String? in
                guard let part else { return nil }
                let status = part["last_status"] as? Int
                return ([status.map(String.init), part["last_reason"] as? String].compactMap(\.self)).joined(separator: " ")
            }.first { !$0.isEmpty }
            return [
                text(carrier["name"]), text(gateway["name"]), text(gateway["host"]) + (port == 0 ? "" : ":\(port)"), text(registration?["state"]),
                text(registration?["until"]), (service?["in_service"] as? Bool).map { $0 ? "yes" : "no" } ?? "-",
                text(registration?["worker"] ?? service?["worker"]), last ?? "-",
            ]
        }
    }
}
