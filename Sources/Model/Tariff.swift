/// What of a price turns seconds into money: its numbers, without the row, the texts and the parties. Read once where a running call asks again and again.
package struct Tariff: Equatable, Sendable {
    package let connectionFeeMicros: Int64
    /// Of the next increments, and of the first unless that has its own.
    package let perMinuteMicros: Int64
    package let firstPerMinuteMicros: Int64?
    package let firstIncrementSeconds: UInt32
    package let nextIncrementSeconds: UInt32
    package let freeDelaySeconds: UInt32
    package let freeSeconds: UInt32
    package let minimumSeconds: UInt32
    package let isFeeDeductible: Bool
    /// Of the deck; amounts are rounded to so many.
    package let decimals: UInt32
    /// Named by errors.
    package let edge: String

    package init(_ lock: RateLock) {
        let entry = lock.entry
        connectionFeeMicros = entry.connectionFeeMicros
        perMinuteMicros = entry.perMinuteMicros
        firstPerMinuteMicros = entry.hasFirstPerMinuteMicros ? entry.firstPerMinuteMicros : nil
        firstIncrementSeconds = entry.firstIncrementSeconds
        nextIncrementSeconds = entry.nextIncrementSeconds
        freeDelaySeconds = entry.freeDelaySeconds
        freeSeconds = entry.freeSeconds
        minimumSeconds = entry.minimumSeconds
        isFeeDeductible = entry.isFeeDeductible
        decimals = lock.decimals
        edge = lock.edge
    }
}
