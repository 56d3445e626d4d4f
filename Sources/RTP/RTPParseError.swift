/// What is wrong with a packet that claims to be RTP or RTCP.
package enum RTPParseError: Error, Equatable, Sendable {
    /// Shorter than what its own fields call for.
    case tooShort(have: Int, need: Int)
    /// The first two bits must be 2 (RFC 3550 §5.1).
    case wrongVersion(Int)
    /// The last byte counts padding that the packet does not hold, or counts none.
    case wrongPadding(have: Int, claimed: Int)
    /// RTCP: a packet of a compound does not end where a word and the next packet begin.
    case wrongLength(have: Int, claimed: Int)
    /// RTCP: a packet type that may not stand there.
    case wrongType(UInt8)
}
