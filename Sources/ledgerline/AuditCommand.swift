import ArgumentParser
import ControlAPI
import Foundation
import Tables

struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Who changed what, when, from where, by which request, with before and after; who read records of calls.",
        discussion: """
            Reads the data directory, beside a running control plane or without one; needs no token, and is itself not recorded: who may read the
            directory is the machine's to say. With a token and over the network: GET /v1/audit.

            Example: ledgerline audit --data ./data --entity 0198c5a0-7e1d-7c39-8f6e-5d0c6a4f1b22
            Example: ledgerline audit --data ./data --from 2026-11-01T00:00:00Z --type subscriber --csv november.csv
            Example: ledgerline audit --data ./data --type records.read --actor anna --json
            """)

    @Option(help: "The data directory.") var data: String
    @Option(help: "Only what concerns this entity, a call too, also after it was removed.") var entity: String?
    @Option(help: "Only what this token's name did.") var actor: String?
    @Option(help: "Only events whose type begins so: subscriber, subscriber.changed, records.read ...") var type: String?
    @Option(help: "Only what was recorded at this time or later (RFC 3339).") var from: String?
    @Option(help: "Only what was recorded before this time (RFC 3339).") var to: String?
    @Option(help: "Only entries that show this text, in large or small letters.") var contains: String?
    @Flag(help: "Print one JSON object to a line.") var json = false
    @Option(help: "Write a table to this file, one field to a row; - is the standard output.") var csv: String?

    func validate() throws {
        if json, csv != nil { throw ValidationError("--json and --csv exclude each other") }
    }

    func run() async throws {
        let opened = try OpenedLog(data)
        let reader = AuditReader(views: try opened.views(), log: opened.log)
        var query = [(name: "limit", value: "500")]
        for (name, value) in [
            ("entity_id", entity), ("actor", actor), ("type", type), ("from", from), ("to", to), ("contains", contains),
        ] {
            if let value { query.append((name, value)) }
        }
        let table = try csv.map { path in try AuditTable(path) }
        var progress = Progress("audit")
        var seen: UInt64 = 0
        var after: String?
        repeat {
            let page: AuditReader.Page
            do throws(AuditReader.Refusal) {
                page = try reader.page(query + (after.map { [(name: "after", value: $0)] } ?? []))
            } catch {
                throw fail(.data, "\(error)")
            }
            for entry in page.entries {
                if let table {
                    table.append(entry)
                } else if json {
                    print(String(decoding: entry.bytes, as: UTF8.self))
                } else {
                    show(entry)
                }
            }
            try table?.flush()
            after = page.next
            let place = after.map { $0.split(separator: ".").map { UInt64($0) ?? 0 } } ?? []
            seen = place.first ?? seen
            if place.count == 2 { progress.tell(seen, of: place[1]) }
        } while after != nil
        progress.end()
        try table?.close()
    }

    private func show(_ entry: JSON) {
        func text(_ name: String) -> String { entry[name]?.text ?? "" }
        let from = text("address").isEmpty ? "" : " from \(text("address"))"
        let behalf =
            (text("on_behalf_of").isEmpty ? "" : " for \(text("on_behalf_of"))")
            + (text("acting_for").isEmpty ? "" : " acting for \(text("acting_for"))")
        print(
            "\(entry["sequence"]?.integer(as: UInt64.self) ?? 0)  \(text("time"))  \(text("type"))  \(text("entity_kind")) \(text("entity_id"))"
                + "  by \(text("actor"))\(behalf)\(from)  request \(text("request_id"))"
                + (entry["erased"]?.flag == true ? "  (of an erased person)" : ""))
        for change in entry["changes"]?.items ?? [] {
            print("    \(change["field"]?.text ?? ""): \(shown(change["before"])) -> \(shown(change["after"]))")
        }
    }

    private func shown(_ value: JSON?) -> String {
        guard let value, value != .null else { return "nothing" }
        return String(decoding: value.bytes, as: UTF8.self)
    }
}

/// Entries as a table: one row to a changed field, so that a spreadsheet can filter by it.
private final class AuditTable {
    private static let columns = [
        "sequence", "time", "type", "entity_kind", "entity_id", "version", "actor", "on_behalf_of", "acting_for", "address", "request_id", "erased",
    ]
    private var writer = CSVWriter()
    private let file: FileHandle
    private let path: String

    init(_ path: String) throws {
        self.path = path
        if path == "-" {
            file = .standardOutput
        } else {
            // It may hold names: for its owner's eyes.
            guard FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o600]),
                let file = FileHandle(forWritingAtPath: path)
            else { throw fail(.inputOutput, "\(path) cannot be written") }
            self.file = file
        }
        writer.append(Self.columns + ["field", "before", "after"])
    }

    func append(_ entry: JSON) {
        let head = Self.columns.map { cell(entry[$0]) }
        let changes = entry["changes"]?.items ?? []
        for change in changes { writer.append(head + [cell(change["field"]), cell(change["before"]), cell(change["after"])]) }
        if changes.isEmpty { writer.append(head + ["", "", ""]) }
    }

    func flush() throws {
        do {
            try file.write(contentsOf: Data(writer.take()))
        } catch {
            throw fail(.inputOutput, "\(path) cannot be written: \(error.localizedDescription)")
        }
    }

    func close() throws {
        try flush()
        if path != "-" { try? file.close() }
    }

    private func cell(_ value: JSON?) -> String {
        guard let value, value != .null else { return "" }
        guard let text = value.text else { return String(decoding: value.bytes, as: UTF8.self) }
        // A spreadsheet would compute what begins so.
        return text.first.map { "=+-@".contains($0) } == true ? "'" + text : text
    }
}
