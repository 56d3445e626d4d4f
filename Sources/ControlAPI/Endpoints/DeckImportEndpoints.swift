import ControlPlane
import Foundation
import HTTPTypes
import Model
import OpenSSL
import Primitives
import Projections
import Rating
import SwiftProtobuf

/// Price lists in files: checked whole, recorded in parts that price nothing, and in force by the one event that ends them.
enum DeckImportEndpoints {
    private static let path = "/v1/rate-decks/{rate_deck_id}/imports"
    private static let faultsMax = 10_000

    static let operations = [
        Operation(
            method: .post, path: path, name: "importRateDeck", tag: "rate-decks",
            summary: "Publishes the next version of a deck from a CSV file. Either every line is a row or nothing is published, "
                + "and the answer names the line and the column of everything that is wrong (docs/rate-decks.md).",
            access: .needs(.writePrices),
            query: [
                QueryParameter("effective_at", .time, "When the version comes into force; now if it is not given."),
                QueryParameter("increments", .text, "For files without such columns: seconds of the first and the next ones, such as 60/1."),
                QueryParameter("ignore", .text, "Columns that are passed over, as the header names them, with commas between them."),
                QueryParameter("time_zone", .text, "IANA name, of the bands."),
                QueryParameter("bands", .document, "Time bands as a version has them, a JSON array. Rows name them by number or name."),
                QueryParameter("import_id", .id, "A UUID that the import is known by while it runs."),
            ],
            body: .init(schema: ["type": "string"], mediaTypes: ["text/csv"], bytesMax: 512 << 20, isFile: true),
            success: .init(status: .created, about: "It is published.", schema: Schema.reference("RateDeckVersionHead")),
            past: .never, handle: { try await publish($0) }),
        Operation(
            method: .get, path: path + "/{import_id}", name: "getRateDeckImport", tag: "rate-decks",
            summary: "How far an import has come. One that was abandoned stays as it is, and prices nothing.", access: .needs(.readPrices),
            success: .init(status: .ok, about: "The import.", schema: Schema.reference("RateDeckImport")), past: .never,
            handle: { try get($0) }),
    ]

    static let schemas: [(String, JSON)] = [
        (
            "RateDeckImport",
            Schema.object(
                [
                    ("import_id", Schema.uuid), ("deck_id", Schema.uuid), ("rows", Schema.sequence), ("chunks", Schema.sequence),
                    ("changed_at", Schema.time), ("version", Schema.orNull(Schema.sequence)),
                ], required: ["import_id", "deck_id", "rows", "chunks", "changed_at", "version"])
        )
    ]

    private static func get(_ exchange: Exchange) throws -> Reply {
        let id = try exchange.id("import_id")
        let deck = try exchange.id("rate_deck_id")
        return try exchange.read { views in
            _ = try RateDecks.visible(deck, to: exchange.reach, in: views)
            guard let found = try views.deckImport(id), found.deckID == Data(deck.bytes) else {
                throw Problem(.notFound, "The rate deck has no such import.")
            }
            return .ok([
                "import_id": .string(id.description), "deck_id": .string(deck.description), "rows": .integer(found.rows),
                "chunks": .integer(found.chunks), "changed_at": JSON.time(microseconds: found.changedAt),
                "version": found.version == 0 ? .null : .integer(found.version),
            ])
        }
    }

    private static func publish(_ exchange: Exchange) async throws -> Reply {
        let id = RateDeckID(try exchange.id("rate_deck_id"))
        let deck = try exchange.read { views in
            let deck = try RateDecks.visible(id.value, to: exchange.reach, in: views)
            guard let place = try views.place(of: .rateDeck, id.value), try exchange.reach.holds(place) else {
                throw Problem(.forbidden, "The token may read this rate deck, and not publish versions of it.")
            }
            return deck
        }
        var version = try head(exchange)
        version.deckID = id.data
        var random = RandomSource.system
        let now = WallTime(microseconds: Int64(Date().timeIntervalSince1970 * 1_000_000))
        let source = exchange.query.id("import_id") ?? UUIDv7(at: now, random: &random)
        if try exchange.read({ views in try views.deckImport(source) }) != nil {
            throw Problem(.conflict, "There is an import with this id already; give another id.")
        }
        let terms = DeckFile.Terms(
            currency: deck.currency, bands: version.bands, increments: try increments(exchange),
            ignored: exchange.query.text("ignore")?.split(separator: ",").map(String.init) ?? [],
            effectiveAt: version.effectiveAt == 0 ? now : WallTime(microseconds: version.effectiveAt))
        let bytes = exchange.file
        let (file, hash) = await aside { (DeckFile(bytes, terms), Hash.sha256(bytes)) }
        guard file.faults.isEmpty else {
            let all = file.faults.count
            throw Problem(
                .invalidFields, "\(all) \(all == 1 ? "place" : "places") of the file cannot be accepted; nothing was published."
                    + (all > faultsMax ? " The first \(faultsMax) are named: ledgerline deck import --check names all." : ""),
                faults: file.faults.prefix(faultsMax).map { FieldFault(.line($0.line, column: $0.column), $0.reason) })
        }
        for (chunk, start) in stride(from: 0, to: file.count, by: RowHash.chunkRows).enumerated() {
            var rows = RateDeckRowsAdded(rows: file.entries(from: start, limit: RowHash.chunkRows))
            rows.importID = Data(source.bytes)
            rows.deckID = id.data
            rows.chunk = UInt32(chunk)
            // Without the key: it belongs to the whole request.
            let request = AdminRequest(.addDeckRows(rows), actor: try exchange.token.name, requestID: exchange.requestID, origin: exchange.origin,
                authority: try exchange.token.authority)
            _ = try await exchange.platform.submit(request)
        }
        version.importID = Data(source.bytes)
        version.fileHash = Data(hash)
        version.rows = UInt64(file.count)
        let outcome = try await exchange.submit(.publishDeckVersion(version))
        return try DeckVersionEndpoints.published(outcome, of: id, exchange)
    }

    private static func head(_ exchange: Exchange) throws -> RateDeckVersion {
        var members: [JSON.Member] = []
        if let time = exchange.query.time("effective_at") { members.append(.init("effective_at", .string(time.rfc3339))) }
        if let zone = exchange.query.text("time_zone") { members.append(.init("time_zone", .string(zone))) }
        if let text = exchange.query.text("bands") {
            guard let bands = try? JSON(parsing: Array(text.utf8)) else { throw refused("bands", "must be a JSON array") }
            members.append(.init("bands", bands))
        }
        var faults = FieldFaults()
        var version = RateDeckVersion()
        Shape<RateDeckVersion>.rateDeckVersion.merge(.object(members), into: &version, FieldContext(), &faults)
        if let fault = faults.faults.first, case .pointer(let pointer) = fault.place { throw refused("bands", "\(pointer) \(fault.reason)") }
        if let fault = version.bandsFault { throw refused("bands", "\(fault.field) \(fault.reason)") }
        return version
    }

    private static func increments(_ exchange: Exchange) throws -> Increments? {
        guard let text = exchange.query.text("increments") else { return nil }
        let parts = text.split(separator: "/").map { UInt32($0) ?? 0 }
        guard parts.count == 2, parts.allSatisfy({ (1...86_400).contains($0) }) else {
            throw refused("increments", "must be two numbers of seconds such as 60/1")
        }
        return Increments(first: parts[0], next: parts[1])
    }

    private static func refused(_ name: String, _ reason: String) -> Problem {
        Problem(.badRequest, "Some query parameters cannot be accepted.", faults: [FieldFault(.parameter(name), reason)])
    }

    /// A file of a million lines is read for seconds: not on a thread that others wait for.
    private static func aside<R: Sendable>(_ body: @escaping @Sendable () -> R) async -> R {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { continuation.resume(returning: body()) }
        }
    }
}
