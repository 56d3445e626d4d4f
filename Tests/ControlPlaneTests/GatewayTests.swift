import Dispute
import Foundation
import Ledger
import Model
import Primitives
import Projections
import SwiftProtobuf
import Testing

@testable import ControlPlane

@Suite struct GatewayTests {
    private func change(_ town: Town, _ change: (inout Carrier) -> Void) throws {
        var carrier = town.carrier
        change(&carrier)
        try town.platform.admin(.changeCarrier(carrier, expectedVersion: nil))
    }

    private func hosts(_ reply: DeskReply) -> [String] { reply.callPlan.groups.map { $0.targets[0].gateway.host } }

    private func count(_ town: Town, _ gateway: Int) throws -> UInt64 {
        try town.platform.read { views throws(ViewsError) in try views.liveCallCount(of: GatewayID(town.carrier.gateways[gateway].id)!) }
    }

    @Test func theProfileOfTeamsWantsTLSAndOurName() throws {
        let town = try Town()
        func refusal(_ fill: (inout Gateway) -> Void) -> String {
            do {
                try change(town) {
                    $0.gateways[0].profile = .teams
                    fill(&$0.gateways[0])
                }
                return "none"
            } catch {
                return "\(error)"
            }
        }
        #expect(refusal { $0.sourceDomain = "sbc.kages.example" }.contains("transport"))
        #expect(refusal { $0.transport = .tls }.contains("source_domain"))
        #expect(refusal { $0.transport = .tls; $0.sourceDomain = "192.0.2.1" }.contains("source_domain"))
        #expect(refusal { $0.transport = .tls; $0.sourceDomain = "sbc.kages.example"; $0.registrationUser = "x" }.contains("registration_user"))
        #expect(refusal { $0.transport = .tls; $0.sourceDomain = "SBC.kages.example" } == "none")
        let carrier = try town.platform.read { views throws(ViewsError) in try views.carrier(CarrierID(town.carrier.id)!) }
        // It calls only whom it was asked by.
        #expect(carrier?.gateways[0].sourceDomain == "sbc.kages.example" && carrier?.gateways[0].probeSeconds == 60)
    }

    /// FEATURES: weight 1:2 of the same priority is 33 % and 66 % of the calls.
    @Test func gatewaysOfOnePriorityShareTheCallsByWeight() throws {
        let town = try Town()
        try change(town) {
            $0.gateways[0].weight = 1
            $0.gateways[1].weight = 2
            $0.gateways.append(.with { $0.name = "last"; $0.host = "192.0.2.3"; $0.priority = 1 })
        }
        var random = RandomSource(seed: 11)
        var first: [String: Int] = [:]
        for _ in 0..<600 {
            let call = CallID(UUIDv7(at: town.platform.wall, random: &random))
            let plan = try town.start(call, from: town.alice, to: "2488700")
            let order = hosts(plan)
            #expect(order.count == 3 && order[2] == "192.0.2.3")
            // The same call is sent the same way, whoever asks again.
            #expect(hosts(try town.start(call, from: town.alice, to: "2488700")) == order)
            first[order[0], default: 0] += 1
            _ = try town.finish(call)
        }
        #expect((165...235).contains(first["192.0.2.1"] ?? 0), "seed 11: \(first)")
    }

    @Test func lowerPrioritiesComeFirst() throws {
        let town = try Town()
        try change(town) { $0.gateways[0].priority = 2; $0.gateways[1].priority = 1 }
        #expect(hosts(try town.start(town.newCall(), from: town.alice, to: "2488700")) == ["192.0.2.2", "192.0.2.1"])
    }

    @Test func aGatewayNeverHasMoreCallsThanItTakes() throws {
        let town = try Town()
        try change(town) { $0.gateways[0].callsMax = 1; $0.gateways[1].callsMax = 2 }
        let first = town.newCall()
        #expect(hosts(try town.start(first, from: town.alice, to: "2488700")) == ["192.0.2.1", "192.0.2.2"])
        // It may still go to either of them.
        #expect(try count(town, 0) == 1 && count(town, 1) == 1)
        let second = town.newCall()
        #expect(hosts(try town.start(second, from: town.bob, to: "2488700")) == ["192.0.2.2"])
        let third = try town.start(town.newCall(), from: town.bob, to: "2488700")
        #expect(third.callRefused.refusal == .gatewaysBusy)
        #expect(third.callRefused.sipStatus == 503)
        #expect(try town.cdrs().last?.refusalDetail == "every gateway of carrier Carrier has as many calls as it takes")
        // From the gateway, too.
        try town.register(town.bob, contact: "sip:bob")
        let inbound = try town.platform.desk("s1", town.inboundRequest(town.newCall(), to: "2092488701"))
        #expect(inbound.callRefused.refusal == .gatewaysBusy)
        // The second gateway answers the first call: the first one is free again.
        _ = try town.answer(first)
        #expect(try count(town, 0) == 0 && count(town, 1) == 2)
        #expect(try town.platform.desk("s1", town.inboundRequest(town.newCall(), to: "2092488701")).callPlan.groups.count == 1)
        #expect(try count(town, 0) == 1)
        _ = try town.finish(first)
        _ = try town.finish(second)
        #expect(try count(town, 1) == 0)
        // Views that are built anew say the same.
        let rebuilt = try Views.rebuild(into: town.platform.directory.path + "/anew", from: town.platform.log, keys: town.platform.keys)
        let again = try rebuilt.read { views throws(ViewsError) in try views.liveCallCount(of: GatewayID(town.carrier.gateways[0].id)!) }
        #expect(again == 1)
    }

    @Test func aGatewayTakesSoManyStartsWithinAnySecondAlsoAfterARestart() throws {
        let town = try Town()
        try change(town) { $0.gateways[0].callsPerSecondMax = 2; $0.gateways[1].disabled = true }
        town.platform.advance(.milliseconds(700))
        for _ in 0..<2 { #expect(hosts(try town.start(town.newCall(), from: town.alice, to: "2488700")) == ["192.0.2.1"]) }
        #expect(try town.start(town.newCall(), from: town.alice, to: "2488700").callRefused.refusal == .gatewaysBusy)
        // Another second of the clock has begun, and one has not passed.
        town.platform.advance(.milliseconds(500))
        try town.platform.restart()
        for name in ["s1", "s2"] { _ = try town.platform.hello(name) }
        #expect(try town.start(town.newCall(), from: town.alice, to: "2488700").callRefused.refusal == .gatewaysBusy)
        town.platform.advance(.milliseconds(600))
        #expect(hosts(try town.start(town.newCall(), from: town.alice, to: "2488700")) == ["192.0.2.1"])
    }

    @Test func inboundRulesRefuseAsTheySay() throws {
        let town = try Town()
        try town.register(town.bob, contact: "sip:bob")
        try change(town) {
            $0.inboundRules = [
                .with { $0.field = .callerName; $0.pattern = "^Spam$"; $0.rejectCode = 607; $0.reason = "Unwanted" },
                .with { $0.field = .caller; $0.pattern = "^\\+1900"; $0.rejectCode = 403; $0.reason = "No premium callers" },
                .with { $0.field = .caller; $0.pattern = "^\\+1310"; $0.rejectCode = 600; $0.disabled = true },
            ]
        }
        #expect(try town.platform.desk("s1", town.inboundRequest(town.newCall(), to: "2092488701")).callPlan.groups.count == 1)
        var request = town.inboundRequest(town.newCall(), to: "2092488701")
        request.startCall.fromUser = "+19005550100"
        let refused = try town.platform.desk("s1", request)
        #expect(refused.callRefused.refusal == .inboundRule)
        #expect(refused.callRefused.sipStatus == 403)
        #expect(refused.callRefused.reason == "No premium callers")
        let cdr = try #require(try town.cdrs().last)
        #expect(cdr.sipStatus == 403 && cdr.refusal == .inboundRule)
        #expect(cdr.refusalDetail == "inbound rule 2 of carrier Carrier: No premium callers")
        request.startCall.fromDisplay = "Spam"
        request.startCall.callID = town.newCall().data
        #expect(try town.platform.desk("s1", request).callRefused.sipStatus == 607)
    }

    @Test(arguments: [
        ("(", 403, "inbound_rules[0].pattern"), ("", 403, "inbound_rules[0].pattern"), ("x", 200, "inbound_rules[0].reject_code"),
    ] as [(String, UInt32, String)])
    func aRuleThatCannotBeIsRefused(pattern: String, code: UInt32, field: String) throws {
        let town = try Town()
        #expect {
            try change(town) { $0.inboundRules = [.with { $0.pattern = pattern; $0.rejectCode = code }] }
        } throws: { ($0 as? AdminRejection)?.field == field }
    }

    @Test func aPasswordIsSealedAndAnswersTheChallengeOfItsRealmAlone() throws {
        let town = try Town()
        try change(town) { $0.gateways[0].authUsername = "trunk"; $0.gateways[0].authPassword = "secret of the trunk" }
        let stored = try town.platform.read { views throws(ViewsError) in try views.carrier(CarrierID(town.carrier.id)!)! }
        #expect(stored.gateways[0].authPassword.isEmpty)
        #expect(!stored.gateways[0].sealedPassword.isEmpty)
        var found = false
        try town.platform.log.readBytes(from: 1) { (_, bytes) throws(LedgerError) in
            if unsafe bytes.withUnsafeBytes({ unsafe Data($0).range(of: Data("secret of the trunk".utf8)) }) != nil { found = true }
            return true
        }
        #expect(!found)
        // Whoever changes something else does not need to know it.
        try town.platform.admin(.changeCarrier(stored, expectedVersion: nil))
        let reply = try town.platform.desk(
            "s1", .with { $0.gatewayChallenged.gatewayID = stored.gateways[0].id; $0.gatewayChallenged.realm = "carrier.example" })
        #expect(reply.gatewayCredential.username == "trunk")
        // md5("trunk:carrier.example:secret of the trunk")
        #expect(hex(reply.gatewayCredential.ha1) == "2fb78b1a741927badabadf40d647ce1a")
        let other = try town.platform.desk("s1", .with { $0.gatewayChallenged.gatewayID = stored.gateways[1].id; $0.gatewayChallenged.realm = "x" })
        #expect(other.gatewayCredential.username.isEmpty && other.gatewayCredential.ha1.isEmpty)
        #expect {
            try change(town) { $0.gateways[1].authUsername = "trunk" }
        } throws: { ($0 as? AdminRejection)?.field == "gateways[1].auth_password" }
    }
}
