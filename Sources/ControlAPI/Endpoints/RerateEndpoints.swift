import ControlPlane
import Foundation
import HTTPTypes
import Ledger
import Model
import Primitives
import Projections

/// Charges put right by another deck: a step at a time, each one commit.
enum RerateEndpoints {
    /// Records looked at for one step, so that a long period in which nothing changes does not hold a request up.
    private static let recordsMax = 20_000
    /// Of one snapshot.
    private static let page = 1_000

    private struct Body: Blank {
        var deck = Data()
        var version: UInt32 = 0
        var from: Int64 = 0
        var to: Int64 = 0
        var customer = Data()
        var chargedBy = Data()
        var reason = ""
        var rerate = Data()
        var after = ""
    }

    private static let shape = Shape<Body>(
        "Rerate",
        [
            .reference("deck_id", \.deck, isRequired: true, "The deck by which the calls should have been charged."),
            .integer("version", \.version, 0...UInt32.max, "Its version; 0: of each call the one in force when it started."),
            .time("from", \.from, "Calls that came in then or later. Required."),
            .time("to", \.to, "And before this. Required."),
            .reference("customer_id", \.customer, "Only this customer's calls."),
            .reference("charged_by_deck_id", \.chargedBy, "Only charges that were made by this deck."),
            .text("reason", \.reason, isRequired: true, "For people; it stands beside every correction."),
            .reference("rerate_id", \.rerate, "The `rerate_id` of the steps before, if they had one."),
            .text("after", \.after, "The `next` of the step before."),
        ])

    static let operations = [
        Operation(
            method: .post, path: "/v1/rerates", name: "rerate", tag: "rerates",
            summary: "Charges calls to the customers of the deck's provider anew: the next \(RerateStep.correctionsMax) whose charge differs, "
                + "in the order of their set-up. For each the difference is posted; the charge itself stays. Repeat with `next` until it is null.",
            access: .needs(.postMoney), body: .init(schema: Schema.reference("Rerate")),
            success: .init(status: .ok, about: "What was posted.", schema: Schema.reference("RerateStep")),
            needsIdempotencyKey: true, past: .never,
            handle: { try await step($0) })
    ]

    static let schemas: [(String, JSON)] = [
        ("Rerate", shape.newSchema),
        (
            "RerateStep",
            Schema.object(
                [
                    ("rerate_id", Schema.orNull(Schema.uuid)), ("corrections", Schema.sequence), ("difference", Schema.money),
                    ("records", Schema.sequence), ("next", Schema.orNull(Schema.text(max: 64))),
                    ("log_position", Schema.sequence),
                ], required: ["rerate_id", "corrections", "difference", "records", "next", "log_position"])
        ),
    ]

    private static func step(_ exchange: Exchange) async throws -> Reply {
        let body = try exchange.decode { body, faults in shape.new(body, FieldContext(), &faults) }
        let terms = try terms(body, exchange)
        let rerate = UUIDv7(bytes: body.rerate)
        if let rerate { try check(rerate, terms, exchange) }
        var cursor: RerateScan.Cursor?
        if !body.after.isEmpty {
            guard let parsed = RerateScan.Cursor(body.after) else { throw Problem.invalid("after", "must be the next of a step") }
            cursor = parsed
        }
        let rerater = try exchange.read { views in try Rerater(terms, in: views) }
        let found = try candidates(RerateScan(rerater), after: cursor, exchange)
        // Also if there is nothing to post: under its key the answer may be one that was given before.
        let outcome = try await exchange.submit(
            .rerate(
                RerateStep(terms, id: rerate, reason: body.reason, records: found.numbers, looked: UInt64(found.looked), next: found.next)))
        if outcome.id != .platform, let stored = try exchange.platform.log.event(at: outcome.sequence), stored.stream == outcome.id,
            case .rerateStepped(let step) = try Event(closed: stored)
        {
            let next = step.isLast ? nil : RerateScan.Cursor(at: WallTime(microseconds: step.lastStartedAt), number: step.lastCdr)
            return reply(outcome.id, step.corrections, step.differenceMicros, rerater, step.records, next, outcome.sequence)
                .replayed(outcome.repeated)
        }
        return reply(rerate, 0, 0, rerater, UInt64(found.looked), found.next, outcome.sequence)
    }

    private static func reply(
        _ id: UUIDv7?, _ corrections: UInt64, _ micros: Int64, _ rerater: Rerater, _ records: UInt64, _ next: RerateScan.Cursor?,
        _ position: UInt64
    ) -> Reply {
        .ok([
            "rerate_id": id.map { .string($0.description) } ?? .null, "corrections": .integer(corrections),
            "difference": Money(micros: micros, rerater.currency).json, "records": .integer(records),
            "next": next.map { .string($0.description) } ?? .null, "log_position": .integer(position),
        ])
    }

    private static func terms(_ body: Body, _ exchange: Exchange) throws -> RerateTerms {
        guard body.from != 0 else { throw Problem.invalid("from", "is required") }
        guard body.to != 0 else { throw Problem.invalid("to", "is required") }
        guard let deck = RateDeckID(body.deck) else { throw Problem.invalid("deck_id", "is required") }
        try exchange.read { views in
            let reach = try exchange.reach
            let place = try views.rateDeck(deck).map { deck throws(ViewsError) in try views.place(provider: deck.providerID) }
            guard let place, reach.holds(place) else { throw Problem.invalid("deck_id", "names no deck of yours") }
        }
        return RerateTerms(
            deck: deck, version: body.version == 0 ? nil : body.version, from: WallTime(microseconds: body.from),
            to: WallTime(microseconds: body.to), customer: CustomerID(body.customer), chargedBy: RateDeckID(body.chargedBy))
    }

    /// A re-rating keeps its terms from the first step to the last.
    private static func check(_ rerate: UUIDv7, _ terms: RerateTerms, _ exchange: Exchange) throws {
        guard let last = try exchange.platform.log.history(of: rerate, before: nil, limit: 1).first,
            case .rerateStepped(let step) = try Event(closed: last), RerateTerms(step) == terms
        else { throw Problem.invalid("rerate_id", "names no re-rating with these terms") }
    }

    /// The next calls with a difference, as many as one commit takes.
    private static func candidates(
        _ scan: RerateScan, after cursor: RerateScan.Cursor?, _ exchange: Exchange
    ) throws -> (numbers: [UInt64], looked: Int, next: RerateScan.Cursor?) {
        var numbers: [UInt64] = []
        var looked = 0
        var next = cursor
        repeat {
            let found = try exchange.read { views in
                try scan.page(
                    after: next, limit: page, differencesMax: RerateStep.correctionsMax - numbers.count, in: views)
            }
            for line in found.lines {
                guard case .rated(let charge) = line.verdict, charge.differenceMicros != 0 else { continue }
                numbers.append(line.cdr.number)
            }
            looked += found.records
            next = found.next
        } while next != nil && numbers.count < RerateStep.correctionsMax && looked < recordsMax
        return (numbers, looked, next)
    }
}
