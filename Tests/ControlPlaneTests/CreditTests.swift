import Foundation
import Model
import Primitives
import SwiftProtobuf
import Testing

@testable import ControlPlane

/// Retail is 0.04 a minute, in minutes; a lease is five minutes: 0.20.
@Suite struct CreditTests {
    @Test func anEmptyAccountIsRefused() throws {
        let town = try Town(prepaid: true)
        let reply = try town.start(town.newCall(), from: town.alice, to: "2488700")
        #expect(reply.callRefused.refusal == .noCredit)
        #expect(reply.callRefused.sipStatus == 402)
        #expect(try town.held() == 0)
        try town.topUp(39_999)
        #expect(try town.start(town.newCall(), from: town.alice, to: "2488700").callRefused.refusal == .noCredit)
        try town.topUp(1)
        #expect(try town.start(town.newCall(), from: town.alice, to: "2488700").callPlan.grantedSeconds == 60)
    }

    @Test func colleaguesTalkFreeOfCharge() throws {
        let town = try Town(prepaid: true)
        try town.register(town.bob, contact: "sip:bob")
        #expect(try town.start(town.newCall(), from: town.alice, to: "1001").callPlan.grantedSeconds == 0)
    }

    @Test func aLeaseIsHeldExtendedAndReturned() throws {
        let town = try Town(prepaid: true)
        try town.topUp(1_000_000)
        let call = town.newCall()
        #expect(try town.start(call, from: town.alice, to: "2488700").callPlan.grantedSeconds == 300)
        #expect(try town.held() == 200_000)
        _ = try town.answer(call)
        town.platform.run(.seconds(270), beating: ["s1", "s2"])
        #expect(try town.renew(call, used: 270).creditGranted.grantedSeconds == 600)
        #expect(try town.held() == 400_000)
        let head = town.platform.head
        #expect(try town.renew(call, used: 270).creditGranted.grantedSeconds == 600)
        #expect(town.platform.head == head)
        town.platform.run(.seconds(60), beating: ["s1", "s2"])
        _ = try town.finish(call)
        #expect(try town.held() == 0)
        #expect(try town.balance(town.account) == 1_000_000 - 6 * 40_000)
    }

    @Test func aLeaseIsAtLeastWhatTheAccountHas() throws {
        let town = try Town(prepaid: true)
        try town.topUp(100_000)
        let call = town.newCall()
        #expect(try town.start(call, from: town.alice, to: "2488700").callPlan.grantedSeconds == 120)
        #expect(try town.renew(call, used: 110).creditGranted.grantedSeconds == 120)
        try town.topUp(100_000)
        #expect(try town.renew(call, used: 110).creditGranted.grantedSeconds == 300)
        #expect(try town.held() == 200_000)
    }

    @Test func whoPaysIsToldInItsLanguageWhenNothingIsLeft() throws {
        let town = try Town(prepaid: true)
        try town.topUp(240_000)
        let call = town.newCall()
        _ = try town.start(call, from: town.alice, to: "2488700")
        _ = try town.answer(call)
        #expect(try !town.renew(call, used: 270).creditGranted.hasAnnouncement)
        let last = try town.renew(call, used: 350).creditGranted
        #expect(last.grantedSeconds == 360)
        #expect(last.hasAnnouncement && !last.announcement.toCalled)
        #expect(last.announcement.language.isEmpty)
        var alice = town.alice
        alice.language = "de-AT"
        try town.platform.admin(.changeSubscriber(alice, password: nil, expectedVersion: nil))
        #expect(try town.renew(call, used: 351).creditGranted.announcement.language == "de-AT")
        try town.topUp(40_000)
        #expect(try !town.renew(call, used: 352).creditGranted.hasAnnouncement)
    }

    @Test func timeBeyondTheLeaseIsNotCharged() throws {
        let town = try Town(prepaid: true)
        try town.topUp(80_000)
        let call = town.newCall()
        #expect(try town.start(call, from: town.alice, to: "2488700").callPlan.grantedSeconds == 120)
        _ = try town.answer(call)
        // A timer was late by 3 s, and a minute that has begun would be a third one.
        town.platform.run(.seconds(123), beating: ["s1", "s2"])
        _ = try town.finish(call, cause: .creditExhausted)
        let cdr = try #require(try town.cdrs().last)
        #expect(cdr.durationMs == 123_000)
        let retail = try #require(cdr.charges.first { $0.edge == "retail" })
        #expect(retail.timeLimitSeconds == 120 && retail.billedSeconds == 120 && retail.amountMicros == 80_000)
        // What others are paid for the call is paid for all of it.
        #expect(cdr.charges.filter { $0.edge != "retail" }.allSatisfy { $0.timeLimitSeconds == 0 && $0.billedSeconds >= 123 })
        #expect(try town.balance(town.account) == 0)
        #expect(try town.held() == 0)
    }

    @Test func allCallsTogetherHoldNoMoreThanThereIs() throws {
        let town = try Town(prepaid: true)
        var plan = town.plan
        plan.creditLimitMicros = 50_000
        try town.platform.admin(.changeServicePlan(plan, expectedVersion: nil))
        try town.topUp(450_000)
        var batch: [Work] = []
        for _ in 0..<6 {
            batch.append(town.platform.work("s1", town.startRequest(town.newCall(), from: town.alice, to: "2488700")))
        }
        var granted: [UInt32] = []
        for case .reply(_, _, let reply, _) in town.platform.process(batch) {
            if case .callPlan(let plan)? = reply.kind { granted.append(plan.grantedSeconds) }
        }
        #expect(granted == [300, 300, 120])
        #expect(try town.held() == 480_000)
    }

    @Test func aRandomPlayOfCallsNeverHoldsMoreThanThereIs() throws {
        let town = try Town(seed: 7, prepaid: true)
        try town.topUp(700_000)
        var random = RandomSource(seed: 7)
        var running: [(call: CallID, answered: WallTime)] = []
        for _ in 0..<150 {
            switch Int.random(in: 0..<4, using: &random) {
            case 0:
                let call = town.newCall()
                if case .callPlan? = try town.start(call, from: town.alice, to: "2488700").kind {
                    _ = try town.answer(call)
                    running.append((call, town.platform.wall))
                }
            case 1:
                for (call, answered) in running {
                    let used = UInt32((town.platform.wall - answered).milliseconds / 1_000)
                    if try town.renew(call, used: used).creditGranted.grantedSeconds <= used {
                        _ = try town.finish(call)
                    }
                }
            case 2 where !running.isEmpty:
                let index = Int.random(in: 0..<running.count, using: &random)
                let ended = running.remove(at: index)
                _ = try town.finish(ended.call)
            default:
                town.platform.run(.seconds(20), beating: ["s1", "s2"])
            }
            #expect(try town.held() <= max(0, try town.balance(town.account)) || running.isEmpty)
        }
    }

    @Test func aPostpaidCustomerStopsAtItsLimit() throws {
        let town = try Town()
        var plan = town.plan
        plan.creditLimitMicros = 40_000
        try town.platform.admin(.changeServicePlan(plan, expectedVersion: nil))
        let call = town.newCall()
        #expect(try town.start(call, from: town.alice, to: "2488700").callPlan.groups.count == 2)
        _ = try town.answer(call)
        _ = try town.finish(call)
        #expect(try town.balance(town.account) == -40_000)
        #expect(try town.start(town.newCall(), from: town.alice, to: "2488700").callRefused.refusal == .noCredit)
    }
}
