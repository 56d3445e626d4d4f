import Foundation
import Model
import OpenSSL
import Primitives
import Projections
import Subjects
import SwiftProtobuf

/// Recordings: each file has a key of its own, which is sealed under the keys of both sides' subjects. The log has the sealed key alone.
extension ControlCore {
    mutating func startRecording(
        _ request: RecordCall, by worker: String, _ recorder: Recorder, _ batch: inout Batch, _ views: inout ViewTransaction
    ) throws -> DeskReply {
        guard let id = UUIDv7(bytes: request.recordingID), let call = CallID(request.callID) else { return .error(.malformed, "recording_id or call_id") }
        guard let keys = views.keys else { return .error(.malformed, "this log has no keys of subjects, so nothing can be recorded") }
        if let known = try views.recording(id) {
            guard let key = try RecordingKey.open(known.started, with: keys) else { return .error(.malformed, "a side of the call was erased") }
            return granted(known.started, key)
        }
        guard let live = try views.liveCall(call) else { return .error(.unknownCall) }
        guard live.worker == worker else { return .error(.notOwner) }
        let key = batch.sealing.bytes(Sealer.keyBytes)
        guard let sealed = try RecordingKey.seal(key, of: id, live.started, with: keys, &batch.sealing) else {
            return .error(.malformed, "a side of the call was erased")
        }
        var decision = Decision(wall: recorder.wall, random: random)
        guard let fact = try RecordingDecider.start(request, of: live, sealedKey: sealed, in: views, &decision) else {
            return .error(.malformed, "neither line's calls are recorded")
        }
        decision.record(.recordingStarted(fact), in: id)
        let reply = try conclude(.recorded, decision, recorder, &batch, &views)
        guard case .recorded? = reply.kind else { return reply }
        return granted(fact, key)
    }

    private func granted(_ fact: RecordingStarted, _ key: [UInt8]) -> DeskReply {
        .with {
            $0.recordingGranted.recordingID = fact.recordingID
            $0.recordingGranted.key = Data(key)
            $0.recordingGranted.sealedKey = fact.sealedKey
            $0.recordingGranted.mixed = fact.mixed
        }
    }

    /// A recording that nobody has started is noted like one that is known: it would be told of for ever.
    mutating func finishRecording(
        _ report: RecordingReport, by worker: String, _ recorder: Recorder, _ batch: inout Batch, _ views: inout ViewTransaction
    ) throws -> DeskReply {
        guard let id = UUIDv7(bytes: report.recordingID) else { return .error(.malformed, "recording_id") }
        if let known = try views.recording(id), !known.hasFinished || known.isGivenUp && !report.sha256.isEmpty, known.started.mediaWorker == worker {
            var decision = Decision(wall: recorder.wall, random: random)
            RecordingDecider.finish(report, &decision)
            _ = try conclude(.recorded, decision, recorder, &batch, &views)
        }
        return .with { $0.recordingNoted.recordingID = report.recordingID }
    }

    /// Recordings older than their tenants want are removed, and those that nobody will report are given up, some at a time.
    mutating func expireRecordings(now: Instant, wall: WallTime) -> [Output] {
        guard now >= recordingClock.dueAt else { return [] }
        var clock = recordingClock
        let result = attempt { core, batch, views in
            let page = try views.recordings(after: clock.after, limit: RecordingClock.examinedMax)
            for recording in page where recording.removedAt == 0 {
                guard let id = UUIDv7(bytes: recording.started.recordingID) else { continue }
                var decision = Decision(wall: wall, random: core.random)
                let cause: String
                if try core.isOld(recording, at: wall, views) {
                    decision.record(.recordingRemoved(.with { $0.recordingID = recording.started.recordingID; $0.reason = "retention" }), in: id)
                    cause = "recordings are kept for so long"
                } else if try core.isUnreported(recording, at: wall, views) {
                    RecordingDecider.giveUp(recording.started, &decision)
                    cause = "its call has ended, and nobody has reported it"
                } else {
                    continue
                }
                core.random = decision.random
                try batch.record(decision, actor: "control", cause: cause, in: &views)
            }
            let isEnd = page.count < RecordingClock.examinedMax
            clock.after = isEnd ? nil : page.last.flatMap { UUIDv7(bytes: $0.started.recordingID) }
            clock.dueAt = now + (isEnd ? RecordingClock.interval : RecordingClock.pause)
        }
        switch result {
        case .success(let outputs):
            recordingClock = clock
            return outputs
        case .failure:
            recordingClock.dueAt = now + RecordingClock.interval
            return []
        }
    }

    /// Its call has ended, and the media worker, which tells within seconds while it lives, has not: it was lost before there was a file. Should it
    /// have one after all and come back later, what it then reports holds.
    private func isUnreported(_ recording: RecordingState, at wall: WallTime, _ views: borrowing ViewTransaction) throws -> Bool {
        guard !recording.hasFinished, let call = CallID(recording.started.callID), try views.liveCall(call) == nil else { return false }
        let endedAt = try views.cdr(call: call)?.endedAt ?? recording.started.startedAt
        return wall.microseconds - endedAt > RecordingClock.reportedWithin.nanoseconds / 1_000
    }

    /// Both sides' tenants have a say: the shorter time holds.
    private func isOld(_ recording: RecordingState, at wall: WallTime, _ views: borrowing ViewTransaction) throws -> Bool {
        let started = recording.started
        var days: UInt32?
        for (party, isTheirs) in [(started.caller, started.isCallers), (started.called, started.isCalled)] where isTheirs {
            guard let id = TenantID(party.tenantID), let wanted = try views.tenant(id)?.recordingDays, wanted > 0 else { continue }
            days = min(days ?? wanted, wanted)
        }
        guard let days else { return false }
        guard wall.microseconds - started.startedAt > Int64(days) * 86_400_000_000 else { return false }
        return try !RecordingDecider.isHeld(started, in: views)
    }
}

/// When to look for recordings that are old, and how far the looking has come.
struct RecordingClock {
    static let interval: Duration = .seconds(60)
    static let pause: Duration = .milliseconds(200)
    static let examinedMax = 500
    /// After the end of its call.
    static let reportedWithin: Duration = .seconds(600)

    var dueAt = Instant.zero
    var after: UUIDv7?
}
