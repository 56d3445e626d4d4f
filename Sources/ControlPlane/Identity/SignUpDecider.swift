import Foundation
import Model
import Primitives
import Projections
import SwiftProtobuf

/// From an e-mail address to a party with its first user.
enum SignUpDecider {
    /// The answer is the same whether somebody has the address or not; what the mail says differs.
    static func request<State: ViewQueries & ~Copyable>(
        email text: String, language: String, provider: ProviderID?, becomesProvider: Bool, _ rules: IdentityRules, in state: borrowing State,
        _ decision: inout Decision
    ) throws -> UUIDv7 {
        guard let email = EmailAddress.normalised(text) else {
            throw AdminRejection.invalid("email", "must be an e-mail address, such as anna@example.net")
        }
        try Checks.language(language)
        try isOpen(for: provider, becomesProvider: becomesProvider, rules, in: state)
        if let user = try state.user(email: email), let id = UserID(user.id) {
            return LetterDecider.want(
                .alreadyRegistered, to: email, name: user.name, language: user.language, subject: id.value,
                provider: provider?.data ?? Data(), link: nil, &decision
            ).value
        }
        return LetterDecider.want(
            .signUp, to: email, name: "", language: language, subject: nil, provider: provider?.data ?? Data(), link: rules.signUpLink,
            becomesProvider: becomesProvider && provider != nil, &decision
        ).value
    }

    /// Everything or nothing: a namespace that is taken leaves the link as it was.
    static func confirm<State: ViewQueries & ~Copyable>(
        _ id: LetterID, _ form: SignUpForm, _ rules: IdentityRules, vault: Vault, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        let letter = try LetterDecider.followed(id, [.signUp], in: state, decision)
        let owner = ProviderID(letter.providerID)
        try isOpen(for: owner, becomesProvider: letter.becomesProvider, rules, in: state)
        var user = User()
        // The person has had a key since the request: it is the same one.
        user.id = letter.subjectID
        user.email = letter.to
        user.name = form.name
        user.language = letter.language
        let party: UUIDv7
        switch form.party {
        case .provider(var provider):
            guard owner == nil || letter.becomesProvider else {
                throw AdminRejection.invalid("token", "is of somebody who becomes a customer: send service_plan_id, and no namespace")
            }
            provider.parentID = owner?.data ?? Data()
            let isOpen = try owner.map { try state.provider($0)?.providerSignUp == .open } ?? (rules.providers == .open)
            provider.status = isOpen ? .active : .pending
            try isOfferedDeck(provider.wholesaleDeckID, of: owner, in: state)
            party = try ProviderDecider.create(provider, contact: contact(form, letter), in: state, &decision)
            (user.role, user.providerID) = (.providerAdmin, ProviderID(party).data)
        case .customer(var customer):
            guard let owner, !letter.becomesProvider else {
                throw AdminRejection.invalid("token", "is of somebody who becomes a provider: send namespace and currency")
            }
            customer.providerID = owner.data
            guard let planID = ServicePlanID(customer.servicePlanID), let plan = try state.servicePlan(planID), plan.isOffered,
                plan.providerID == owner.data
            else { throw AdminRejection.invalid("service_plan_id", "must be one of the plans that are offered") }
            // Whoever pays later is looked at first.
            customer.status = plan.paymentMode == .prepaid ? .active : .pending
            customer.email = letter.to
            party = try CustomerDecider.create(customer, contact: contact(form, letter), in: state, &decision)
            (user.role, user.providerID, user.customerID) = (.customerAdmin, owner.data, CustomerID(party).data)
        }
        user.scopeID = Data(party.bytes)
        guard let userID = UserID(user.id) else { throw AdminRejection.invalid("token", "leads nowhere: ask for a new link") }
        var secret = UserSecret()
        form.password.put(into: &secret)
        user.sealedSecret = vault.seal(secret, for: userID, random: &decision.random)
        user.passwordSetAt = decision.wall.microseconds
        try UserDecider.record(user, in: state, &decision)
        try LetterDecider.use(letter, by: userID, &decision)
        return userID.value
    }

    private static func contact(_ form: SignUpForm, _ letter: Letter) -> Contact {
        var contact = form.contact
        if contact.name.isEmpty { contact.name = form.name }
        if contact.email.isEmpty { contact.email = letter.to }
        return contact
    }

    private static func isOpen<State: ViewQueries & ~Copyable>(
        for provider: ProviderID?, becomesProvider: Bool, _ rules: IdentityRules, in state: borrowing State
    ) throws {
        guard let provider else {
            guard rules.providers != .closed else {
                throw AdminRejection.forbidden(reason: "nobody becomes a provider here by signing up: ask the operator")
            }
            return
        }
        if becomesProvider {
            guard let parent = try state.provider(provider), try state.status(of: .provider(provider)) == .active,
                parent.providerSignUp == .open || parent.providerSignUp == .pending
            else { throw AdminRejection.forbidden(reason: "nobody becomes a provider below this one by signing up") }
            return
        }
        guard try state.provider(provider) != nil, try state.status(of: .provider(provider)) == .active,
            try !state.offeredPlans(of: provider).isEmpty
        else { throw AdminRejection.forbidden(reason: "this provider takes no customers by signing up") }
    }

    /// A deck must be one that whoever is above offers; none is right if none is offered.
    private static func isOfferedDeck<State: ViewQueries & ~Copyable>(_ id: Data, of owner: ProviderID?, in state: borrowing State) throws {
        let offered = try state.offeredDecks(of: owner)
        guard offered.isEmpty && id.isEmpty || offered.contains(where: { $0.id == id }) else {
            throw AdminRejection.invalid("wholesale_deck_id", "must be one of the decks that are offered")
        }
    }
}
