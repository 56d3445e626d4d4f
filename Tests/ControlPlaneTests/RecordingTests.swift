import Foundation
import Model
import Primitives
import Projections
import SwiftProtobuf
import Testing

@testable import ControlPlane

/// What becomes of recordings: reported, given up, kept for so long, held.
@Suite struct RecordingTests {
    private let town: Town

    init() throws {
        town = try Town()
        town.tenant.recording.mode = .all
        try changeTenant()
    }

    private func changeTenant() throws { try town.platform.admin(.changeTenant(town.tenant, expectedVersion: nil)) }

    /// A call from Alice that is recorded, and has ended.
    private func recorded(_ number: UInt64 = 1) throws -> (recording: UUIDv7, call: CallID) {
        let call = town.newCall()
        _ = try town.start(call, from: town.alice, to: "2488700")
        _ = try town.answer(call)
        let id = UUIDv7(high: call.value.high, low: 0x9000_0000_0000_0000 | number)
        let reply = try town.platform.desk("s1", .with { $0.recordCall = .with { $0.recordingID = Data(id.bytes); $0.callID = call.data; $0.mediaWorker = "m1" } })
        #expect(reply.recordingGranted.key.count == 32)
        return (id, call)
    }

    private func report(_ id: UUIDv7, digest: UInt8? = 7, failure: String = "") throws {
        try town.platform.enroll("m1", .media)
        _ = try town.platform.hello("m1", .media)
        let reply = try town.platform.desk(
            "m1",
            .with {
                $0.recordingReport.recordingID = Data(id.bytes)
                if let digest { $0.recordingReport.sha256 = Data(repeating: digest, count: 32) }
                $0.recordingReport.failure = failure
                $0.recordingReport.finishedAt = town.platform.wall.microseconds
            })
        #expect(reply.recordingNoted.recordingID == Data(id.bytes))
    }

    private func state(_ id: UUIDv7) throws -> RecordingState {
        try #require(try town.platform.read { views throws(ViewsError) in try views.recording(id) })
    }

    @Test func aRecordingThatNobodyReportsIsGivenUpAfterTheEndOfItsCall() throws {
        let (id, call) = try recorded()
        town.platform.run(.seconds(1_200), beating: ["s1"])
        #expect(try !state(id).hasFinished, "the call goes on, by way of another media worker")
        _ = try town.finish(call)
        town.platform.run(.seconds(590), beating: ["s1"])
        #expect(try !state(id).hasFinished)
        town.platform.run(.seconds(80), beating: ["s1"])
        #expect(try state(id).finished.failure == "the media worker was lost before it reported a file")
        let head = town.platform.head
        town.platform.run(.seconds(300), beating: ["s1"])
        #expect(try !town.platform.types(after: head).contains("recording.finished"), "it is given up once")
    }

    @Test func whatAWorkerReportsLateStandsInThePlaceOfNothing() throws {
        let (id, call) = try recorded()
        _ = try town.finish(call)
        town.platform.run(.seconds(700), beating: ["s1"])
        #expect(try state(id).finished.sha256.isEmpty)
        try report(id)
        #expect(try state(id).finished.sha256 == Data(repeating: 7, count: 32))
        #expect(try state(id).finished.failure.isEmpty)
        // What has a digest keeps it.
        let reply = try town.platform.desk("m1", .with { $0.recordingReport = .with { $0.recordingID = Data(id.bytes); $0.sha256 = Data(repeating: 8, count: 32) } })
        #expect(reply.recordingNoted.recordingID == Data(id.bytes))
        #expect(try state(id).finished.sha256 == Data(repeating: 7, count: 32))
    }

    @Test func recordingsAreRemovedAfterTheDaysOfTheirTenantAndNotWhileTheyAreHeld() throws {
        let (id, call) = try recorded()
        _ = try town.finish(call)
        try report(id)
        town.tenant.recordingDays = 30
        try changeTenant()
        town.platform.advance(.seconds(30 * 86_400 - 120))
        town.platform.run(.seconds(62))
        #expect(try state(id).removedAt == 0, "not a day early")
        let customer = try #require(UUIDv7(bytes: town.customer.id))
        try town.platform.admin(.holdSubject(customer, isHeld: true, reason: "case 17"))
        town.platform.advance(.seconds(86_400))
        town.platform.run(.seconds(62))
        #expect(try state(id).removedAt == 0, "a hold on the customer")
        #expect(throws: AdminRejection.self) { try town.platform.admin(.removeRecording(id, reason: "request 7")) }
        try town.platform.admin(.holdSubject(customer, isHeld: false, reason: "closed"))
        town.platform.run(.seconds(62))
        #expect(try state(id).removedReason == "retention")
        #expect(try state(id).started.sealedKey.isEmpty, "nobody reads it by what the views know")
    }

    @Test func withoutDaysRecordingsStay() throws {
        let (id, call) = try recorded()
        _ = try town.finish(call)
        try report(id)
        town.platform.advance(.seconds(4_000 * 86_400))
        town.platform.run(.seconds(62))
        #expect(try state(id).removedAt == 0)
    }

    @Test func aHoldOnALineForbidsRemovalByHandToo() throws {
        let (id, call) = try recorded()
        #expect(throws: AdminRejection.self, "its call runs") { try town.platform.admin(.removeRecording(id, reason: "request 7")) }
        _ = try town.finish(call)
        try report(id)
        let alice = try #require(UUIDv7(bytes: town.alice.id))
        try town.platform.admin(.holdSubject(alice, isHeld: true, reason: "case 17"))
        #expect(throws: AdminRejection.self) { try town.platform.admin(.removeRecording(id, reason: "request 7")) }
        try town.platform.admin(.holdSubject(alice, isHeld: false, reason: "closed"))
        try town.platform.admin(.removeRecording(id, reason: "request 7"))
        #expect(try state(id).removedReason == "request 7")
    }
}
