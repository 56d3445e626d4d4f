import Dispute
import Foundation
import Model
import Primitives
import Projections
import SwiftProtobuf
import Testing

@testable import ControlPlane

/// A group of two carriers beside the town's own: "Cheap" costs 0.005 a minute, "Dear" 0.05, which is more than the 0.04 that a
/// customer pays.
private struct Market {
    let town: Town
    var cheap = Carrier()
    var dear = Carrier()
    var group = Carrier()

    init() throws {
        town = try Town()
        cheap = try carrier("Cheap", host: "192.0.2.11", perMinute: 5_000)
        dear = try carrier("Dear", host: "192.0.2.12", perMinute: 50_000)
        group = try town.create(
            .with {
                $0.providerID = town.provider.id
                $0.name = "All"
                $0.memberIds = [dear.id, cheap.id]
            }, AdminCommand.createCarrier)
        var plan = town.plan
        plan.carrierID = group.id
        try town.platform.admin(.changeServicePlan(plan, expectedVersion: nil))
    }

    private func carrier(_ name: String, host: String, perMinute: Int64) throws -> Carrier {
        let deck = try town.create(
            RateDeck.with {
                $0.providerID = town.provider.id
                $0.name = name
                $0.currency = "USD"
                $0.decimals = 4
            }, AdminCommand.createRateDeck)
        try town.platform.admin(
            .publishDeckVersion(
                .with {
                    $0.deckID = deck.id
                    $0.entries = [.with { $0.prefix = "1"; $0.perMinuteMicros = perMinute; $0.firstIncrementSeconds = 1; $0.nextIncrementSeconds = 1 }]
                }))
        let made = try town.create(
            Carrier.with {
                $0.providerID = town.provider.id
                $0.name = name
                $0.costDeckID = deck.id
                $0.gateways = [.with { $0.name = name + " gateway"; $0.host = host }]
            }, AdminCommand.createCarrier)
        return try town.platform.read { views throws(ViewsError) in try views.carrier(CarrierID(made.id)!)! }
    }

    func change(_ carrier: Carrier, _ change: (inout Carrier) -> Void) throws {
        var carrier = carrier
        change(&carrier)
        try town.platform.admin(.changeCarrier(carrier, expectedVersion: nil))
    }

    func hosts(_ reply: DeskReply) -> [String] { reply.callPlan.groups.map { $0.targets[0].gateway.host } }

    func call(_ dialled: String = "2488700") throws -> [String] { hosts(try town.start(town.newCall(), from: town.alice, to: dialled)) }

    func refuseLosses() throws {
        var provider = town.provider
        provider.refusesLosses = true
        try town.platform.admin(.changeProvider(provider, expectedVersion: nil))
    }

    func explanation(_ call: CallID) throws -> CallExplanation {
        try CallExplainer(log: town.platform.log, views: town.platform.views).explanation(of: call)
    }
}

@Suite struct PeeringTests {
    @Test func carriersOfAGroupAreTriedInTheOrderOfTheirPriority() throws {
        let market = try Market()
        #expect(try market.call() == ["192.0.2.12", "192.0.2.11"])
        try market.change(market.dear) { $0.priority = 5 }
        #expect(try market.call() == ["192.0.2.11", "192.0.2.12"])
    }

    @Test func leastCostAsksTheCheapestFirst() throws {
        let market = try Market()
        try market.change(market.group) { $0.choice = .leastCost }
        #expect(try market.call() == ["192.0.2.11", "192.0.2.12"])
    }

    @Test func theLongestPrefixOfARuleDecidesAndAStopperStops() throws {
        let market = try Market()
        try market.change(market.cheap) {
            $0.priority = 9
            $0.outboundRules = [
                .with { $0.description_p = "California"; $0.calleePrefix = "+1209" },
                .with { $0.calleePrefix = "+1"; $0.disabled = true },
            ]
        }
        #expect(try market.call("2092488700") == ["192.0.2.11", "192.0.2.12"])
        #expect(try market.call("3105550100") == ["192.0.2.12"])
        try market.change(market.cheap) {
            $0.outboundRules = [.with { $0.description_p = "California alone"; $0.calleePrefix = "+1209"; $0.calleePattern = "700$"; $0.stopper = true }]
        }
        let town = market.town
        let call = town.newCall()
        #expect(market.hosts(try town.start(call, from: town.alice, to: "2488700")) == ["192.0.2.11"])
        _ = try town.finish(call, cause: .noAnswer)
        let route = try #require(try market.explanation(call).route)
        #expect(route.map(\.gatewayName) == ["Cheap gateway", nil])
        #expect(route.map(\.carrierName) == ["Cheap", "Dear"])
        #expect(route[0].rule == "California alone" && route[0].place == 1)
        #expect(route[1].place == nil && route[1].words == "left out: the rule of a carrier before it stops the search")
        #expect(try market.call("2488701") != ["192.0.2.11"])
        #expect(try market.call("3105550100") == ["192.0.2.12"])
    }

    @Test func aCallersPatternDecides() throws {
        let market = try Market()
        for carrier in [market.cheap, market.dear] { try market.change(carrier) { $0.outboundRules = [.with { $0.callerPattern = "^\\+1209" }] } }
        // Alice shows no number.
        let refused = try market.town.start(market.town.newCall(), from: market.town.alice, to: "2488700")
        #expect(refused.callRefused.refusal == .noRoute)
        #expect(refused.callRefused.sipStatus == 503)
        #expect(refused.callRefused.reason == "no outbound rule of carrier All fits")
        #expect(market.hosts(try market.town.start(market.town.newCall(), from: market.town.bob, to: "2488700")).count == 2)
    }

    /// The dear carrier is chosen first and fails; what is paid is the price of the one that answered.
    @Test func theCarrierThatCarriesTheCallIsTheOneThatIsPaid() throws {
        let market = try Market()
        let town = market.town
        let call = town.newCall()
        #expect(market.hosts(try town.start(call, from: town.alice, to: "2488700")) == ["192.0.2.12", "192.0.2.11"])
        #expect(try town.live(call)?.started.called.carrierID == market.dear.id)
        _ = try town.platform.desk(
            "s1",
            .with {
                $0.callAnswered.callID = call.data
                $0.callAnswered.answeredAt = town.platform.wall.microseconds
                $0.callAnswered.gatewayID = market.cheap.gateways[0].id
                $0.callAnswered.snapshot.mediaWorker = "m1"
            })
        town.platform.advance(.seconds(60))
        _ = try town.finish(call)
        let cdr = try #require(try town.cdrs().last)
        #expect(cdr.called.carrierID == market.cheap.id)
        #expect(cdr.charges.map(\.edge) == ["retail", "wholesale", "carrier"])
        #expect(cdr.charges.map(\.amountMicros) == [40_000, 30_000, 5_000])
        #expect(cdr.charges.last?.payee.ownerID == market.cheap.id)
        // Computed again from the events, as whoever checks a pack does.
        #expect(try market.explanation(call).charges.map(\.amount) == ["0.04", "0.03", "0.005"])
        let explained = try market.explanation(call)
        #expect(explained.attempts.map(\.name) == ["Cheap gateway"])
    }

    @Test func callsOfUnknownMarginAreMadeUnlessTheProviderDoesNotWantThem() throws {
        let market = try Market()
        let town = market.town
        let deck = try town.create(
            RateDeck.with { ($0.name, $0.currency, $0.decimals) = ("In euros", "EUR", 4) }, AdminCommand.createRateDeck)
        try town.platform.admin(
            .publishDeckVersion(
                .with {
                    $0.deckID = deck.id
                    $0.entries = [.with { ($0.prefix, $0.perMinuteMicros, $0.firstIncrementSeconds, $0.nextIncrementSeconds) = ("1", 900_000, 1, 1) }]
                }))
        var provider = town.provider
        (provider.wholesaleDeckID, provider.refusesLosses) = (deck.id, true)
        try town.platform.admin(.changeProvider(provider, expectedVersion: nil))
        // 0.04 dollars are earned and 0.90 euros paid: nobody here knows whether that is a loss.
        #expect(try market.call().count == 2)
        provider.refusesUnknownMargins = true
        try town.platform.admin(.changeProvider(provider, expectedVersion: nil))
        let refused = try town.start(town.newCall(), from: town.alice, to: "2488700")
        #expect(refused.callRefused.refusal == .atALoss)
        let trial = try town.platform.read { views throws(ViewsError) in
            Result { try RouteTrial(from: SubscriberID(town.alice.id)!, dialled: "2488700", in: views, at: town.platform.wall) }
        }.get()
        #expect(trial.steps.contains { $0.detail == "Kages would earn USD and pay EUR and USD, and what one is worth in the other is not known" })
    }

    @Test func aCarrierAtWhichMoneyWouldBeLostIsSkipped() throws {
        let market = try Market()
        try market.refuseLosses()
        let town = market.town
        // 0.04 is earned, 0.03 goes to the platform: 0.005 is left for Cheap, and nothing for Dear.
        let call = town.newCall()
        #expect(market.hosts(try town.start(call, from: town.alice, to: "2488700")) == ["192.0.2.11"])
        _ = try town.finish(call, cause: .noAnswer)
        #expect(try market.explanation(call).route?.map(\.verdict) == ["planned", "at_a_loss"])
        try market.change(market.cheap) { $0.gateways[0].disabled = true }
        let refused = try town.start(town.newCall(), from: town.alice, to: "2488700")
        #expect(refused.callRefused.refusal == .atALoss)
        #expect(refused.callRefused.sipStatus == 503)
        let cdr = try #require(try town.cdrs().last)
        #expect(cdr.cause == .refused && cdr.refusal == .atALoss)
        #expect(cdr.refusalDetail == "carrier All: the call would cost more than it earns")
        // Whoever tries the route is told the amounts.
        let trial = try town.platform.read { views throws(ViewsError) in
            Result { try RouteTrial(from: SubscriberID(town.alice.id)!, dialled: "2488700", in: views, at: town.platform.wall) }
        }.get()
        #expect(trial.steps.map(\.verdict) == [.disabled, .atALoss] || trial.steps.map(\.verdict) == [.atALoss, .disabled])
        #expect(trial.steps.contains { $0.detail == "Kages would earn 0.04 and pay 0.08 USD for 60 s" })
    }

    @Test func withoutTheSwitchACallMayLoseMoney() throws {
        let market = try Market()
        #expect(try market.call() == ["192.0.2.12", "192.0.2.11"])
    }

    @Test func aGroupHoldsCarriersAndNothingElse() throws {
        let market = try Market()
        func field(_ change: (inout Carrier) -> Void) -> String? {
            do {
                try market.change(market.group, change)
                return nil
            } catch { return (error as? AdminRejection)?.field }
        }
        #expect(field { $0.memberIds = [market.group.id] } == "member_ids[0]")
        #expect(field { $0.memberIds = [market.dear.id, market.dear.id] } == "member_ids[1]")
        #expect(field { $0.memberIds = [Data(repeating: 9, count: 16)] } == "member_ids[0]")
        #expect(field { $0.gateways = [.with { $0.name = "x"; $0.host = "192.0.2.77" }] } == "member_ids")
        #expect(throws: AdminRejection.self) { try market.change(market.cheap) { $0.gateways = []; $0.costDeckID = Data(); $0.memberIds = [market.town.carrier.id] } }
        #expect(throws: AdminRejection.self) {
            try market.town.platform.admin(.remove(.carrier, CarrierID(market.cheap.id)!.value, expectedVersion: nil))
        }
    }
}
