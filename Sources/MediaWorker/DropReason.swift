/// Why a packet was not passed on. Each leg counts what came to its ports by these.
package enum DropReason: Int, CaseIterable, Hashable, Sendable {
    /// From an address that is not the peer's.
    case stranger
    /// From an address that may prove to be the peer's, and has not yet.
    case learning
    /// STUN, DTLS or nothing that belongs on a media port.
    case notMedia
    /// RTCP on a media port without `rtcp-mux`, or RTP on a control port.
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
}
