import Foundation
import LMDB
import Ledger
import Model
import Primitives
import Projections
import Rating
import SwiftProtobuf
import Testing

@testable import ControlPlane

/// Calls from outside and between lines, priced by decks of their own and by rates of the plan.
@Suite struct ServiceRateTests {
    private func rate(_ leg: LegType, _ perMinute: Int64) -> ServiceRate {
        .with {
            $0.leg = leg
            $0.decimals = 4
            $0.price.perMinuteMicros = perMinute
            $0.price.firstIncrementSeconds = 60
            $0.price.nextIncrementSeconds = 60
        }
    }

    private func change(_ town: Town, _ change: (inout ServicePlan) -> Void) throws {
        var plan = try #require(
            try town.platform.read { views throws(ViewsError) in try views.servicePlan(of: CustomerID(town.customer.id)!) })
        change(&plan)
        try town.platform.admin(.changeServicePlan(plan, expectedVersion: nil))
    }

    private func finished(_ town: Town, _ call: CallID) throws -> Cdr {
        _ = try town.answer(call)
        town.platform.run(.seconds(61), beating: ["s1", "s2"])
        _ = try town.finish(call)
        return try #require(try town.cdrs().last)
    }

    private func inbound(_ town: Town) throws -> CallID {
        let call = town.newCall()
        _ = try town.platform.desk("s1", town.inboundRequest(call, to: "2092488701"))
        return call
    }

    @Test func aDeckGoesBeforeAServiceRateAndThatBeforeTheMonth() throws {
        let town = try Town()
        try town.register(town.bob, contact: "sip:bob")
        #expect(try finished(town, inbound(town)).charges.isEmpty)
        try change(town) { $0.serviceRates = [rate(.did, 10_000), rate(.tollFree, 99_000)] }
        let byRate = try finished(town, inbound(town))
        #expect(byRate.direction == .inbound)
        #expect(byRate.charges.map(\.amountMicros) == [20_000])
        #expect(byRate.charges[0].payer == .of(.customer, owner: town.customer.id, currency: "USD"))
        #expect(byRate.charges[0].deckID.isEmpty)
        try change(town) { $0.inboundRateDeckID = town.retail.id }
        let byDeck = try finished(town, inbound(town))
        #expect(byDeck.charges.map(\.amountMicros) == [80_000])
        #expect(try town.balance(.of(.customer, owner: town.customer.id, currency: "USD")) == -100_000)
        try change(town) {
            $0.inboundRateDeckID = Data()
            $0.serviceRates[0].validTo = town.platform.wall.microseconds
        }
        #expect(try finished(town, inbound(town)).charges.isEmpty)
    }

    @Test func aPrepaidCustomerHoldsMoneyForACallFromOutside() throws {
        let town = try Town(prepaid: true)
        try town.register(town.bob, contact: "sip:bob")
        try change(town) { $0.serviceRates = [rate(.did, 10_000)] }
        let refused = town.newCall()
        _ = try town.platform.desk("s1", town.inboundRequest(refused, to: "2092488701"))
        #expect(try town.cdrs().last?.refusal == .noCredit)
        try town.topUp(1_000_000)
        let call = try inbound(town)
        #expect(try town.held() > 0)
        let before = try town.live(call)?.hold.grantedSeconds ?? 0
        _ = try town.answer(call)
        _ = try town.renew(call, used: before)
        #expect(try town.live(call)?.hold.grantedSeconds ?? 0 > before)
        town.platform.run(.seconds(61), beating: ["s1", "s2"])
        _ = try town.finish(call)
        #expect(try town.held() == 0)
        #expect(try town.cdrs().last?.charges.map(\.amountMicros) == [20_000])
    }

    @Test func callsWithinACustomerAreNotCharged() throws {
        let town = try Town()
        try town.register(town.bob, contact: "sip:bob")
        try change(town) { $0.serviceRates = [rate(.sip, 10_000)] }
        let call = town.newCall()
        _ = try town.start(call, from: town.alice, to: "1001")
        #expect(try finished(town, call).charges.isEmpty)
    }

    @Test func ratesThatCannotBeAreRefused() throws {
        let town = try Town()
        func refused(_ field: String, _ make: (inout ServicePlan) -> Void) {
            do {
                try change(town, make)
                Issue.record("\(field): accepted")
            } catch let rejection as AdminRejection {
                #expect(rejection.field == field, "\(rejection)")
            } catch {
                Issue.record("\(error)")
            }
        }
        refused("service_rates[1]") { $0.serviceRates = [rate(.did, 1), rate(.did, 2)] }
        refused("service_rates[0].per_minute_micros") { $0.serviceRates = [rate(.did, .max)] }
        refused("service_rates[0]") { $0.serviceRates = [rate(.did, 1)]; $0.serviceRates[0].price.prefix = "1" }
        refused("service_rates[0].valid_to") { $0.serviceRates = [rate(.did, 1)]; $0.serviceRates[0].validFrom = 2; $0.serviceRates[0].validTo = 1 }
        refused("inbound_rate_deck_id") { $0.inboundRateDeckID = town.wholesale.id }
    }
}
