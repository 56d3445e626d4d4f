import ICE
import Model
import Primitives
import SIP

/// Rewrites descriptions so that each side sends its media to the media worker (RFC 3264), and ends keys (RFC 4568, RFC 5763) and checks
/// of addresses (RFC 8839) there.
enum OfferAnswer {
    enum Rejection: Error, Equatable {
        /// No stream that we can relay: 488.
        case noAudio
        /// The peer wants SRTP and names no key that we can use, or must use SRTP and does not: 488.
        case security
    }

    /// Reads what a peer sent, and finds the stream to relay and its key.
    static func take(_ sdp: SDP, into media: inout LegMediaState) throws(Rejection) {
        guard let index = usable(in: sdp) else { throw .noAudio }
        let stream = sdp.media[index]
        media.receiving = nil
        if stream.profile.isSecure {
            media.receiving = stream.profile.isDTLS ? nil : stream.cryptos.first
            guard media.receiving != nil || sdp.fingerprint(of: index) != nil else { throw .security }
        }
        media.index = index
        media.remote = sdp
    }

    /// Of the audio streams that we can relay, a secure one before a plain one: who offers both prefers the first.
    private static func usable(in sdp: SDP) -> Int? {
        let audio = sdp.media.indices.filter { sdp.media[$0].kind == "audio" && !sdp.media[$0].isRefused }
        return audio.first { sdp.media[$0].profile.isSecure && (!sdp.media[$0].profile.isDTLS || sdp.fingerprint(of: $0) != nil) }
            ?? audio.first { sdp.media[$0].profile == .avp || sdp.media[$0].profile == .avpf }
            // A call that has become a fax (T.38 §D.2.3) has no sound.
            ?? sdp.media.indices.first { sdp.media[$0].isFax && !sdp.media[$0].isRefused }
    }

    /// Reads the answer to an offer of ours that was made on those terms. It keeps to the key's suite and repeats its tag (RFC 4568 §5.1.3).
    static func take(answer sdp: SDP, to offered: MediaTerms, into media: inout LegMediaState) throws(Rejection) {
        var taken = media
        try take(sdp, into: &taken)
        var own = offered
        switch offered.protection {
        case .none: guard taken.receiving == nil, taken.fingerprint == nil else { throw .security }
        case .sdes(let key): guard let key, taken.receiving?.suite == key.suite, taken.receiving?.tag == key.tag else { throw .security }
        case .dtls:
            guard taken.fingerprint != nil else { throw .security }
            own.protection = .dtls(sdp.setup(of: taken.index) == .passive ? .active : .passive)
        }
        if sdp.iceFragment(of: taken.index) == nil { own.checks = nil }
        own.sharesRTCP = offered.sharesRTCP && sdp.media[taken.index].multiplexesRTCP
        taken.own = own
        media = taken
    }

    /// What tells of the other side's transports, of the session and of a section.
    private static let sessionAttributes = [
        "ice-", "fingerprint:", "setup:", "group:", "msid-semantic", "crypto:", "candidate:", "extmap", "tls-id:", "identity:", "end-of-candidates",
    ]
    /// Besides those that `SDP.redirect` takes out: what the other side calls its streams, and what it can do with reports of ours.
    private static let sectionAttributes = SDP.AttributeNames([
        "mid", "msid", "ssrc", "ssrc-group", "extmap", "extmap-allow-mixed", "rtcp-fb", "rtcp-rsize", "rtcp-mux-only", "bundle-only", "rid", "simulcast",
    ])

    /// The description for one side, made of what the other side said.
    ///
    /// - Parameters:
    ///   - side: the one that is told, with our terms for it; its own last description is what an answer answers (RFC 3264 §6.1).
    ///   - fingerprint: of the media worker's certificate.
    ///   - streams: that are relayed beside the first, by their places.
    static func description(
        from other: SDP, relaying index: Int, at address: SocketAddress, session: UInt64, version: UInt64, to side: LegMediaState,
        streams: [Int: SocketAddress] = [:], fingerprint: [UInt8] = [], isAnswer: Bool = false
    ) -> SDP {
        let own = side.own
        var sdp = other
        let count = sdp.media.count
        // An offer has the sections of those before it (RFC 3264 §8), whatever the other side has left out.
        if !isAnswer, let told = side.local, told.media.count > sdp.media.count { sdp.media += told.media[sdp.media.count...] }
        sdp.origin = SDP.Origin(sessionID: session, version: version, address: SDP.Address(address.host))
        sdp.lines.removeAll { line in line.type == "a" && sessionAttributes.contains { line.value.startsWith($0) } }
        for other in sdp.media.indices where other != index {
            if let address = streams[other], count > other, !sdp.media[other].isRefused { sdp.relay(other, at: address) } else { sdp.refuse(other) }
        }
        // An address of 0.0.0.0 says hold (RFC 3264 §8.4); ours does not, so the stream's direction has to.
        let direction = sdp.direction(of: index)
        sdp.connection = SDP.Address(address.host)
        sdp.redirect(index, to: address)
        sdp.media[index].removeAttributes(sectionAttributes)
        if sdp.media[index].isFax {
            if isAnswer, let offer = side.remote { nameSections(&sdp, as: offer) }
            return sdp
        }
        if direction != .sendrecv || sdp.media[index].direction != nil { sdp.media[index].direction = direction }
        let offer = isAnswer ? side.remote : nil
        sdp.media[index].profile = offer.flatMap { $0.media.indices.contains(side.index) ? $0.media[side.index].profile : nil } ?? own.profile
        sdp.media[index].multiplexesRTCP = own.sharesRTCP
        switch own.protection {
        case .none, .sdes(nil): sdp.media[index].cryptos = []
        case .sdes(.some(let key)): sdp.media[index].cryptos = [key]
        case .dtls(let setup):
            sdp.media[index].cryptos = []
            sdp.media[index].setAttribute("fingerprint", [SDP.Fingerprint(hash: "sha-256", bytes: fingerprint).description])
            sdp.media[index].setAttribute("setup", [(isAnswer ? setup : .actpass).rawValue])
        }
        if let checks = own.checks {
            // One side's being lite is all that the other has to know (RFC 8839 §5.3): it makes the checks, and we have one address.
            sdp.lines.append(SDP.Line("a", "ice-lite"))
            sdp.media[index].setAttribute("ice-ufrag", [checks.fragment])
            sdp.media[index].setAttribute("ice-pwd", [checks.password])
            sdp.media[index].setAttribute("candidate", candidates(at: address, own.sharesRTCP && (isAnswer || own.hasFeedback) ? 1 : 2))
            sdp.media[index].setAttribute("end-of-candidates", [""])
            // Whoever may still refuse to share the port wants a candidate for RTCP (RFC 8858 §3); browsers may not.
            if own.sharesRTCP, own.hasFeedback, !isAnswer { sdp.media[index].setAttribute("rtcp-mux-only", [""]) }
        }
        if let offer { nameSections(&sdp, as: offer) }
        let mid = side.remote.flatMap { $0.media.indices.contains(side.index) ? $0.media[side.index].attribute("mid") : nil }
        if let offer, let mid {
            if offer.bundles.contains(where: { $0.contains(mid) }) { sdp.lines.append(SDP.Line("a", "group:BUNDLE \(mid)")) }
        } else if !isAnswer, own.isDTLS, own.hasFeedback {
            sdp.media[index].setAttribute("mid", [mid ?? "\(index)"])
            sdp.lines.append(SDP.Line("a", "group:BUNDLE \(mid ?? "\(index)")"))
        }
        return sdp
    }

    /// RFC 8839 §5.1, RFC 8445 §5.1.2.1: one host candidate for each component.
    private static func candidates(at address: SocketAddress, _ components: UInt16) -> [String] {
        let host = SDP.Address(address.host).host
        return (1...components).map { "1 \($0) UDP \(126 << 24 | 65_535 << 8 | (256 - Int($0))) \(host) \(address.port + $0 - 1) typ host" }
    }

    /// An answer has as many sections as its offer, of the same kinds and names, those that are refused included.
    private static func nameSections(_ sdp: inout SDP, as offer: SDP) {
        sdp.media.removeLast(max(0, sdp.media.count - offer.media.count))
        while sdp.media.count < offer.media.count {
            let missing = offer.media[sdp.media.count]
            sdp.media.append(SDP.Media(kind: missing.kind, port: 0, profile: missing.profile, formats: missing.formats))
        }
        for (place, section) in offer.media.enumerated() {
            if sdp.media[place].isRefused {
                sdp.media[place].kind = section.kind
                sdp.media[place].profile = section.profile
                sdp.media[place].formats = section.formats
            }
            if let mid = section.attribute("mid") { sdp.media[place].setAttribute("mid", [mid]) }
        }
    }

    static func key(tag: UInt32, _ suite: SDPCrypto.Suite, _ random: inout RandomSource) -> SDPCrypto {
        SDPCrypto(tag: tag, suite: suite, key: random.bytes(suite.keyLength))
    }
}

extension SDP {
    private static let ofSharing = AttributeNames(["mid", "rtcp-mux", "rtcp-mux-only", "bundle-only"])

    /// Points a stream beside the first at our address. Its packets pass unread, so keys that the sides have from each other stay.
    fileprivate mutating func relay(_ place: Int, at address: SocketAddress) {
        let direction = direction(of: place)
        let keys = media[place].attributes("crypto")
        redirect(place, to: address)
        media[place].removeAttributes(SDP.ofSharing)
        if !keys.isEmpty { media[place].setAttribute("crypto", keys) }
        if !media[place].isFax, direction != .sendrecv || media[place].direction != nil { media[place].direction = direction }
    }
}
