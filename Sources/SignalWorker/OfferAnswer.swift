import Model
import Primitives
import SIP

/// Rewrites descriptions so that each side sends its media to the media worker (RFC 3264), and ends SDES there (RFC 4568).
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
        if stream.profile.isSecure {
            guard let crypto = stream.cryptos.first else { throw .security }
            media.receiving = crypto
        } else {
            media.receiving = nil
            media.sending = nil
        }
        media.index = index
        media.remote = sdp
    }

    /// Of the audio streams that we can relay, a secure one before a plain one: who offers both prefers the first.
    private static func usable(in sdp: SDP) -> Int? {
        let audio = sdp.media.indices.filter { sdp.media[$0].kind == "audio" && !sdp.media[$0].isRefused }
        return audio.first { sdp.media[$0].profile.isSecure }
            ?? audio.first { sdp.media[$0].profile == .avp || sdp.media[$0].profile == .avpf }
    }

    /// Reads the answer to an offer of ours that was made with that key (nil: plain). The answer keeps to the suite and repeats the
    /// tag (RFC 4568 §5.1.3).
    static func take(answer sdp: SDP, to offered: SDPCrypto?, into media: inout LegMediaState) throws(Rejection) {
        try take(sdp, into: &media)
        guard media.receiving?.suite == offered?.suite, media.receiving?.tag == offered?.tag else { throw .security }
        media.sending = offered
    }

    /// The description for one side, made of what the other side said.
    ///
    /// - Parameter profile: of the offer that is answered, which the answer repeats (RFC 3264 §6.1); nil for an offer.
    static func description(
        from other: SDP, relaying index: Int, at address: SocketAddress, session: UInt64, version: UInt64, sending: SDPCrypto?,
        answering profile: SDP.Media.Profile? = nil
    ) -> SDP {
        var sdp = other
        sdp.origin = SDP.Origin(sessionID: session, version: version, address: SDP.Address(address.host))
        sdp.connection = SDP.Address(address.host)
        // What told of the other side's transports at session level.
        sdp.lines.removeAll { line in
            line.type == "a"
                && ["ice-", "fingerprint:", "setup:", "group:", "msid-semantic", "crypto:", "candidate:"].contains {
                    line.value.hasPrefix($0)
                }
        }
        for other in sdp.media.indices where other != index { sdp.refuse(other) }
        // An address of 0.0.0.0 says hold (RFC 3264 §8.4); ours does not, so the stream's direction has to.
        let direction = sdp.direction(of: index)
        sdp.redirect(index, to: address)
        if direction != .sendrecv || sdp.media[index].direction != nil { sdp.media[index].direction = direction }
        sdp.media[index].profile = profile ?? (sending == nil ? .avp : .savp)
        sdp.media[index].cryptos = sending.map { [$0] } ?? []
        // RTCP has a port of its own towards each side; what one side multiplexes is its own affair.
        sdp.media[index].multiplexesRTCP = false
        return sdp
    }

    static func key(tag: UInt32, _ suite: SDPCrypto.Suite, _ random: inout RandomSource) -> SDPCrypto {
        SDPCrypto(tag: tag, suite: suite, key: random.bytes(suite.keyLength))
    }
}
