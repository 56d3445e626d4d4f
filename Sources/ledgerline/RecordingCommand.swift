import ArgumentParser
import Foundation

struct RecordingCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recording", abstract: "Lists recordings of calls, fetches and removes them.",
        discussion: "Example: ledgerline recording get 0190f3c2-… --out call.wav",
        subcommands: [List.self, Get.self, Remove.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists recordings in the order in which they began.",
            discussion: "Example: ledgerline recording list --call 0190f3c2-…")

        @Option(help: "Only those of this call.") var call: String?
        @Option(help: "Only those of this line.") var line: String?
        @Option(help: "Only those of this tenant.") var tenant: String?
        @OptionGroup var access: WorkerCommand.Access
        @Flag(help: "One JSON object a line.") var json = false

        func run() async throws {
            let client = try access.client()
            let conditions = [("call_id", call), ("subscriber_id", line), ("tenant_id", tenant)].compactMap { name, value in value.map { "&\(name)=\($0)" } }.joined()
            var next: String? = ""
            while let after = next {
                let page = try await client.request("GET", "/v1/recordings?limit=500" + conditions + (after.isEmpty ? "" : "&after=\(after)"))
                for recording in page["items"] as? [[String: Any]] ?? [] { try RecordingCommand.show(recording, json: json) }
                next = page["next"] as? String
            }
        }
    }

    struct Get: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Fetches what was said, as a WAV file. That it was heard is recorded.",
            discussion: "Example: ledgerline recording get 0190f3c2-… --out call.wav")

        @Argument(help: "Id of the recording.") var id: String
        @Option(help: "The file to write; - for standard output.") var out: String
        @OptionGroup var access: WorkerCommand.Access

        func run() async throws {
            let sound = try await access.client().download("/v1/recordings/\(id)/audio")
            guard out != "-" else { return FileHandle.standardOutput.write(sound) }
            do {
                try sound.write(to: URL(fileURLWithPath: out), options: .withoutOverwriting)
            } catch {
                throw fail(.cannotCreate, "\(out) cannot be written (\(error.localizedDescription))")
            }
            print("\(out)\t\(sound.count) bytes")
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Removes the file of a recording; its digest stays in the log.",
            discussion: "Example: ledgerline recording remove 0190f3c2-… --reason \"request 2026-114\"")

        @Argument(help: "Id of the recording.") var id: String
        @Option(help: "Why, for the log; no personal data.") var reason: String
        @OptionGroup var access: WorkerCommand.Access

        func run() async throws {
            try RecordingCommand.show(try await access.client().request("POST", "/v1/recordings/\(id)/remove", ["reason": reason]), json: false)
        }
    }

    private static func show(_ recording: [String: Any], json: Bool) throws {
        if json { return try printJSON(recording) }
        let milliseconds = recording["milliseconds"] as? Int ?? 0
        let seconds = "\(milliseconds / 1_000).\(milliseconds / 100 % 10) s"
        let fields = [
            "\(recording["id"] ?? "")", "\(recording["started_at"] ?? "")", "\(recording["state"] ?? "")", seconds, "\(recording["channels"] ?? "") ch",
            "call \(recording["call_id"] ?? "")", "sha256 \(recording["sha256"] ?? "")",
        ]
        print(fields.joined(separator: "\t"))
    }
}
