import Foundation
import Model
import Rating

/// Whether somebody who does not want to would lose money by a call.
///
/// Compared are whole minutes: one, and an hour, where fees and minimums of short calls no longer count. Amounts in two currencies
/// are not compared, since the platform knows no rates between them: whether such a call is made is for the provider to say.
struct LossRule {
    private static let seconds: [UInt64] = [60, 3_600]

    private let chain: [RateLock]
    private let providers: [Provider]

    /// - Parameters:
    ///   - chain: retail, then wholesale in the order of the providers.
    ///   - providers: the customer's first, then those above it.
    init(chain: [RateLock], providers: [Provider]) {
        self.chain = chain
        self.providers = providers
    }

    /// Whose loss it would be, and what it earns and pays; nil: nobody's who minds.
    func loss(cost: RateLock?, of carrier: Carrier) -> String? {
        for (index, provider) in providers.enumerated() where provider.refusesLosses || provider.refusesUnknownMargins {
            let earned = index == 0 ? chain.first { $0.edge == PriceLock.retail } : wholesale(of: providers[index - 1])
            var paid: [RateLock] = []
            if let lock = wholesale(of: provider) { paid.append(lock) }
            if let cost, carrier.providerID == provider.id { paid.append(cost) }
            guard let currency = paid.first?.currency else { continue }
            guard paid.allSatisfy({ $0.currency == currency }), earned == nil || earned?.currency == currency else {
                guard provider.refusesUnknownMargins else { continue }
                let costs = paid.map(\.currency).joined(separator: " and ")
                return "\(provider.name) would earn \(earned?.currency ?? "nothing") and pay \(costs), and what one is worth in the other is not known"
            }
            guard provider.refusesLosses else { continue }
            for seconds in Self.seconds {
                let income = earned.map { amount($0, seconds) } ?? 0
                let expense = paid.reduce(Int128(0)) { $0 + Int128(amount($1, seconds)) }
                guard Int128(income) < expense else { continue }
                let pays = Money.decimal(micros: Int64(clamping: expense))
                return "\(provider.name) would earn \(Money.decimal(micros: income)) and pay \(pays) \(currency) for \(seconds) s"
            }
        }
        return nil
    }

    private func wholesale(of provider: Provider) -> RateLock? {
        chain.first { $0.edge == PriceLock.wholesale && $0.payer.ownerID == provider.id }
    }

    /// Decks are checked when they are published, so that no price overflows.
    private func amount(_ lock: RateLock, _ seconds: UInt64) -> Int64 { (try? Rater.charge(lock, seconds: seconds))?.amountMicros ?? 0 }
}
