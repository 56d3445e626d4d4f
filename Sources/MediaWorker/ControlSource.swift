package import Primitives

/// Decides which source address a leg's RTCP is taken from when it has a port of its own: that which
/// signalling implies (the media port plus one, RFC 3550 §11), or any port of the host whose media is taken.
package struct ControlSource: Equatable, Sendable {
    package private(set) var declared: SocketAddress?
    package private(set) var latched: SocketAddress?
    private var heard = Instant.zero

    /// - Parameter media: the address that signalling gave for media.
    package init(media: SocketAddress?) { declared = ControlSource.next(to: media) }

    package var destination: SocketAddress? { latched ?? declared }

    package mutating func declare(media: SocketAddress?) {
        let address = ControlSource.next(to: media)
        guard address != declared else { return }
        declared = address
        if latched != address { latched = nil }
    }

    package func assess(
        _ source: SocketAddress, media: SourceLatch, isProtected: Bool, at now: Instant, rules: SourceRules
    ) -> SourceLatch.Standing {
        if let latched, source == latched { return .known }
        if latched == nil, source == declared { return .known }
        if let mediaHost = media.latched?.host {
            guard source.host == mediaHost else { return .stranger }
            return latched == nil || now - heard >= rules.silenceBeforeMove ? .candidate : .stranger
        }
        // Media has proved nothing yet: control may do so by its key alone.
        return latched == nil && isProtected ? .candidate : .stranger
    }

    package mutating func admit(_ source: SocketAddress, ssrc: UInt32, media: SourceLatch, at now: Instant) -> Bool {
        // A port that changes must bring the stream that is known.
        if let latched, source != latched, ssrc != media.ssrc { return false }
        latched = source
        heard = now
        return true
    }

    private static func next(to media: SocketAddress?) -> SocketAddress? {
        guard let media, media.port < .max else { return nil }
        return SocketAddress(media.host, port: media.port + 1)
    }
}
