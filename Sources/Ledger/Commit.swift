package import Primitives

/// A fact that is to be recorded. The log knows its bytes, not its meaning.
package struct NewEvent: Hashable, Sendable {
    /// Time-ordered, so that a new stream is put at the right edge of the index.
    package var stream: UUIDv7
    package var type: String
    package var schemaVersion: UInt32
    package var payload: [UInt8]

    package init(stream: UUIDv7, type: String, schemaVersion: UInt32, payload: [UInt8]) {
        self.stream = stream
        self.type = type
        self.schemaVersion = schemaVersion
        self.payload = payload
    }
}

/// The version that a stream must have for a commit to be taken: 0 for a stream that must not exist yet.
package struct Expectation: Hashable, Sendable {
    package var stream: UUIDv7
    package var version: UInt64

    package init(stream: UUIDv7, version: UInt64) {
        self.stream = stream
        self.version = version
    }
}

/// Events that are recorded together or not at all, over any number of streams.
package struct Commit: Hashable, Sendable {
    package var events: [NewEvent]
    package var expectations: [Expectation]
    /// Who asked, for the audit.
    package var actor: String
    /// Which request it was, for the audit.
    package var cause: String
    /// From where, and for whom, for the audit: bytes that the log does not look into. Empty: no byte of it is stored.
    package var origin: [UInt8]
    package var time: WallTime
    /// A commit with a key that was recorded before is not recorded again; its `outcome` is returned instead.
    package var idempotencyKey: [UInt8]?
    package var outcome: [UInt8]
    /// Keys that nobody will ask for again: they and their outcomes are dropped with this commit.
    package var releases: [[UInt8]] = []

    package init(
        events: [NewEvent], expectations: [Expectation] = [], actor: String, cause: String, origin: [UInt8] = [],
        time: WallTime, idempotencyKey: [UInt8]? = nil, outcome: [UInt8] = []
    ) {
        self.events = events
        self.expectations = expectations
        self.actor = actor
        self.cause = cause
        self.origin = origin
        self.time = time
        self.idempotencyKey = idempotencyKey
        self.outcome = outcome
    }

    package static let eventBytesMax = 16 << 20
    /// Of an idempotency key: what a table can have as a key.
    package static let keyBytes = 1...511

    /// What no log takes.
    func validate() throws(LedgerError) {
        guard !events.isEmpty else { throw .emptyCommit }
        for event in events where event.payload.count > Self.eventBytesMax {
            throw .eventTooLarge(have: event.payload.count, limit: Self.eventBytesMax)
        }
        if let key = idempotencyKey, !Self.keyBytes.contains(key.count) { throw .keySize(have: key.count, limit: Self.keyBytes.upperBound) }
    }
}

package enum CommitOutcome: Hashable, Sendable {
    /// Durable; the sequences that its events got.
    case appended(ClosedRange<UInt64>)
    /// Recorded before under the same idempotency key: what was said then.
    case repeated(ClosedRange<UInt64>, outcome: [UInt8])
    /// The first expectation that does not hold; nothing of the commit was recorded.
    case conflict(stream: UUIDv7, expected: UInt64, actual: UInt64)
}
