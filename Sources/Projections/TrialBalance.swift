package import Model

/// The sum of all balances in one currency. It is zero at every sequence number, because every journal's is.
package struct TrialBalance: Equatable, Sendable {
    package let currency: Currency
    /// In 128 bits, so that even a broken book can be summed.
    package let micros: Int128
    package let accounts: UInt64
    package let postings: UInt64

    package init(currency: Currency, micros: Int128, accounts: UInt64, postings: UInt64) {
        self.currency = currency
        self.micros = micros
        self.accounts = accounts
        self.postings = postings
    }
}
