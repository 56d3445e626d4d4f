import ControlPlane
import Foundation
import HTTPTypes
import Ledger
import Model
import Primitives
import Projections

/// Who had a number, and when: its life in spans, read from its events.
enum NumberHistoryEndpoint {
    /// A number that changes hands more often than that is listed by `/v1/entities/{id}/history` page by page.
    private static let eventsMax = 5_000

    static let operations = [
        Operation(
            method: .get, path: "/v1/numbers/{number_id}/history", name: "getNumberHistory", tag: "numbers",
            summary: "Who had the number and for whom it was kept, from when to when, the oldest first.",
            access: .needs(.readHistory),
            success: .init(status: .ok, about: "Its life.", schema: Schema.reference("NumberHistory")),
            reading: "history", handle: { try list($0) })
    ]

    static let schemas: [(String, JSON)] = [
        (
            "NumberHistory",
            Schema.object(
                [("e164", Schema.text(max: 16)), ("spans", Schema.list(span))], required: ["e164", "spans"])
        )
    ]

    private static let span = Schema.object(
        [
            ("from", Schema.time), ("to", Schema.orNull(Schema.time)),
            ("state", Schema.choice(NumberState.allCases.map(\.rawValue))),
            ("subscriber_id", Schema.orNull(Schema.uuid)), ("tenant_id", Schema.orNull(Schema.uuid)),
            ("customer_id", Schema.orNull(Schema.uuid)), ("actor", Schema.text(max: 128)), ("sequence", Schema.sequence),
        ], required: ["from", "to", "state", "subscriber_id", "tenant_id", "customer_id", "actor", "sequence"])

    /// What began with an event, or by itself when a hold ended.
    private struct Span {
        var from: WallTime
        var state: NumberState
        var number: Number
        var actor: String
        var sequence: UInt64
        var place: Place

        func isLike(_ other: Span) -> Bool {
            state == other.state && number.subscriberID == other.number.subscriberID
                && number.customerID == other.number.customerID && number.tenantID == other.number.tenantID
        }
    }

    private static func list(_ exchange: Exchange) throws -> Reply {
        let id = try exchange.id("number_id")
        return try exchange.read { views in
            let reach = try exchange.reach
            let number = try Numbers.visible(id, to: reach, in: views)
            let now = try views.timeAsOf ?? .now
            var spans: [Span] = []
            func add(_ span: Span) {
                if let last = spans.last, last.isLike(span) { return }
                spans.append(span)
            }
            for sequence in try views.history(of: id, limit: eventsMax) {
                guard let stored = try exchange.platform.log.event(at: sequence), let event = try? views.event(in: stored),
                    let then = event.number
                else { continue }
                lapse(&spans, before: stored.time)
                add(
                    Span(
                        from: stored.time, state: then.state(at: stored.time), number: then, actor: stored.actor,
                        sequence: sequence, place: try views.place(of: then)))
            }
            lapse(&spans, before: now)
            let isProvider = reach.holds(try Numbers.placeToChange(number, in: views))
            var items: [JSON] = []
            for (index, span) in spans.enumerated() {
                // What a number was before it was theirs, and who had it, is not a customer's to know.
                guard isProvider || reach.holds(span.place) else { continue }
                items.append([
                    "from": .string(span.from.rfc3339),
                    "to": index + 1 < spans.count ? .string(spans[index + 1].from.rfc3339) : .null,
                    "state": .string(span.state.rawValue), "subscriber_id": .id(span.number.subscriberID),
                    "tenant_id": .id(span.number.tenantID), "customer_id": .id(span.number.customerID),
                    "actor": .string(span.actor), "sequence": .integer(span.sequence),
                ])
            }
            return .ok(["e164": .string(number.e164), "spans": .array(items)])
        }
    }

    /// A reservation or a quarantine that ended by itself is a span that no event begins.
    private static func lapse(_ spans: inout [Span], before time: WallTime) {
        guard let last = spans.last, last.state == .reserved || last.state == .quarantined, last.number.holdUntil != 0
        else { return }
        let end = WallTime(microseconds: last.number.holdUntil)
        guard end <= time else { return }
        var number = last.number
        (number.customerID, number.tenantID) = (Data(), Data())
        spans.append(
            Span(from: end, state: .available, number: number, actor: "", sequence: last.sequence, place: Place()))
    }
}

extension Event {
    /// What a number was after it; nil: it is about something else.
    fileprivate var number: Number? {
        if case .numberAdded(let event) = self { return event.number }
        if case .numberChanged(let event) = self { return event.number }
        return nil
    }
}
