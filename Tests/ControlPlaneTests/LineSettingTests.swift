import Foundation
import Ledger
import Model
import Primitives
import Projections
import SwiftProtobuf
import Testing

@testable import ControlPlane

/// What a line has set, and what becomes of calls by it.
@Suite struct LineSettingTests {
    private func set(_ town: Town, _ subscriber: Subscriber, _ change: (inout Subscriber) -> Void) throws {
        var subscriber = try #require(try town.platform.read { views throws(ViewsError) in try views.subscriber(SubscriberID(subscriber.id)!) })
        change(&subscriber)
        try town.platform.admin(.changeSubscriber(subscriber, password: nil, expectedVersion: nil))
    }

    private func forwarded(_ town: Town, _ call: CallID, from first: CallID, by line: Subscriber, to number: String, _ kind: ForwardKind) throws -> DeskReply {
        var request = town.startRequest(call, from: line, to: number)
        request.startCall.domain = "forward.invalid"
        request.startCall.forwardedFrom = first.data
        request.startCall.forwardKind = kind
        request.startCall.fromUser = "1000"
        request.startCall.fromDisplay = "Alice"
        return try town.platform.desk("s1", request)
    }

    struct Row: Sendable {
        var name: String
        var change: @Sendable (inout Subscriber) -> Void
        var isRegistered = true
        var expected: ForwardKind
        var refusal = Refusal.none
    }

    static let rows: [Row] = [
        Row(name: "always", change: { $0.forwards.always = "2488700" }, expected: .always),
        Row(name: "always goes before all", change: { $0.forwards.always = "2488700"; $0.doNotDisturb = true }, expected: .always),
        Row(name: "do not disturb is busy", change: { $0.doNotDisturb = true; $0.forwards.busy = "2488700" }, expected: .busy),
        Row(name: "do not disturb", change: { $0.doNotDisturb = true }, expected: .none, refusal: .doNotDisturb),
        Row(name: "not registered", change: { $0.forwards.notRegistered = "2488700" }, isRegistered: false, expected: .notRegistered),
        Row(name: "not registered, nothing set", change: { $0.forwards.busy = "2488700" }, isRegistered: false, expected: .none, refusal: .notRegistered),
        // It is Saturday noon in UTC, and four in the morning in Los Angeles.
        Row(
            name: "outside of hours", change: { $0.hours.windows = [.with { $0.fromMinute = 480; $0.toMinute = 1_080 }]; $0.forwards.outsideHours = "2488700" },
            expected: .outsideHours),
        Row(name: "closed", change: { $0.hours.windows = [.with { $0.fromMinute = 480; $0.toMinute = 1_080 }] }, expected: .none, refusal: .closed),
        Row(
            name: "hours of the line's own zone", change: { $0.timeZone = "UTC"; $0.hours.windows = [.with { $0.fromMinute = 480; $0.toMinute = 1_080 }] },
            expected: .none),
        Row(name: "a holiday", change: { $0.hours.closedDays = ["2026-11-21"] }, expected: .none, refusal: .closed),
        Row(name: "a holiday of every year", change: { $0.hours.closedDays = ["--11-21"] }, expected: .none, refusal: .closed),
        Row(name: "the day after a holiday", change: { $0.hours.closedDays = ["--11-20"] }, expected: .none),
        Row(name: "a blocked caller", change: { $0.blocks.callers = ["1000"] }, expected: .none, refusal: .callerBlocked),
        Row(name: "a blocked beginning", change: { $0.blocks.callers = ["10*"] }, expected: .none, refusal: .callerBlocked),
        Row(name: "a blocked colleague by name", change: { $0.blocks.callers = ["alice"] }, expected: .none, refusal: .callerBlocked),
        Row(name: "somebody else is blocked", change: { $0.blocks.callers = ["2000", "+1*"] }, expected: .none),
    ]

    @Test(arguments: rows.indices)
    func aLineAnswersAsItIsSet(index: Int) throws {
        let row = Self.rows[index]
        let town = try Town()
        if row.isRegistered { try town.register(town.bob, contact: "sip:bob") }
        try set(town, town.bob, row.change)
        let call = town.newCall()
        let reply = try town.start(call, from: town.alice, to: "1001")
        #expect(reply.callRefused.refusal == row.refusal, "\(row.name): \(reply)")
        guard row.refusal == .none else {
            let record = try #require(try town.cdrs().first, "\(row.name)")
            #expect(record.refusal == row.refusal && record.sipStatus == row.refusal.sipStatus && record.called.subscriberID == town.bob.id)
            return
        }
        let target = try #require(reply.callPlan.groups.first?.targets.first, "\(row.name)")
        #expect(target.forward.kind == row.expected, "\(row.name)")
        #expect(row.expected == .none ? target.contact.uri == "sip:bob" : target.forward.number == "2488700" && target.forward.subscriberID == town.bob.id)
    }

    @Test func callersWithoutANumberAreRefusedByWhoWantsToKnow() throws {
        let town = try Town()
        try town.register(town.bob, contact: "sip:bob")
        try set(town, town.bob) { $0.blocks.anonymous = true }
        var request = town.inboundRequest(town.newCall(), to: "2092488701")
        let shown = try #require(CallID(request.startCall.callID))
        #expect(try town.platform.desk("s1", request).callPlan.groups.count == 1)
        request = town.inboundRequest(town.newCall(), to: "2092488701")
        request.startCall.isAnonymous = true
        let reply = try town.platform.desk("s1", request)
        #expect(reply.callRefused.refusal == .anonymous && reply.callRefused.sipStatus == 433)
        _ = try town.finish(shown)
        #expect(try town.cdrs().map(\.isAnonymous) == [true, false])
    }

    @Test func whatThePhonesSayIsForwardedByTheWorker() throws {
        let town = try Town()
        try town.register(town.bob, contact: "sip:bob")
        try set(town, town.bob) {
            $0.forwards.busy = "1000"
            $0.forwards.noAnswer = "2488700"
            $0.forwards.notRegistered = "2488702"
        }
        let plan = try town.start(town.newCall(), from: town.alice, to: "1001").callPlan
        #expect(plan.onBusy.number == "1000" && plan.onNoAnswer.number == "2488700" && plan.onUnreachable.number == "2488702")
        #expect(plan.onBusy.subscriberID == town.bob.id && plan.onNoAnswer.kind == .noAnswer)
    }

    @Test func aForwardedCallIsTwoCallsWithTwoPayersAndTwoRecords() throws {
        let town = try Town()
        var other = Customer()
        other = try town.create(
            .with {
                $0.providerID = town.provider.id
                $0.contactID = town.contact.id
                $0.servicePlanID = town.plan.id
                $0.name = "Other"
                $0.currency = "USD"
            }, AdminCommand.createCustomer)
        let tenant = try town.create(
            .with {
                $0.customerID = other.id
                $0.name = "Other"
                $0.domain = "other.kages.example"
                $0.countryCode = "1"
                $0.areaCode = "209"
            }, AdminCommand.createTenant)
        let carol = try town.create(
            Subscriber.with {
                $0.tenantID = tenant.id
                $0.username = "carol"
                $0.allowedPrefixes = ["+1"]
            }, { .createSubscriber($0, password: Password("correct horse")) })
        // Calls between customers cost the caller five cents a minute; Bob's call outside is his own, at four.
        var plan = town.plan
        plan.serviceRates = [.with { $0.leg = .sip; $0.price.perMinuteMicros = 50_000; $0.price.firstIncrementSeconds = 60; $0.price.nextIncrementSeconds = 60; $0.decimals = 4 }]
        try town.platform.admin(.changeServicePlan(plan, expectedVersion: nil))
        try set(town, town.bob) { $0.forwards.always = "2488700" }
        let (first, second) = (town.newCall(), town.newCall())
        var request = town.startRequest(first, from: carol, to: "+12092488701")
        request.startCall.domain = tenant.domain
        #expect(try town.platform.desk("s1", request).callPlan.groups[0].targets[0].forward.number == "2488700")
        let reply = try forwarded(town, second, from: first, by: town.bob, to: "2488700", .always)
        #expect(reply.callPlan.direction == .outbound, "\(reply)")
        // The outside sees a number of Bob's, who answers for the call.
        #expect(reply.callPlan.callerNumber == "+12092488701")
        _ = try town.answer(second)
        _ = try town.answer(first)
        town.platform.advance(.seconds(30))
        _ = try town.finish(second)
        _ = try town.finish(first)
        let records = try town.cdrs()
        #expect(records.map(\.callID) == [second.data, first.data])
        #expect(records[0].forwardedFrom == first.data && records[0].forwardKind == .always && records[0].caller.subscriberID == town.bob.id)
        #expect(records[1].forwardedFrom.isEmpty && records[1].caller.subscriberID == carol.id && records[1].called.subscriberID == town.bob.id)
        #expect(try town.balance(.customer(town.customer)) == -40_000)
        #expect(try town.balance(.customer(other)) == -50_000)
    }

    @Test func aRingOfForwardingLinesIsSeenBeforeItGoesRoundTwice() throws {
        let town = try Town()
        try set(town, town.alice) { $0.forwards.always = "1001" }
        try set(town, town.bob) { $0.forwards.always = "1000" }
        let carol = try town.subscriber("carol", alias: "1002")
        let calls = (0..<3).map { _ in town.newCall() }
        #expect(try town.start(calls[0], from: carol, to: "1000").callPlan.groups[0].targets[0].forward.number == "1001")
        #expect(try forwarded(town, calls[1], from: calls[0], by: town.alice, to: "1001", .always).callPlan.groups[0].targets[0].forward.number == "1000")
        let last = try forwarded(town, calls[2], from: calls[1], by: town.bob, to: "1000", .always)
        #expect(last.callRefused.refusal == .forwardLoop && last.callRefused.sipStatus == 482)
        let record = try #require(try town.cdrs().first)
        #expect(record.refusal == .forwardLoop && record.refusalDetail == "forwarding goes round: 2 lines have sent the call on")
    }

    @Test func aChainOfLinesEnds() throws {
        let town = try Town()
        let lines = try (0..<8).map { try town.subscriber("line\($0)", alias: "200\($0)") }
        for (index, line) in lines.enumerated() { try set(town, line) { $0.forwards.always = "200\((index + 1) % 8)" } }
        var before = town.newCall()
        #expect(try town.start(before, from: town.alice, to: "2000").callPlan.groups.count == 1)
        var hops = 0
        var refusal = Refusal.none
        while refusal == .none, hops < 10 {
            let call = town.newCall()
            let reply = try forwarded(town, call, from: before, by: lines[hops], to: "200\(hops + 1)", .always)
            refusal = reply.callRefused.refusal
            before = call
            hops += 1
        }
        #expect(refusal == .forwardLoop && hops == 5)
    }

    @Test func noWorkerForwardsWhatIsNotItsOwn() throws {
        let town = try Town()
        try town.register(town.bob, contact: "sip:bob")
        let (first, second) = (town.newCall(), town.newCall())
        #expect(try town.start(first, from: town.alice, to: "1001").callPlan.groups.count == 1)
        // Of a line that was not called, of a call that is not there, of another worker, and of a call that was answered.
        #expect(try forwarded(town, second, from: first, by: town.alice, to: "2488700", .busy).callRefused.refusal == .unknownSource)
        #expect(try forwarded(town, second, from: town.newCall(), by: town.bob, to: "2488700", .busy).callRefused.refusal == .unknownSource)
        var request = town.startRequest(second, from: town.bob, to: "2488700")
        request.startCall.forwardedFrom = first.data
        #expect(try town.platform.desk("s2", request).callRefused.refusal == .unknownSource)
        _ = try town.answer(first)
        #expect(try forwarded(town, second, from: first, by: town.bob, to: "2488700", .busy).callRefused.refusal == .unknownSource)
        #expect(try town.cdrs().isEmpty)
    }

    @Test func aLineOfOneCallCanSendItOn() throws {
        let town = try Town()
        try town.register(town.bob, contact: "sip:bob")
        try set(town, town.bob) {
            $0.concurrentCallsMax = 1
            $0.forwards.busy = "2488700"
        }
        let (first, second) = (town.newCall(), town.newCall())
        #expect(try town.start(first, from: town.alice, to: "1001").callPlan.groups[0].targets[0].contact.uri == "sip:bob")
        // A second call finds it busy, and goes on at once.
        #expect(try town.start(second, from: town.alice, to: "1001").callPlan.groups[0].targets[0].forward.kind == .busy)
        #expect(try forwarded(town, town.newCall(), from: second, by: town.bob, to: "2488700", .busy).callPlan.direction == .outbound)
    }

    @Test func aLineDoesNotCallWhomItHasBlocked() throws {
        let town = try Town()
        try town.register(town.bob, contact: "sip:bob")
        try set(town, town.alice) { $0.blocks.called = ["+1900*", "1001", "+12092488700"] }
        #expect(try town.start(town.newCall(), from: town.alice, to: "1001").callRefused.refusal == .numberBlocked)
        #expect(try town.start(town.newCall(), from: town.alice, to: "2488700").callRefused.refusal == .numberBlocked)
        #expect(try town.start(town.newCall(), from: town.alice, to: "2488702").callPlan.direction == .outbound)
        #expect(try town.cdrs().map(\.refusalDetail).last == "on the line's own list of blocked numbers")
    }

    @Test func aBlockedColleagueIsBlockedByEveryNameAndNumber() throws {
        let town = try Town()
        try town.register(town.bob, contact: "sip:bob")
        try set(town, town.bob) { $0.aliases = ["1001", "1011"] }
        func isBlocked(_ entries: [String], _ dialled: String) throws -> Bool {
            try set(town, town.alice) { $0.blocks.called = entries }
            return try town.start(town.newCall(), from: town.alice, to: dialled).callRefused.refusal == .numberBlocked
        }
        for entry in ["1001", "1011", "bob", "+12092488701", "12092488701", "10*"] {
            for dialled in ["1001", "1011", "bob", "2488701", "+12092488701"] { #expect(try isBlocked([entry], dialled), "\(entry) \(dialled)") }
        }
        // Numbers of the outside are blocked by their beginning, and colleagues who have one are not.
        #expect(try !isBlocked(["+1209*"], "1001"))
        #expect(try isBlocked(["+1209*"], "2488700"))
        #expect(try isBlocked(["120924887*"], "2488700"))
    }

    @Test func aBlockedCallerIsBlockedByEveryNameAndNumberAlsoWhenTheCallIsSentOn() throws {
        let town = try Town()
        let carol = try town.subscriber("carol", alias: "1002")
        try town.register(carol, contact: "sip:carol")
        try town.register(town.bob, contact: "sip:bob")
        try set(town, town.alice) { $0.aliases = ["1000", "1010"] }
        for entry in ["alice", "1000", "1010"] {
            try set(town, carol) { $0.blocks.callers = [entry] }
            #expect(try town.start(town.newCall(), from: town.alice, to: "1002").callRefused.refusal == .callerBlocked, "\(entry)")
            for shown in ["alice", "1000"] {
                let first = town.newCall()
                _ = try town.start(first, from: town.alice, to: "1001")
                var request = town.startRequest(town.newCall(), from: town.bob, to: "1002")
                request.startCall.forwardedFrom = first.data
                request.startCall.forwardKind = .busy
                request.startCall.fromUser = shown
                #expect(try town.platform.desk("s1", request).callRefused.refusal == .callerBlocked, "\(entry) \(shown)")
            }
        }
        // Carriers send numbers with or without the plus, and people write them so.
        for entry in ["+13105550100", "13105550100", "13105550*"] {
            try set(town, town.bob) { $0.blocks.callers = [entry] }
            for from in ["+13105550100", "13105550100"] {
                var request = town.inboundRequest(town.newCall(), to: "2092488701")
                request.startCall.fromUser = from
                #expect(try town.platform.desk("s1", request).callRefused.refusal == .callerBlocked, "\(entry) \(from)")
            }
        }
    }

    @Test func aForwardedCallTakesNobodysCall() throws {
        let town = try Town()
        let carol = try town.subscriber("carol", alias: "1002")
        try town.register(carol, contact: "sip:carol")
        try town.register(town.bob, contact: "sip:bob")
        let (ringing, first) = (town.newCall(), town.newCall())
        #expect(try town.start(ringing, from: town.alice, to: "1002").callPlan.groups.count == 1)
        #expect(try town.platform.desk("s1", town.inboundRequest(first, to: "2092488701")).callPlan.groups.count == 1)
        for kind in [ForwardKind.always, .noAnswer, .redirected] {
            #expect(try town.send(town.newCall(), on: first, by: town.bob, to: "*87", kind).callRefused.refusal == .unknownNumber)
        }
        // A person who transfers may.
        _ = try town.answer(first)
        #expect(try town.send(town.newCall(), on: first, by: town.bob, to: "*87", .transferred).callPlan.groups.first?.targets.first?.pickup.callID == ringing.data)
        // A line of that name goes before.
        try set(town, carol) { $0.aliases = ["1002", "*87"] }
        try set(town, town.bob) { $0.forwards.always = "*87" }
        // What is set so already keeps no other setting from being changed.
        try set(town, carol) { $0.aliases = ["1002"] }
        try set(town, town.bob) { $0.displayName = "Robert" }
    }

    static let faults: [(field: String, change: @Sendable (inout Subscriber) -> Void)] = [
        ("forward_busy", { $0.forwards.busy = "not a number" }), ("forward_always", { $0.forwards.always = "1001" }),
        ("forward_no_answer", { $0.forwards.noAnswer = "*87" }), ("forward_busy", { $0.forwards.busy = "*861002" }),
        ("blocked_callers[1]", { $0.blocks.callers = ["1", ""] }), ("closed_days[0]", { $0.hours.closedDays = ["2026-02-29"] }),
        ("closed_days[0]", { $0.hours.closedDays = ["12-25"] }), ("hours[0]", { $0.hours.windows = [.with { $0.fromMinute = 5_000 }] }),
        ("contacts_max", { $0.contactsMax = 51 }), ("trunk_addresses", { $0.trunk.addresses = ["192.0.2.7:5060"] }),
        ("trunk_addresses[0]", { $0.trunk.isTrunk = true; $0.trunk.addresses = ["pbx.example:5060"] }),
        ("trunk_addresses[0]", { $0.trunk.isTrunk = true; $0.trunk.addresses = ["192.0.2.1:5060"] }),
        ("urgent_messages_new", { $0.messages.urgentNew = 1 }),
    ]

    @Test(arguments: faults.indices)
    func settingsThatMakeNoSenseAreRefused(index: Int) throws {
        let town = try Town()
        let fault = Self.faults[index]
        let rejection = #expect(throws: AdminRejection.self) { try set(town, town.bob, fault.change) }
        #expect("\(try #require(rejection))".hasPrefix(fault.field + ":"), "\(fault.field): \(String(describing: rejection))")
    }

    @Test func theEndOf2024IsADayOfEveryYear() throws {
        let town = try Town()
        try set(town, town.bob) { $0.hours.closedDays = ["--12-31", "--02-29", "2028-02-29"] }
    }

    // MARK: - trunks

    @Test func aTrunkCallsFromItsAddressAndIsReachedThere() throws {
        let town = try Town()
        let second = try town.create(
            .with {
                $0.providerID = town.provider.id
                $0.e164 = "+12092488750"
            }, AdminCommand.addNumber)
        try town.platform.admin(.assignNumber(NumberID(second.id)!, to: SubscriberID(town.bob.id)!, expectedVersion: nil))
        try set(town, town.bob) {
            $0.callerID = "+12092488701"
            $0.trunk.isTrunk = true
            $0.trunk.addresses = ["198.51.100.7:5060"]
        }
        let source = try town.platform.desk("s1", .with { $0.source.host = "198.51.100.7"; $0.source.port = 5060 }).source
        #expect(source.found && source.subscriberID == town.bob.id && source.carrierID.isEmpty)
        #expect(try town.platform.desk("s1", .with { $0.source.host = "198.51.100.7"; $0.source.port = 5061 }).source.found == false)
        // It shows any of its numbers, and none of anybody else's.
        for (claimed, shown) in [("12092488750", "+12092488750"), ("2092488750", "+12092488750"), ("+13105550000", "+12092488701"), ("", "+12092488701")] {
            var request = town.startRequest(town.newCall(), from: town.bob, to: "2488700")
            request.startCall.fromUser = claimed
            #expect(try town.platform.desk("s1", request).callPlan.callerNumber == shown, "\(claimed)")
        }
        // What comes for one of its numbers goes to its address with that number.
        let plan = try town.platform.desk("s1", town.inboundRequest(town.newCall(), to: "2092488750")).callPlan
        #expect(plan.groups.map { $0.targets[0].contact.uri } == ["sip:+12092488750@198.51.100.7:5060"])
        // Who redirects or transfers from there does so as that line.
        let contact = try #require(plan.groups.first?.targets.first?.contact)
        #expect(contact.subscriberID == town.bob.id && contact.tenantID == town.tenant.id && contact.domain == town.tenant.domain)
        #expect(plan.groups[0].targets[0].contact.flow.remote == "198.51.100.7:5060")
        // Once it has registered, by that registration.
        try town.register(town.bob, contact: "sip:anything@198.51.100.9:5062;line=1")
        let registered = try town.platform.desk("s1", town.inboundRequest(town.newCall(), to: "2092488750")).callPlan
        #expect(registered.groups.map { $0.targets[0].contact.uri } == ["sip:+12092488750@198.51.100.9:5062;line=1"])
    }

    @Test func anAddressIsOneTrunksAndIsFreeWhenThatIsGone() throws {
        let town = try Town()
        try set(town, town.bob) { $0.trunk.isTrunk = true; $0.trunk.addresses = ["198.51.100.7:5060"] }
        #expect(throws: AdminRejection.self) { try set(town, town.alice) { $0.trunk.isTrunk = true; $0.trunk.addresses = ["198.51.100.7:5060"] } }
        try set(town, town.bob) { $0.trunk.addresses = [] }
        try set(town, town.alice) { $0.trunk.isTrunk = true; $0.trunk.addresses = ["198.51.100.7:5060"] }
        let source = try town.platform.desk("s1", .with { $0.source.host = "198.51.100.7"; $0.source.port = 5060 }).source
        #expect(source.subscriberID == town.alice.id)
    }

    // MARK: - picking up

    @Test func aRingingCallIsTakenWithinItsGroupByExtensionOrAnywhereInTheTenant() throws {
        let town = try Town()
        let carol = try town.subscriber("carol", alias: "1002")
        try town.register(town.bob, contact: "sip:bob")
        try set(town, town.bob) { $0.callGroup = 7 }
        try set(town, carol) { $0.pickupGroup = 7 }
        #expect(try town.start(town.newCall(), from: carol, to: "*8").callRefused.refusal == .nothingToPickUp)
        let ringing = town.newCall()
        #expect(try town.platform.desk("s2", town.startRequest(ringing, from: town.alice, to: "1001")).callPlan.groups.count == 1)
        for code in ["*8", "*861001", "*86bob", "*87"] {
            let call = town.newCall()
            let target = try town.start(call, from: carol, to: code).callPlan.groups.first?.targets.first
            #expect(target?.pickup.callID == ringing.data && target?.pickup.worker == "s2", "\(code)")
            _ = try town.finish(call, cause: .cancelled)
        }
        #expect(try town.cdrs().allSatisfy { $0.pickedUp == ringing.data || $0.refusal == .nothingToPickUp })
        // Alice is in no pickup group; nothing rings at Carol's.
        #expect(try town.start(town.newCall(), from: town.alice, to: "*8").callRefused.refusal == .nothingToPickUp)
        #expect(try town.start(town.newCall(), from: town.alice, to: "*861002").callRefused.refusal == .nothingToPickUp)
        _ = try town.answer(ringing, worker: "s2")
        #expect(try town.start(town.newCall(), from: carol, to: "*87").callRefused.refusal == .nothingToPickUp)
    }

    @Test func aRestartedControlPlaneKnowsWhatRings() throws {
        let town = try Town()
        try town.register(town.bob, contact: "sip:bob")
        let ringing = town.newCall()
        _ = try town.start(ringing, from: town.alice, to: "1001")
        try town.platform.restart()
        _ = try town.platform.hello("s1", calls: [ringing])
        #expect(try town.start(town.newCall(), from: town.alice, to: "*861001").callPlan.groups.first?.targets.first?.pickup.callID == ringing.data)
    }

    // MARK: - erasure

    @Test func numbersOfOthersAreSealedUnderTheLinesKey() throws {
        let town = try Town()
        try set(town, town.bob) {
            $0.forwards.always = "+13105550123"
            $0.blocks.callers = ["+13105550124"]
            $0.trunk.isTrunk = true
            $0.trunk.addresses = ["198.51.100.77:5060"]
        }
        var found = false
        try town.platform.log.read(from: 1) { envelope throws(LedgerError) -> Bool in
            let text = String(decoding: envelope.payload, as: UTF8.self)
            found = found || text.contains("3105550123") || text.contains("3105550124") || text.contains("198.51.100.77")
            return true
        }
        #expect(!found)
        let stored = try town.platform.read { views throws(ViewsError) in try views.subscriber(SubscriberID(town.bob.id)!) }
        #expect(stored?.forwards.always == "+13105550123" && stored?.blocks.callers == ["+13105550124"])
    }
}
