public import Model

/// The sum of all balances in one currency. It is zero at every sequence number, because every journal's is.
public struct TrialBalance: Equatable, Sendable {
    public let currency: Currency
    /// In 128 bits, so that even a broken book can be summed.
    public let micros: Int128
    public let accounts: UInt64
    public let postings: UInt64

    public init(currency: Currency, micros: Int128, accounts: UInt64, postings: UInt64) {
        self.currency = currency
        self.micros = micros
        self.accounts = accounts
        self.postings = postings
    }
}
