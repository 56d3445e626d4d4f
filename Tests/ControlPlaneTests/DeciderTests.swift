import Foundation
import Ledger
import Model
import Primitives
import Projections
import SwiftProtobuf
import Testing

@testable import ControlPlane

/// Given the town, when a command, then new events or a refusal.
@Suite struct DeciderTests {
    enum Then: Sendable {
        case events([String])
        case refused(AdminRejection)
        /// The refusal names this field.
        case refusedField(String)
    }

    struct Row: Sendable {
        var name: String
        var when: @Sendable (Town) throws -> AdminCommand
        var then: Then
    }

    static let nobody = Data(UUIDv7(high: 5, low: 5).bytes)
    static let nobodyText = UUIDv7(high: 5, low: 5).description

    static func changed<Entity>(_ entity: Entity, _ change: (inout Entity) -> Void) -> Entity {
        var entity = entity
        change(&entity)
        return entity
    }

    static func new<Entity: Message & Identified>(_ entity: Entity, _ change: (inout Entity) -> Void = { _ in })
        -> Entity
    {
        changed(entity) {
            $0.id = Data()
            change(&$0)
        }
    }

    static let rows: [Row] = [
        // Providers
        Row(
            name: "a provider",
            when: { town in
                .createProvider(
                    new(town.provider) {
                        $0.namespace = "b.example"; $0.wholesaleDeckID = town.wholesale.id
                    })
            }, then: .events(["provider.created"])),
        Row(
            name: "a name space that is taken", when: { town in .createProvider(new(town.provider)) },
            then: .refused(.taken("namespace", "kages.example"))),
        Row(
            name: "a name space in capitals",
            when: { town in .createProvider(new(town.provider) { $0.namespace = "B.example" }) },
            then: .refusedField("namespace")),
        Row(
            name: "no name", when: { town in .createProvider(new(town.provider) { $0.name = "" }) },
            then: .refusedField("name")),
        Row(
            name: "not a currency", when: { town in .createProvider(new(town.provider) { $0.currency = "usd" }) },
            then: .refusedField("currency")),
        Row(
            name: "a deck that the parent does not own",
            when: { town in
                .createProvider(
                    new(town.provider) {
                        $0.namespace = "b.example"; $0.wholesaleDeckID = town.retail.id
                    })
            }, then: .refusedField("wholesale_deck_id")),
        Row(
            name: "another currency later",
            when: { town in .changeProvider(changed(town.provider) { $0.currency = "EUR" }, expectedVersion: nil) },
            then: .refusedField("currency")),
        Row(
            name: "a provider that is not there",
            when: { town in .changeProvider(changed(town.provider) { $0.id = nobody }, expectedVersion: nil) },
            then: .refused(.notFound("provider", nobodyText))),
        Row(
            name: "the version that was seen",
            when: { town in .changeProvider(changed(town.provider) { $0.name = "K" }, expectedVersion: 1) },
            then: .events(["provider.changed"])),
        Row(
            name: "a version that was overtaken",
            when: { town in
                try town.platform.admin(.changeProvider(changed(town.provider) { $0.name = "K" }, expectedVersion: nil))
                return .changeProvider(town.provider, expectedVersion: 1)
            }, then: .refused(.versionMismatch(expected: 1, actual: 2))),
        // Contacts
        Row(
            name: "a contact",
            when: { town in
                .createContact(
                    new(town.contact) {
                        $0.email = "a@b.c"; $0.country = "AT"
                    })
            }, then: .events(["contact.created"])),
        Row(
            name: "a contact of nobody", when: { town in .createContact(new(town.contact) { $0.providerID = nobody }) },
            then: .refused(.unknownReference("provider_id", nobodyText))),
        Row(
            name: "not an e-mail address", when: { town in .createContact(new(town.contact) { $0.email = "a.b.c" }) },
            then: .refusedField("email")),
        Row(
            name: "a line feed in a name", when: { town in .createContact(new(town.contact) { $0.name = "a\nb" }) },
            then: .refusedField("name")),
        // Rate decks
        Row(
            name: "a deck in another currency than its provider",
            when: { town in .createRateDeck(new(town.retail) { $0.currency = "EUR" }) }, then: .refusedField("currency")
        ),
        Row(
            name: "seven decimals", when: { town in .createRateDeck(new(town.retail) { $0.decimals = 7 }) },
            then: .refusedField("decimals")),
        Row(name: "the next version", when: { town in version(town) }, then: .events(["rate_deck.version_published"])),
        Row(
            name: "a version out of turn", when: { town in version(town) { $0.version = 3 } },
            then: .refusedField("version")),
        Row(
            name: "a version without rows", when: { town in version(town) { $0.entries = [] } },
            then: .refusedField("entries")),
        Row(
            name: "a prefix twice", when: { town in version(town) { $0.entries += $0.entries } },
            then: .refusedField("entries[1].prefix")),
        Row(
            name: "a prefix with a plus", when: { town in version(town) { $0.entries[0].prefix = "+1" } },
            then: .refusedField("entries[0].prefix")),
        Row(
            name: "an increment of zero", when: { town in version(town) { $0.entries[0].nextIncrementSeconds = 0 } },
            then: .refusedField("entries[0].next_increment_seconds")),
        Row(
            name: "a price that nobody can count", when: { town in version(town) { $0.entries[0].perMinuteMicros = .min } },
            then: .refusedField("entries[0].per_minute_micros")),
        // Service plans and customers
        Row(
            name: "a plan with a platform's deck",
            when: { town in .createServicePlan(new(town.plan) { $0.rateDeckID = town.wholesale.id }) },
            then: .refusedField("rate_deck_id")),
        Row(
            name: "a plan with a negative limit",
            when: { town in .createServicePlan(new(town.plan) { $0.creditLimitMicros = -1 }) },
            then: .refusedField("credit_limit_micros")),
        Row(
            name: "a plan with an unknown mode",
            when: { town in .createServicePlan(new(town.plan) { $0.paymentMode = .UNRECOGNIZED(9) }) },
            then: .refusedField("payment_mode")),
        Row(
            name: "a customer without a currency",
            when: { town in .createCustomer(new(town.customer) { $0.currency = "" }) },
            then: .events(["customer.created"])),
        Row(
            name: "a customer in another currency",
            when: { town in .createCustomer(new(town.customer) { $0.currency = "EUR" }) },
            then: .refusedField("currency")),
        Row(
            name: "a customer without a plan",
            when: { town in .createCustomer(new(town.customer) { $0.servicePlanID = Data() }) },
            then: .refusedField("service_plan_id")),
        // Dial plans
        Row(
            name: "an expression that does not compile",
            when: { town in .createDialPlan(new(town.dialPlan) { $0.rules[0].match = "([" }) },
            then: .refusedField("rules[0].match")),
        Row(
            name: "a group that is not there",
            when: { town in .createDialPlan(new(town.dialPlan) { $0.rules[1].replacement = "+\\2" }) },
            then: .refusedField("rules[1].replacement")),
        // Tenants
        Row(
            name: "a domain that is taken", when: { town in .createTenant(new(town.tenant)) },
            then: .refused(.taken("domain", "acme.kages.example"))),
        Row(
            name: "a domain that is an address",
            when: { town in .createTenant(new(town.tenant) { $0.domain = "10.0.0.1" }) }, then: .refusedField("domain")),
        Row(
            name: "another domain while there are subscribers",
            when: { town in .changeTenant(changed(town.tenant) { $0.domain = "b.example" }, expectedVersion: nil) },
            then: .refusedField("domain")),
        Row(
            name: "letters in an area code",
            when: { town in
                .createTenant(
                    new(town.tenant) {
                        $0.domain = "b.example"; $0.areaCode = "2o9"
                    })
            }, then: .refusedField("area_code")),
        // Carriers
        Row(
            name: "a gateway address that is taken", when: { town in .createCarrier(carrier(town)) },
            then: .refused(.taken("gateways[0].host", "192.0.2.1:5060"))),
        Row(
            name: "two gateways at one address",
            when: { town in
                .createCarrier(
                    carrier(town) {
                        $0.gateways[0].host = "192.0.2.7"; $0.gateways[1].host = "192.0.2.7"
                    })
            }, then: .refused(.taken("gateways[1].host", "192.0.2.7:5060"))),
        Row(
            name: "a gateway by a name that is none",
            when: { town in .createCarrier(carrier(town) { $0.gateways[0].host = "gw..example" }) },
            then: .refusedField("gateways[0].host")),
        Row(
            name: "a header in a source user",
            when: { town in
                .createCarrier(
                    carrier(town) {
                        $0.gateways[0].host = "192.0.2.7"; $0.gateways[0].sourceUser = "a\r\nEvil: 1"
                    })
            }, then: .refusedField("gateways[0].source_user")),
        // Numbers
        Row(
            name: "a number that is taken", when: { town in .addNumber(new(town.number)) },
            then: .refused(.taken("e164", "+12092488701"))),
        Row(
            name: "a number without a plus", when: { town in .addNumber(new(town.number) { $0.e164 = "12092488702" }) },
            then: .refusedField("e164")),
        Row(
            name: "an assigned number again",
            when: { town in
                .assignNumber(NumberID(town.number.id)!, to: SubscriberID(town.alice.id)!, expectedVersion: nil)
            }, then: .refused(.inUse(reason: "+12092488701 is assigned already: release it first"))),
        Row(
            name: "a release", when: { town in .releaseNumber(NumberID(town.number.id)!, expectedVersion: nil) },
            then: .events(["number.changed"])),
        Row(
            name: "a release of a free number",
            when: { town in
                try town.platform.admin(.releaseNumber(NumberID(town.number.id)!, expectedVersion: nil))
                return .releaseNumber(NumberID(town.number.id)!, expectedVersion: nil)
            }, then: .refusedField("subscriber_id")),
        // Subscribers
        Row(
            name: "a name that is taken",
            when: { town in .createSubscriber(new(town.alice) { $0.aliases = [] }, password: Password("correct horse"))
            }, then: .refused(.taken("username", "alice"))),
        Row(
            name: "an alias that is a colleague's",
            when: { town in
                .createSubscriber(
                    new(town.alice) {
                        $0.username = "carol"; $0.aliases = ["1001"]
                    }, password: Password("correct horse"))
            }, then: .refused(.taken("aliases[0]", "1001"))),
        Row(
            name: "a short password",
            when: { town in
                .createSubscriber(
                    new(town.alice) {
                        $0.username = "carol"; $0.aliases = []
                    }, password: Password("1234567"))
            }, then: .refusedField("password")),
        Row(
            name: "a permission without a plus",
            when: { town in
                .changeSubscriber(
                    changed(town.alice) { $0.allowedPrefixes = ["1"] }, password: nil, expectedVersion: nil)
            }, then: .refusedField("allowed_prefixes[0]")),
        Row(
            name: "somebody else's number shown",
            when: { town in
                .changeSubscriber(
                    changed(town.alice) { $0.callerID = "+13105550000" }, password: nil, expectedVersion: nil)
            }, then: .refused(.unknownReference("caller_id", "+13105550000"))),
        Row(
            name: "a new name without the password",
            when: { town in
                .changeSubscriber(changed(town.alice) { $0.username = "alicia" }, password: nil, expectedVersion: nil)
            }, then: .refusedField("password")),
        Row(
            name: "a new name with the password",
            when: { town in
                .changeSubscriber(
                    changed(town.alice) { $0.username = "alicia" }, password: Password("correct horse"),
                    expectedVersion: nil)
            }, then: .events(["subscriber.changed"])),
        Row(
            name: "more subscribers than the plan has",
            when: { town in
                try town.platform.admin(
                    .changeServicePlan(changed(town.plan) { $0.subscribersMax = 2 }, expectedVersion: nil))
                return .createSubscriber(
                    new(town.alice) {
                        $0.username = "carol"; $0.aliases = []
                    }, password: Password("correct horse"))
            }, then: .refused(.limitReached(field: "tenant_id", limit: 2))),
        // Removal
        Row(
            name: "a provider in use",
            when: { town in .remove(.provider, UUIDv7(bytes: town.provider.id)!, expectedVersion: nil) },
            then: .refused(.inUse(reason: "*"))),
        Row(
            name: "a tenant in use",
            when: { town in .remove(.tenant, UUIDv7(bytes: town.tenant.id)!, expectedVersion: nil) },
            then: .refused(.inUse(reason: "*"))),
        Row(
            name: "a number in use by nobody",
            when: { town in
                try town.platform.admin(.releaseNumber(NumberID(town.number.id)!, expectedVersion: nil))
                return .remove(.number, UUIDv7(bytes: town.number.id)!, expectedVersion: nil)
            }, then: .events(["entity.removed"])),
        Row(
            name: "a subscriber with a number",
            when: { town in .remove(.subscriber, UUIDv7(bytes: town.bob.id)!, expectedVersion: nil) },
            then: .events(["number.changed", "entity.removed"])),
        Row(
            name: "something that is not there",
            when: { _ in .remove(.carrier, UUIDv7(high: 5, low: 5), expectedVersion: nil) },
            then: .refused(.notFound("carrier", nobodyText))),
        Row(
            name: "a customer that owes",
            when: { town in
                let customer = try town.create(new(town.customer), AdminCommand.createCustomer)
                try town.platform.admin(.adjust(.customer(CustomerID(customer.id)!), amount(-5), reason: "test"))
                return .remove(.customer, UUIDv7(bytes: customer.id)!, expectedVersion: nil)
            }, then: .refused(.inUse(reason: "*"))),
        // Money
        Row(
            name: "a top-up", when: { town in .topUp(CustomerID(town.customer.id)!, amount(5), reason: "") },
            then: .events(["journal.posted"])),
        Row(
            name: "a top-up of nothing", when: { town in .topUp(CustomerID(town.customer.id)!, amount(0), reason: "") },
            then: .refusedField("amount.micros")),
        Row(
            name: "a top-up in another currency",
            when: { town in .topUp(CustomerID(town.customer.id)!, amount(5, "EUR"), reason: "") },
            then: .refusedField("amount.currency")),
        Row(
            name: "an adjustment without a reason",
            when: { town in .adjust(.customer(CustomerID(town.customer.id)!), amount(5), reason: "") },
            then: .refusedField("reason")),
        // Tokens and workers
        Row(
            name: "a token", when: { town in .issueToken(token(.tenantAdmin, town.tenant.id)) },
            then: .events(["token.issued"])),
        Row(
            name: "a token for another kind of scope",
            when: { town in .issueToken(token(.tenantAdmin, town.customer.id)) }, then: .refusedField("scope_id")),
        Row(
            name: "an administrator with a scope",
            when: { town in .issueToken(token(.platformAdmin, town.customer.id)) }, then: .refusedField("scope_id")),
        Row(
            name: "a token's name twice",
            when: { town in
                try town.platform.admin(.issueToken(token(.readOnly, Data())))
                return .issueToken(token(.readOnly, Data()))
            }, then: .refused(.taken("name", "portal"))),
        Row(
            name: "a token that is not there", when: { _ in .revokeToken(TokenID(UUIDv7(high: 5, low: 5))) },
            then: .refused(.notFound("token", nobodyText))),
        Row(
            name: "a worker's name twice", when: { _ in .enrollWorker(worker("s1")) },
            then: .refused(.taken("name", "s1"))),
        Row(
            name: "a worker's name with a hyphen", when: { _ in .enrollWorker(worker("s-3")) },
            then: .refusedField("name")),
        Row(name: "a worker", when: { _ in .enrollWorker(worker("s3")) }, then: .events(["worker.enrolled"])),
        Row(
            name: "a worker enrolled again after revocation",
            when: { town in
                try town.platform.admin(.revokeWorker(name: "s2"))
                return .enrollWorker(worker("s2"))
            }, then: .events(["worker.enrolled"])),
        Row(
            name: "drain a worker that is gone", when: { _ in .drainWorker(name: "s9") },
            then: .refused(.notFound("worker", "s9"))),
    ]

    static func version(_ town: Town, _ change: (inout RateDeckVersion) -> Void = { _ in }) -> AdminCommand {
        var version = RateDeckVersion()
        version.deckID = town.retail.id
        version.entries = [
            .with {
                $0.prefix = "1"
                $0.firstIncrementSeconds = 1
                $0.nextIncrementSeconds = 1
            }
        ]
        change(&version)
        return .publishDeckVersion(version)
    }

    static func carrier(_ town: Town, _ change: (inout Carrier) -> Void = { _ in }) -> Carrier {
        new(town.carrier) {
            for index in $0.gateways.indices { $0.gateways[index].id = Data() }
            change(&$0)
        }
    }

    static func amount(_ micros: Int64, _ currency: String = "USD") -> Amount {
        .with {
            $0.micros = micros
            $0.currency = currency
        }
    }

    static func token(_ role: Role, _ scope: Data) -> Token {
        .with {
            $0.name = "portal"
            $0.role = role
            $0.scopeID = scope
            $0.secretHash = Data(repeating: 1, count: 32)
        }
    }

    static func worker(_ name: String) -> Worker {
        .with {
            $0.name = name
            $0.kind = .signal
            $0.curvePublicKey = Data(repeating: 9, count: 32)
        }
    }

    @Test(arguments: rows.indices)
    func commandsAreDecidedAsTheTableSays(index: Int) throws {
        let row = Self.rows[index]
        let town = try Town()
        let command = try row.when(town)
        let head = town.platform.head
        do {
            let outcome = try town.platform.admin(command)
            guard case .events(let types) = row.then else {
                Issue.record("\(row.name): accepted")
                return
            }
            #expect(try town.platform.types(after: head) == types, "\(row.name)")
            #expect(outcome.sequence == town.platform.head)
            #expect(try town.platform.log.version(of: outcome.id) == outcome.version)
        } catch let rejection as AdminRejection {
            switch row.then {
            case .events: Issue.record("\(row.name): \(rejection)")
            case .refused(.inUse):
                guard case .inUse = rejection else {
                    Issue.record("\(row.name): \(rejection)")
                    return
                }
            case .refused(let expected): #expect(rejection == expected, "\(row.name)")
            case .refusedField(let field): #expect(rejection.field == field, "\(row.name): \(rejection)")
            }
            #expect(town.platform.head == head, "a refusal records nothing")
        }
    }

    @Test func ofTwoRacingCommandsInOneBatchTheSecondIsRefused() throws {
        let town = try Town()
        let tenant = Self.new(town.tenant) { $0.domain = "b.kages.example" }
        let outputs = town.platform.process([
            town.platform.work(.createTenant(tenant)), town.platform.work(.createTenant(tenant)),
        ])
        let results = outputs.compactMap { if case .adminResult(_, let result) = $0 { result } else { nil } }
        #expect(results.count == 2)
        #expect(throws: AdminRejection.taken("domain", "b.kages.example")) { try results[1].get() }
    }

    @Test func aSubscribersChangeDropsItsCredentialFromTheCaches() throws {
        let town = try Town()
        town.platform.feed = []
        try town.platform.admin(
            .changeSubscriber(town.alice, password: Password("another horse"), expectedVersion: nil))
        #expect(town.platform.feed.map(\.invalidate.subscriberID).contains(town.alice.id))
        try town.platform.admin(.changeTenant(Self.changed(town.tenant) { $0.status = .locked }, expectedVersion: nil))
        #expect(town.platform.feed.contains { $0.invalidate.everything })
    }

    @Test func aCredentialIsGivenForTheUserNameOfALineThatMayRegister() throws {
        let town = try Town()
        func ask(_ user: String, _ domain: String = "acme.kages.example") throws -> CredentialReply {
            try town.platform.desk(
                "s1",
                .with {
                    $0.credential.domain = domain
                    $0.credential.username = user
                }
            ).credential
        }
        let reply = try ask("alice")
        #expect(reply.found)
        #expect(reply.subscriberID == town.alice.id)
        #expect(reply.credential.ha1Md5.count == 16)
        #expect(reply.credential.ha1Sha256.count == 32)
        #expect(try !ask("1000").found)
        #expect(try !ask("carol").found)
        #expect(try !ask("alice", "kages.example").found)
        // So that whoever is locked can call for help.
        try town.platform.admin(.changeTenant(Self.changed(town.tenant) { $0.status = .locked }, expectedVersion: nil))
        #expect(try ask("alice").found)
        try town.platform.admin(.changeTenant(Self.changed(town.tenant) { $0.status = .terminated }, expectedVersion: nil))
        #expect(try !ask("alice").found)
    }

    @Test func noSecretIsInTheLog() throws {
        let town = try Town()
        let reply = try town.platform.desk(
            "s1",
            .with {
                $0.credential.domain = "acme.kages.example"
                $0.credential.username = "alice"
            }
        ).credential.credential
        for sequence in 1...town.platform.head {
            let bytes = Data(try town.platform.log.bytes(at: sequence) ?? [])
            #expect(bytes.range(of: Data("correct horse".utf8)) == nil)
            #expect(bytes.range(of: reply.ha1Md5) == nil)
            #expect(bytes.range(of: reply.ha1Sha256) == nil)
        }
    }

    @Test func gatewaysAreFoundByTheirAddress() throws {
        let town = try Town()
        func ask(_ host: String, _ port: UInt32) throws -> SourceReply {
            try town.platform.desk(
                "s1",
                .with {
                    $0.source.host = host
                    $0.source.port = port
                }
            ).source
        }
        #expect(try ask("192.0.2.2", 5060).gatewayID == town.carrier.gateways[1].id)
        #expect(try ask("192.0.2.2", 5060).carrierID == town.carrier.id)
        #expect(try !ask("192.0.2.2", 5061).found)
        #expect(try !ask("localhost", 5060).found)
    }

    @Test func removedSubscribersAreNotReachedAnyMore() throws {
        let town = try Town()
        try town.register(town.bob, contact: "sip:bob")
        try town.platform.admin(.remove(.subscriber, UUIDv7(bytes: town.bob.id)!, expectedVersion: nil))
        #expect(town.platform.core.bindings(of: SubscriberID(town.bob.id)!, at: town.platform.wall).isEmpty)
        let bind = DeskRequest.with { $0.bind.subscriberID = town.bob.id }
        #expect(try town.platform.desk("s1", bind).bind.outcome == .unknownSubscriber)
    }
}
