import ArgumentParser
import ControlAPI
import Foundation

struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Issues, lists and revokes bearer tokens for the API.",
        subcommands: [Issue.self, List.self, Revoke.self, Roles.self])

    struct Issue: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Issues a token and prints it once.",
            discussion: "Example: ledgerline token issue billing --role billing --scope 0190… --expires 2027-01-01T00:00:00Z")

        @Argument(help: "A name for people and for the audit.") var name: String
        @Option(
            help: "platform_admin, provider_admin, customer_admin, tenant_admin, user, read_only, billing or support; docs/roles.md says what each may do.")
        var role: String
        @Option(help: "Id of the provider, customer, tenant or subscriber that it reaches; none: the platform.") var scope: String?
        @Option(help: "Time by RFC 3339 from which it is refused; none: never.") var expires: String?
        @OptionGroup var access: WorkerCommand.Access

        func run() async throws {
            var body: [String: Any] = ["name": name, "role": role]
            if let scope { body["scope_id"] = scope }
            if let expires { body["expires_at"] = expires }
            let answer = try await access.client().request("POST", "/v1/tokens", body)
            print(answer["secret"] as? String ?? answer["token"] as? String ?? "")
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists the tokens within the scope of one's own.",
            discussion: "Example: ledgerline token list --token-file admin.token")

        @Flag(help: "One object to a line.") var json = false
        @OptionGroup var access: WorkerCommand.Access

        func run() async throws {
            let client = try access.client()
            var after = ""
            repeat {
                let page = try await client.request("GET", "/v1/tokens?limit=500" + (after.isEmpty ? "" : "&after=\(after)"))
                for item in page["items"] as? [[String: Any]] ?? [] {
                    if json {
                        print(String(decoding: try JSONSerialization.data(withJSONObject: item, options: [.sortedKeys]), as: UTF8.self))
                    } else {
                        let text = { (key: String) in item[key] as? String ?? "-" }
                        print("\(text("id"))  \(text("name"))  \(text("role"))  scope \(text("scope_id"))  expires \(text("expires_at"))  by \(text("issued_by"))")
                    }
                }
                after = page["next"] as? String ?? ""
            } while !after.isEmpty
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Revokes a token: it is refused from then on.",
            discussion: "Example: ledgerline token revoke 0190…")

        @Argument(help: "Its id, as `token list` shows it.") var id: String
        @OptionGroup var access: WorkerCommand.Access

        func run() async throws { _ = try await access.client().request("DELETE", "/v1/tokens/\(id)") }
    }

    struct Roles: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints who may do what: every role, right and operation.",
            discussion: "Example: ledgerline token roles > docs/roles.md")

        func run() { print(RolesDocument.markdown, terminator: "") }
    }
}
