import Foundation
import Model
import Primitives
import Projections
import SwiftProtobuf

@testable import ControlPlane

/// A provider below the town's, which is below the platform, with a customer whose line calls by the town's carrier: the platform sells a
/// minute at 3 cents, the town's provider at 3.5, and the reseller at 5.
struct Reseller {
    let town: Town
    var provider: Provider
    var contact: Contact
    let customer: Customer
    let line: Subscriber

    var id: ProviderID { ProviderID(provider.id)! }
    var seller: Data { town.provider.id }

    init(_ town: Town, perMinute: Int64 = 35_000) throws {
        self.town = town
        func deck(_ name: String, _ provider: Data, _ perMinute: Int64) throws -> RateDeck {
            let deck = try town.create(
                RateDeck.with {
                    $0.providerID = provider
                    $0.name = name
                    $0.currency = "USD"
                    $0.decimals = 4
                }, AdminCommand.createRateDeck)
            let entry = RateEntry.with {
                $0.prefix = "1"
                $0.destination = "North America"
                $0.perMinuteMicros = perMinute
                $0.firstIncrementSeconds = 60
                $0.nextIncrementSeconds = 60
            }
            try town.platform.admin(
                .publishDeckVersion(
                    .with {
                        $0.deckID = deck.id
                        $0.entries = [entry]
                    }))
            return deck
        }
        let wholesale = try deck("For resellers", town.provider.id, perMinute)
        provider = try town.create(
            Provider.with {
                $0.parentID = town.provider.id
                $0.name = "Reseller"
                $0.namespace = "reseller.example"
                $0.currency = "USD"
                $0.wholesaleDeckID = wholesale.id
                $0.timeZone = "America/Los_Angeles"
            }, AdminCommand.createProvider)
        let provider = provider
        contact = try town.create(
            Contact.with {
                $0.providerID = provider.id
                $0.name = "Rita"
                $0.company = "Reseller & Co <GmbH>"
                $0.street = "Am Markt 1"
                $0.postalCode = "1010"
                $0.city = "Wien"
                $0.country = "AT"
                $0.email = "bills@reseller.example"
            }, AdminCommand.createContact)
        let contact = contact
        self.provider.contactID = contact.id
        try town.platform.admin(.changeProvider(self.provider, expectedVersion: nil))
        let plan = try town.create(
            ServicePlan.with {
                $0.providerID = provider.id
                $0.name = "Resold"
                $0.rateDeckID = try deck("Resold", provider.id, 50_000).id
                $0.carrierID = town.carrier.id
            }, AdminCommand.createServicePlan)
        customer = try town.create(
            Customer.with {
                $0.providerID = provider.id
                $0.servicePlanID = plan.id
                $0.name = "End"
                $0.currency = "USD"
            }, AdminCommand.createCustomer)
        let customer = customer
        let tenant = try town.create(
            Tenant.with {
                $0.customerID = customer.id
                $0.name = "End"
                $0.domain = "end.reseller.example"
                $0.countryCode = "1"
                $0.areaCode = "209"
            }, AdminCommand.createTenant)
        line = try town.create(
            Subscriber.with {
                $0.tenantID = tenant.id
                $0.username = "rosa"
                $0.aliases = ["3000"]
                $0.allowedPrefixes = ["+1"]
            }
        ) { .createSubscriber($0, password: Password("correct horse")) }
    }

    func call(_ seconds: Int) throws {
        let call = town.newCall()
        var request = town.startRequest(call, from: line, to: "+12092488700")
        request.startCall.domain = "end.reseller.example"
        let reply = try town.platform.desk("s1", request)
        guard case .callPlan? = reply.kind else { throw TestFailure.unexpected("\(reply)") }
        _ = try town.answer(call)
        town.platform.run(.seconds(seconds), beating: ["s1", "s2"])
        _ = try town.finish(call)
        town.platform.advance(.seconds(10))
        for worker in ["s1", "s2"] { _ = try town.platform.desk(worker, .with { $0.heartbeat.calls = 0 }) }
    }

    func amount(_ micros: Int64, _ currency: String = "USD") -> Amount {
        .with {
            $0.micros = micros
            $0.currency = currency
        }
    }

    func balance(_ kind: AccountKind, _ owner: Data) throws -> Int64 { try town.balance(.of(kind, owner: owner, currency: "USD")) }

    /// What it owes the one above it.
    func owes() throws -> Int64 { try balance(.providerPayable, provider.id) }

    func isBalanced() throws -> Bool {
        try town.platform.read { views throws(ViewsError) in try views.trialBalance() }.allSatisfy { $0.micros == 0 }
    }
}
