import ControlPlane
import HTTPTypes
import Model
import Primitives
import Projections

/// Calls that run now.
enum CallEndpoints {
    static let operations = [
        Operation(
            method: .get, path: "/v1/calls", name: "listCalls", tag: "calls", summary: "Lists the calls that run now.",
            access: .needs(.readRecords), query: [.after, .limit],
            success: .init(status: .ok, about: "A page.", schema: Schema.reference("CallPage")),
            reading: "live_calls", handle: { try list($0) }),
        Operation(
            method: .get, path: "/v1/calls/{call_id}", name: "getCall", tag: "calls",
            summary: "Reads a call that runs now.",
            access: .needs(.readRecords), success: .init(status: .ok, about: "The call.", schema: Schema.reference("Call")),
            reading: "live_call", handle: { try get($0) }),
        Operation(
            method: .post, path: "/v1/calls/{call_id}/hang-up", name: "hangUpCall", tag: "calls",
            summary: "Asks the worker that carries the call to end it.", access: .needs(.endCalls),
            success: .init(status: .accepted, about: "It was asked; the call's record follows."),
            handle: { try await hangUp($0) }),
    ]

    static let schemas: [(String, JSON)] = [
        ("Call", Shape<LiveCall>.liveCall.schema), ("CallPage", Schema.page(of: Schema.reference("Call"))),
    ]

    private static func list(_ exchange: Exchange) throws -> Reply {
        let reach = try exchange.reach
        let path = try exchange.query.path()
        guard path.count <= 1 else { throw Query.notACursor }
        return try exchange.read { views in
            let redaction = try Redaction(reach, in: views)
            let limit = exchange.query.limit
            var items: [JSON] = []
            var after = path.first.map(CallID.init)
            while true {
                let calls = try views.liveCalls(after: after, limit: 1_000)
                for call in calls {
                    // One more shows that there is a next page.
                    guard items.count < limit else { return .page(items, next: after.map { Cursor.text([$0.value]) }) }
                    after = CallID(call.started.callID)
                    if let seen = redaction.seen(call) { items.append(Shape<LiveCall>.liveCall.json(seen)) }
                }
                guard calls.count == 1_000 else { return .page(items, next: nil) }
            }
        }
    }

    private static func get(_ exchange: Exchange) throws -> Reply {
        try exchange.read { views in
            let (id, seen) = try call(exchange, in: views)
            return .ok(Shape<LiveCall>.liveCall.json(seen)).showing(id.value)
        }
    }

    /// Either side's administrator may end a call of theirs.
    private static func hangUp(_ exchange: Exchange) async throws -> Reply {
        let id = try exchange.read { views in try call(exchange, in: views).id }
        let outcome = try await exchange.submit(.hangUp(id))
        return Reply(.accepted, .none).replayed(outcome.repeated)
    }

    private static func call(
        _ exchange: Exchange, in views: borrowing ViewSnapshot
    ) throws -> (id: CallID, seen: LiveCall) {
        let id = CallID(try exchange.id("call_id"))
        guard let call = try views.liveCall(id), let seen = try Redaction(exchange.reach, in: views).seen(call) else {
            throw Problem(.notFound, "There is no running call \(id).")
        }
        return (id, seen)
    }
}
