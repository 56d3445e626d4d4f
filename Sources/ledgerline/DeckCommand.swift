import ArgumentParser
import Foundation
import Model
import Primitives
import Rating
import Tables

struct DeckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deck", abstract: "Price lists: imported from files, and their versions.",
        discussion: "Example: ledgerline deck import november.csv --deck 0198c5a0-7e1d-7c39-8f6e-5d0c6a4f1b22 --increments 60/1",
        subcommands: [Import.self, Versions.self, Change.self])

    struct Import: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Publishes the next version of a deck from a CSV file, if all of its lines can be read.",
            discussion: """
                Every line that cannot be read is named with its number, its column and the reason, and then nothing is published (exit status 65).

                Example: ledgerline deck import november.csv --deck 0198c5a0-7e1d-7c39-8f6e-5d0c6a4f1b22 --increments 60/1
                Example: ledgerline deck import december.csv --deck 0198c5a0-7e1d-7c39-8f6e-5d0c6a4f1b22 --effective 2026-12-01T00:00:00Z
                Example: ledgerline deck import list.csv --check --currency EUR
                """)

        @Argument(help: "The file: CSV with a header; commas, semicolons, tabs or bars; UTF-8, UTF-16 or Latin-1.") var file: String
        @Option(help: "The deck's id.") var deck: String?
        @Flag(help: "Only look whether the file can be read; needs no server and no token.") var check = false
        @Option(help: "With --check: the deck's currency.") var currency: String?
        @Option(help: "When the version comes into force (RFC 3339); now if it is not given.") var effective: String?
        @Option(help: "For files without such columns: seconds of the first and the next increments, such as 60/1.") var increments: String?
        @Option(help: "A column to pass over, as the header names it; again for more.") var ignore: [String] = []
        @Option(help: "A file with the time bands, a JSON array as the API takes it.") var bands: String?
        @Option(help: "The time zone of the bands, IANA name.") var timeZone: String?
        @Flag(help: "Print one JSON object.") var json = false
        @OptionGroup var access: WorkerCommand.Access

        func validate() throws {
            guard check || deck != nil else { throw ValidationError("give --deck, or --check to look at the file alone") }
            guard !check || currency != nil || deck != nil else { throw ValidationError("--check needs --currency or --deck") }
            if let currency, deck == nil, let fault = Currency.fault(in: currency) { throw ValidationError("--currency: \(fault)") }
        }

        func run() async throws {
            guard let bytes = FileManager.default.contents(atPath: file).map([UInt8].init) else { throw fail(.noInput, "\(file) cannot be read") }
            let client = deck == nil ? nil : try access.client()
            var known = currency ?? ""
            if let client, let deck, currency == nil {
                known = try await client.request("GET", "/v1/rate-decks/\(deck)")["currency"] as? String ?? ""
            }
            let rows = try examine(bytes, currency: known)
            guard !check, let client, let deck else {
                return json ? try printJSON(["rows": rows, "bytes": bytes.count]) : print("\(file): \(rows) rows, nothing is wrong with them")
            }
            let answer = try await send(bytes, rows: rows, to: deck, client)
            if json { return try printJSON(answer) }
            print("version \(answer["version"] ?? "?") of deck \(deck): \(answer["rows"] ?? rows) rows, in force from \(answer["effective_at"] ?? "now")")
            print("file \(answer["file_hash"] ?? ""), rows \(answer["content_hash"] ?? "")")
        }

        /// The lines that cannot be read are found here, all of them, before anything is sent.
        private func examine(_ bytes: [UInt8], currency: String) throws -> Int {
            var terms = DeckFile.Terms(currency: currency, bands: try namedBands(), ignored: ignore)
            if let increments {
                let parts = increments.split(separator: "/").map { UInt32($0) ?? 0 }
                guard parts.count == 2, !parts.contains(0) else { throw fail(.configuration, "--increments is two numbers of seconds such as 60/1") }
                terms.increments = Increments(first: parts[0], next: parts[1])
            }
            if let effective {
                guard let time = WallTime(rfc3339: effective) else { throw fail(.configuration, "--effective is a time such as 2026-12-01T00:00:00Z") }
                terms.effectiveAt = time
            }
            var progress = Progress("reading", unit: "bytes")
            let read = DeckFile(bytes, terms) { progress.tell(UInt64($0), of: UInt64(bytes.count)) }
            progress.end()
            guard read.faults.isEmpty else {
                let shown = json ? "" : read.faults.map { "\(file): \($0)\n" }.joined()
                FileHandle.standardError.write(Data(shown.utf8))
                if json {
                    try printJSON(["faults": read.faults.map { ["line": $0.line, "column": $0.column, "reason": $0.reason] as [String: Any] }])
                }
                let count = read.faults.count
                throw fail(.data, "\(count) \(count == 1 ? "place" : "places") of \(file) cannot be accepted (\(read.dialect.description)); nothing was published")
            }
            return read.count
        }

        /// Number and name of each: all that rows ask for.
        private func namedBands() throws -> [TimeBand] {
            guard let bands else { return [] }
            guard let data = FileManager.default.contents(atPath: bands), let items = try? JSONSerialization.jsonObject(with: data) as? [[String: Any]]
            else { throw fail(.noInput, "\(bands) is not a JSON array of time bands") }
            return items.map { item in
                var band = TimeBand()
                band.number = UInt32(clamping: item["number"] as? Int ?? 0)
                band.name = item["name"] as? String ?? ""
                return band
            }
        }

        private func send(_ bytes: [UInt8], rows: Int, to deck: String, _ client: APIClient) async throws -> [String: Any] {
            var random = RandomSource.system
            let id = UUIDv7(at: WallTime(microseconds: Int64(Date().timeIntervalSince1970 * 1_000_000)), random: &random).description
            var query = ["import_id=\(id)"]
            func add(_ name: String, _ value: String?) {
                guard let value, let escaped = value.addingPercentEncoding(withAllowedCharacters: .alphanumerics) else { return }
                query.append("\(name)=\(escaped)")
            }
            add("effective_at", effective)
            add("increments", increments)
            add("ignore", ignore.isEmpty ? nil : ignore.joined(separator: ","))
            add("time_zone", timeZone)
            add("bands", bands.flatMap { FileManager.default.contents(atPath: $0) }.map { String(decoding: $0, as: UTF8.self) })
            let path = "/v1/rate-decks/\(deck)/imports"
            let watch = Task { await tell(path + "/" + id, rows: rows, client) }
            defer { watch.cancel() }
            return try await client.send(
                "POST", path + "?" + query.joined(separator: "&"), Data(bytes), type: "text/csv", headers: ["Idempotency-Key": id], seconds: 3_600)
        }

        /// How far the server has come, while it works.
        private func tell(_ path: String, rows: Int, _ client: APIClient) async {
            var progress = Progress("importing", unit: "rows")
            while !Task.isCancelled {
                if let done = await client.peek(path)?["rows"] as? Int {
                    progress.tell(UInt64(done), of: UInt64(rows))
                }
                try? await Task.sleep(for: .milliseconds(500))
            }
            progress.end()
        }
    }

    struct Versions: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists a deck's versions: when each comes into force, its rows and its hashes.",
            discussion: "Example: ledgerline deck versions --deck 0198c5a0-7e1d-7c39-8f6e-5d0c6a4f1b22")

        @Option(help: "The deck's id.") var deck: String
        @Flag(help: "Print one JSON object to a line.") var json = false
        @OptionGroup var access: WorkerCommand.Access

        func run() async throws {
            let client = try access.client()
            var after: String?
            repeat {
                let page = try await client.request("GET", "/v1/rate-decks/\(deck)/versions" + (after.map { "?after=\($0)" } ?? ""))
                for version in page["items"] as? [[String: Any]] ?? [] {
                    if json {
                        try printJSON(version)
                    } else {
                        let file = version["file_hash"] as? String ?? ""
                        print("\(version["version"] ?? "")\t\(version["effective_at"] ?? "")\t\(version["rows"] ?? "") rows\t\(file.isEmpty ? "" : "file \(file)")")
                    }
                }
                after = page["next"] as? String
            } while after != nil
        }
    }

    struct Change: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Changes a deck's name, or whether providers that sign up may choose it. Its prices change by publishing versions.",
            discussion: """
                Example: ledgerline deck change --deck 0198c5a0-7e1d-7c39-8f6e-5d0c6a4f1b22 --offered
                Example: ledgerline deck change --deck 0198c5a0-7e1d-7c39-8f6e-5d0c6a4f1b22 --not-offered --name "Wholesale 2026"
                """)

        @Option(help: "The deck's id.") var deck: String
        @Option(help: "Shown to people.") var name: String?
        @Flag(help: "Providers that sign up may choose it.") var offered = false
        @Flag(help: "They may not.") var notOffered = false
        @Flag(help: "Print one JSON object.") var json = false
        @OptionGroup var access: WorkerCommand.Access

        func validate() throws {
            guard name != nil || offered || notOffered else { throw ValidationError("give --name, --offered or --not-offered") }
            guard !(offered && notOffered) else { throw ValidationError("give one of --offered and --not-offered") }
        }

        func run() async throws {
            var body: [String: Any] = [:]
            if let name { body["name"] = name }
            if offered || notOffered { body["is_offered"] = offered }
            let changed = try await access.client().request("PATCH", "/v1/rate-decks/\(deck)", body)
            if json { return try printJSON(changed) }
            let isOffered = changed["is_offered"] as? Bool ?? false
            print("deck \(deck): \(changed["name"] ?? "?"), \(changed["currency"] ?? "?"), \(isOffered ? "offered" : "not offered") to providers that sign up")
        }
    }
}
