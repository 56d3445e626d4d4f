import ControlPlane
import HTTPTypes
import Model
import Primitives
import Projections

/// What an export has made, and how it stands now.
enum CdrExportEndpoints {
    private static let path = "/v1/cdr-exports/{cdr_export_id}"
    private static let after = QueryParameter(
        "after", .number(0...UInt64(Int64.max)), "The `next` of the page before: a file's number.")

    static let operations = [
        Operation(
            method: .get, path: path + "/files", name: "listCdrExportFiles", tag: "cdr-exports",
            summary: "Lists the files of an export in their order: the chain of their hashes.", access: .needs(.readExports),
            query: [after, .limit],
            success: .init(status: .ok, about: "A page.", schema: Schema.reference("CdrFilePage")),
            handle: { try files($0) }),
        Operation(
            method: .get, path: path + "/status", name: "getCdrExportStatus", tag: "cdr-exports",
            summary: "How an export stands: when the next file is due, what waits for the server, what failed.",
            access: .needs(.readExports),
            success: .init(status: .ok, about: "Its state.", schema: Schema.reference("CdrExportStatus")),
            handle: { try status($0) }),
    ]

    static let schemas: [(String, JSON)] = [
        ("CdrFile", Shape<CdrFileExported>.cdrFile.schema), ("CdrFilePage", Schema.page(of: Schema.reference("CdrFile"))),
        (
            "CdrExportStatus",
            Schema.object(
                [
                    ("files", Schema.sequence), ("delivered", Schema.sequence), ("records", Schema.sequence),
                    ("cdr_cursor", Schema.sequence), ("last_file", Schema.orNull(Schema.reference("CdrFile"))),
                    ("next_due", Schema.orNull(Schema.time)), ("failures", Schema.sequence),
                    ("failures_in_a_row", Schema.sequence), ("retry_at", Schema.orNull(Schema.time)),
                    ("last_error", Schema.orNull(Schema.text(max: 1_024))),
                ],
                required: [
                    "files", "delivered", "records", "cdr_cursor", "last_file", "next_due", "failures",
                    "failures_in_a_row", "retry_at", "last_error",
                ])
        ),
    ]

    private static func files(_ exchange: Exchange) throws -> Reply {
        let id = try exchange.id("cdr_export_id")
        let reach = try exchange.reach
        return try exchange.read { views in
            _ = try CdrExports.visible(id, to: reach, in: views)
            let limit = exchange.query.limit
            let files = try views.exportFiles(of: CdrExportID(id), after: exchange.query.number("after") ?? 0, limit: limit + 1)
            let last = files.count > limit ? files[limit - 1].file : nil
            return .page(files.prefix(limit).map { Shape<CdrFileExported>.cdrFile.json($0) }, next: last.map { String($0) })
        }
    }

    private static func status(_ exchange: Exchange) throws -> Reply {
        let id = try exchange.id("cdr_export_id")
        let reach = try exchange.reach
        let status = exchange.platform.exports(CdrExportID(id))
        return try exchange.read { views in
            let export = try CdrExports.visible(id, to: reach, in: views)
            let last = try views.lastExportFile(of: CdrExportID(id))
            let delivered = try views.delivered(of: CdrExportID(id))
            let files = last?.file ?? 0
            let records = last.map { $0.firstRecord + $0.records - 1 } ?? 0
            let lastFile: JSON = last.map { Shape<CdrFileExported>.cdrFile.json($0) } ?? .null
            let nextDue: JSON = export.disabled ? .null : .time(microseconds: status.nextDue?.microseconds ?? 0)
            let retryAt: JSON = .time(microseconds: status.retryAt?.microseconds ?? 0)
            let lastError: JSON = status.lastError.map { .string($0) } ?? .null
            return .ok([
                "files": .integer(files), "delivered": .integer(export.hasSftp ? delivered : files), "records": .integer(records),
                "cdr_cursor": .integer(last?.cdrCursor ?? 0), "last_file": lastFile, "next_due": nextDue,
                "failures": .integer(status.failures), "failures_in_a_row": .integer(status.failuresInARow), "retry_at": retryAt,
                "last_error": lastError,
            ])
        }
    }
}
