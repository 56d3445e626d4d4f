import ArgumentParser
import Foundation

struct SubjectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "subject", abstract: "Shows, holds and erases the data of persons.",
        discussion: "Example: ledgerline subject show 0190f3c2-…",
        subcommands: [List.self, Show.self, Erase.self, Hold.self, Release.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists the persons that the log holds something of.",
            discussion: "Example: ledgerline subject list --json")

        @OptionGroup var access: WorkerCommand.Access
        @Flag(help: "One JSON object a line.") var json = false

        func run() async throws {
            let client = try access.client()
            var next: String? = ""
            while let after = next {
                let page = try await client.request("GET", "/v1/subjects?limit=500" + (after.isEmpty ? "" : "&after=\(after)"))
                for subject in page["items"] as? [[String: Any]] ?? [] { try SubjectCommand.show(subject, json: json) }
                next = page["next"] as? String
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Says whether a person's data is kept, held or erased.",
            discussion: "Example: ledgerline subject show 0190f3c2-…")

        @Argument(help: "Id of the contact, customer or subscriber.") var id: String
        @OptionGroup var access: WorkerCommand.Access
        @Flag(help: "One JSON object.") var json = false

        func run() async throws {
            try SubjectCommand.show(try await access.client().request("GET", "/v1/subjects/\(id)"), json: json)
        }
    }

    struct Erase: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Destroys the key of a person: names, numbers and addresses are gone, the books stay.",
            discussion: """
                It cannot be undone. Refused while a legal hold is on the subject or a call of it runs.
                Example: ledgerline subject erase 0190f3c2-… --reason "request 2026-114"
                """)

        @OptionGroup var wish: Wish
        @Flag(help: "One JSON object.") var json = false

        func run() async throws { try SubjectCommand.show(try await wish.request("erase"), json: json) }
    }

    struct Hold: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Puts a legal hold on a person's data: it cannot be erased.",
            discussion: "Example: ledgerline subject hold 0190f3c2-… --reason \"case 17\"")

        @OptionGroup var wish: Wish

        func run() async throws { try SubjectCommand.show(try await wish.request("hold"), json: false) }
    }

    struct Release: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lifts a legal hold.",
            discussion: "Example: ledgerline subject release 0190f3c2-… --reason \"case 17 is closed\"")

        @OptionGroup var wish: Wish

        func run() async throws { try SubjectCommand.show(try await wish.request("release"), json: false) }
    }

    /// What every change to a subject is told.
    struct Wish: ParsableArguments {
        @Argument(help: "Id of the contact, customer or subscriber.") var id: String
        @Option(help: "Why, for the log; no personal data.") var reason: String
        @OptionGroup var access: WorkerCommand.Access

        func request(_ verb: String) async throws -> [String: Any] {
            try await access.client().request("POST", "/v1/subjects/\(id)/\(verb)", ["reason": reason])
        }
    }

    private static func show(_ subject: [String: Any], json: Bool) throws {
        if json { return try printJSON(subject) }
        let erased = subject["erased_at"].flatMap { $0 as? Int }.map { " at event \($0)" } ?? ""
        let reason = subject["reason"] as? String ?? ""
        print(
            "\(subject["id"] ?? "")\t\(subject["kind"] ?? "")\t\(subject["state"] ?? "")\(erased)\tkey \(subject["key"] ?? "")"
                + (reason.isEmpty ? "" : "\t\(reason)"))
    }
}
