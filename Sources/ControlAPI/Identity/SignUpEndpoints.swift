import ControlPlane
import Foundation
import HTTPTypes
import Model
import Primitives
import Projections

/// From an e-mail address to a provider or customer that can be logged in to: docs/sign-up.md.
enum SignUpEndpoints {
    private static let request = Shape<Form>.form(
        "SignUp",
        [
            ("email", true, 254, "Where the confirmation link goes."),
            ("namespace", false, 253, "Of the provider whose customer one wants to be; empty: one wants to be a provider."),
            ("as", false, 8, "With a namespace: customer (if it is not given), or provider: one wants to sell below that provider."),
            ("language", false, 35, "BCP 47, such as de-AT."),
        ])

    static let operations = [
        Operation(
            method: .get, path: "/v1/sign-up/offers", name: "listSignUpOffers", tag: "sign-up",
            summary: "What whoever signs up can choose from, and how the provider shows itself.", access: .open,
            query: [
                QueryParameter("namespace", .text, "Of the provider whose customer one wants to be; without it, what providers choose from."),
                QueryParameter("as", .choice(["customer", "provider"]), "With a namespace: what whoever wants to be a provider below that one chooses from."),
            ],
            success: .init(status: .ok, about: "The offers.", schema: Schema.reference("SignUpOffers")), handle: { try offers($0) }),
        Operation(
            method: .post, path: "/v1/sign-up", name: "signUp", tag: "sign-up",
            summary: "Sends a link to an address. The answer is the same whether somebody has an account there or not.",
            access: .open, body: .init(schema: Schema.reference("SignUp")),
            success: .init(status: .accepted, about: "Mail is on its way."), problems: [.tooManyRequests, .forbidden],
            handle: { try await ask($0) }),
        Operation(
            method: .post, path: "/v1/sign-up/confirm", name: "confirmSignUp", tag: "sign-up",
            summary: "Makes the provider or customer, its contact and its first user, all or nothing. The link then leads nowhere.",
            access: .open, body: .init(schema: Schema.reference("SignUpConfirmation")),
            success: .init(status: .created, about: "They are made.", schema: Schema.reference("SignedUp")),
            problems: [.tooManyRequests, .forbidden], handle: { try await confirm($0) }),
    ]

    static let schemas: [(String, JSON)] = [
        ("SignUp", request.newSchema), ("SignUpConfirmation", Shape<SignUpDraft>.signUp.newSchema),
        (
            "SignUpOffers",
            Schema.object(
                [
                    ("provider_id", Schema.orNull(Schema.uuid)), ("product_name", Schema.text(max: 128)), ("logo_url", Schema.text(max: 128)),
                    ("primary_color", Schema.text(max: 7)), ("secondary_color", Schema.text(max: 7)),
                    ("is_open", Schema.flag),
                    (
                        "plans",
                        Schema.list(
                            Schema.object(
                                [("id", Schema.uuid), ("name", Schema.text(max: 128)), ("currency", Schema.text(max: 3)), ("payment_mode", Schema.orNull(Schema.text(max: 16)))],
                                required: ["id", "name", "currency", "payment_mode"]))
                    ),
                ], required: ["provider_id", "product_name", "is_open", "plans"])
        ),
        (
            "SignedUp",
            Schema.object(
                [("user_id", Schema.uuid), ("role", Schema.choice(Role.literals)), ("scope_id", Schema.uuid), ("status", Schema.choice(Status.literals))],
                required: ["user_id", "role", "scope_id", "status"])
        ),
    ]

    private static func offers(_ exchange: Exchange) throws -> Reply {
        try exchange.read { views in
            guard let name = exchange.query.text("namespace") else {
                let decks = try views.offeredDecks().map { deck in plan(deck.id, deck.name, deck.currency, nil) }
                let isOpen = try exchange.platform.wakeMail != nil && exchange.desk.rules.providers != .closed
                return .ok(["provider_id": .null, "product_name": "", "is_open": .bool(isOpen), "plans": .array(decks)])
            }
            let provider = try self.provider(name, in: views)
            guard let id = ProviderID(provider.id) else { throw Problem(.notFound, "There is no such provider.") }
            let brand = provider.brand
            let isReseller = exchange.query.text("as") == "provider"
            let plans =
                try isReseller
                ? views.offeredDecks(of: id).map { plan($0.id, $0.name, $0.currency, nil) }
                : views.offeredPlans(of: id).map { plan($0.id, $0.name, provider.currency, $0.paymentMode) }
            let takes = isReseller ? provider.providerSignUp == .open || provider.providerSignUp == .pending : !plans.isEmpty
            let isOpen = try exchange.platform.wakeMail != nil && takes && views.status(of: .provider(id)) == .active
            return .ok([
                "provider_id": .string(id.description), "product_name": .string(brand.productName.isEmpty ? provider.name : brand.productName),
                "logo_url": .string(brand.logoURL), "primary_color": .string(brand.primaryColor),
                "secondary_color": .string(brand.secondaryColor), "is_open": .bool(isOpen), "plans": .array(plans),
            ])
        }
    }

    private static func plan(_ id: Data, _ name: String, _ currency: String, _ mode: PaymentMode?) -> JSON {
        [
            "id": .string(UUIDv7(bytes: id)?.description ?? ""), "name": .string(name), "currency": .string(currency),
            "payment_mode": mode.map { .string($0.literal) } ?? .null,
        ]
    }

    private static func provider(_ namespace: String, in views: borrowing ViewSnapshot) throws -> Provider {
        guard let provider = try views.provider(namespace: namespace.lowercased()) else {
            throw Problem(.notFound, "There is no provider with this namespace.")
        }
        return provider
    }

    private static func ask(_ exchange: Exchange) async throws -> Reply {
        let form = try exchange.decode { body, faults in request.new(body, FieldContext(), &faults) }
        try exchange.needMail()
        try exchange.throttle(.mail)
        try exchange.throttle(.recipient, form["email"].lowercased())
        guard ["", "customer", "provider"].contains(form["as"]) else { throw Problem.invalid("as", "must be customer or provider") }
        guard form["as"].isEmpty || !form["namespace"].isEmpty else { throw Problem.invalid("namespace", "says below whom: it is needed with as") }
        let provider = try form["namespace"].isEmpty
            ? nil : exchange.read { views in ProviderID(try self.provider(form["namespace"], in: views).id) }
        _ = try await exchange.submit(
            openly: .requestSignUp(email: form["email"], language: form["language"], provider: provider, becomesProvider: form["as"] == "provider"), as: "sign-up")
        exchange.sendMail()
        return Reply(.accepted, .none)
    }

    private static func confirm(_ exchange: Exchange) async throws -> Reply {
        let draft = try exchange.decode { body, faults in Shape<SignUpDraft>.signUp.new(body, FieldContext(), &faults) }
        try exchange.throttle(.link)
        let id = try exchange.letter(draft.token)
        guard let password = draft.password,
            let letter = try exchange.read({ views in try views.letter(id) })?.letter, letter.kind == .signUp
        else { throw Problem.invalid("token", "leads nowhere: ask for a new link") }
        let hash = try await exchange.hashed(password)
        var contact = draft.contact
        contact.company = draft.organisation
        let party: SignUpForm.Party
        if letter.providerID.isEmpty || letter.becomesProvider {
            var provider = draft.provider
            provider.name = draft.organisation.isEmpty ? provider.namespace : draft.organisation
            provider.language = letter.language
            provider.wholesaleDeckID = draft.planID
            party = .provider(provider)
        } else {
            guard draft.provider == Provider() else {
                throw Problem.invalid("namespace", "namespace, currency, time zone and theme are of providers; this link makes a customer")
            }
            var customer = Customer()
            customer.name = draft.organisation.isEmpty ? draft.name : draft.organisation
            customer.servicePlanID = draft.planID
            customer.language = letter.language
            party = .customer(customer)
        }
        let form = SignUpForm(name: draft.name, password: hash, party: party, contact: contact)
        let outcome = try await exchange.submit(openly: .confirmSignUp(id, form), as: "sign-up")
        return try exchange.read { views in
            guard let user = try views.user(UserID(outcome.id)) else { throw Problem(.notFound, "The user is gone already.") }
            let reach = try views.reach(scope: UUIDv7(bytes: user.scopeID)) ?? .platform
            return Reply(
                .created,
                .json([
                    "user_id": .string(outcome.id.description), "role": .string(user.role.literal),
                    "scope_id": .string(UUIDv7(bytes: user.scopeID)?.description ?? ""),
                    "status": .string(try views.status(of: reach).literal),
                ]))
        }
    }
}
