public import Primitives

/// A fact that is to be recorded. The log knows its bytes, not its meaning.
public struct NewEvent: Hashable, Sendable {
    /// Time-ordered, so that a new stream is put at the right edge of the index.
    public var stream: UUIDv7
    public var type: String
    public var schemaVersion: UInt32
    public var payload: [UInt8]

    public init(stream: UUIDv7, type: String, schemaVersion: UInt32, payload: [UInt8]) {
        self.stream = stream
        self.type = type
        self.schemaVersion = schemaVersion
        self.payload = payload
    }
}

/// The version that a stream must have for a commit to be taken: 0 for a stream that must not exist yet.
public struct Expectation: Hashable, Sendable {
    public var stream: UUIDv7
    public var version: UInt64

    public init(stream: UUIDv7, version: UInt64) {
        self.stream = stream
        self.version = version
    }
}

/// Events that are recorded together or not at all, over any number of streams.
public struct Commit: Hashable, Sendable {
    public var events: [NewEvent]
    public var expectations: [Expectation]
    /// Who asked, for the audit.
    public var actor: String
    /// Which request it was, for the audit.
    public var cause: String
    /// From where, and for whom, for the audit: bytes that the log does not look into. Empty: no byte of it is stored.
    public var origin: [UInt8]
    public var time: WallTime
    /// A commit with a key that was recorded before is not recorded again; its `outcome` is returned instead.
    public var idempotencyKey: [UInt8]?
    public var outcome: [UInt8]
    /// Keys that nobody will ask for again: they and their outcomes are dropped with this commit.
    public var releases: [[UInt8]] = []

    public init(
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

    public static let eventBytesMax = 16 << 20
    /// Of an idempotency key: what a table can have as a key.
    public static let keyBytes = 1...511

    /// What no log takes.
    func validate() throws(LedgerError) {
        guard !events.isEmpty else { throw .emptyCommit }
        for event in events where event.payload.count > Self.eventBytesMax {
            throw .eventTooLarge(have: event.payload.count, limit: Self.eventBytesMax)
        }
        if let key = idempotencyKey, !Self.keyBytes.contains(key.count) { throw .keySize(have: key.count, limit: Self.keyBytes.upperBound) }
    }
}

public enum CommitOutcome: Hashable, Sendable {
    /// Durable; the sequences that its events got.
    case appended(ClosedRange<UInt64>)
    /// Recorded before under the same idempotency key: what was said then.
    case repeated(ClosedRange<UInt64>, outcome: [UInt8])
    /// The first expectation that does not hold; nothing of the commit was recorded.
    case conflict(stream: UUIDv7, expected: UInt64, actual: UInt64)
}
