import Foundation
import Model
import Primitives
import Projections
import SwiftProtobuf
import Testing

@testable import ControlPlane

@Suite struct GatewayWatchTests {
    private func change(_ town: Town, _ change: (inout Carrier) -> Void) throws {
        var carrier = try town.platform.read { views throws(ViewsError) in try views.carrier(CarrierID(town.carrier.id)!)! }
        change(&carrier)
        try town.platform.admin(.changeCarrier(carrier, expectedVersion: nil))
    }

    private func registers(_ town: Town) throws {
        try change(town) {
            $0.gateways[0].authUsername = "trunk"
            $0.gateways[0].authPassword = "secret"
            $0.gateways[0].registrationUser = "12092488700"
            $0.gateways[0].registrar = "sip.carrier.example"
        }
        town.platform.run(.seconds(1), beating: ["s1", "s2"])
    }

    /// The newest book on the feed.
    private func book(_ town: Town) -> GatewayBook? {
        var found: GatewayBook?
        for message in town.platform.feed { if case .gateways(let book) = message.kind { found = book } }
        town.platform.feed = []
        return found
    }

    private func registered(_ town: Town, _ state: RegistrationState = .registered, status: UInt32 = 200) -> DeskRequest {
        .with {
            $0.gatewayReport.gatewayID = town.carrier.gateways[0].id
            $0.gatewayReport.registration.state = state
            $0.gatewayReport.registration.until = town.platform.wall.microseconds + 60_000_000
            $0.gatewayReport.registration.sipStatus = status
        }
    }

    private func state(_ town: Town) throws -> GatewayState? {
        let (gateway, carrier) = (GatewayID(town.carrier.gateways[0].id)!, CarrierID(town.carrier.id)!)
        return try town.platform.read { views throws(ViewsError) in try views.gatewayState(gateway, of: carrier) }
    }

    @Test func oneLivingWorkerRegistersAndAnotherWhenItIsLost() throws {
        let town = try Town()
        town.platform.run(.seconds(1), beating: ["s1", "s2"])
        // Gateways that are an address and a port concern nobody.
        #expect(book(town) == nil)
        try registers(town)
        let first = try #require(book(town)?.entries.first)
        #expect(first.worker == "s1" && first.registrar == "sip.carrier.example" && first.registrationSeconds == 3_600)
        #expect(!first.secretMark.isEmpty)
        town.platform.run(.seconds(5), beating: ["s1", "s2"])
        #expect(book(town) == nil)
        // s1 is silent; the grace is for workers that were not heard since the start.
        town.platform.run(.seconds(12), beating: ["s2"])
        #expect(book(town)?.entries.first?.worker == "s2")
        // It comes back, and is told that it is another's.
        let welcome = try town.platform.hello("s1", incarnation: 2).welcome
        #expect(welcome.gateways.entries.first?.worker == "s2")
        town.platform.run(.seconds(3), beating: ["s1", "s2"])
        #expect(book(town) == nil)
        try change(town) { $0.gateways[0].registrationUser = ""; $0.gateways[0].registrar = "" }
        town.platform.run(.seconds(1), beating: ["s1", "s2"])
        #expect(book(town)?.entries.isEmpty == true)
    }

    @Test func aWorkerThatDrainsHandsItsRegistrationsOver() throws {
        let town = try Town()
        try registers(town)
        #expect(book(town)?.entries.first?.worker == "s1")
        try town.platform.admin(.drainWorker(name: "s1"))
        town.platform.run(.seconds(1), beating: ["s1", "s2"])
        #expect(book(town)?.entries.first?.worker == "s2")
    }

    @Test func anotherStateIsAFactAndARefreshIsNot() throws {
        let town = try Town()
        try registers(town)
        let head = town.platform.head
        #expect(try town.platform.desk("s1", registered(town)).recorded.logPosition == head + 1)
        town.platform.advance(.seconds(30))
        _ = try town.platform.desk("s1", registered(town))
        #expect(try town.platform.types(after: head) == ["gateway.registration_changed"])
        #expect(try state(town)?.registration == .registered && state(town)?.registrationWorker == "s1")
        let status = try #require(town.platform.core.gatewayStatuses().first)
        #expect(status.worker == "s1" && status.registration?.until == town.platform.wall.microseconds + 60_000_000)
        _ = try town.platform.desk("s1", registered(town, .failing, status: 403))
        _ = try town.platform.desk("s1", registered(town, .failing, status: 503))
        #expect(try town.platform.types(after: head).count == 2)
        #expect(try state(town)?.registration == .failing && state(town)?.registrationStatus == 403)
        // Another worker has no say.
        #expect(try town.platform.desk("s2", registered(town)).error.code == .notOwner)
        // What the carrier was before does not matter once it has no such gateway.
        try change(town) { $0.gateways.removeFirst() }
        #expect(try state(town) == nil)
        town.platform.run(.seconds(1), beating: ["s1", "s2"])
        #expect(try town.platform.desk("s1", registered(town)).error.code == .notOwner)
    }

    @Test func aRegistrationStaysWithItsWorkerOverARestartOfTheControlPlane() throws {
        let town = try Town()
        try registers(town)
        try town.platform.admin(.drainWorker(name: "s1"))
        town.platform.run(.seconds(1), beating: ["s1", "s2"])
        #expect(book(town)?.entries.first?.worker == "s2")
        _ = try town.platform.desk("s2", registered(town))
        try town.platform.restart()
        // s1 is the first to come back; s2 has its grace.
        _ = try town.platform.hello("s1")
        // What is said before the carriers were read is not refused for good.
        #expect(try town.platform.desk("s1", registered(town)).error.code == .unavailable)
        town.platform.run(.seconds(5), beating: ["s1"])
        #expect(book(town)?.entries.first?.worker == "s2")
        town.platform.run(.seconds(6), beating: ["s1"])
        #expect(book(town)?.entries.first?.worker == "s1")
        // Registered by another worker is another state.
        let head = town.platform.head
        _ = try town.platform.desk("s1", registered(town))
        #expect(try town.platform.types(after: head) == ["gateway.registration_changed"])
    }

    /// Whoever is locked calls for help by its carriers.
    @Test func whoIsLockedStaysRegisteredAndWhoIsTerminatedDoesNot() throws {
        let town = try Town()
        try registers(town)
        #expect(book(town)?.entries.count == 1)
        var provider = town.provider
        provider.status = .locked
        try town.platform.admin(.changeProvider(provider, expectedVersion: nil))
        town.platform.run(.seconds(1), beating: ["s1", "s2"])
        #expect(book(town) == nil, "nothing new is said")
        try change(town) { $0.gateways[0].disabled = true }
        town.platform.run(.seconds(1), beating: ["s1", "s2"])
        #expect(book(town)?.entries.isEmpty == true)
        try change(town) { $0.gateways[0].disabled = false }
        town.platform.run(.seconds(1), beating: ["s1", "s2"])
        #expect(book(town)?.entries.count == 1)
        provider.status = .terminated
        try town.platform.admin(.changeProvider(provider, expectedVersion: nil))
        town.platform.run(.seconds(1), beating: ["s1", "s2"])
        #expect(book(town)?.entries.isEmpty == true)
    }

    @Test func aGatewayThatDoesNotAnswerIsLeftOutUntilItDoes() throws {
        let town = try Town()
        try change(town) { $0.gateways[0].probeSeconds = 10 }
        town.platform.run(.seconds(1), beating: ["s1", "s2"])
        #expect(book(town)?.entries.first?.probeFailuresMax == 3)
        func hosts(_ worker: String = "s1") throws -> [String] {
            try town.start(town.newCall(), from: town.alice, to: "2488700", worker: worker).callPlan.groups.map { $0.targets[0].gateway.host }
        }
        func probed(_ inService: Bool) -> DeskRequest {
            .with {
                $0.gatewayReport.gatewayID = town.carrier.gateways[0].id
                $0.gatewayReport.probe.inService = inService
                $0.gatewayReport.probe.reason = "no answer"
            }
        }
        #expect(try hosts() == ["192.0.2.1", "192.0.2.2"])
        let head = town.platform.head
        _ = try town.platform.desk("s1", probed(true))
        #expect(try town.platform.types(after: head).isEmpty)
        _ = try town.platform.desk("s1", probed(false))
        _ = try town.platform.desk("s1", probed(false))
        #expect(try town.platform.types(after: head) == ["gateway.service_changed"])
        let call = town.newCall()
        #expect(try town.start(call, from: town.alice, to: "2488700").callPlan.groups.count == 1)
        let route = try #require(try town.live(call)?.started.route)
        #expect(route.map(\.verdict) == [.planned, .outOfService])
        try change(town) { $0.gateways[1].disabled = true }
        let refused = try town.start(town.newCall(), from: town.alice, to: "2488700")
        #expect(refused.callRefused.refusal == .noRoute)
        #expect(try town.cdrs().last?.refusalDetail == "every gateway of carrier Carrier is out of service")
        // Another worker goes on from there.
        town.platform.run(.seconds(12), beating: ["s2"])
        let entry = try #require(book(town)?.entries.first)
        #expect(entry.worker == "s2" && entry.outOfService)
        _ = try town.platform.desk("s2", probed(true))
        #expect(try hosts("s2") == ["192.0.2.1"])
        // While it is out probing is switched off and on again: who probes it then still has to say that it is back.
        _ = try town.platform.desk("s2", probed(false))
        try change(town) {
            $0.gateways[0].anyPort = true
            $0.gateways[0].probeSeconds = 0
        }
        town.platform.run(.seconds(1), beating: ["s2"])
        #expect(try hosts("s2") == ["192.0.2.1"])
        try change(town) { $0.gateways[0].probeSeconds = 10 }
        town.platform.run(.seconds(1), beating: ["s2"])
        #expect(book(town)?.entries.first?.outOfService == true)
        _ = try town.platform.desk("s2", probed(true))
        #expect(try hosts("s2") == ["192.0.2.1"])
    }

    @Test func aCarrierAsAWholeTakesSoManyCalls() throws {
        let town = try Town()
        try change(town) { $0.callsMax = 2 }
        func count() throws -> UInt64 {
            try town.platform.read { views throws(ViewsError) in try views.limitedCallCount(of: CarrierID(town.carrier.id)!) }
        }
        let first = town.newCall()
        #expect(try town.start(first, from: town.alice, to: "2488700").callPlan.groups.count == 2)
        #expect(try count() == 1)
        // From it, too.
        try town.register(town.bob, contact: "sip:bob")
        let second = town.newCall()
        #expect(try town.platform.desk("s1", town.inboundRequest(second, to: "2092488701")).callPlan.groups.count == 1)
        #expect(try count() == 2)
        let third = try town.start(town.newCall(), from: town.bob, to: "2488700")
        #expect(third.callRefused.refusal == .gatewaysBusy && third.callRefused.sipStatus == 503)
        #expect(try town.cdrs().last?.refusalDetail == "carrier Carrier has as many calls as it takes")
        #expect(try town.platform.desk("s1", town.inboundRequest(town.newCall(), to: "2092488701")).callRefused.refusal == .gatewaysBusy)
        // It still carries the one that was answered.
        _ = try town.answer(first)
        #expect(try count() == 2)
        _ = try town.finish(first)
        #expect(try count() == 1)
        let rebuilt = try Views.rebuild(into: town.platform.directory.path + "/anew", from: town.platform.log, keys: town.platform.keys)
        #expect(try rebuilt.read { views throws(ViewsError) in try views.limitedCallCount(of: CarrierID(town.carrier.id)!) } == 1)
    }

    @Test func aCarrierAsAWholeTakesSoManyStartsASecond() throws {
        let town = try Town()
        try change(town) { $0.callsPerSecondMax = 2 }
        town.platform.advance(.milliseconds(700))
        for _ in 0..<2 { #expect(try town.start(town.newCall(), from: town.alice, to: "2488700").callPlan.groups.count == 2) }
        #expect(try town.start(town.newCall(), from: town.alice, to: "2488700").callRefused.refusal == .gatewaysBusy)
        town.platform.advance(.milliseconds(1_100))
        #expect(try town.start(town.newCall(), from: town.alice, to: "2488700").callPlan.groups.count == 2)
    }

    @Test func whatAGatewayCannotBeIsRefused() throws {
        let town = try Town()
        let faults: [(field: String, body: (inout Carrier) -> Void)] = [
            ("gateways[0].host", { $0.gateways[0].host = "192.0.2.300" }), ("gateways[0].host", { $0.gateways[0].host = "-a.example" }),
            ("gateways[0].host", { $0.gateways[0].host = "a..example" }), ("gateways[0].port", { $0.gateways[0].port = 70_000 }),
            ("gateways[0].registrar", { $0.gateways[0].registrar = "sip.carrier.example" }),
            ("gateways[0].registrar", { $0.gateways[0].registrationUser = "trunk"; $0.gateways[0].registrar = "a b" }),
            ("gateways[0].registration_seconds", { $0.gateways[0].registrationUser = "trunk"; $0.gateways[0].registrationSeconds = 10 }),
            ("gateways[0].probe_seconds", { $0.gateways[0].probeSeconds = 1 }),
            ("gateways[1].host", { $0.gateways[0].host = "gw.example"; $0.gateways[1].host = "GW.example"; $0.gateways[1].port = 0; $0.gateways[0].port = 0 }),
        ]
        for fault in faults {
            #expect { try change(town, fault.body) } throws: { ($0 as? AdminRejection)?.field == fault.field }
        }
    }

    @Test func aGatewayThatIsCalledByTLSHasThePortOfThat() throws {
        let town = try Town()
        try change(town) {
            $0.gateways[0].transport = .tls
            $0.gateways[0].port = 0
        }
        let stored = try town.platform.read { views throws(ViewsError) in try views.carrier(CarrierID(town.carrier.id)!)! }
        #expect(stored.gateways[0].port == 5_061)
    }

    @Test func aGatewayMayBeANameAndLeaveThePortToDNS() throws {
        let town = try Town()
        try change(town) { $0.gateways[0].host = "SIP.Carrier.Example"; $0.gateways[0].port = 0 }
        let plan = try town.start(town.newCall(), from: town.alice, to: "2488700").callPlan
        #expect(plan.groups[0].targets[0].gateway.host == "sip.carrier.example" && plan.groups[0].targets[0].gateway.port == 0)
        town.platform.run(.seconds(1), beating: ["s1", "s2"])
        let entry = try #require(book(town)?.entries.first)
        #expect(entry.host == "sip.carrier.example" && entry.worker.isEmpty)
    }
}
