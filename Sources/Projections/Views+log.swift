public import Ledger
import Model
import Primitives
public import Subjects

extension Views {
    /// Takes in every event that the log has and the views have not, in transactions of at most 262,144 events, so
    /// that a stop on the way costs little and memory is bounded. Views of another log, or of more than this log has, are emptied first.
    ///
    /// - Parameters:
    ///   - last: the sequence to stop at.
    ///   - progress: told after each transaction how far they are, and what the end was when it began.
    /// - Returns: how many events were taken in.
    @discardableResult
    public func catchUp(
        with log: some EventLog, through last: UInt64 = .max,
        progress: ((_ applied: UInt64, _ end: UInt64) -> Void)? = nil
    ) throws(ViewsError) -> UInt64 {
        try catchUp(with: log, through: last, projections) { applied, end in
            progress?(applied, end)
            return true
        }
    }

    /// - Parameter progress: false ends it early.
    func catchUp(
        with log: some EventLog, through last: UInt64, _ projections: [any Projection.Type],
        progress: (_ applied: UInt64, _ end: UInt64) -> Bool
    ) throws(ViewsError) -> UInt64 {
        attach(log)
        try emptyUnlessBuilt(from: log)
        var total: UInt64 = 0
        while true {
            let end = min(last, log.head)
            let (count, applied) = try write(projections) { views throws(ViewsError) in
                let count = try Views.replay(log, through: end, in: &views)
                views.givesMemoryBack = views.applied == end
                return (count, views.applied)
            }
            total += count
            guard progress(applied, end), applied < end else { return total }
        }
    }

    /// Builds the views anew in another directory, beside the running ones; what is there is dropped.
    public static func rebuild(
        into directory: String, from log: some EventLog, keys: SubjectKeys? = nil, through last: UInt64 = .max,
        progress: ((_ applied: UInt64, _ end: UInt64) -> Void)? = nil
    ) throws(ViewsError) -> Views {
        let views = try Views(directory: directory, keys: keys)
        try views.write { views throws(ViewsError) in try views.empty() }
        try views.catchUp(with: log, through: last, progress: progress)
        return views
    }

    private static func replay(
        _ log: some EventLog, through end: UInt64, in views: inout ViewTransaction
    ) throws(ViewsError) -> UInt64 {
        guard views.applied < end else { return 0 }
        var count: UInt64 = 0
        var failure: ViewsError?
        let ahead = EventAhead()
        views.isTakingIn = true
        do {
            try log.readBytes(from: views.applied + 1) { (sequence, bytes) throws(LedgerError) in
                let header = EnvelopeHeader(parsing: bytes)
                if let header { views.buffers.prefetch(header.stream) }
                do throws(ViewsError) {
                    try ahead.take { header, bytes throws(ViewsError) in try views.replay(header, bytes) }
                    guard let header, header.sequence == sequence else { throw .log(.damaged(sequence: sequence)) }
                    ahead.keep(header, bytes)
                } catch {
                    failure = error
                    return false
                }
                count += 1
                return count < eventsPerTransaction && sequence < end && (count & 0xFF != 0 || views.buffers.byteCount < bytesPerTransaction)
            }
        } catch {
            throw .log(error)
        }
        if let failure { throw failure }
        try ahead.take { header, bytes throws(ViewsError) in try views.replay(header, bytes) }
        // A log whose head says more than can be read would be read for ever.
        guard count > 0 else { throw .outOfOrder(expected: views.applied + 1, actual: 0) }
        try views.settle()
        return count
    }

    private func emptyUnlessBuilt(from log: some EventLog) throws(ViewsError) {
        let mark = try read { views throws(ViewsError) in try views.lastApplied() }
        guard let mark else { return }
        let stored: Envelope?
        do {
            stored = try log.event(at: mark.sequence)
        } catch {
            throw .log(error)
        }
        if let stored, stored.stream == mark.stream, stored.version == mark.version, stored.time == mark.time { return }
        try write { views throws(ViewsError) in try views.empty() }
    }

    private static let eventsPerTransaction: UInt64 = 1 << 18
    /// What is gathered before LMDB gets it. Rows of calls come all over the tables of accounts and parties, so each transaction
    /// writes most of their pages: the fewer, the better.
    private static let bytesPerTransaction = 256 << 20
}

extension ViewTransaction {
    /// Takes in the next event of the log from its stored bytes.
    mutating func replay(_ header: EnvelopeHeader, _ envelope: RawSpan) throws(ViewsError) {
        let sequence = header.sequence
        if header.schemaVersion == 1, let fact = CallFact(storedType: envelope.extracting(header.type)) {
            guard sequence == applied + 1 else { throw .outOfOrder(expected: applied + 1, actual: sequence) }
            try evolve(
                fact, envelope.extracting(header.payload),
                EventContext(sequence: sequence, stream: header.stream, version: header.version, time: header.time))
        } else {
            guard let envelope = Envelope(parsing: envelope) else { throw .log(.damaged(sequence: sequence)) }
            try replay(envelope)
        }
    }

    /// Takes in the next event of the log.
    public mutating func replay(_ stored: Envelope) throws(ViewsError) {
        guard stored.sequence == applied + 1 else { throw .outOfOrder(expected: applied + 1, actual: stored.sequence) }
        let event = try Event(closed: stored)
        let context = EventContext(
            sequence: stored.sequence, stream: stored.stream, version: stored.version, time: stored.time)
        if let fact = CallFact(event) {
            try unsafe evolve(fact, stored.payload.span.bytes, context)
        } else {
            try evolve(event, context)
        }
    }

    mutating func empty() throws(ViewsError) {
        for table in Table.allCases { try clear(table) }
        last = nil
        applied = 0
    }
}

extension ViewQueries where Self: ~Copyable {
    /// Which event was applied last; nil: none.
    func lastApplied() throws(ViewsError) -> EventContext? {
        guard let bytes = try value(.lastApplied, in: .meta) else { return nil }
        var reader = KeyReader(bytes)
        guard let sequence = reader.number64(), let stream = reader.id(), let version = reader.number64(),
            let time = reader.time()
        else { throw .unreadable(table: .meta) }
        return EventContext(sequence: sequence, stream: stream, version: version, time: time)
    }
}
