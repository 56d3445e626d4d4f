import Model
import Primitives
import Projections
import SwiftProtobuf

/// Providers: their name space is unique, their currency and place in the tree are for good.
enum ProviderDecider {
    /// - Parameter contact: made with it, in the same commit.
    static func create<State: ViewQueries & ~Copyable>(
        _ provider: Provider, contact: Contact? = nil, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        var provider = provider
        let id = try Checks.newID(provider.id, &decision)
        guard try state.provider(ProviderID(id)) == nil else { throw AdminRejection.taken("id", id.description) }
        provider.id = ProviderID(id).data
        if provider.timeZone.isEmpty { provider.timeZone = "UTC" }
        try Checks.currency(provider.currency)
        if !provider.parentID.isEmpty {
            let parent = ProviderID(try Checks.reference(provider.parentID, field: "parent_id"))
            guard let above = try state.provider(parent) else {
                throw AdminRejection.unknownReference("parent_id", parent.description)
            }
            // A provider that is still to be made cannot be its own ancestor, and a parent is for good: no cycle can arise.
            try StatusDecider.notTerminated(above.status, field: "parent_id")
            try notTooDeep(parent, in: state)
        }
        try StatusDecider.check(provider.status, after: nil)
        try Checks.timeZone(provider.timeZone)
        try check(provider, id, in: state)
        var made: Contact?
        if let contact { made = try ContactDecider.make(contact, of: provider.id, &decision) }
        if let made { provider.contactID = made.id }
        decision.record(.providerCreated(.with { $0.provider = provider }), in: id)
        if let made, let contactID = UUIDv7(bytes: made.id) {
            decision.record(.contactCreated(.with { $0.contact = made }), in: contactID)
        }
        return id
    }

    static func change<State: ViewQueries & ~Copyable>(
        _ provider: Provider, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        let id = try Checks.existingID(provider.id)
        guard let before = try state.provider(ProviderID(id)) else {
            throw AdminRejection.notFound("provider", id.description)
        }
        try Checks.unchanged(provider.currency, before.currency, field: "currency")
        try Checks.unchanged(provider.parentID, before.parentID, field: "parent_id")
        try StatusDecider.check(provider.status, after: before.status)
        if provider.timeZone != before.timeZone { try Checks.timeZone(provider.timeZone) }
        try check(provider, id, in: state)
        if provider.status == .terminated, before.status != .terminated {
            try StatusDecider.release(.provider, id, in: state, &decision)
        }
        decision.record(.providerChanged(.with { $0.provider = provider }), in: id)
        if provider.status != before.status { decision.announcements.append(.with { $0.invalidate.everything = true }) }
        return id
    }

    private static func check<State: ViewQueries & ~Copyable>(
        _ provider: Provider, _ id: UUIDv7, in state: borrowing State
    ) throws {
        try Checks.name(provider.name)
        try Checks.domain(provider.namespace, field: "namespace")
        try Checks.language(provider.language)
        try provider.brand.check()
        try Checks.vatRate(provider.vatBasisPoints)
        try Checks.recognised(provider.vatTreatment.isRecognised, field: "vat_treatment")
        try Checks.recognised(provider.invoiceMail.isRecognised, field: "invoice_mail")
        try Checks.recognised(provider.providerSignUp.isRecognised, field: "provider_sign_up")
        try Checks.externalID(provider.externalID, .provider, id, below: provider.parentID, in: state)
        try Checks.contact(provider.contactID, of: provider.id, in: state)
        guard provider.numberQuarantineDays <= NumberDecider.quarantineDaysMax else {
            throw AdminRejection.invalid("number_quarantine_days", "at most \(NumberDecider.quarantineDaysMax)")
        }
        if let holder = try state.provider(namespace: provider.namespace), holder.id != provider.id {
            throw AdminRejection.taken("namespace", provider.namespace)
        }
        if !provider.servicePlanID.isEmpty {
            let planID = ServicePlanID(try Checks.reference(provider.servicePlanID, field: "service_plan_id"))
            guard let plan = try state.servicePlan(planID), plan.providerID == provider.parentID else {
                throw AdminRejection.unknownReference("service_plan_id", planID.description)
            }
        }
        for (field, id) in [
            ("wholesale_deck_id", provider.wholesaleDeckID), ("inbound_wholesale_deck_id", provider.inboundWholesaleDeckID),
            ("on_net_wholesale_deck_id", provider.onNetWholesaleDeckID),
        ] where !id.isEmpty {
            // Whatever its currency: it is its owner's, and each edge of the chain is paid in the currency of its seller.
            let deckID = RateDeckID(try Checks.reference(id, field: field))
            guard let deck = try state.rateDeck(deckID), deck.providerID == provider.parentID else {
                throw AdminRejection.unknownReference(field, deckID.description)
            }
        }
    }

    /// Deeper trees are walked nowhere.
    static let depthMax = 30

    private static func notTooDeep<State: ViewQueries & ~Copyable>(
        _ parent: ProviderID, in state: borrowing State
    ) throws {
        guard try state.place(provider: parent.data).providers.count < depthMax else {
            throw AdminRejection.limitReached(field: "parent_id", limit: UInt64(depthMax))
        }
    }
}
