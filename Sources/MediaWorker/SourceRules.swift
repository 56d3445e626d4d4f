/// How a leg learns where its peer's packets come from.
package struct SourceRules: Equatable, Sendable {
    /// How long the address given by signalling may take to be heard, once another one is.
    package var grace: Duration = .milliseconds(200)
    /// Packets in sequence that another address must send.
    package var consistentPackets = 5
    /// Sequence numbers by which one packet may lie ahead of the one before it.
    package var consistentStep: UInt16 = 50
    /// A pause after which learning starts over, with whichever address is heard then.
    package var candidatePause: Duration = .seconds(1)
    /// A pause after which the peer may continue its stream from another port of its address.
    package var silenceBeforeMove: Duration = .milliseconds(500)
    /// Sequence numbers by which a moved stream may lie ahead (RFC 3550 appendix A.1, MAX_DROPOUT).
    package var moveStep: UInt16 = 3_000

    package init() {}
}
