/// How far two records of one call may be apart.
package struct ReconciliationSettings: Hashable, Sendable {
    package var timeToleranceMicroseconds: Int64 = 5_000_000
    package var durationToleranceMilliseconds: Int64 = 1_000
    package var amountToleranceMicros: Int64 = 100
    /// nil: found out.
    package var basis: ClockShift.Basis?
    /// nil: found out.
    package var shift: ClockShift?

    package init() {}

    /// Whether a line's duration is the call's own, or what it is billed as by our increments.
    func durationAgrees(_ line: StatementLine, _ call: OwnCall) -> Bool {
        guard call.isAnswered else { return line.milliseconds == 0 }
        return abs(line.milliseconds - call.milliseconds) <= durationToleranceMilliseconds
            || abs(line.milliseconds - Int64(call.billedSeconds) * 1_000) <= durationToleranceMilliseconds && call.price != nil
    }
}
