package import Model
package import Projections

extension ViewQueries where Self: ~Copyable {
    /// The plans that whoever becomes a customer may choose from.
    package func offeredPlans(of provider: ProviderID) throws(ViewsError) -> [ServicePlan] {
        try servicePlans(of: provider, limit: .max).filter(\.isOffered)
    }

    /// The platform's decks that whoever becomes a provider may choose from.
    package func offeredDecks() throws(ViewsError) -> [RateDeck] {
        try rateDecks(limit: .max).filter { $0.isOffered && $0.providerID.isEmpty }
    }
}
