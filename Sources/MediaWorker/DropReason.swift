/// Why a packet was not passed on. Each leg counts what came to its ports by these.
package enum DropReason: Int, CaseIterable, Hashable, Sendable {
    /// From an address that is not the peer's.
    case stranger
    /// From an address that may prove to be the peer's, and has not yet.
    case learning
    /// STUN or DTLS that was not agreed on, or nothing that belongs on a media port.
    case notMedia
    /// RTCP on a media port without `rtcp-mux`, RTP on a control port, or a payload type that no description has named.
    case notNegotiated
    /// Not RTP or RTCP by its own fields.
    case malformed
    /// Not even the header (and, where protected, the tag) fit.
    case tooShort
    /// Longer than a packet may be.
    case tooLong
    /// Protected with another key, or changed on its way.
    case wrongKey
    /// Heard before, or too late to tell.
    case replayed
    /// The leg is protected, and one of its keys is not known yet.
    case keyMissing
    /// A limit of the protection: too many sources under one key, or the key is used up.
    case protectionLimit
    /// Valid, but the other leg has no address yet.
    case undeliverable
    /// Valid, but the other leg hears an announcement meanwhile.
    case announcing
    /// To a port that belongs to no session.
    case noSession
    /// A connectivity check (ICE) for somebody else, or made with another password.
    case wrongPassword
    /// A message of DTLS that broke off the handshake, or came when none was wanted.
    case handshake
    /// The handshake ended well, and whoever made it is not whom signalling named.
    case wrongFingerprint
    /// RTCP about packets that are converted: what we send to the other side, reports of our own tell of.
    case converted
    /// Of a number that was agreed on, and not of the codec that it names.
    case wrongCodec

    /// For reports.
    package var literal: String {
        switch self {
        case .stranger: "stranger"
        case .learning: "learning"
        case .notMedia: "not_media"
        case .notNegotiated: "not_negotiated"
        case .malformed: "malformed"
        case .tooShort: "too_short"
        case .tooLong: "too_long"
        case .wrongKey: "wrong_key"
        case .replayed: "replayed"
        case .keyMissing: "key_missing"
        case .protectionLimit: "protection_limit"
        case .undeliverable: "undeliverable"
        case .announcing: "announcing"
        case .noSession: "no_session"
        case .wrongPassword: "wrong_password"
        case .handshake: "handshake"
        case .wrongFingerprint: "wrong_fingerprint"
        case .converted: "converted"
        case .wrongCodec: "wrong_codec"
        }
    }
}
