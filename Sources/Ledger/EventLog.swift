public import OpenSSL
public import Primitives

/// One totally ordered, append-only sequence of events with a Merkle tree over it. One writer; any number of readers.
///
/// Sequence n is leaf n − 1 of the tree (RFC 6962); the leaf's bytes are the envelope as stored.
public protocol EventLog: AnyObject, Sendable {
    /// The last sequence that readers see; 0: they see none.
    var head: UInt64 { get }

    /// The last sequence that is durable, which readers may not see yet, and its time. Times in the log never decrease: a commit
    /// with an earlier time is stored with this one.
    var recorded: (head: UInt64, time: WallTime) { get }

    /// Returns when the commits are durable. Each is taken or refused on its own; those later in the batch see those before. Throws
    /// if nothing of the batch was recorded. Readers see them after `publish`, idempotency keys hold at once.
    func record(_ commits: [Commit]) throws(LedgerError) -> [CommitOutcome]

    /// Lets readers see what was durable when it is called. On an error it stays durable.
    func publish() throws(LedgerError)

    /// The same on a thread that nobody waits for: it also does what those whom somebody waits for would stop at before long.
    func publishAhead() throws(LedgerError)

    /// How much is durable that readers do not see.
    var unpublishedBytes: Int { get }

    /// `record` and `publish` in one.
    func append(_ commits: [Commit]) throws(LedgerError) -> [CommitOutcome]

    /// Goes over the events from `sequence` on, in order, until `body` returns false or the end is reached.
    func read(from sequence: UInt64, _ body: (Envelope) throws(LedgerError) -> Bool) throws(LedgerError)

    /// Goes over the stored bytes of the events, without decoding them.
    func readBytes(
        from sequence: UInt64, _ body: (_ sequence: UInt64, _ envelope: RawSpan) throws(LedgerError) -> Bool
    ) throws(LedgerError)

    /// nil beyond the end.
    func event(at sequence: UInt64) throws(LedgerError) -> Envelope?
    func bytes(at sequence: UInt64) throws(LedgerError) -> [UInt8]?

    /// 0 for a stream without events.
    func version(of stream: UUIDv7) throws(LedgerError) -> UInt64
    /// Newest first, at most `limit`, from `before` (exclusive) back.
    func history(of stream: UUIDv7, before: UInt64?, limit: Int) throws(LedgerError) -> [Envelope]

    /// What was recorded under an idempotency key.
    func outcome(forKey key: [UInt8]) throws(LedgerError) -> (sequences: ClosedRange<UInt64>, outcome: [UInt8])?

    func rootHash(size: UInt64) throws(LedgerError) -> SHA256Digest
    func inclusionProof(of sequence: UInt64, size: UInt64) throws(LedgerError) -> [SHA256Digest]
    /// One proof of all these, each larger than the one before: see `BatchProof`.
    func inclusionProof(of sequences: [UInt64], size: UInt64) throws(LedgerError) -> [SHA256Digest]
    func consistencyProof(from old: UInt64, to new: UInt64) throws(LedgerError) -> [SHA256Digest]
}

extension EventLog {
    public func publishAhead() throws(LedgerError) { try publish() }
}
