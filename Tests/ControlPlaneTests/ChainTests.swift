import Foundation
import Model
import Primitives
import Projections
import SwiftProtobuf
import Testing

@testable import ControlPlane

/// One charge for every edge between the carrier and the customer, each by its own deck and in its own currency.
@Suite struct ChainTests {
    private func deck(_ town: Town, _ name: String, _ provider: Data, _ currency: String, perMinute: Int64) throws -> RateDeck {
        let deck = try town.create(
            RateDeck.with {
                $0.providerID = provider
                $0.name = name
                $0.currency = currency
                $0.decimals = 4
            }, AdminCommand.createRateDeck)
        try town.platform.admin(
            .publishDeckVersion(
                .with {
                    $0.deckID = deck.id
                    $0.entries = [
                        .with {
                            $0.perMinuteMicros = perMinute
                            $0.firstIncrementSeconds = 60
                            $0.nextIncrementSeconds = 60
                        }
                    ]
                }))
        return deck
    }

    private func talk(_ town: Town, seconds: Int) throws -> Cdr {
        let call = town.newCall()
        let reply = try town.start(call, from: town.alice, to: "2488700")
        guard case .callPlan? = reply.kind else { throw TestFailure.unexpected("\(reply)") }
        _ = try town.answer(call)
        town.platform.run(.seconds(seconds), beating: ["s1", "s2"])
        _ = try town.finish(call)
        return try #require(try town.cdrs().last)
    }

    private func isBalanced(_ town: Town) throws -> Bool {
        try town.platform.read { views throws(ViewsError) in try views.trialBalance() }.allSatisfy { $0.micros == 0 }
    }

    /// Sipwise: calls to Argentina at 0.03 wholesale and 0.04 retail; the subscriber pays 0.20 for five minutes, the operator gets
    /// 0.15, and Cheap Call keeps 0.05.
    @Test func cheapCallKeepsFiveCentsOfFiveMinutes() throws {
        let town = try Town()
        let cdr = try talk(town, seconds: 300)
        #expect(cdr.charges.map(\.edge) == ["retail", "wholesale", "carrier"])
        #expect(cdr.charges.map(\.amountMicros) == [200_000, 150_000, 50_000])
        func balance(_ kind: AccountKind, _ owner: Data) throws -> Int64 {
            try town.balance(.of(kind, owner: owner, currency: "USD"))
        }
        #expect(try town.balance(town.account) == -200_000)
        let kept = try balance(.providerRevenue, town.provider.id) + balance(.providerCost, town.provider.id)
        #expect(kept == 50_000)
        #expect(try balance(.providerPayable, town.provider.id) == 150_000)
        #expect(try isBalanced(town))
    }

    /// The platform sells in dollars to a provider with a carrier of its own, which sells in euros to another, which sells in francs to a
    /// third, whose customer pays in kronor.
    @Test func fourLevelsAreChargedEachInTheCurrencyOfItsSeller() throws {
        let town = try Town()
        func provider(_ name: String, under parent: Data, _ currency: String, deck: RateDeck) throws -> Provider {
            try town.create(
                Provider.with {
                    $0.parentID = parent
                    $0.name = name
                    $0.namespace = "\(name).example"
                    $0.currency = currency
                    $0.wholesaleDeckID = deck.id
                }, AdminCommand.createProvider)
        }
        let first = try provider("first", under: Data(), "EUR", deck: try deck(town, "Platform", Data(), "USD", perMinute: 20_000))
        let second = try provider("second", under: first.id, "CHF", deck: try deck(town, "First", first.id, "EUR", perMinute: 30_000))
        let third = try provider("third", under: second.id, "SEK", deck: try deck(town, "Second", second.id, "CHF", perMinute: 50_000))
        var carrier = town.carrier
        carrier.id = Data()
        carrier.providerID = first.id
        carrier.costDeckID = try deck(town, "Cost", first.id, "EUR", perMinute: 10_000).id
        carrier.gateways = [
            .with {
                $0.name = "only"
                $0.host = "192.0.2.77"
                $0.port = 5060
            }
        ]
        carrier = try town.create(carrier, AdminCommand.createCarrier)
        let plan = try town.create(
            ServicePlan.with {
                $0.providerID = third.id
                $0.name = "Third"
                $0.rateDeckID = try deck(town, "Retail", third.id, "SEK", perMinute: 900_000).id
                $0.carrierID = carrier.id
            }, AdminCommand.createServicePlan)
        town.customer = try town.create(
            Customer.with {
                $0.providerID = third.id
                $0.servicePlanID = plan.id
                $0.name = "Kund"
                $0.currency = "SEK"
            }, AdminCommand.createCustomer)
        town.tenant = try town.create(
            Tenant.with {
                $0.customerID = town.customer.id
                $0.name = "Kund"
                $0.domain = "kund.third.example"
                $0.countryCode = "1"
                $0.areaCode = "209"
            }, AdminCommand.createTenant)
        town.alice = try town.subscriber("alva", alias: "2000")
        let call = town.newCall()
        _ = try town.start(call, from: town.alice, to: "+12092488700")
        _ = try town.answer(call)
        town.platform.run(.seconds(300), beating: ["s1", "s2"])
        _ = try town.finish(call)
        let cdr = try #require(try town.cdrs().last)
        #expect(cdr.charges.map(\.edge) == ["retail", "wholesale", "wholesale", "wholesale", "carrier"])
        #expect(cdr.charges.map(\.currency) == ["SEK", "CHF", "EUR", "USD", "EUR"])
        #expect(cdr.charges.map(\.amountMicros) == [4_500_000, 250_000, 150_000, 100_000, 50_000])
        #expect(cdr.charges.map(\.payer.ownerID) == [town.customer.id, third.id, second.id, first.id, first.id])
        #expect(Set(cdr.charges.map(\.deckID)).count == 5)
        for (provider, currency, owed) in [(third, "CHF", 250_000), (second, "EUR", 150_000), (first, "USD", 100_000)] {
            #expect(try town.balance(.of(.providerPayable, owner: provider.id, currency: currency)) == Int64(owed))
        }
        #expect(try isBalanced(town))
    }

    @Test func aCallFromOutsideAndOneBetweenLinesAreChargedAtEveryLevelToo() throws {
        let town = try Town()
        town.provider.inboundWholesaleDeckID = try deck(town, "Inbound", Data(), "EUR", perMinute: 1_000).id
        town.provider.onNetWholesaleDeckID = try deck(town, "On-net", Data(), "GBP", perMinute: 2_000).id
        try town.platform.admin(.changeProvider(town.provider, expectedVersion: nil))
        try town.register(town.bob, contact: "sip:bob")
        let call = town.newCall()
        _ = try town.platform.desk("s1", town.inboundRequest(call, to: "2092488701"))
        _ = try town.answer(call)
        town.platform.run(.seconds(61), beating: ["s1", "s2"])
        _ = try town.finish(call)
        // The customer's month covers it; its provider pays.
        let inbound = try #require(try town.cdrs().last)
        #expect(inbound.charges.map(\.edge) == ["wholesale"])
        #expect(inbound.charges.map(\.amountMicros) == [2_000])
        #expect(inbound.charges.map(\.currency) == ["EUR"])
        // Colleagues talk free of charge at every level.
        let inside = town.newCall()
        _ = try town.start(inside, from: town.alice, to: "1001")
        #expect(try town.live(inside)?.started.rates.isEmpty == true)
        #expect(try isBalanced(town))
    }

    @Test func aLevelWithoutAPriceRefusesTheCall() throws {
        let town = try Town()
        let empty = try town.create(
            RateDeck.with {
                $0.name = "Empty"
                $0.currency = "GBP"
            }, AdminCommand.createRateDeck)
        town.provider.wholesaleDeckID = empty.id
        try town.platform.admin(.changeProvider(town.provider, expectedVersion: nil))
        #expect(try town.start(town.newCall(), from: town.alice, to: "2488700").callRefused.refusal == .notRated)
    }
}
