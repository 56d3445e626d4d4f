/// What of a price turns seconds into money: its numbers, without the row, the texts and the parties. Read once where a running call asks again and again.
public struct Tariff: Equatable, Sendable {
    public let connectionFeeMicros: Int64
    /// Of the next increments, and of the first unless that has its own.
    public let perMinuteMicros: Int64
    public let firstPerMinuteMicros: Int64?
    public let firstIncrementSeconds: UInt32
    public let nextIncrementSeconds: UInt32
    public let freeDelaySeconds: UInt32
    public let freeSeconds: UInt32
    public let minimumSeconds: UInt32
    public let isFeeDeductible: Bool
    /// Of the deck; amounts are rounded to so many.
    public let decimals: UInt32
    /// Named by errors.
    public let edge: String

    public init(_ lock: RateLock) {
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
