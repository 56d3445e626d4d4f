package import Primitives

/// Decides which source address a leg's media is taken from, so that nobody else's packets enter the call
/// ("RTP bleed") and a phone behind a NAT is heard all the same.
///
/// - The address that signalling gave is accepted at once.
/// - If another one is heard, and the given one stays silent for a grace, and the packets form one stream, the
///   other is taken: on the same host, or on any when the given host is private or none was given.
/// - On a protected leg a packet under the right key proves itself: no grace and no count.
/// - Once taken, an address is kept until signalling gives another, or the same stream goes on from the same
///   host after a silence (a NAT that forgot its mapping).
package struct SourceLatch: Equatable, Sendable {
    package enum Standing: Equatable, Sendable {
        /// The peer's.
        case known
        /// Could be the peer's; `admit` decides by the packet's content.
        case candidate
        case stranger
    }

    private struct Candidate: Equatable, Sendable {
        let source: SocketAddress
        let ssrc: UInt32
        let since: Instant
        var sequence: UInt16
        var heard: Instant
        var packets: Int
    }

    /// As signalling gave it.
    package private(set) var declared: SocketAddress?
    /// Where the peer is heard from.
    package private(set) var latched: SocketAddress?
    /// The peer's stream, of the last packet accepted.
    package private(set) var ssrc: UInt32?
    private var sequence: UInt16 = 0
    private var heard = Instant.zero
    private var candidate: Candidate?

    package init(declared: SocketAddress?) { self.declared = declared }

    /// Where to send: to where the peer is heard from, else to where it says it is.
    package var destination: SocketAddress? { latched ?? declared }

    /// Told again what is known, nothing changes; told of another address, learning starts over.
    package mutating func declare(_ address: SocketAddress?) {
        guard address != declared else { return }
        declared = address
        candidate = nil
        if latched != address { latched = nil }
    }

    /// The cheap half, before a packet is decrypted or read.
    /// - Parameter isProtected: packets carry a proof; `admit` is then called only for those that hold.
    package func assess(_ source: SocketAddress, isProtected: Bool, at now: Instant, rules: SourceRules) -> Standing {
        if let latched {
            if source == latched { return .known }
            return source.host == latched.host && now - heard >= rules.silenceBeforeMove ? .candidate : .stranger
        }
        guard let declared else { return .candidate }
        if source == declared { return .known }
        return isProtected || source.host == declared.host || declared.host.isPrivate ? .candidate : .stranger
    }

    /// The other half, for a packet whose source was not a stranger's and whose content is valid.
    /// - Returns: whether the packet belongs to the call.
    package mutating func admit(
        _ source: SocketAddress, ssrc: UInt32, sequence: UInt16, isProtected: Bool, at now: Instant, rules: SourceRules
    ) -> Bool {
        if let latched {
            guard source == latched || continues(ssrc: ssrc, sequence: sequence, step: rules.moveStep) else {
                return false
            }
        } else if source != declared, !isProtected {
            guard learn(source, ssrc: ssrc, sequence: sequence, at: now, rules: rules) else { return false }
        }
        latched = source
        candidate = nil
        self.ssrc = ssrc
        self.sequence = sequence
        heard = now
        return true
    }

    /// Packets of the peer's stream came from where it is heard, past us.
    package mutating func passed(upTo sequence: UInt16, at instant: Instant) {
        guard instant > heard else { return }
        self.sequence = sequence
        heard = instant
    }

    private func continues(ssrc: UInt32, sequence: UInt16, step: UInt16) -> Bool {
        ssrc == self.ssrc && (1...step).contains(sequence &- self.sequence)
    }

    private mutating func learn(
        _ source: SocketAddress, ssrc: UInt32, sequence: UInt16, at now: Instant, rules: SourceRules
    ) -> Bool {
        // One candidate at a time: a flood from elsewhere cannot push out the one that is being learned.
        if let current = candidate, current.source != source, now - current.heard < rules.candidatePause {
            return false
        }
        let fresh = Candidate(source: source, ssrc: ssrc, since: now, sequence: sequence, heard: now, packets: 1)
        guard var current = candidate, current.source == source, current.ssrc == ssrc,
            now - current.heard < rules.candidatePause,
            (1...rules.consistentStep).contains(sequence &- current.sequence)
        else {
            candidate = fresh
            return rules.consistentPackets <= 1 && (declared == nil || rules.grace <= .zero)
        }
        current.sequence = sequence
        current.heard = now
        current.packets += 1
        candidate = current
        return current.packets >= rules.consistentPackets && (declared == nil || now - current.since >= rules.grace)
    }
}

extension SocketAddress.Host {
    /// Addresses that a NAT hides (RFC 1918, RFC 6598, RFC 3927, RFC 4193, RFC 4291 §2.5.6): packets of a peer
    /// that names one may come from anywhere.
    package var isPrivate: Bool {
        switch self {
        case .v4(let value):
            value >> 24 == 10 || value >> 20 == 0xAC1 || value >> 16 == 0xC0A8 || value >> 22 == 0x6440 >> 6
                || value >> 16 == 0xA9FE
        case .v6(let high, _): high >> 57 == 0xFC >> 1 || high >> 54 == 0xFE80 >> 6
        }
    }
}
