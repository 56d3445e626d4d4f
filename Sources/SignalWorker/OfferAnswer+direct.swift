import SIP

/// Descriptions of a direct call: what one side says of its media is what the other is told, so that each sends to where the other is.
extension OfferAnswer {
    /// What a peer sent, and its first sound for those who ask about holds.
    static func note(_ sdp: SDP, into media: inout LegMediaState) {
        media.index = sdp.firstIndex(of: "audio") ?? 0
        media.remote = sdp
    }

    /// The description for one side, made of what the other side said: all of it, but with an origin that stays this dialog's when another
    /// party takes the other side, and with as many streams as the dialog has (RFC 3264 §6, §8).
    ///
    /// - Parameters:
    ///   - last: what this side was told before; the same again has the same version.
    ///   - offer: of this side, which is answered; nil: it is offered to.
    static func passed(_ other: SDP, session: UInt64, after last: SDP?, answering offer: SDP? = nil) -> SDP {
        var sdp = other
        sdp.origin = last?.origin ?? SDP.Origin(sessionID: session, version: 1, address: other.origin.address)
        let model = offer ?? last
        for index in sdp.media.count..<max(sdp.media.count, model?.media.count ?? 0) {
            guard let stream = model?.media[index] else { break }
            sdp.media.append(stream)
            sdp.refuse(index)
        }
        if let offer { sdp.media.removeLast(max(0, sdp.media.count - offer.media.count)) }
        if let last, sdp != last { sdp.origin.version = last.origin.version + 1 }
        return sdp
    }

    /// What one side has offered, as the answer to the other one's offer: the streams that both have, with the formats that both have.
    /// Keys that were offered by both answer nothing, so streams that have any are refused; nil: none is left.
    static func common(of sdp: SDP, with offer: SDP) -> SDP? {
        var answer = sdp
        answer.media = []
        var counts: [String: Int] = [:]
        for index in offer.media.indices {
            let stream = offer.media[index]
            let place = counts[stream.kind, default: 0]
            counts[stream.kind] = place + 1
            let same = sdp.media.indices.filter { sdp.media[$0].kind == stream.kind }
            if same.count > place, stream.isPlain, sdp.media[same[place]].isPlain, sdp.media[same[place]].profile == stream.profile,
                let kept = sdp.keepingFormats(of: offer, same[place], index)
            {
                answer.media.append(kept.media[same[place]])
            } else {
                answer.media.append(stream)
                answer.refuse(index)
            }
        }
        return answer.media.contains { !$0.isRefused } ? answer : nil
    }
}

extension SDP.Media {
    /// RTP that nobody encrypts.
    fileprivate var isPlain: Bool { !isRefused && (profile == .avp || profile == .avpf) }
}

extension SDP {
    /// Whether both say the same, whoever says it and for which time.
    func isSame(as other: SDP?) -> Bool {
        guard var other else { return false }
        other.origin = origin
        return self == other
    }

    /// Whether who has been told this need not be told that: each stream goes the same way, and what is spoken in that is meant by this too.
    func serves(for other: SDP) -> Bool {
        media.count == other.media.count
            && media.indices.allSatisfy { index in
                let (ours, theirs) = (media[index], other.media[index])
                return ours.kind == theirs.kind && ours.profile == theirs.profile && ours.isRefused == theirs.isRefused && direction(of: index) == other.direction(of: index)
                    && ours.formats.first == theirs.formats.first && theirs.formats.allSatisfy(ours.formats.contains)
            }
    }

    /// For the log: what was agreed, without keys and passwords of the phones.
    var withoutSecrets: String {
        var copy = self
        for index in copy.media.indices { copy.media[index].removeAttribute("ice-pwd") }
        copy.lines.removeAll { $0.value.hasPrefix("ice-pwd:") }
        return copy.withoutKeys
    }

    /// It had secrets that the log was not to know.
    var lacksSecrets: Bool {
        func has(_ name: String, _ stream: SDP.Media) -> Bool { stream.attribute(name) != nil || lines.contains { $0.value.hasPrefix(name + ":") } }
        return media.contains { stream in
            !stream.isRefused && (stream.profile.isSecure && !has("crypto", stream) && !has("fingerprint", stream) || has("ice-ufrag", stream) && !has("ice-pwd", stream))
        }
    }
}
