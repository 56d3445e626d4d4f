import Foundation
import Model
import Primitives
import SIP

/// What a side hears of the media worker's own instead of the other side: announcements, music on hold, ring-back.
extension CallMachine {
    /// What a side hears until it is told otherwise.
    enum Hearing: Equatable, Sendable {
        case other
        case music(String)
        case ringBack(RingBack)
    }

    /// An announcement, once.
    func say(_ prompt: Prompt, to side: Side, language: String, _ kit: inout CallKit) {
        var request = play(to: side)
        request.play.prompt = prompt
        request.play.language = language
        kit.ask(request, of: mediaWorker, .play(id))
    }

    private func play(to side: Side) -> StudioRequest {
        var request = StudioRequest()
        request.play.sessionID = Data(mediaSession.bytes)
        request.play.toB = side == .b
        // Of a side that takes no G.711 the media worker knows what it takes.
        request.play.encoding = self[side]?.media.promptEncoding ?? .pcmu
        return request
    }

    /// Lets a side hear what it is to hear as things are.
    mutating func sound(to listener: Side, _ kit: inout CallKit) {
        guard !isDirect else { return }
        let wanted = hearing(of: listener)
        guard hears[listener] != wanted else { return }
        hears[listener] = wanted
        var request = play(to: listener)
        switch wanted {
        case .other: request.play.ends = true
        case .music(let name):
            request.play.sound = name
            request.play.loops = true
        case .ringBack(let ringBack):
            request.play.rings = true
            request.play.sound = ringBack.sound == CallMachine.countryTone ? "" : ringBack.sound
            request.play.countryCode = ringBack.countryCode
        }
        kit.ask(request, of: mediaWorker, .play(id))
    }

    /// Whom a side has put on hold hears that side's music until it is resumed; whom it sends on hears who rings.
    private func hearing(of listener: Side) -> Hearing {
        guard stage == .talking else { return listener == .a && ringsBack ? .ringBack(treatment.calledRingBack) : .other }
        // A conference hears nothing.
        guard let other = self[listener.other]?.media, self[listener]?.media.seat == nil else { return .other }
        if transfer?.by == listener.other, transfer?.rings == true { return .ringBack(listener == .b ? treatment.callerRingBack : treatment.calledRingBack) }
        switch other.remote?.direction(of: other.index) {
        case .sendonly, .inactive:
            let music = listener == .b ? treatment.callerMusic : treatment.calledMusic
            return music.isEmpty ? .other : .music(music)
        case .sendrecv, .recvonly, nil: return .other
        }
    }

    /// The session is another one: what was heard is heard there.
    mutating func soundAgain(_ kit: inout CallKit) {
        hears = Sides(a: .other, b: .other)
        for side in [Side.a, .b] { sound(to: side, &kit) }
    }

    /// Of a call that was taken over: music plays on, and the media worker has ended what rang.
    mutating func restoreSound() { hears = Sides(a: hearing(of: .a), b: hearing(of: .b)) }

    // MARK: Ring-back before the answer

    /// Stands for the tone of the country, where a sound may be named.
    private static let countryTone = "tone"

    /// A target rings and says nothing of its own: the caller is given a description of ours, and hears ring-back by it, if the line that is called
    /// wants that. What is agreed on so is what is converted for the caller if it has to be (RFC 3261 §13.2.1: the first description is the answer).
    ///
    /// - Returns: what the caller is told; nil: it makes its own sound.
    mutating func ringBackDescription(_ kit: inout CallKit) -> SDP? {
        if ringsBack { return a.media.local }
        guard !treatment.calledRingBack.sound.isEmpty, !isDirect, descriptionOf == nil, streams.isEmpty, let offer = a.media.remote, let host = mediaAddress,
            let chosen = CodecChoice.answer(of: offer, a.media.index)
        else { return nil }
        let local = OfferAnswer.description(
            from: chosen, relaying: a.media.index, at: SocketAddress(host, port: a.media.port), session: sessionNumber, version: descriptionVersion, to: a.media,
            fingerprint: mediaFingerprint, isAnswer: true)
        a.media.local = local
        ringsBack = true
        if !a.media.mediaFormats.isEmpty { change(.a, a.media, &kit) }
        sound(to: .a, &kit)
        return local
    }
}
