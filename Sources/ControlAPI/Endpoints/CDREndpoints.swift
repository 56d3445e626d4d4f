import ControlPlane
import Dispute
import Foundation
import HTTPTypes
import Ledger
import Model
import Primitives
import Projections

/// Call records: the list, one of them, and the proof that it is in the log.
enum CDREndpoints {
    private static let filters = [
        QueryParameter("provider_id", .id, "Only calls of this provider."),
        QueryParameter("customer_id", .id, "Only calls of this customer."),
        QueryParameter("tenant_id", .id, "Only calls of this tenant."),
        QueryParameter("subscriber_id", .id, "Only calls of this subscriber."),
        QueryParameter("carrier_id", .id, "Only calls through this carrier."),
    ]
    private static let conditions = [
        QueryParameter("call_id", .id, "Only the record of this call."),
        QueryParameter("from", .time, "Only calls that started at this time or later."),
        QueryParameter("to", .time, "Only calls that started before this time."),
        QueryParameter("direction", .choice(CallDirection.literals), "Only calls of this direction."),
        QueryParameter("cause", .choice(EndCause.literals), "Only calls that ended for this reason."),
    ]
    static let after = QueryParameter(
        "after", .number(0...UInt64(Int64.max)), "The `next` of the page before: a record's number.")
    /// Records looked at for one page, so that a rare condition does not hold a request up.
    private static let examinedMax = 5_000

    static let operations = [
        Operation(
            method: .get, path: "/v1/cdrs", name: "listCdrs", tag: "cdrs",
            summary: "Lists call records by their numbers. A page may be short, and is the last only if next is null.",
            access: .needs(.readRecords), query: filters + conditions + [after, .limit],
            success: .init(status: .ok, about: "A page.", schema: Schema.reference("CdrPage")),
            reading: "cdrs", handle: { try list($0, of: nil) }),
        Operation(
            method: .get, path: "/v1/customers/{customer_id}/cdrs", name: "listCustomerCdrs", tag: "customers",
            summary: "Lists a customer's call records by their numbers.", access: .needs(.readRecords),
            query: conditions + [after, .limit],
            success: .init(status: .ok, about: "A page.", schema: Schema.reference("CdrPage")),
            reading: "cdrs", handle: { try list($0, of: (.customer, try $0.id("customer_id"))) }),
        Operation(
            method: .get, path: "/v1/cdrs/{number}", name: "getCdr", tag: "cdrs", summary: "Reads a call record.",
            access: .needs(.readRecords), success: .init(status: .ok, about: "The record.", schema: Schema.reference("Cdr")),
            reading: "cdr", handle: { try get($0) }),
        Operation(
            method: .get, path: "/v1/cdrs/{number}/proof", name: "proveCdr", tag: "cdrs",
            summary: "The record's event with its inclusion proof and a signed checkpoint: verifiable without us. "
                + "It holds the whole event, so it is given only to whom the whole record is visible.",
            access: .needs(.proveRecords),
            success: .init(
                status: .ok, about: "A proof file (C2SP tlog-proof).", schema: ["type": "string"],
                mediaType: ContentNegotiation.text),
            past: .never,
            reading: "cdr_proof", handle: { try prove($0) }),
        Operation(
            method: .get, path: "/v1/cdrs/{number}/dispute", name: "disputeCdr", tag: "cdrs",
            summary: "Everything that explains and proves the call's bill, in one document that ledgerline dispute verify checks without us. "
                + "It holds the whole events, so it is given only to whom the whole record is visible.",
            access: .needs(.proveRecords),
            success: .init(status: .ok, about: "A dispute pack (docs/dispute.md).", schema: ["type": "object"]),
            reading: "dispute_pack", handle: { try dispute($0) }),
        Operation(
            method: .get, path: "/v1/cdrs/{number}/explanation", name: "explainCdr", tag: "cdrs",
            summary: "How the call was read, routed and charged, from what was recorded when it happened: number, rule, attempts, and of each charge "
                + "that the token sees the row, the other rows that the number fits, and each step of the sum.",
            access: .needs(.readRecords),
            success: .init(status: .ok, about: "The explanation (docs/dispute.md).", schema: ["type": "object"]), past: .never,
            reading: "explanation", handle: { try explain($0) }),
    ]

    static let schemas: [(String, JSON)] = [
        ("Cdr", CdrRecord.schema), ("ChargeCorrection", Shape<ChargeCorrected>.chargeCorrection.schema), ("CdrPage", Schema.page(of: Schema.reference("Cdr"))),
        ("CallParty", Shape<CallParty>.callParty.schema), ("CallAttempt", Shape<CallAttempt>.callAttempt.schema),
        ("Charge", Shape<Charge>.charge.schema), ("CallMargin", CallMargin.schema), ("MediaReport", MediaReport.schema),
        ("LegMedia", Shape<LegMedia>.legMedia.schema),
    ]

    private static func list(_ exchange: Exchange, of node: (kind: EntityKind, id: UUIDv7)?) throws -> Reply {
        let reach = try exchange.reach
        return try exchange.read { views in
            let redaction = try Redaction(reach, in: views)
            if let call = exchange.query.id("call_id") {
                let found = try views.cdr(call: CallID(call)).flatMap { cdr throws(ViewsError) in
                    try CdrRecord(cdr, redaction, in: views)
                }
                return .page(found.map { [$0.json] } ?? [], next: nil)
            }
            let parties = try parties(exchange, node, in: views)
            let limit = exchange.query.limit
            var items: [JSON] = []
            var last = exchange.query.number("after") ?? 0
            var examined = 0
            var isEnd = false
            while items.count < limit, examined < examinedMax, !isEnd {
                let page = try records(parties, after: last, limit: limit, in: views)
                isEnd = page.count < limit
                for cdr in page where items.count < limit {
                    last = cdr.number
                    examined += 1
                    guard matches(cdr, exchange.query), let seen = try CdrRecord(cdr, redaction, in: views) else { continue }
                    items.append(seen.json)
                }
                // The page's rest is read again with the next one.
                if let end = page.last, end.number > last { isEnd = false }
            }
            return .page(items, next: isEnd ? nil : String(last))
        }
    }

    private static func get(_ exchange: Exchange) throws -> Reply {
        let reach = try exchange.reach
        return try exchange.read { views in
            let (cdr, seen) = try record(exchange, reach, in: views)
            let json = try CdrRecord(cdr, Redaction(reach, in: views), in: views)?.json ?? .null
            return .ok(json).showing(UUIDv7(bytes: seen.callID))
        }
    }

    private static func prove(_ exchange: Exchange) throws -> Reply {
        let reach = try exchange.reach
        let (sequence, call) = try exchange.read { views in
            let (cdr, seen) = try record(exchange, reach, in: views)
            guard cdr == seen, let call = UUIDv7(bytes: cdr.callID) else {
                throw Problem(.forbidden, "The proof holds the whole record, of which this token may see a part.")
            }
            for sequence in try views.history(of: call, limit: 1_000).reversed() {
                if try exchange.platform.log.event(at: sequence)?.type == "cdr.recorded" { return (sequence, call) }
            }
            throw Problem(.internalError, "record \(cdr.number) is in the views and not in the log")
        }
        let proof = try InclusionProof(
            of: sequence, in: exchange.platform.log, origin: exchange.platform.origin, key: exchange.platform.signingKey
        )
        return Reply(.ok, .text(proof.text)).showing(call)
    }

    private static func dispute(_ exchange: Exchange) throws -> Reply {
        let reach = try exchange.reach
        let call = try exchange.read { views in
            let (cdr, seen) = try record(exchange, reach, in: views)
            guard cdr == seen, let call = CallID(cdr.callID) else {
                throw Problem(.forbidden, "The pack holds the whole record, of which this token may see a part.")
            }
            return call
        }
        let platform = exchange.platform
        let maker = PackMaker(log: platform.log, views: platform.views, origin: platform.origin, key: platform.signingKey)
        do throws(DisputeError) {
            let now = WallTime.now
            let file = try maker.pack(call: call, at: now).encoded()
            guard let json = try? JSON(parsing: [UInt8](file)) else { throw DisputeError.malformed("it is not JSON") }
            return .ok(json).showing(call.value)
        } catch {
            throw Problem(.internalError, "The pack cannot be made: \(error)")
        }
    }

    private static func explain(_ exchange: Exchange) throws -> Reply {
        let reach = try exchange.reach
        let (cdr, seen, showsRoute) = try exchange.read { views in
            let (cdr, seen) = try record(exchange, reach, in: views)
            let redaction = try Redaction(reach, in: views)
            return (cdr, seen, redaction.isProvider && redaction.sees(cdr.direction == .inbound ? cdr.called : cdr.caller))
        }
        guard let call = CallID(cdr.callID) else { throw Problem(.internalError, "the record names no call") }
        do throws(DisputeError) {
            var explanation = try CallExplainer(log: exchange.platform.log, views: exchange.platform.views).explanation(of: call)
            if cdr != seen { explanation.keep(what: seen, showsRoute: showsRoute) }
            guard let json = try? JSON(parsing: [UInt8](explanation.encoded())) else { throw DisputeError.malformed("it is not JSON") }
            return .ok(json).showing(call.value)
        } catch {
            throw Problem(.internalError, "The explanation cannot be made: \(error)")
        }
    }

    /// The record as it is, and as the token sees it.
    private static func record(
        _ exchange: Exchange, _ reach: Reach, in views: borrowing ViewSnapshot
    ) throws -> (Cdr, Cdr) {
        guard let number = UInt64(exchange.path["number"] ?? ""), let cdr = try views.cdr(number: number),
            let seen = try Redaction(reach, in: views).seen(cdr, in: views)
        else { throw Problem(.notFound, "There is no such call record.") }
        return (cdr, seen)
    }

    /// Whose records to look through; nil: everybody's.
    private static func parties(
        _ exchange: Exchange, _ node: (kind: EntityKind, id: UUIDv7)?, in views: borrowing ViewSnapshot
    ) throws -> [UUIDv7]? {
        let reach = try exchange.reach
        if let (kind, id) = node {
            guard let place = try views.place(of: kind, id), reach.holds(place) else {
                throw Problem(.notFound, "There is no \(kind.parameter) \(id).")
            }
            return [id]
        }
        let kinds: [EntityKind] = [.provider, .customer, .tenant, .subscriber, .carrier]
        let given = zip(filters, kinds).compactMap { filter, kind in
            exchange.query.id(filter.name).map { (filter.name, kind, $0) }
        }
        guard given.count <= 1 else { throw Problem(.badRequest, "A list is narrowed by one party at a time.") }
        if let (name, kind, id) = given.first {
            guard let place = try views.place(of: kind, id), reach.holds(place) else {
                throw Problem(
                    .badRequest, "Some query parameters cannot be accepted.",
                    faults: [FieldFault(.parameter(name), "names nothing that is there for you")])
            }
            return [id]
        }
        switch reach {
        case .platform: return nil
        case .provider(let id): return try views.subtree(of: id)
        case .customer(let id): return [id.value]
        case .tenant(let id): return [id.value]
        case .subscriber(let id): return [id.value]
        }
    }

    /// Of several parties, merged by number; a call between two of them is there once.
    private static func records(
        _ parties: [UUIDv7]?, after number: UInt64, limit: Int, in views: borrowing ViewSnapshot
    ) throws(ViewsError) -> [Cdr] {
        guard let parties else { return try views.cdrs(after: number, limit: limit) }
        var merged: [UInt64: Cdr] = [:]
        for party in parties {
            // The index is by party, whatever its kind.
            for cdr in try views.cdrs(of: SubscriberID(party), after: number, limit: limit) { merged[cdr.number] = cdr }
        }
        return Array(merged.values.sorted { $0.number < $1.number }.prefix(limit))
    }

    private static func matches(_ cdr: Cdr, _ query: Query) -> Bool {
        if let from = query.time("from"), cdr.startedAt < from.microseconds { return false }
        if let to = query.time("to"), cdr.startedAt >= to.microseconds { return false }
        if let direction = query.text("direction"), cdr.direction.literal != direction { return false }
        if let cause = query.text("cause"), cdr.cause.literal != cause { return false }
        return true
    }
}
