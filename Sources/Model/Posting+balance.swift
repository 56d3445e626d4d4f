/// A currency in which a list of postings does not sum to zero, and what it sums to.
public struct Imbalance: Error, Equatable, Sendable {
    public let currency: String
    public let micros: Int128

    public init(currency: String, micros: Int128) {
        self.currency = currency
        self.micros = micros
    }
}

extension Posting {
    public init(_ account: AccountRef, micros: Int64) {
        self.init()
        self.account = account
        self.amountMicros = micros
    }

    /// The rule of double entry: the postings of one journal sum to zero in every currency. nil if they do.
    /// Of several currencies that do not, the first in the order of the postings.
    public static func imbalance(of postings: [Posting]) -> Imbalance? {
        var sums: [(currency: String, micros: Int128)] = []
        for posting in postings {
            let amount = Int128(posting.amountMicros)
            if let index = sums.firstIndex(where: { $0.currency == posting.account.currency }) {
                sums[index].micros += amount
            } else {
                sums.append((posting.account.currency, amount))
            }
        }
        return sums.first { $0.micros != 0 }.map { Imbalance(currency: $0.currency, micros: $0.micros) }
    }
}
