import Foundation
import Model
import Primitives
import Projections
import SwiftProtobuf
import Testing

@testable import ControlPlane

/// A line sends the other side of an answered call on: a call of its own, which it pays for.
@Suite struct TransferTests {
    private func transfer(_ town: Town, _ call: CallID, from first: CallID, by line: Subscriber, worker: String = "s1") throws -> DeskReply {
        var request = town.startRequest(call, from: line, to: "2488700")
        request.startCall.forwardedFrom = first.data
        request.startCall.forwardKind = .transferred
        request.startCall.fromUser = "1000"
        return try town.platform.desk(worker, request)
    }

    @Test func itIsChargedToTheLineThatTransfers() throws {
        let town = try Town()
        try town.register(town.bob, contact: "sip:bob@192.0.2.7:5060")
        let (first, second) = (town.newCall(), town.newCall())
        #expect(try town.platform.desk("s1", town.startRequest(first, from: town.alice, to: "1001")).callPlan.groups.count == 1)
        _ = try town.answer(first)
        #expect(try transfer(town, second, from: first, by: town.bob).callPlan.direction == .outbound)
        _ = try town.answer(second)
        town.platform.advance(.seconds(30))
        _ = try town.finish(second)
        _ = try town.finish(first)
        let records = try town.cdrs()
        #expect(records.map(\.callID) == [second.data, first.data])
        #expect(records[0].forwardedFrom == first.data && records[0].forwardKind == .transferred && records[0].caller.subscriberID == town.bob.id)
        #expect(!records[0].charges.isEmpty && records[1].charges.isEmpty)
        #expect(try town.held() == 0)
    }

    @Test func noWorkerIsBelievedThatSaysOneMadeIt() throws {
        let town = try Town()
        try town.register(town.bob, contact: "sip:bob@192.0.2.7:5060")
        let other = try town.create(
            Tenant.with {
                $0.customerID = town.customer.id
                $0.name = "Other"
                $0.domain = "other.kages.example"
                $0.countryCode = "1"
                $0.areaCode = "209"
            }, AdminCommand.createTenant)
        let stranger = try town.create(
            Subscriber.with {
                $0.tenantID = other.id
                $0.username = "carol"
                $0.allowedPrefixes = ["+1"]
            }, { .createSubscriber($0, password: Password("correct horse")) })
        let first = town.newCall()
        _ = try town.platform.desk("s1", town.startRequest(first, from: town.alice, to: "1001"))
        // Before the answer, by a line of another tenant, and of a call that is not there.
        #expect(try transfer(town, town.newCall(), from: first, by: town.bob).callRefused.refusal == .unknownSource)
        _ = try town.answer(first)
        #expect(try transfer(town, town.newCall(), from: first, by: stranger).callRefused.refusal == .unknownSource)
        #expect(try transfer(town, town.newCall(), from: town.newCall(), by: town.bob).callRefused.refusal == .unknownSource)
        // A refusal of what nobody made is no record.
        _ = try town.finish(first)
        #expect(try town.cdrs().map(\.callID) == [first.data])
    }

    /// Somebody has answered in between, so it goes round in no ring.
    @Test func aLineThatHasTransferredACallForwardsItWhenItComesBack() throws {
        let town = try Town()
        let (carol, dave) = (try town.subscriber("carol", alias: "1002"), try town.subscriber("dave", alias: "1003"))
        for line in [town.bob, carol, dave] { try town.register(line, contact: "sip:\(line.username)") }
        let calls = (0..<5).map { _ in town.newCall() }
        _ = try town.start(calls[0], from: town.alice, to: "1001")
        _ = try town.answer(calls[0])
        #expect(try town.send(calls[1], on: calls[0], by: town.bob, to: "1002", .transferred).callPlan.groups.count == 1)
        _ = try town.answer(calls[1])
        try town.set(town.bob) { $0.forwards.always = "1003" }
        #expect(try town.send(calls[2], on: calls[1], by: carol, to: "1001", .transferred).callPlan.groups.first?.targets.first?.forward.number == "1003")
        #expect(try town.send(calls[3], on: calls[2], by: town.bob, to: "1003", .always).callPlan.groups.first?.targets.first?.contact.uri == "sip:dave")
        _ = try town.finish(calls[3], cause: .noAnswer)
        // From there on it is a ring like any other.
        try town.set(dave) { $0.forwards.always = "1001" }
        #expect(try town.send(calls[4], on: calls[2], by: town.bob, to: "1003", .always).callPlan.groups.first?.targets.first?.forward.number == "1001")
        #expect(try town.send(town.newCall(), on: calls[4], by: dave, to: "1001", .always).callRefused.refusal == .forwardLoop)
    }

    @Test func aMachineThatAnswersAndTransfersToALineThatForwardsToItComesToAnEnd() throws {
        let town = try Town()
        let machine = try town.subscriber("machine", alias: "1002")
        try town.register(machine, contact: "sip:machine")
        try town.set(town.bob) { $0.forwards.always = "1002" }
        var last = town.newCall()
        _ = try town.start(last, from: town.alice, to: "1002")
        var rounds = 0
        while rounds < 20 {
            _ = try town.answer(last)
            let (over, on) = (town.newCall(), town.newCall())
            let reply = try town.send(over, on: last, by: machine, to: "1001", .transferred)
            if reply.callRefused.refusal == .forwardLoop { break }
            #expect(try town.send(on, on: over, by: town.bob, to: "1002", .always).callPlan.groups.count == 1)
            _ = try town.answer(over)
            last = on
            rounds += 1
        }
        #expect((2..<20).contains(rounds))
    }
}
