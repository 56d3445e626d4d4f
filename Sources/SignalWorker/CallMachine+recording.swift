import Foundation
import Model
import Primitives
import SIP

/// Recording of an answered call: asked of the control plane, which gives the file's key, and made by the media worker.
extension CallMachine {
    /// The recording that is being made, or asked for.
    struct RecordingInCall: Equatable, Sendable {
        let id: UUIDv7
        let isDemanded: Bool
    }

    /// The call is answered, or has another media worker.
    mutating func recordAsOrdered(_ kit: inout CallKit) {
        if let recording {
            // Of a media worker that is gone: what it had written is a recording of its own.
            self.recording = nil
            startRecording(isDemanded: recording.isDemanded, &kit)
        } else if treatment.recording.always {
            startRecording(isDemanded: false, &kit)
        }
    }

    private mutating func startRecording(isDemanded: Bool, _ kit: inout CallKit) {
        guard stage == .talking, !isDirect, recording == nil else { return }
        let wanted = RecordingInCall(id: UUIDv7(at: kit.wall, random: &kit.random), isDemanded: isDemanded)
        recording = wanted
        ask(for: wanted, &kit)
    }

    private func ask(for wanted: RecordingInCall, _ kit: inout CallKit) {
        var request = DeskRequest()
        request.recordCall.recordingID = Data(wanted.id.bytes)
        request.recordCall.callID = id.data
        request.recordCall.mediaWorker = mediaWorker
        request.recordCall.demanded = wanted.isDemanded
        kit.ask(request, .recording(id))
    }

    /// nil: the control plane refuses, and says why in its log.
    mutating func recordingAnswered(_ granted: RecordingGranted?, _ kit: inout CallKit) {
        guard stage == .talking, let recording else { return }
        guard let granted else { return self.recording = nil }
        guard granted.recordingID == Data(recording.id.bytes) else { return }
        var request = StudioRequest()
        request.record.sessionID = Data(mediaSession.bytes)
        request.record.recordingID = granted.recordingID
        request.record.key = granted.key
        request.record.sealedKey = granted.sealedKey
        request.record.mixed = granted.mixed
        kit.ask(request, of: mediaWorker, .play(id))
        if treatment.recording.announced {
            for side in [Side.a, .b] { say(.callRecorded, to: side, language: side == .a ? treatment.recording.callerLanguage : treatment.recording.calledLanguage, &kit) }
        }
        update(&kit)
    }

    /// The control plane did not answer: a recording that is wanted is asked for as long as the call runs.
    mutating func recordingUnanswered(_ kit: inout CallKit) {
        guard stage == .talking, let recording else { return }
        ask(for: recording, &kit)
    }

    private mutating func stopRecording(_ kit: inout CallKit) {
        recording = nil
        var request = StudioRequest()
        request.record.sessionID = Data(mediaSession.bytes)
        request.record.ends = true
        kit.ask(request, of: mediaWorker, .play(id))
        update(&kit)
    }

    /// A phone asks by INFO with a header field `Record: on` or `Record: off`.
    ///
    /// - Returns: the status of the answer; nil: it is about something else.
    mutating func demand(_ request: SIPMessage, from side: Side, _ kit: inout CallKit) -> Int? {
        guard let wish = request.headers["Record"]?.lowercased() else { return nil }
        guard side == .a ? treatment.recording.callerMay : treatment.recording.calledMay, !isDirect else { return 403 }
        switch wish {
        case "on":
            startRecording(isDemanded: true, &kit)
            return 200
        case "off":
            // What is recorded by rule is not for a phone to end.
            guard let recording, recording.isDemanded else { return recording == nil ? 200 : 403 }
            stopRecording(&kit)
            return 200
        default: return 400
        }
    }
}

/// What is done with a call's sound beside passing it on; all of it is in the call's snapshot.
struct CallTreatment: Equatable, Sendable {
    var recording = RecordingOrder()
    /// Heard by whom the caller holds, and by whom the called side does; empty: silence.
    var callerMusic = ""
    var calledMusic = ""
    /// Heard while somebody rings: by whom the caller, or the called side, sends on, and of the called side by the caller.
    var callerRingBack = RingBack()
    var calledRingBack = RingBack()

    init() {}

    init(_ plan: CallPlan) {
        recording = plan.recording
        callerMusic = plan.callerMusic
        calledMusic = plan.calledMusic
        callerRingBack = plan.callerRingBack
        calledRingBack = plan.calledRingBack
    }

    init(_ snapshot: CallSnapshot) {
        recording = snapshot.recording
        callerMusic = snapshot.callerMusic
        calledMusic = snapshot.calledMusic
        callerRingBack = snapshot.callerRingBack
        calledRingBack = snapshot.calledRingBack
    }

    func write(to snapshot: inout CallSnapshot) {
        if recording != RecordingOrder() { snapshot.recording = recording }
        snapshot.callerMusic = callerMusic
        snapshot.calledMusic = calledMusic
        if callerRingBack != RingBack() { snapshot.callerRingBack = callerRingBack }
        if calledRingBack != RingBack() { snapshot.calledRingBack = calledRingBack }
    }
}
