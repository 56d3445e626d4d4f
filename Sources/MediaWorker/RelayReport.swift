package import Primitives

/// What a session has relayed so far.
package struct RelayReport: Sendable {
    package let session: MediaSessionID
    package let openedAt: Instant
    package let a: LegCounters
    package let b: LegCounters

    package init(session: MediaSessionID, openedAt: Instant, a: LegCounters, b: LegCounters) {
        self.session = session
        self.openedAt = openedAt
        self.a = a
        self.b = b
    }

    /// When either side was last heard; the opening, if neither ever was.
    package var lastHeard: Instant { max(openedAt, a.lastHeard ?? .zero, b.lastHeard ?? .zero) }
}
