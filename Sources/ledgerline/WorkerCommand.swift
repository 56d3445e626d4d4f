import ArgumentParser
import Bus
import Foundation

struct WorkerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "worker", abstract: "Enrols, lists, drains and revokes workers.",
        subcommands: [Enroll.self, List.self, DrainWorker.self, Revoke.self])

    /// Where the API is, and who asks.
    struct Access: ParsableArguments {
        @Option(help: "The HTTP API of the control plane.")
        var url = "http://127.0.0.1:8080"

        @Option(help: "A platform administrator's token (default: the variable LEDGERLINE_TOKEN).")
        var token: String?

        @Option(help: "Who is behind the token, for the audit (default: the variable LEDGERLINE_ON_BEHALF_OF).")
        var onBehalfOf: String?

        @Option(help: "Act for a party below the token's scope: provider/ID, customer/ID, tenant/ID or subscriber/ID.")
        var actAs: String?

        func client() throws -> APIClient {
            let environment = ProcessInfo.processInfo.environment
            guard let token = token ?? environment["LEDGERLINE_TOKEN"] else {
                throw fail(.noPermission, "give --token or set LEDGERLINE_TOKEN")
            }
            return APIClient(url: url, token: token, onBehalfOf: onBehalfOf ?? environment["LEDGERLINE_ON_BEHALF_OF"] ?? "",
                actAs: actAs ?? "")
        }
    }

    struct Enroll: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes a worker's key, admits it, and writes the file that the worker starts with.",
            discussion: "Example: ledgerline worker enroll s1 --kind signal --out s1.key --token …")

        @Argument(help: "1 to 16 of a-z and 0-9.") var name: String
        @Option(help: "signal or media.") var kind: String
        @Option(help: "File to write; holds a secret.") var out: String
        @OptionGroup var access: Access

        func run() async throws {
            guard ["signal", "media"].contains(kind) else { throw fail(.configuration, "--kind is signal or media") }
            guard !FileManager.default.fileExists(atPath: out) else {
                throw fail(.cannotCreate, "\(out) exists already: remove it first, or choose another name")
            }
            let keys = try CurveKeyPair.generate()
            let answer = try await access.client().request(
                "POST", "/v1/workers", ["name": name, "kind": kind, "curve_public_key": "\(keys.publicKey)"])
            guard let control = answer["control"] as? [String: Any], let text = control["curve_public_key"] as? String,
                let key = CurvePublicKey(text), let desk = control["desk"] as? String, let feed = control["feed"] as? String
            else { throw fail(.data, "the control plane's answer is of another form: is it of the same version?") }
            do throws(KeyFileError) {
                try WorkerKeyFile(name: name, kind: kind, keys: keys, control: key, desk: desk, feed: feed).store(at: out)
            } catch {
                throw fail(.cannotCreate, "\(error); revoke the worker and enrol it again")
            }
            print("enrolled \(name); its key is in \(out)")
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists the workers and how they are.", discussion: "Example: ledgerline worker list --json")

        @OptionGroup var access: Access
        @Flag(help: "One JSON object a line.") var json = false

        func run() async throws {
            let answer = try await access.client().request("GET", "/v1/workers")
            for worker in answer["items"] as? [[String: Any]] ?? [] {
                if json {
                    try printJSON(worker)
                } else {
                    print("\(worker["name"] ?? "")\t\(worker["kind"] ?? "")\t\(worker["state"] ?? "")\t\(worker["calls"] ?? 0) calls")
                }
            }
        }
    }

    struct DrainWorker: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "drain", abstract: "Gives a worker no new calls; it ends with its last one.",
            discussion: "Example: ledgerline worker drain s1")

        @Argument(help: "Name of the worker.") var name: String
        @OptionGroup var access: Access

        func run() async throws {
            _ = try await access.client().request("POST", "/v1/workers/\(name)/drain")
            print("\(name) is draining")
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Refuses a worker's key from now on.", discussion: "Example: ledgerline worker revoke s1")

        @Argument(help: "Name of the worker.") var name: String
        @OptionGroup var access: Access

        func run() async throws {
            _ = try await access.client().request("DELETE", "/v1/workers/\(name)")
            print("\(name) is revoked")
        }
    }
}
