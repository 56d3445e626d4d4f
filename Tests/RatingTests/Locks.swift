import Model

/// A price between two accounts, as a call would lock it.
func lock(
    perMinute: Int64, first: UInt32, next: UInt32, fee: Int64 = 0, edge: String = "retail", decimals: UInt32 = 6
) -> RateLock {
    var lock = RateLock()
    lock.entry.perMinuteMicros = perMinute
    lock.entry.firstIncrementSeconds = first
    lock.entry.nextIncrementSeconds = next
    lock.entry.connectionFeeMicros = fee
    lock.edge = edge
    lock.decimals = decimals
    lock.currency = "EUR"
    lock.payer.currency = "EUR"
    lock.payee.currency = "EUR"
    lock.payee.kind = .providerRevenue
    return lock
}
