public import Model
import Primitives

/// When calls were last sent to the gateways that take only so many a second. From the times of the events, so that a replay, a
/// restart and the calls themselves say the same.
public enum GatewayStartsProjection: Projection {
    public static let name = "gateway_starts"
    public static let version: UInt32 = 1
    public static let tables: [Table] = [.gatewayStarts]

    /// Starts are facts of calls.
    public static func evolve(
        _ event: Event, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) {}

    public static func evolve(
        _ fact: CallFact, _ payload: RawSpan, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) -> Bool {
        guard fact == .callStarted else { return true }
        for gateway in try RouteGateways(ofStarted: payload, 0..<payload.byteCount).paced {
            let key = Key(gateway)
            var window = StartWindow(at: context.time)
            if let row = try views.value(key, in: .gatewayStarts) {
                guard var known = StartWindow(row) else { throw .unreadable(table: .gatewayStarts) }
                known.add(at: context.time)
                window = known
            }
            try views.put(window.row, key, in: .gatewayStarts)
        }
        return true
    }
}
