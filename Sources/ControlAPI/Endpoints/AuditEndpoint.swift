import ControlPlane
import HTTPTypes
import Ledger
import Model
import Primitives
import Projections

/// Everything that people did, and everything about one entity: who, when, from where, by which request, field by field.
enum AuditEndpoint {
    /// Events looked at for one page, so that a rare condition does not hold a request up.
    private static let examinedMax = 5_000

    static let operations = [
        Operation(
            method: .get, path: "/v1/audit", name: "listAudit", tag: "log",
            summary: "Lists changes with every field before and after, and who read records of calls, the oldest first; with entity_id all "
                + "that concerns the entity, calls too. A page may be short, and is the last only if next is null.",
            access: .needs(.readAudit),
            query: [
                QueryParameter("entity_id", .id, "Only what concerns this entity, also after it was removed."),
                QueryParameter("actor", .text, "Only what this token's name did."),
                QueryParameter("type", .text, "Only events whose type begins so: subscriber, subscriber.changed, records.read …"),
                QueryParameter("from", .time, "Only what was recorded at this time or later."),
                QueryParameter("to", .time, "Only what was recorded before this time."),
                QueryParameter("contains", .text, "Only entries that show this text anywhere, in large or small letters."),
                QueryParameter("after", .cursor, "The `next` of the page before."), .limit,
            ],
            success: .init(status: .ok, about: "A page.", schema: Schema.reference("AuditPage")), reading: "audit",
            handle: { try list($0) })
    ]

    static let schemas = AuditEntry.schemas

    static func list(_ exchange: Exchange) throws -> Reply {
        let query = exchange.query
        let log = exchange.platform.log
        return try exchange.read { views in
            let sight = try AuditSight(exchange.token, in: views)
            var (last, bound) = try start(query, log, applied: views.applied)
            var items: [JSON] = []
            var examined = 0
            while last < bound {
                let page =
                    if let entity = query.id("entity_id") {
                        try views.history(of: entity, after: last, limit: 500)
                    } else {
                        try views.changes(after: last, limit: 500)
                    }
                for sequence in page {
                    guard sequence <= bound else { return .page(items, next: nil) }
                    guard items.count < query.limit, examined < examinedMax else {
                        return .page(items, next: "\(last).\(bound)")
                    }
                    last = sequence
                    examined += 1
                    guard let stored = try log.event(at: sequence), matches(stored, query) else { continue }
                    let entry = try AuditEntry(stored, log, in: views)
                    guard try sight.sees(entry, in: views) else { continue }
                    let showsOrigin = sight.showsOrigin(of: stored.actor)
                    if let text = query.text("contains"), !entry.contains(text, showsOrigin: showsOrigin) { continue }
                    items.append(entry.json(showsOrigin: showsOrigin))
                }
                guard page.count == 500 else { break }
            }
            return .page(items, next: nil)
        }
    }

    private static func matches(_ stored: Envelope, _ query: Query) -> Bool {
        if let actor = query.text("actor"), stored.actor != actor { return false }
        if let type = query.text("type"), !stored.type.hasPrefix(type) { return false }
        return true
    }

    /// What the first page may begin after, and what the last one ends with. The end is in the cursor: reading a page is an
    /// event itself, and whoever reads on would never come to the end of his own readings.
    private static func start(_ query: Query, _ log: any EventLog, applied: UInt64) throws -> (after: UInt64, bound: UInt64) {
        if let cursor = query.text("after") {
            let parts = cursor.split(separator: ".").map { UInt64($0) }
            guard parts.count == 2, let after = parts[0], let bound = parts[1], bound <= applied else { throw Query.notACursor }
            return (after, bound)
        }
        // Times never decrease along the log.
        let tick = Duration.microseconds(-1)
        let after = try query.time("from").map { try log.sequence(asOf: $0 + tick) } ?? 0
        let bound = try query.time("to").map { try log.sequence(asOf: $0 + tick) } ?? applied
        return (after, min(bound, applied))
    }
}

/// What of the audit a token sees: all, or what happened in its subtree.
private struct AuditSight {
    private let reach: Reach
    private let redaction: Redaction
    /// Names of tokens in the subtree: whose origins are the provider's to know.
    private let tokens: Set<String>

    init(_ caller: Caller, in views: borrowing ViewSnapshot) throws {
        reach = caller.reach
        redaction = try Redaction(reach, in: views)
        var names: Set<String> = [caller.name]
        if reach != .platform {
            for token in try views.tokens(limit: .max) {
                if let place = try EntityState.place(ofScope: token.scopeID, in: views), reach.holds(place) { names.insert(token.name) }
            }
        }
        tokens = names
    }

    func showsOrigin(of actor: String) -> Bool { reach == .platform || tokens.contains(actor) }

    func sees(_ entry: AuditEntry, in views: borrowing ViewSnapshot) throws -> Bool {
        if reach == .platform || entry.place.map(reach.holds) == true { return true }
        for call in entry.calls {
            if let live = try views.liveCall(call), redaction.seen(live) != nil { return true }
            if let cdr = try views.cdr(call: call), try redaction.seen(cdr, in: views) != nil { return true }
        }
        return false
    }
}
