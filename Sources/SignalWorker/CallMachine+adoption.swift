import Foundation
import Model
import Primitives
import SIP

extension CallMachine {
    /// An answered call of a worker that is gone, from what the log knows of it.
    init?(adopting call: AdoptCall, _ kit: inout CallKit) {
        guard let id = CallID(call.callID), call.answeredAt > 0 else { return nil }
        let snapshot = call.snapshot
        guard let legA = Leg(adopting: snapshot.a, kit), let legB = Leg(adopting: snapshot.b, kit) else { return nil }
        self.init(id, leg: legA)
        b = legB
        // As whom the called side knows the caller.
        isAnonymous = call.started.isAnonymous || legB.dialog.localAddress.uri.host == CallMachine.anonymous.uri.host
        isDirect = snapshot.mediaPath == .direct
        // Nothing is known of later. Where media pass us, what the media worker has heard counts for more.
        let heard = WallTime(microseconds: isDirect ? max(call.answeredAt, call.knownUntil) : call.answeredAt)
        a.heardAt = heard
        b?.heardAt = heard
        a.media = CallMachine.media(local: snapshot.sdpA, remote: snapshot.remoteSdpA)
        b?.media = CallMachine.media(local: snapshot.sdpB, remote: snapshot.remoteSdpB)
        if isDirect {
            // What one side was told is what the other one has said.
            a.media.remote = b?.media.local
            b?.media.remote = a.media.local
        } else {
            if var called = b?.media { settleConversion(&called) }
            bPort = b?.media.port ?? 0
            restoreSeat()
            mediaAddress = hostOfLocal
            mediaFingerprint = [a.media, b?.media].lazy.compactMap { $0?.local?.fingerprint(of: $0?.index ?? 0)?.bytes }.first ?? []
        }
        descriptionVersion = max(a.media.local?.origin.version ?? 1, b?.media.local?.origin.version ?? 1) + 1
        mediaWorker = snapshot.mediaWorker
        mediaSession = UUIDv7(bytes: snapshot.mediaSession) ?? id.value
        if !isDirect { restoreStreams(&kit) }
        answeredAt = WallTime(microseconds: call.answeredAt)
        treatment = CallTreatment(snapshot)
        // Whoever asked for it is not known any more; the media worker goes on with it.
        recording = UUIDv7(bytes: snapshot.recordingID).map { RecordingInCall(id: $0, isDemanded: !treatment.recording.always) }
        stage = .talking
        if snapshot.creditUntil > 0 {
            // The snapshot is older than later renewals: the call goes on until the control plane has said what holds now.
            let known = WallTime(microseconds: snapshot.creditUntil)
            setCredit(until: max(known, kit.wall + kit.configuration.adoptionGrace), kit)
            creditUntil = known
            renewAt = kit.now
        }
        guard !isDirect else {
            askBoth(&kit)
            return
        }
        restoreSound()
        // The media worker's notices come to us from now on.
        var request = StudioRequest()
        request.change.sessionID = Data(mediaSession.bytes)
        request.change.owner = kit.configuration.worker
        kit.ask(request, of: mediaWorker, .change(id))
    }

    /// Who hung up while nobody had the call was not heard, and no media will be missed: both are asked whether they are there, calls of a lost
    /// worker one after the other. A side that can only be asked with keys that are not in the log is asked when its session is refreshed.
    private mutating func askBoth(_ kit: inout CallKit) {
        for side in [Side.a, .b] {
            guard var leg = self[side], leg.takesUpdate || leg.media.local?.lacksSecrets != true else { continue }
            leg.timer?.ask(at: kit.now + .milliseconds(Int64(kit.random.next() % 5_000)))
            self[side] = leg
        }
    }

    func acknowledgeAgain(_ response: SIPMessage, _ kit: inout CallKit) {
        guard stage == .talking, let leg = [a, b].compactMap(\.self).first(where: { $0.dialog.matches(response) }) else { return }
        let via = kit.via(id)
        // Only its number is taken from it.
        let invite = SIPMessage(
            .invite, leg.dialog.remoteTarget, via: via, from: response.from, to: response.to, callID: response.callID,
            cseq: response.cseq.number)
        kit.acknowledge(leg.dialog.acknowledgement(of: invite, via: via), of: nil, to: leg.path)
    }

    private init(_ id: CallID, leg: Leg) {
        self.id = id
        a = leg
        mediaSession = id.value
    }

    static func media(local: String, remote: String) -> LegMediaState {
        var media = LegMediaState()
        media.local = try? SDP(parsing: Array(local.utf8))
        media.remote = try? SDP(parsing: Array(remote.utf8))
        func relayed(_ sdp: SDP) -> Int? { sdp.firstIndex(of: "audio") ?? sdp.firstIndex(of: "image") }
        media.index = media.local.flatMap(relayed) ?? 0
        // A peer may have left out streams that it was offered, against RFC 3264 §6.
        if let remote = media.remote, !remote.media.indices.contains(media.index) {
            if let index = relayed(remote) { media.index = index } else { media.remote = nil }
        }
        media.port = media.local?.media.indices.contains(media.index) == true ? media.local?.media[media.index].port ?? 0 : 0
        media.restoreTerms()
        return media
    }
}
