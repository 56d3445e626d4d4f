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
        guard let index = sdp.firstIndex(of: "audio") else { throw .noAudio }
        let stream = sdp.media[index]
        if stream.profile.isSecure {
            guard let crypto = stream.cryptos.first else { throw .security }
            media.receiving = crypto
        } else {
            guard stream.profile == .avp || stream.profile == .avpf else { throw .security }
            media.receiving = nil
            media.sending = nil
        }
        media.index = index
        media.remote = sdp
    }

    /// The description for one side, made of what the other side said.
    static func description(
        from other: SDP, relaying index: Int, at address: SocketAddress, session: UInt64, version: UInt64, sending: SDPCrypto?
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
        sdp.redirect(index, to: address)
        sdp.media[index].profile = sending == nil ? .avp : .savp
        sdp.media[index].cryptos = sending.map { [$0] } ?? []
        // RTCP has a port of its own towards each side; what one side multiplexes is its own affair.
        sdp.media[index].multiplexesRTCP = false
        return sdp
    }

    static func key(tag: UInt32, _ suite: SDPCrypto.Suite, _ random: inout RandomSource) -> SDPCrypto {
        SDPCrypto(tag: tag, suite: suite, key: random.bytes(suite.keyLength))
    }
}
