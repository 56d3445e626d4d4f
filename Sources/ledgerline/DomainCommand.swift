import ArgumentParser
import Foundation

struct DomainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "domain", abstract: "Adds, verifies and lists domains outside of a provider's namespace.",
        discussion: "Example: ledgerline domain verify 0191…",
        subcommands: [Add.self, Verify.self, List.self])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Adds a domain and prints the TXT record to set.",
            discussion: "Example: ledgerline domain add acme.example --provider 0190…")

        @Argument(help: "The domain.") var name: String
        @Option(help: "Id of the provider that is to give it to tenants.") var provider: String
        @OptionGroup var access: WorkerCommand.Access
        @Flag(help: "One JSON object.") var json = false

        func run() async throws {
            let answer = try await access.client().request("POST", "/v1/domains", ["name": name, "provider_id": provider])
            try DomainCommand.show(answer, json: json)
        }
    }

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Has the control plane ask DNS for the record, now.",
            discussion: "Example: ledgerline domain verify 0191…")

        @Argument(help: "Id of the domain.") var id: String
        @OptionGroup var access: WorkerCommand.Access
        @Flag(help: "One JSON object.") var json = false

        func run() async throws {
            try DomainCommand.show(try await access.client().request("POST", "/v1/domains/\(id)/verify"), json: json)
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists domains, with what is missing.", discussion: "Example: ledgerline domain list --json")

        @OptionGroup var access: WorkerCommand.Access
        @Flag(help: "One JSON object a line.") var json = false

        func run() async throws {
            let client = try access.client()
            var next: String? = ""
            while let after = next {
                let page = try await client.request("GET", "/v1/domains?limit=500" + (after.isEmpty ? "" : "&after=\(after)"))
                for domain in page["items"] as? [[String: Any]] ?? [] { try DomainCommand.show(domain, json: json) }
                next = page["next"] as? String
            }
        }
    }

    private static func show(_ domain: [String: Any], json: Bool) throws {
        guard !json else { return try printJSON(domain) }
        func text(_ name: String) -> String { domain[name] as? String ?? "" }
        let verified = text("verified_at")
        print("\(text("id"))  \(text("name"))  " + (verified.isEmpty ? "not verified" : "verified \(verified)"))
        guard verified.isEmpty else { return }
        print("    set: \(text("record_name")). TXT \"\(text("record_value"))\"")
        if !text("fault").isEmpty { print("    last check: \(text("fault"))") }
    }
}
