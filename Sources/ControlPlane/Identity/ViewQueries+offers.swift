internal import Foundation
package import Model
package import Projections

extension ViewQueries where Self: ~Copyable {
    /// The plans that whoever becomes a customer may choose from.
    package func offeredPlans(of provider: ProviderID) throws(ViewsError) -> [ServicePlan] {
        try servicePlans(of: provider, limit: .max).filter(\.isOffered)
    }

    /// The decks that whoever becomes a provider may choose from: of the platform, or of the provider above.
    package func offeredDecks(of provider: ProviderID? = nil) throws(ViewsError) -> [RateDeck] {
        let owner = provider?.data ?? Data()
        return try rateDecks(limit: .max).filter { $0.isOffered && $0.providerID == owner }
    }
}
