package import Foundation
package import Model
internal import Primitives

/// The file beside every file, `NAME.json`: what it holds, its hash, and the hash of the one before it.
package struct ExportManifest: Codable, Equatable, Sendable {
    package var name: String
    package var export: String
    package var file: UInt64
    package var format: String
    package var schema: Int
    package var first_record: UInt64
    package var records: UInt64
    package var first_cdr: UInt64
    package var last_cdr: UInt64
    package var first_correction: UInt64
    package var last_correction: UInt64
    package var cdr_cursor: UInt64
    package var correction_cursor: UInt64
    package var bytes: UInt64
    package var sha256: String
    package var previous_sha256: String
    package var due_at: String

    package init(_ file: CdrFileExported) {
        name = file.name
        export = CdrExportID(file.exportID)?.description ?? ""
        self.file = file.file
        format = file.format.literal
        schema = CDRColumn.version
        first_record = file.firstRecord
        records = file.records
        first_cdr = file.firstCdr
        last_cdr = file.lastCdr
        first_correction = file.firstCorrection
        last_correction = file.lastCorrection
        cdr_cursor = file.cdrCursor
        correction_cursor = file.correctionCursor
        bytes = file.bytes
        sha256 = hex(file.sha256)
        previous_sha256 = hex(file.previousSha256)
        due_at = WallTime(microseconds: file.dueAt).rfc3339
    }

    package var json: [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(self) else { preconditionFailure("plain strings and numbers are encodable") }
        return Array(data) + [0x0A]
    }

    package static func read(_ bytes: Data) -> ExportManifest? { try? JSONDecoder().decode(ExportManifest.self, from: bytes) }
}
