import ArgumentParser
import Foundation

struct UserCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user", abstract: "Invites, lists, locks and removes people who log in.",
        discussion: "Example: ledgerline user invite anna@example.net --name 'Anna Muster' --role provider_admin --scope 0190…",
        subcommands: [Invite.self, List.self, Lock.self, Unlock.self, Remove.self])

    struct Invite: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes a user, and sends a link to set a password.",
            discussion: "Example: ledgerline user invite carl@example.net --name Carl --role customer_admin --scope 0190…")

        @Argument(help: "E-mail address: what the user logs in with.") var email: String
        @Option(help: "Of the person.") var name: String
        @Option(help: "What the user may do: docs/roles.md.") var role: String
        @Option(help: "Id of the provider, customer, tenant or subscriber that the user is confined to; none: the platform.") var scope: String?
        @Option(help: "Of the mails, by BCP 47.") var language: String?
        @OptionGroup var access: WorkerCommand.Access
        @Flag(help: "One JSON object.") var json = false

        func run() async throws {
            var body: [String: Any] = ["email": email, "name": name, "role": role]
            if let scope { body["scope_id"] = scope }
            if let language { body["language"] = language }
            try UserCommand.show(try await access.client().request("POST", "/v1/users", body), json: json)
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists the users within the scope of one's token.", discussion: "Example: ledgerline user list --json")

        @OptionGroup var access: WorkerCommand.Access
        @Flag(help: "One JSON object a line.") var json = false

        func run() async throws {
            let client = try access.client()
            var next: String? = ""
            while let after = next {
                let page = try await client.request("GET", "/v1/users?limit=500" + (after.isEmpty ? "" : "&after=\(after)"))
                for user in page["items"] as? [[String: Any]] ?? [] { try UserCommand.show(user, json: json) }
                next = page["next"] as? String
            }
        }
    }

    struct Lock: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Logs a user out, and keeps it out.", discussion: "Example: ledgerline user lock 0191…")

        @Argument(help: "Id of the user.") var id: String
        @OptionGroup var access: WorkerCommand.Access

        func run() async throws { _ = try await access.client().request("PATCH", "/v1/users/\(id)", ["status": "locked"]) }
    }

    struct Unlock: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lets a locked user in again.", discussion: "Example: ledgerline user unlock 0191…")

        @Argument(help: "Id of the user.") var id: String
        @OptionGroup var access: WorkerCommand.Access

        func run() async throws { _ = try await access.client().request("PATCH", "/v1/users/\(id)", ["status": "active"]) }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Removes a user and ends its sessions; `subject erase` forgets the person, too.",
            discussion: "Example: ledgerline user remove 0191…")

        @Argument(help: "Id of the user.") var id: String
        @OptionGroup var access: WorkerCommand.Access

        func run() async throws { _ = try await access.client().request("DELETE", "/v1/users/\(id)") }
    }

    private static func show(_ user: [String: Any], json: Bool) throws {
        guard !json else { return try printJSON(user) }
        func text(_ name: String) -> String { user[name] as? String ?? "-" }
        let state = user["password_set_at"] is String ? text("status") : "invited"
        print("\(text("id"))  \(text("email"))  \(text("name"))  \(text("role"))  scope \(text("scope_id"))  \(state)")
    }
}
