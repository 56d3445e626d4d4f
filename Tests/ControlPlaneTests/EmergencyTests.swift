import Foundation
import Model
import Primitives
import Projections
import SwiftProtobuf
import Testing

@testable import ControlPlane

/// Whoever calls for help gets through, as far as there is a way; a locked line does nothing else.
@Suite struct EmergencyTests {
    private let town: Town

    init() throws {
        town = try Town()
        try dial(to: "+12095550911")
    }

    private func dial(to number: String, _ town: Town? = nil) throws {
        let town = town ?? self.town
        var plan = town.dialPlan
        plan.rules.insert(.with { ($0.description_p, $0.match, $0.replacement) = ("emergency", "^911$", number) }, at: 0)
        try town.platform.admin(.changeDialPlan(plan, expectedVersion: nil))
    }

    private func lock(_ level: String, _ status: Status = .locked) throws {
        switch level {
        case "subscriber":
            town.alice.status = status
            try town.platform.admin(.changeSubscriber(town.alice, password: nil, expectedVersion: nil))
        case "tenant":
            town.tenant.status = status
            try town.platform.admin(.changeTenant(town.tenant, expectedVersion: nil))
        case "customer":
            town.customer.status = status
            try town.platform.admin(.changeCustomer(town.customer, expectedVersion: nil))
        default:
            town.provider.status = status
            try town.platform.admin(.changeProvider(town.provider, expectedVersion: nil))
        }
    }

    private func refusal(_ dialled: String, _ town: Town? = nil) throws -> Refusal {
        let town = town ?? self.town
        let reply = try town.start(town.newCall(), from: town.alice, to: dialled)
        guard reply.callPlan.groups.isEmpty else {
            #expect(reply.callPlan.groups[0].targets[0].gateway.number.hasSuffix("5550911") && reply.callPlan.grantedSeconds == 0)
            return .none
        }
        return reply.callRefused.refusal
    }

    private func mayLogIn() throws -> Bool { try credential().found }

    private func credential() throws -> CredentialReply {
        try town.platform.desk("s1", .with { ($0.credential.domain, $0.credential.username) = (town.tenant.domain, "alice") }).credential
    }

    @Test(arguments: ["subscriber", "tenant", "customer", "provider"])
    func aLockedLineCallsForHelpAndNobodyElse(level: String) throws {
        try town.register(town.bob, contact: "sip:bob@127.0.0.1:40000")
        #expect(try credential().tenantID == town.tenant.id)
        try lock(level)
        #expect(try mayLogIn())
        // Nor does it take a place in the calls of others.
        #expect(try credential().tenantID.isEmpty)
        #expect(try refusal("911") == .none)
        for dialled in ["2488700", "+12095550911", "2095550911", "1001", "9911", "112233", "*8"] { #expect(try refusal(dialled) == .locked, "\(dialled)") }
        let cdr = try #require(try town.cdrs().last { $0.dialled == "2488700" })
        #expect(cdr.refusalDetail == "the line is locked, and calls emergency numbers alone" && cdr.sipStatus == 403)
        // It is not rung either, and what it sends on is not for help.
        #expect(try town.start(town.newCall(), from: town.bob, to: "1000").callRefused.refusal == .locked)
        try lock(level, .active)
        #expect(try town.start(town.newCall(), from: town.alice, to: "2488700").callPlan.groups.count == 2)
    }

    @Test(arguments: [Status.pending, .terminated])
    func whatIsNotYetThereOrForGoodGoneCallsNobody(status: Status) throws {
        if status == .pending {
            let pia = try town.create(
                Subscriber.with { ($0.tenantID, $0.username, $0.status) = (town.tenant.id, "pia", .pending) }
            ) { .createSubscriber($0, password: Password("correct horse")) }
            town.alice = pia
            // A customer that is locked makes nothing of it that it was not.
            try lock("customer")
            #expect(try !town.platform.desk("s1", .with { ($0.credential.domain, $0.credential.username) = (town.tenant.domain, "pia") }).credential.found)
        } else {
            try lock("tenant", .terminated)
            #expect(try !mayLogIn())
        }
        #expect(try refusal("911") == .locked)
    }

    @Test func moneyAndLimitsStopNobodyWhoCallsForHelp() throws {
        let poor = try Town(prepaid: true)
        try dial(to: "+12095550911", poor)
        #expect(try refusal("2488700", poor) == .noCredit)
        let call = poor.newCall()
        let plan = try poor.start(call, from: poor.alice, to: "911").callPlan
        #expect(try !plan.groups.isEmpty && plan.grantedSeconds == 0 && poor.held() == 0)
        _ = try poor.answer(call)
        poor.platform.run(.seconds(61), beating: ["s1", "s2"])
        _ = try poor.finish(call)
        #expect(try poor.balance(poor.account) == -80_000, "what has a price is charged")
        // As many calls as the line may have, a carrier that costs more than is earned, and no price at all.
        town.alice.concurrentCallsMax = 1
        try town.platform.admin(.changeSubscriber(town.alice, password: nil, expectedVersion: nil))
        _ = try town.start(town.newCall(), from: town.alice, to: "2488700")
        #expect(try refusal("2488700") == .limitReached && refusal("911") == .none)
        town.provider.refusesLosses = true
        try town.platform.admin(.changeProvider(town.provider, expectedVersion: nil))
        try dial(to: "+445550911")
        let free = town.newCall()
        #expect(try town.start(free, from: town.alice, to: "911").callPlan.groups.count == 2)
        _ = try town.answer(free)
        town.platform.run(.seconds(61), beating: ["s1", "s2"])
        _ = try town.finish(free)
        let record = try #require(try town.cdrs().first { $0.callID == free.data })
        #expect(record.charges.isEmpty && record.cause == .callerHungUp)
    }
}
