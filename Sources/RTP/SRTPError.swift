/// Why a packet could not be protected or unprotected. The packet is then of no use; the session goes on.
package enum SRTPError: Error, Equatable, Sendable {
    /// The tag is not what this key makes of the packet: another key, or a packet changed on its way.
    case wrongKey
    /// This index was seen before.
    case replayed
    /// This index lies before the window in which repetitions can be told.
    case replayWindowPassed
    /// Not even the header and the tag fit.
    case tooShort(have: Int, need: Int)
    /// Not RTP or RTCP.
    case malformed
    /// The buffer ends before the tag would.
    case noRoom(have: Int, need: Int)
    /// More synchronisation sources under one key than a call has.
    case tooManySources
    /// 2^48 packets under one key (RFC 3711 §9.2).
    case keyUsedUp
    /// No memory left, or the library refuses.
    case unavailable
}
