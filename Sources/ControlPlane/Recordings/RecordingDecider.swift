import Foundation
import Model
import Primitives
import Projections
import SwiftProtobuf

/// The life of a recording as facts: started, finished, removed.
enum RecordingDecider {
    /// Made under the rules of the call's lines as they are now; nil: neither has one that allows it.
    static func start<State: ViewQueries & ~Copyable>(
        _ request: RecordCall, of live: LiveCall, sealedKey: [UInt8], in state: borrowing State, _ decision: inout Decision
    ) throws -> RecordingStarted? {
        let (caller, called) = (live.started.caller, live.started.called)
        let rules = try RecordingRules(caller, called, in: state)
        guard rules.mayRecord(isDemanded: request.demanded) else { return nil }
        var fact = RecordingStarted()
        fact.recordingID = request.recordingID
        fact.callID = request.callID
        fact.caller = caller
        fact.called = called
        // A number is personal; the call's own record has it, sealed.
        fact.caller.number = ""
        fact.called.number = ""
        fact.mediaWorker = request.mediaWorker
        fact.mixed = rules.isMixed
        fact.announced = rules.isAnnounced
        fact.demanded = request.demanded
        fact.sealedKey = Data(sealedKey)
        fact.startedAt = decision.wall.microseconds
        fact.isCallers = rules.isOfCaller
        fact.isCalled = rules.isOfCalled
        return fact
    }

    static func finish(_ report: RecordingReport, _ decision: inout Decision) {
        guard let id = UUIDv7(bytes: report.recordingID) else { return }
        var fact = RecordingFinished()
        fact.recordingID = report.recordingID
        fact.sha256 = report.sha256
        fact.bytes = report.bytes
        fact.milliseconds = report.milliseconds
        fact.cutOff = report.cutOff
        fact.failure = String(report.failure.prefix(256))
        fact.lostPackets = report.lostPackets
        fact.finishedAt = min(report.finishedAt, decision.wall.microseconds)
        decision.record(.recordingFinished(fact), in: id)
    }

    /// Nobody is left who could say what became of it.
    static func giveUp(_ started: RecordingStarted, _ decision: inout Decision) {
        var report = RecordingReport()
        report.recordingID = started.recordingID
        report.finishedAt = decision.wall.microseconds
        report.failure = "the media worker was lost before it reported a file"
        finish(report, &decision)
    }

    static func remove<State: ViewQueries & ~Copyable>(
        _ id: UUIDv7, reason: String, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        try Checks.shortText(reason, field: "reason")
        guard let recording = try state.recording(id) else { throw AdminRejection.notFound("recording", id.description) }
        guard recording.removedAt == 0 else { return id }
        let isRunning = try CallID(recording.started.callID).flatMap { call in try state.liveCall(call) } != nil
        guard recording.hasFinished || !isRunning else {
            throw AdminRejection.inUse(reason: "the recording is being made: its call is still to end")
        }
        try refuseHeld(recording.started, in: state)
        decision.record(.recordingRemoved(.with { $0.recordingID = Data(id.bytes); $0.reason = reason }), in: id)
        return id
    }

    /// What a legal hold keeps, nobody removes.
    static func isHeld<State: ViewQueries & ~Copyable>(_ started: RecordingStarted, in state: borrowing State) throws -> Bool {
        for party in [started.caller, started.called] {
            for id in [party.subscriberID, party.customerID] {
                if let id = UUIDv7(bytes: id), try state.subject(id)?.held == true { return true }
            }
        }
        return false
    }

    private static func refuseHeld<State: ViewQueries & ~Copyable>(_ started: RecordingStarted, in state: borrowing State) throws {
        guard try isHeld(started, in: state) else { return }
        throw AdminRejection.inUse(reason: "a legal hold is on a side of the call: nothing of it is removed before it is lifted")
    }
}

extension RecordingState {
    /// It ended without a file that anybody knows of.
    var isGivenUp: Bool { hasFinished && finished.sha256.isEmpty }
}
