import Foundation
import Model
import Projections
import SwiftProtobuf
import Testing

@testable import ControlPlane

/// Which calls of a tenant that has chosen direct media are so.
@Suite struct DirectMediaTests {
    private func town(prepaid: Bool = false) throws -> Town {
        let town = try Town(prepaid: prepaid)
        town.tenant.mediaPath = .direct
        try town.platform.admin(.changeTenant(town.tenant, expectedVersion: nil))
        try town.register(town.bob, contact: "sip:bob")
        return town
    }

    private func set(_ town: Town, _ subscriber: Subscriber, _ change: (inout Subscriber) -> Void) throws {
        var subscriber = try #require(try town.platform.read { views throws(ViewsError) in try views.subscriber(SubscriberID(subscriber.id)!) })
        change(&subscriber)
        try town.platform.admin(.changeSubscriber(subscriber, password: nil, expectedVersion: nil))
    }

    @Test func callsBetweenLinesOfTheTenantAreDirectAndTheirRecordsSaySo() throws {
        let town = try town()
        for dialled in ["1001", "+12092488701"] {
            let call = town.newCall()
            #expect(try town.start(call, from: town.alice, to: dialled).callPlan.mediaPath == .direct, "\(dialled)")
            #expect(try town.live(call)?.started.mediaPath == .direct)
            _ = try town.answer(call)
            _ = try town.finish(call)
        }
        #expect(try town.cdrs().map(\.mediaPath) == [.direct, .direct])
    }

    @Test func withoutTheSettingEveryCallHasAMediaWorker() throws {
        let town = try Town()
        try town.register(town.bob, contact: "sip:bob")
        #expect(try town.start(town.newCall(), from: town.alice, to: "1001").callPlan.mediaPath == .anchored)
    }

    @Test func callsToCarriersAndFromThemAreNot() throws {
        let town = try town()
        #expect(try town.start(town.newCall(), from: town.alice, to: "2488700").callPlan.mediaPath == .anchored)
        let inbound = try town.platform.desk("s1", town.inboundRequest(town.newCall(), to: "2092488701")).callPlan
        #expect(inbound.groups.count == 1 && inbound.mediaPath == .anchored)
    }

    @Test func aLineThatHasToEncryptIsAnchoredOnBothSidesOfACall() throws {
        let town = try town()
        try town.register(town.alice, contact: "sip:alice")
        try set(town, town.bob) { $0.mediaSecurity = .sdes }
        #expect(try town.start(town.newCall(), from: town.alice, to: "1001").callPlan.mediaPath == .anchored)
        #expect(try town.start(town.newCall(), from: town.bob, to: "1000").callPlan.mediaPath == .anchored)
    }

    @Test func browsersAreAnchored() throws {
        let town = try town()
        var request = town.startRequest(town.newCall(), from: town.alice, to: "1001")
        request.startCall.isBrowser = true
        #expect(try town.platform.desk("s1", request).callPlan.mediaPath == .anchored)
        _ = try town.platform.desk(
            "s1",
            .with {
                $0.bind.subscriberID = town.bob.id
                $0.bind.bindings = [
                    .with {
                        $0.contactUri = "sip:browser"
                        $0.callID = "browser"
                        $0.cseq = 1
                        $0.expiresSeconds = 3_600
                        $0.flow.worker = "s1"
                        $0.flow.listener = "127.0.0.1:5061"
                        $0.flow.remote = "127.0.0.1:40000"
                        $0.flow.transport = "WSS"
                    }
                ]
            })
        #expect(try town.start(town.newCall(), from: town.alice, to: "1001").callPlan.mediaPath == .anchored)
    }

    @Test func aLineThatForwardsEveryCallIsAnchoredAndOneThatForwardsWhenBusyIsNot() throws {
        let town = try town()
        try set(town, town.bob) { $0.forwards.busy = "2488700" }
        let plan = try town.start(town.newCall(), from: town.alice, to: "1001").callPlan
        #expect(plan.mediaPath == .direct && plan.onBusy.number == "2488700")
        try set(town, town.bob) { $0.forwards.always = "2488700" }
        #expect(try town.start(town.newCall(), from: town.alice, to: "1001").callPlan.mediaPath == .anchored)
    }

    @Test func aCallThatIsPickedUpNeedsNoMediaWorkerOfItsOwn() throws {
        let town = try town()
        let carol = try town.subscriber("carol", alias: "1002")
        _ = try town.start(town.newCall(), from: town.alice, to: "1001")
        #expect(try town.start(town.newCall(), from: carol, to: "*87").callPlan.mediaPath == .direct)
        try set(town, carol) { $0.mediaSecurity = .sdes }
        #expect(try town.start(town.newCall(), from: carol, to: "*87").callPlan.mediaPath == .anchored)
    }

    @Test func aSettingThatIsNoneIsRefused() throws {
        let town = try town()
        town.tenant.mediaPath = .UNRECOGNIZED(7)
        let rejection = #expect(throws: AdminRejection.self) { try town.platform.admin(.changeTenant(town.tenant, expectedVersion: nil)) }
        #expect("\(try #require(rejection))".hasPrefix("media:"))
    }
}
