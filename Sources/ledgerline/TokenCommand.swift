import ArgumentParser

struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Issues bearer tokens for the API.", subcommands: [Issue.self])

    struct Issue: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Issues a token and prints it once.",
            discussion: "Example: ledgerline token issue billing --role read_only --scope 0190…")

        @Argument(help: "A name for people and for the audit.") var name: String
        @Option(help: "platform_admin, provider_admin, customer_admin, tenant_admin or read_only.") var role: String
        @Option(help: "Id of the provider, customer or tenant that it reaches; none: the platform.") var scope: String?
        @OptionGroup var access: WorkerCommand.Access

        func run() async throws {
            var body: [String: Any] = ["name": name, "role": role]
            if let scope { body["scope_id"] = scope }
            let answer = try await access.client().request("POST", "/v1/tokens", body)
            print(answer["secret"] as? String ?? answer["token"] as? String ?? "")
        }
    }
}
