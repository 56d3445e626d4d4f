import ArgumentParser
import ControlPlane
import Exports
import Foundation
import Model
import Primitives
import Projections

struct CDRExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Writes call records to a file once, or checks a folder of exported files.",
        discussion: """
            Reads the data directory, beside a running control plane or after it. Exports that go on by themselves are made with POST
            /v1/cdr-exports; see docs/export.md.

            Example: ledgerline cdr export make --data ./data --format csv --directory ./out
            Example: ledgerline cdr export verify ./data/exports/0193…
            """,
        subcommands: [Make.self, Verify.self], defaultSubcommand: Make.self)

    struct Make: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Writes call records to files, apart from every scheduled export.",
            discussion: "Example: ledgerline cdr export --data ./data --format sipwise-admin --from-number 1 --to-number 5000 --directory ./out")

        @Option(help: "The data directory.") var data: String
        @Option(help: "csv, jsonl, sipwise-admin, sipwise-reseller, ivoz-brand, ivoz-client or ivoz-documented.") var format = "csv"
        @Option(help: "Only what this provider sees: its id.") var provider: String?
        @Option(help: "Only what this customer sees: its id.") var customer: String?
        @Option(help: "The first record, by its number on the platform. Corrections are written if all records are.") var fromNumber: UInt64 = 1
        @Option(help: "The last record (default: the newest).") var toNumber: UInt64?
        @Option(help: "Where the files are written.") var directory = "."
        @Option(help: "Time zone of layouts of other systems, IANA name.") var timeZone = "UTC"
        @Flag(help: "CSV: an apostrophe before text that a spreadsheet would compute.") var guardFormulas = false
        @Flag(help: "Print one JSON object a file.") var json = false

        func run() async throws {
            guard let format = CdrExportFormat(literal: format) else {
                throw ValidationError("--format is one of \(CdrExportFormat.literals.joined(separator: ", "))")
            }
            guard fromNumber > 0 else { throw ValidationError("--from-number is 1 or more") }
            let provider = try id(provider, "--provider")
            let customer = try id(customer, "--customer")
            let views = try OpenedLog(data).views()
            let layout = ExportLayout(format, timeZone: timeZone, guardsFormulas: guardFormulas)
            do throws(ExportError) {
                try write(layout, ExportReader(views, provider: provider, customer: customer))
            } catch {
                throw fail(.inputOutput, "\(error)")
            }
        }

        private func write(_ layout: ExportLayout, _ reader: ExportReader) throws(ExportError) {
            let folder = try ExportFolder(directory)
            var end = try reader.end()
            // Corrections have numbers of their own: they belong to all records, not to a part of them.
            if toNumber != nil || fromNumber > 1 { end.correction = 0 }
            if let toNumber { end.cdr = min(end.cdr, toNumber) }
            var cursor = ExportReader.Cursor(cdr: min(fromNumber - 1, end.cdr))
            var last: CdrFileExported?
            var progress = Progress("export", unit: "records")
            repeat {
                let batch = try reader.records(after: cursor, upTo: end, limit: layout.recordsMax)
                if batch.records.isEmpty, last != nil { break }
                var file = CdrFileExported()
                file.file = (last?.file ?? 0) + 1
                // Nothing is due: the name says which records were asked for, and the same question gives the same files.
                file.name = layout.name(file: file.file, dueAt: batch.records.last?.cdr.endedAt ?? 0)
                file.firstRecord = last.map { $0.firstRecord + $0.records } ?? 1
                file.records = UInt64(batch.records.count)
                (file.firstCdr, file.lastCdr) = (batch.firstCDR, batch.lastCDR)
                (file.firstCorrection, file.lastCorrection) = (batch.firstCorrection, batch.lastCorrection)
                (file.cdrCursor, file.correctionCursor) = (batch.cursor.cdr, batch.cursor.correction)
                (file.format, file.timeZone, file.guardFormulas) = (layout.format, layout.timeZone, layout.guardsFormulas)
                file.previousSha256 = last?.sha256 ?? Data(count: 32)
                try folder.write(&file, layout.bytes(batch.records, firstRecord: file.firstRecord, batch.names))
                tell(file)
                progress.tell(batch.cursor.cdr, of: end.cdr)
                last = file
                cursor = batch.cursor
            } while cursor != end
            progress.end()
        }

        private func tell(_ file: CdrFileExported) {
            if json {
                print(String(decoding: ExportManifest(file).json, as: UTF8.self).split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }.joined(separator: " "))
            } else {
                print("\(file.name)\t\(file.records) records\t\(file.firstCdr)–\(file.lastCdr)\t\(hex(file.sha256))")
            }
        }

        private func id(_ text: String?, _ option: String) throws -> Data {
            guard let text else { return Data() }
            guard let id = UUIDv7(text) else { throw ValidationError("\(option) is an id such as 01930000-0000-7000-8000-000000000001") }
            return Data(id.bytes)
        }
    }

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Checks a folder of exported files: hashes, chain, and that no file or record is missing.",
            discussion: "Example: ledgerline cdr export verify ./in")

        @Argument(help: "The folder.") var directory: String
        @Flag(help: "Print one JSON object.") var json = false

        func run() async throws {
            let verified = ChainVerifier(folder: directory)
            if json {
                try printJSON([
                    "files": verified.files, "records": verified.records, "last_sha256": verified.lastHash, "faults": verified.faults,
                    "ok": verified.faults.isEmpty,
                ])
            } else {
                for fault in verified.faults { print("FAULT: \(fault)") }
                print("\(verified.files) files, \(verified.records) records, \(verified.faults.isEmpty ? "complete and unchanged" : "\(verified.faults.count) faults")")
            }
            if !verified.faults.isEmpty { throw ExitCode(ExitStatus.checkFailed.rawValue) }
        }
    }
}

struct CDRSchemaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema", abstract: "Prints the schema of our own CDR files as a Markdown page.",
        discussion: "Example: ledgerline cdr schema > docs/cdr-schema.md")

    func run() { print(CDRSchema.markdown, terminator: "") }
}
