import Model
import Primitives
import Testing

@Suite struct PostingTests {
    private let customer: AccountRef
    private let revenue: AccountRef
    private let dollars: AccountRef

    init() throws {
        var random = RandomSource(seed: 1)
        let provider = ProviderID(at: WallTime(microseconds: 0), random: &random)
        let euro = try #require(Currency("EUR"))
        customer = .customer(CustomerID(at: WallTime(microseconds: 0), random: &random), euro)
        revenue = .providerRevenue(provider, euro)
        dollars = .providerRevenue(provider, try #require(Currency("USD")))
    }

    @Test func aBalancedListHasNoImbalance() {
        #expect(Posting.imbalance(of: []) == nil)
        #expect(Posting.imbalance(of: [Posting(customer, micros: -7), Posting(revenue, micros: 7)]) == nil)
    }

    @Test func aMissingMicroIsSeen() {
        let postings = [Posting(customer, micros: -7), Posting(revenue, micros: 6)]
        #expect(Posting.imbalance(of: postings) == Imbalance(currency: "EUR", micros: -1))
    }

    @Test func currenciesBalanceEachByThemselves() {
        let postings = [Posting(customer, micros: -7), Posting(dollars, micros: 7)]
        #expect(Posting.imbalance(of: postings) == Imbalance(currency: "EUR", micros: -7))
    }

    @Test func sumsBeyondInt64AreStillSums() {
        let postings = [Posting(customer, micros: .min), Posting(revenue, micros: .min)]
        #expect(Posting.imbalance(of: postings)?.micros == Int128(Int64.min) * 2)
    }
}
