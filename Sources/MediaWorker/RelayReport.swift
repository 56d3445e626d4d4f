package import Primitives

/// What a session has relayed so far.
package struct RelayReport: Sendable {
    package let session: MediaSessionID
    package let openedAt: Instant
    package let a: LegCounters
    package let b: LegCounters
    /// At some time its sides shared no codec.
    package let isConverted: Bool

    package init(session: MediaSessionID, openedAt: Instant, a: LegCounters, b: LegCounters, isConverted: Bool = false) {
        self.session = session
        self.openedAt = openedAt
        self.a = a
        self.b = b
        self.isConverted = isConverted
    }

    /// When either side was last heard; the opening, if neither ever was.
    package var lastHeard: Instant { max(openedAt, a.lastHeard ?? .zero, b.lastHeard ?? .zero) }
}
