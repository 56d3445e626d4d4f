import Foundation
import Model
import Primitives
import SwiftProtobuf
import Testing

@testable import ControlPlane

@Suite struct RouterTests {
    @Test func colleaguesRingByAliasNameAndNumber() throws {
        let town = try Town()
        try town.register(town.bob, contact: "sip:bob@127.0.0.1:5080")
        for dialled in ["1001", "bob", "2488701", "2092488701", "+12092488701"] {
            let reply = try town.start(town.newCall(), from: town.alice, to: dialled)
            let target = reply.callPlan.groups.first?.targets.first
            #expect(target?.contact.uri == "sip:bob@127.0.0.1:5080", "\(dialled): \(reply)")
            #expect(target?.contact.flow.worker == "s1")
            #expect(target?.timeoutSeconds == 60)
            #expect(reply.callPlan.direction == .onNet)
            #expect(reply.callPlan.grantedSeconds == 0)
        }
        #expect(try town.start(town.newCall(), from: town.alice, to: "1001").callPlan.callerNumber == "1000")
        #expect(try town.start(town.newCall(), from: town.alice, to: "1001").callPlan.callerDisplay == "Alice")
    }

    @Test func contactsOfOnePreferenceRingTogetherAndTheNextAfterThem() throws {
        let town = try Town()
        try town.register(town.bob, contact: "sip:desk")
        try town.register(town.bob, contact: "sip:soft")
        try town.register(town.bob, contact: "sip:mobile", q: 300)
        let plan = try town.start(town.newCall(), from: town.alice, to: "1001").callPlan
        #expect(plan.groups.map { $0.targets.map(\.contact.uri) } == [["sip:desk", "sip:soft"], ["sip:mobile"]])
    }

    @Test func sevenDigitsBecomeE164AndGatewaysGetWhatTheyWant() throws {
        let town = try Town()
        let call = town.newCall()
        let plan = try town.start(call, from: town.alice, to: "2488700").callPlan
        #expect(plan.direction == .outbound)
        let targets = plan.groups.map { $0.targets[0].gateway }
        #expect(targets.map(\.host) == ["192.0.2.1", "192.0.2.2"])
        #expect(targets.map(\.port) == [5060, 5060])
        #expect(
            targets.map(\.number)
                == ["12092488700", "0012092488700"].map { $0.hasPrefix("00") ? "00" + "2092488700" : $0 })
        #expect(targets[0].fromUser == "anonymous")
        #expect(targets[0].fromDomain == "192.0.2.1")
        #expect(targets[0].assertedIdentity == "")
        #expect(targets[1].fromUser == "trunk")
        #expect(targets[1].fromDomain == "kages.example")
        #expect(targets[1].fromDisplay == "Kages")
        let started = try #require(try town.live(call)).started
        #expect(started.calledE164 == "+12092488700")
        #expect(started.dialRule == "seven digits")
        #expect(started.rates.map(\.edge) == ["retail", "wholesale", "carrier"])
    }

    @Test func theCallersNumberIsShownAndAsserted() throws {
        let town = try Town()
        let plan = try town.start(town.newCall(), from: town.bob, to: "2488700").callPlan
        let first = plan.groups[0].targets[0].gateway
        #expect(first.fromUser == "+12092488701")
        #expect(first.assertedIdentity == "sip:+12092488701@192.0.2.1")
        #expect(plan.groups[1].targets[0].gateway.assertedIdentity == "")
        #expect(plan.callerNumber == "+12092488701")
    }

    @Test func whatTheCallerDialledIsSentWhereTheGatewayWantsThat() throws {
        let town = try Town()
        var carrier = town.carrier
        carrier.gateways[0].applyTo = .dialled
        carrier.gateways[0].outboundStrip = 0
        carrier.gateways[0].outboundPrefix = "9"
        carrier.gateways[1].disabled = true
        try town.platform.admin(.changeCarrier(carrier, expectedVersion: nil))
        let plan = try town.start(town.newCall(), from: town.alice, to: "2488700").callPlan
        #expect(plan.groups.map { $0.targets[0].gateway.number } == ["92488700"])
    }

    @Test func aCarriersCallRingsTheSubscriberOfTheNumber() throws {
        let town = try Town()
        try town.register(town.bob, contact: "sip:bob")
        let call = town.newCall()
        let reply = try town.platform.desk("s1", town.inboundRequest(call, to: "2092488701"))
        #expect(reply.callPlan.groups.map { $0.targets[0].contact.uri } == ["sip:bob"], "\(reply)")
        #expect(reply.callPlan.direction == .inbound)
        #expect(reply.callPlan.callerNumber == "+13105550100")
        #expect(reply.callPlan.callerDisplay == "Carol")
        let started = try #require(try town.live(call)).started
        #expect(started.caller.carrierID == town.carrier.id)
        #expect(started.called.customerID == town.customer.id)
        #expect(started.rates.isEmpty)
        // The second gateway sends E.164 with or without the plus.
        for dialled in ["+12092488701", "12092488701"] {
            let reply = try town.platform.desk("s1", town.inboundRequest(town.newCall(), to: dialled, gateway: 1))
            #expect(reply.callPlan.groups.count == 1, "\(reply)")
        }
    }

    struct Refused: Sendable {
        var name: String
        var dialled = "2488700"
        var change: @Sendable (Town) throws -> Void = { _ in }
        var refusal: Refusal
        var status: UInt32
    }

    static let refusals: [Refused] = [
        Refused(name: "nobody has the name", dialled: "carol", refusal: .unknownNumber, status: 404),
        Refused(
            name: "a number without a subscriber", dialled: "2488799",
            change: { town in
                _ = try town.create(
                    .with {
                        $0.providerID = town.provider.id
                        $0.e164 = "+12092488799"
                    }, AdminCommand.addNumber)
            }, refusal: .unknownNumber, status: 404),
        Refused(name: "not a number", dialled: "+0123", refusal: .invalidNumber, status: 484),
        Refused(name: "nothing dialled", dialled: "", refusal: .invalidNumber, status: 484),
        Refused(name: "too long", dialled: String(repeating: "1", count: 129), refusal: .invalidNumber, status: 484),
        Refused(name: "not permitted", dialled: "+431234567", refusal: .notPermitted, status: 403),
        Refused(
            name: "no price",
            change: { town in
                var plan = town.plan
                plan.rateDeckID = Data()
                try town.platform.admin(.changeServicePlan(plan, expectedVersion: nil))
            }, refusal: .notRated, status: 403),
        Refused(
            name: "no carrier",
            change: { town in
                var plan = town.plan
                plan.carrierID = Data()
                try town.platform.admin(.changeServicePlan(plan, expectedVersion: nil))
            }, refusal: .noRoute, status: 503),
        Refused(
            name: "no gateway",
            change: { town in
                var carrier = town.carrier
                for index in carrier.gateways.indices { carrier.gateways[index].disabled = true }
                try town.platform.admin(.changeCarrier(carrier, expectedVersion: nil))
            }, refusal: .noRoute, status: 503),
        Refused(name: "colleague not registered", dialled: "1001", refusal: .notRegistered, status: 480),
        Refused(
            name: "customer locked",
            change: { town in
                var customer = town.customer
                customer.status = .locked
                try town.platform.admin(.changeCustomer(customer, expectedVersion: nil))
            }, refusal: .locked, status: 403),
        Refused(
            name: "provider terminated",
            change: { town in
                var provider = town.provider
                provider.status = .terminated
                try town.platform.admin(.changeProvider(provider, expectedVersion: nil))
            }, refusal: .locked, status: 403),
        Refused(
            name: "called line locked", dialled: "1001",
            change: { town in
                var bob = town.bob
                bob.status = .locked
                try town.platform.admin(.changeSubscriber(bob, password: nil, expectedVersion: nil))
            }, refusal: .locked, status: 403),
        Refused(
            name: "the line's calls",
            change: { town in
                var alice = town.alice
                alice.concurrentCallsMax = 1
                try town.platform.admin(.changeSubscriber(alice, password: nil, expectedVersion: nil))
                _ = try town.start(town.newCall(), from: alice, to: "2488700")
            }, refusal: .limitReached, status: 486),
        Refused(
            name: "the customer's calls",
            change: { town in
                var plan = town.plan
                plan.concurrentCallsMax = 1
                try town.platform.admin(.changeServicePlan(plan, expectedVersion: nil))
                _ = try town.start(town.newCall(), from: town.bob, to: "2488700")
            }, refusal: .limitReached, status: 486),
    ]

    @Test(arguments: refusals.indices)
    func aRefusedAttemptIsARecord(index: Int) throws {
        let row = Self.refusals[index]
        let town = try Town()
        try row.change(town)
        let before = try town.cdrs().count
        let call = town.newCall()
        let reply = try town.start(call, from: town.alice, to: row.dialled)
        #expect(reply.callRefused.refusal == row.refusal, "\(row.name): \(reply)")
        #expect(reply.callRefused.sipStatus == row.status)
        let cdr = try #require(try town.cdrs().dropFirst(before).first, "\(row.name)")
        #expect(cdr.callID == call.data)
        #expect(cdr.cause == .refused)
        #expect(cdr.refusal == row.refusal)
        #expect(cdr.sipStatus == row.status)
        #expect(cdr.caller.subscriberID == town.alice.id)
        #expect(cdr.charges.isEmpty)
        #expect(try town.live(call) == nil)
    }

    @Test func strangersLeaveNoRecord() throws {
        let town = try Town()
        let head = town.platform.head
        var stranger = town.alice
        stranger.id = Data(UUIDv7(high: 9, low: 9).bytes)
        let reply = try town.start(town.newCall(), from: stranger, to: "1001")
        #expect(reply.callRefused.refusal == .unknownSource)
        var inbound = town.inboundRequest(town.newCall(), to: "12092488701")
        inbound.startCall.gatewayID = stranger.id
        #expect(try town.platform.desk("s1", inbound).callRefused.refusal == .unknownSource)
        #expect(town.platform.head == head)
    }

    @Test func aCarriersCallToAStrangeNumberIsRefusedAndRecorded() throws {
        let town = try Town()
        let reply = try town.platform.desk("s1", town.inboundRequest(town.newCall(), to: "3105550199"))
        #expect(reply.callRefused.refusal == .unknownNumber)
        #expect(try town.cdrs().map(\.direction) == [.inbound])
    }

    @Test func anotherTenantsDomainIsNotAWayRound() throws {
        let town = try Town()
        _ = try town.create(
            .with {
                $0.customerID = town.customer.id
                $0.name = "Other"
                $0.domain = "other.kages.example"
            }, AdminCommand.createTenant)
        var request = town.startRequest(town.newCall(), from: town.alice, to: "2488700")
        for domain in ["other.kages.example", "Other.KAGES.example"] {
            request.startCall.callID = town.newCall().data
            request.startCall.domain = domain
            #expect(try town.platform.desk("s1", request).callRefused.refusal == .unknownNumber)
        }
    }

    @Test func aCallerIDIsShownAsLongAsItsNumberIsTheCustomers() throws {
        let town = try Town()
        let second = NumberID(try town.create(.with { $0.providerID = town.provider.id; $0.e164 = "+12092488750" }, AdminCommand.addNumber).id)!
        func shown() throws -> [String] {
            let plan = try town.start(town.newCall(), from: town.bob, to: "2488700").callPlan
            return [plan.callerNumber, plan.groups[0].targets[0].gateway.assertedIdentity]
        }
        // A number of a colleague's, such as that of the switchboard.
        try town.platform.admin(.assignNumber(second, to: SubscriberID(town.alice.id)!, expectedVersion: nil))
        try town.set(town.bob) { $0.callerID = "+12092488750" }
        #expect(try shown() == ["+12092488750", "sip:+12092488750@192.0.2.1"])
        try town.platform.admin(.releaseNumber(second, expectedVersion: nil))
        #expect(try shown() == ["+12092488701", "sip:+12092488701@192.0.2.1"])
        try town.platform.admin(.assignNumber(second, to: SubscriberID(try town.neighbour().line.id)!, expectedVersion: nil))
        #expect(try shown() == ["+12092488701", "sip:+12092488701@192.0.2.1"])
    }

    @Test func howLongALinesPhonesRingSaysNothingOfItsOwnCalls() throws {
        let town = try Town()
        try town.register(town.bob, contact: "sip:bob")
        try town.set(town.bob) { $0.dialTimeoutSeconds = 3 }
        #expect(try town.start(town.newCall(), from: town.bob, to: "2488700").callPlan.groups.flatMap(\.targets).map(\.timeoutSeconds) == [60, 60])
        #expect(try town.start(town.newCall(), from: town.alice, to: "1001").callPlan.groups.flatMap(\.targets).map(\.timeoutSeconds) == [3])
    }

    static let directions: [(dialled: String, direction: CallDirection)] = [
        ("2488700", .outbound), ("+12092488700", .outbound), ("0044207946000", .outbound), ("+0", .outbound), ("1001", .onNet), ("2488701", .onNet),
        ("carol", .onNet), ("4711", .onNet),
    ]

    @Test(arguments: directions.indices, [false, true])
    func theRecordOfARefusedCallSaysWhereItWouldHaveGone(index: Int, isFull: Bool) throws {
        let town = try Town()
        let row = Self.directions[index]
        if isFull {
            try town.set(town.alice) { $0.concurrentCallsMax = 1 }
            _ = try town.start(town.newCall(), from: town.alice, to: "2488700")
        } else {
            try town.set(town.alice) { $0.blocks.called = ["*"] }
        }
        _ = try town.start(town.newCall(), from: town.alice, to: row.dialled)
        #expect(try town.cdrs().map(\.refusal) == [isFull ? .limitReached : .numberBlocked])
        #expect(try town.cdrs().map(\.direction) == [row.direction])
    }

    @Test func whatNoRuleMakesANumberOfIsACallToTheOutsideIfItIsLongerThanAnyExtension() throws {
        let town = try Town()
        for dialled in ["4711", "zoe", "0044207946000", "+0"] { _ = try town.start(town.newCall(), from: town.alice, to: dialled) }
        #expect(try town.cdrs().map(\.direction) == [.onNet, .onNet, .outbound, .outbound])
    }
}
