import ArgumentParser
import Foundation
import Ledger
import Projections

struct Replay: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Rebuilds views from the log beside the running ones, compares, and swaps them in.",
        discussion: """
            With --data it works on a data directory, beside a running control plane or without one: every view is rebuilt in a
            scratch directory and compared; nothing is changed. Without, it asks the running control plane (--url, --token) to
            rebuild views in the background, shows how far it is, and with --swap puts them in use.
            Exit status 1 if a view differs.
            Example: ledgerline replay --data ./data --check
            Example: ledgerline replay --views accounts,cdrs --swap
            """)

    @Option(help: "A data directory, to check without asking a control plane.") var data: String?
    @Option(help: "Which views, comma between them (default: all): \(projections.map { $0.name }.joined(separator: ", ")).")
    var views: String?
    @Flag(help: "Put the rebuilt views in use.") var swap = false
    @Flag(help: "Compare alone: the rebuilt views are dropped.") var check = false
    @Flag(help: "Print one JSON object.") var json = false
    @OptionGroup var access: WorkerCommand.Access

    func validate() throws {
        guard check || swap else { throw ValidationError("give --check to compare, or --swap to put the rebuilt views in use") }
        guard !(check && swap) else { throw ValidationError("--check and --swap exclude each other") }
        if data != nil, swap { throw ValidationError("--swap needs the running control plane: leave --data out") }
        if data != nil, views != nil { throw ValidationError("--data rebuilds all views: leave --views out") }
    }

    func run() async throws {
        if let data { try check(data) } else { try await drive(try access.client()) }
    }

    // MARK: - a data directory

    private func check(_ data: String) throws {
        let opened = try OpenedLog(data)
        let views = try opened.views()
        let scratch = FileManager.default.temporaryDirectory.appendingPathComponent("ledgerline-replay-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: scratch) }
        var progress = Progress("replay")
        let began = ContinuousClock.now
        let result: (applied: UInt64, difference: ViewsDifference?)
        do throws(ViewsError) {
            result = try views.check(against: opened.log, replayingInto: scratch) { progress.tell($0, of: $1) }
        } catch {
            throw fail(.inputOutput, "\(error)")
        }
        progress.end()
        let seconds = (ContinuousClock.now - began) / .seconds(1)
        if json {
            try printJSON([
                "equal": result.difference == nil, "events": result.applied, "seconds": (seconds * 1_000).rounded() / 1_000,
                "difference": result.difference.map { "\($0)" } ?? NSNull(),
            ])
        } else if let difference = result.difference {
            print("the views differ after \(result.applied) events: \(difference)")
        } else {
            print("every view was rebuilt from \(result.applied) events and is equal")
        }
        if result.difference != nil { throw ExitCode(ExitStatus.checkFailed.rawValue) }
    }

    // MARK: - a running control plane

    private func drive(_ client: APIClient) async throws {
        let names = views.map { $0.split(separator: ",").map(String.init) }
        var replay = try await client.request("POST", "/v1/replays", names.map { ["views": $0] } ?? [:])
        guard let id = replay["id"] as? String else { throw fail(.data, "the control plane's answer is of another form") }
        var progress = Progress("replay")
        replay = try await follow(client, id, &progress, while: ["building", "comparing"])
        progress.end()
        guard replay["state"] as? String == "ready" else { throw fail(.inputOutput, ended(replay)) }
        let differences = (replay["differences"] as? [String: Any])?["count"] as? Int ?? 0
        if swap {
            _ = try await client.request("POST", "/v1/replays/\(id)/swap")
            replay = try await follow(client, id, &progress, while: ["swapping"])
            guard replay["state"] as? String == "swapped" else { throw fail(.inputOutput, ended(replay)) }
        } else {
            _ = try await client.request("DELETE", "/v1/replays/\(id)")
        }
        if json {
            try printJSON(replay)
        } else {
            tell(replay, differences)
            if swap { print("swapped in; to put the former back: POST /v1/replays/\(id)/revert") }
        }
        if check, differences > 0 { throw ExitCode(ExitStatus.checkFailed.rawValue) }
    }

    private func follow(
        _ client: APIClient, _ id: String, _ progress: inout Progress, while states: [String]
    ) async throws -> [String: Any] {
        while true {
            let replay = try await client.request("GET", "/v1/replays/\(id)")
            guard states.contains(replay["state"] as? String ?? "") else { return replay }
            progress.tell(replay["events_done"] as? UInt64 ?? 0, of: replay["events_total"] as? UInt64 ?? 0)
            try await Task.sleep(for: .milliseconds(200))
        }
    }

    private func ended(_ replay: [String: Any]) -> String {
        "the replay ended as \(replay["state"] ?? "?") (\(replay["failure"] as? String ?? "no reason")); the views in use were not touched"
    }

    private func tell(_ replay: [String: Any], _ differences: Int) {
        let events = replay["events_done"] ?? 0
        let names = (replay["views"] as? [String] ?? []).joined(separator: ", ")
        guard differences > 0 else { return print("\(names): rebuilt from \(events) events and equal") }
        print("\(names): rebuilt from \(events) events; \(differences) keys differ")
        let first = (replay["differences"] as? [String: Any])?["first"] as? [[String: Any]] ?? []
        for entry in first {
            print("  \(entry["table"] ?? "") \(entry["key"] ?? ""): in use \(entry["serving"] ?? ""), rebuilt \(entry["rebuilt"] ?? "")")
        }
    }
}
