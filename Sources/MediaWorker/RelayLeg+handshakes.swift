internal import Primitives
internal import RTP

/// Checks of its address, and handshakes, by its link; keys that come of them.
extension RelayLeg {
    func knows(_ source: SocketAddress, _ channel: Channel) -> Bool { link?.isChecked(source, channel) == true }

    mutating func receiveLink(
        on channel: Channel, from source: SocketAddress, _ packet: RawSpan, at now: Instant, rules: SourceRules
    ) -> Reception {
        guard link != nil || channel == .media && setup.protection == nil else { return .dropped(.notMedia) }
        let bytes = unsafe packet.withUnsafeBytes { bytes in unsafe Array(bytes) }
        if bytes[0] <= 3 {
            guard let link, isChecked else { return .dropped(.notMedia) }
            if let reason = link.receive(check: bytes, from: source, channel, at: now) { return .dropped(reason) }
            counters.lastHeard = now
            return .consumed
        }
        // RTCP has no handshake of its own: whoever has DTLS shares the port.
        guard channel == .media else { return .dropped(.notNegotiated) }
        guard setup.handshake != nil else {
            if bytes[0] == 22, bytes.count <= 1_500 { early = Early(source: source, bytes: bytes, heardAt: now) }
            return .dropped(.notMedia)
        }
        return receive(handshake: bytes, from: source, at: now, rules: rules)
    }

    mutating func receive(handshake bytes: [UInt8], from source: SocketAddress, at now: Instant, rules: SourceRules) -> Reception {
        guard let link else { return .dropped(.notMedia) }
        let standing: SourceLatch.Standing =
            isChecked ? (knows(source, .media) ? .known : .stranger) : media.assess(source, isProtected: true, at: now, rules: rules)
        guard standing != .stranger else { return .dropped(.stranger) }
        if let reason = link.receive(handshake: bytes, from: source, isExpected: standing == .known, at: now) { return .dropped(reason) }
        takeKeys()
        return .consumed
    }

    /// The end of a handshake whose other end is whom signalling named.
    mutating func takeKeys() {
        guard let link, let keys = link.takeKeys() else { return }
        do throws(SRTPError) {
            inbound = try SRTPSession(.inbound, suite: keys.suite, key: keys.receiving)
            outbound = try SRTPSession(.outbound, suite: keys.suite, key: keys.sending)
            counters.protection = "dtls " + keys.suite.rawValue
        } catch {
            counters.count(.protectionLimit)
        }
    }

    mutating func tick(at now: Instant) {
        guard let link else { return }
        if let reason = link.tick(at: now) { counters.count(reason) }
    }

    /// See `RelaySession.takeReplies`.
    mutating func takeReplies(into replies: inout [RelayReply]) -> Instant? {
        guard let link else { return nil }
        for reply in link.takeOutgoing() {
            replies.append(RelayReply(port: reply.channel == .media ? port : port + 1, destination: reply.destination, bytes: reply.bytes))
        }
        return link.takeWake()
    }
}
