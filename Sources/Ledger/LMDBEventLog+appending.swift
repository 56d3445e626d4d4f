import LMDB
import OpenSSL
import Primitives
import Synchronization

// A batch becomes durable in one of two ways: in the journal, with one flush (`record`), or in the tables, with LMDB's two
// (`append`). What is in the journal alone is published into the tables later, many batches with one commit.
//
// Two locks, always taken in this order: `publisher`'s while the tables are written, `writer`'s while a batch is made and the journal
// is flushed. So batches become durable while others are being published.
extension LMDBEventLog {
    /// What is known of the end without reading; always equal to what is durable.
    struct Writer: ~Copyable, Sendable {
        var head: UInt64
        /// The time of the last event. Times never decrease: a clock that was set back does not put a fact before its cause.
        var time: WallTime
        /// Of the last event.
        var leaf: SHA256Digest
        var journal: Journal
        /// In the journal's present file.
        var open = Unpublished()
        /// In the other one, on its way into the tables.
        var closing = Unpublished()
        /// The tables refused last time: nothing more is promised before they have taken what was.
        var mustPublish = false

        /// The newest version of a stream in batches that are not published; nil: ask the tables.
        func head(of stream: UUIDv7) -> StreamHead? { open.heads[stream] ?? closing.heads[stream] }
    }

    /// What only one thread at a time writes the tables with.
    struct Publisher: Sendable {
        /// Of what is in the tables.
        var tree: TileWriter
        /// Up to where the file was extended; see `extendFile`.
        var fileEnd = 0
    }

    /// Where the log stands, for those who wait for nobody.
    struct Progress: Sendable {
        /// Of what readers see.
        var head: UInt64
        /// Of what is durable.
        var recordedHead: UInt64
        var recordedTime: WallTime
        var unpublishedBytes = 0
    }

    /// A batch that is being made.
    private struct Draft {
        var record: JournalRecord
        var time: WallTime
        var heads: [UUIDv7: StreamHead] = [:]
        var answers: [[UInt8]: UnpublishedAnswers.Answer] = [:]
        var outcomes: [CommitOutcome] = []
        /// For one envelope at a time.
        var envelope: [UInt8] = []
        /// Of the last event, within the record's bytes.
        var lastEvent = 0..<0

        mutating func addEnvelope(of count: Int) {
            // Borrowed from a reference of its own: the record grows meanwhile.
            let bytes = envelope
            record.add(event: unsafe bytes.span.bytes.extracting(0..<count))
            lastEvent = (record.bytes.count - count)..<record.bytes.count
        }
    }

    // MARK: Durable in the journal

    public func record(_ commits: [Commit]) throws(LedgerError) -> [CommitOutcome] {
        try validate(commits)
        if let outcomes = try recordIfThereIsRoom(commits) { return outcomes }
        try makeRoom()
        // What is too large for a file of the journal goes into the tables.
        if let outcomes = try recordIfThereIsRoom(commits) { return outcomes }
        return try append(commits)
    }

    private func recordIfThereIsRoom(_ commits: [Commit]) throws(LedgerError) -> [CommitOutcome]? {
        let result: Result<[CommitOutcome]?, LMDBError> = writer.withLock { writer in
            do throws(LMDBError) {
                guard !writer.mustPublish else { return .success(nil) }
                var draft = try make(commits, writer)
                guard !draft.record.isEmpty else { return .success(draft.outcomes) }
                guard writer.journal.hasRoom(for: draft.record.bytes.count) else { return .success(nil) }
                unsafe draft.record.seal(after: writer.leaf, sha256)
                do throws(LMDBError) {
                    try writer.journal.write(draft.record)
                } catch .diskFull {
                    // The tables may have room yet, in pages that they use again; if not, they say so.
                    return .success(nil)
                }
                writer.open.add(draft.record, draft.heads)
                answers.withLock { $0.add(draft.answers) }
                advance(&writer, to: draft)
                return .success(draft.outcomes)
            } catch {
                return .failure(error)
            }
        }
        switch result {
        case .success(let outcomes): return outcomes
        case .failure(let error): throw .storage(error)
        }
    }

    /// Waits for what is on its way into the tables, and goes on in the file that is free then.
    private func makeRoom() throws(LedgerError) {
        let result: Result<Void, LMDBError> = publisher.withLock { publisher in
            do throws(LMDBError) {
                try storeClosing(&publisher)
                writer.withLock { turn(&$0) }
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        if case .failure(let error) = result { throw .storage(error) }
    }

    // MARK: Durable in the tables

    public func append(_ commits: [Commit]) throws(LedgerError) -> [CommitOutcome] {
        try validate(commits)
        let result: Result<[CommitOutcome], LMDBError> = publisher.withLock { publisher in
            writer.withLock { writer in
                do throws(LMDBError) {
                    let draft = try make(commits, writer)
                    var parts = [writer.closing, writer.open]
                    if !draft.record.isEmpty {
                        var part = Unpublished()
                        part.add(draft.record, draft.heads)
                        parts.append(part)
                    }
                    parts.removeAll(where: \.isEmpty)
                    guard !parts.isEmpty else { return .success(draft.outcomes) }
                    // Taken over after the disk has it: a batch that failed leaves nothing, and what was in the journal stays there.
                    try store(parts, &publisher)
                    (writer.open, writer.closing, writer.mustPublish) = (Unpublished(), Unpublished(), false)
                    writer.journal.restart()
                    advance(&writer, to: draft)
                    progress.withLock { $0.head = $0.recordedHead }
                    answers.withLock { $0.clear() }
                    return .success(draft.outcomes)
                } catch {
                    writer.mustPublish = true
                    return .failure(error)
                }
            }
        }
        switch result {
        case .success(let outcomes): return outcomes
        case .failure(let error): throw .storage(error)
        }
    }

    /// What was durable in the journal when this is called is in the tables when it returns. On an error it stays in the journal.
    public func publish() throws(LedgerError) {
        try publish { _ in }
    }

    public func publishAhead() throws(LedgerError) {
        try publish { if durability == .full { extendFile(&$0, ahead: true) } }
    }

    /// - Parameter last: done when everything is in the tables, before others may write them.
    private func publish(_ last: (inout Publisher) -> Void) throws(LedgerError) {
        let asked = progress.withLock { $0.recordedHead }
        let result: Result<Void, LMDBError> = publisher.withLock { publisher in
            do throws(LMDBError) {
                // What room was made of, or what the tables refused, comes first.
                try storeClosing(&publisher)
                if progress.withLock({ $0.head }) < asked {
                    writer.withLock { turn(&$0) }
                    try storeClosing(&publisher)
                }
                last(&publisher)
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        if case .failure(let error) = result { throw .storage(error) }
    }

    /// Batches become durable meanwhile, in the journal's other file.
    private func storeClosing(_ publisher: inout Publisher) throws(LMDBError) {
        let part = writer.withLock { $0.closing }
        guard let last = part.records.last?.last else { return }
        do throws(LMDBError) {
            try store([part], &publisher)
        } catch {
            writer.withLock { $0.mustPublish = true }
            throw error
        }
        writer.withLock { writer in
            (writer.closing, writer.mustPublish) = (Unpublished(), false)
            progress.withLock { ($0.head, $0.unpublishedBytes) = (last, writer.open.byteCount) }
            answers.withLock { $0.closed() }
        }
    }

    /// Bytes that are durable and that readers do not see.
    public var unpublishedBytes: Int { progress.withLock { $0.unpublishedBytes } }

    /// When nothing is on its way into the tables.
    private func turn(_ writer: inout Writer) {
        (writer.closing, writer.open) = (writer.open, Unpublished())
        writer.journal.turn()
        answers.withLock { $0.turn() }
    }

    private func advance(_ writer: inout Writer, to draft: borrowing Draft) {
        (writer.head, writer.time) = (draft.record.last, draft.time)
        if !draft.record.isEmpty { writer.leaf = unsafe hasher.leaf(draft.record.bytes.span.bytes.extracting(draft.lastEvent)) }
        let unpublished = writer.open.byteCount + writer.closing.byteCount
        progress.withLock { progress in
            (progress.recordedHead, progress.recordedTime, progress.unpublishedBytes) = (draft.record.last, draft.time, unpublished)
        }
    }

    // MARK: Making a batch

    private func validate(_ commits: [Commit]) throws(LedgerError) {
        // By index and borrowed: a copy of a commit would count six references up and down.
        let all = commits.span
        for index in all.indices { try all[index].validate() }
    }

    private func make(_ commits: [Commit], _ writer: borrowing Writer) throws(LMDBError) -> Draft {
        var draft = Draft(record: JournalRecord(after: writer.head), time: writer.time)
        draft.outcomes.reserveCapacity(commits.count)
        draft.record.reserve(commits.count)
        let transaction = try environment.beginRead()
        let all = commits.span
        for index in all.indices { draft.outcomes.append(try add(all[index], to: &draft, writer, transaction)) }
        return draft
    }

    /// Everything is looked at before anything is written, so a refused commit has left nothing.
    private func add(
        _ commit: Commit, to draft: inout Draft, _ writer: borrowing Writer, _ transaction: borrowing ReadTransaction
    ) throws(LMDBError) -> CommitOutcome {
        if let key = commit.idempotencyKey, let stored = try answer(key, draft, transaction) {
            guard let record = CommandRecord(stored, key: key) else { throw .corrupted }
            return .repeated(record.first...record.last, outcome: Array(record.outcome))
        }
        // Most commits expect and change one stream: it is looked up once.
        var known: (stream: UUIDv7, head: StreamHead)?
        for expectation in commit.expectations {
            let head = try head(of: expectation.stream, draft, writer, transaction)
            guard head.version == expectation.version else {
                return .conflict(stream: expectation.stream, expected: expectation.version, actual: head.version)
            }
            known = (expectation.stream, head)
        }
        let first = draft.record.last + 1
        draft.time = max(draft.time, commit.time)
        let events = commit.events.span
        for index in events.indices {
            let stream = events[index].stream
            let before: StreamHead
            if let known, known.stream == stream {
                before = known.head
            } else {
                before = try head(of: stream, draft, writer, transaction)
            }
            let after = StreamHead(version: before.version + 1, last: draft.record.last + 1)
            let count = Self.write(
                events[index], of: commit, into: &draft.envelope, sequence: after.last, version: after.version,
                previous: before.last, first: first, time: draft.time)
            draft.addEnvelope(of: count)
            draft.heads[stream] = after
            known = (stream, after)
        }
        if let key = commit.idempotencyKey {
            let stored = CommandRecord(first: first, last: draft.record.last, outcome: commit.outcome).bytes(key: key)
            draft.record.add(command: key, stored)
            draft.answers[key] = .stored(stored)
        }
        for key in commit.releases {
            draft.record.add(release: key)
            draft.answers[key] = .released
        }
        return .appended(first...draft.record.last)
    }

    private func head(
        of stream: UUIDv7, _ draft: borrowing Draft, _ writer: borrowing Writer, _ transaction: borrowing ReadTransaction
    ) throws(LMDBError) -> StreamHead {
        if let head = draft.heads[stream] ?? writer.head(of: stream) { return head }
        return try StreamHead(of: stream, transaction, tables.streams)
    }

    private func answer(
        _ key: [UInt8], _ draft: borrowing Draft, _ transaction: borrowing ReadTransaction
    ) throws(LMDBError) -> [UInt8]? {
        switch draft.answers[key] ?? answers.withLock({ $0[key] }) {
        case .stored(let bytes): bytes
        case .released: nil
        case nil: try transaction.value(of: key, in: tables.commands)
        }
    }

    /// The envelope's bytes, at the start of the buffer.
    private static func write(
        _ event: borrowing NewEvent, of commit: borrowing Commit, into buffer: inout [UInt8], sequence: UInt64,
        version: UInt64, previous: UInt64, first: UInt64, time: WallTime
    ) -> Int {
        let room = Envelope.byteCountMax(
            actor: commit.actor, cause: commit.cause, type: event.type, payload: event.payload, origin: commit.origin)
        if buffer.count < room { buffer = [UInt8](repeating: 0, count: room) }
        var span = buffer.mutableSpan
        return unsafe span.withUnsafeMutableBytes { memory in
            var writer = unsafe ByteWriter(memory)
            Envelope.write(
                to: &writer, sequence: sequence, stream: event.stream, version: version, previous: previous, commit: first,
                time: time, actor: commit.actor, cause: commit.cause, type: event.type,
                schemaVersion: event.schemaVersion, payload: event.payload, origin: commit.origin)
            return writer.count
        }
    }

    // MARK: The tables

    /// One commit of LMDB. On an error nothing of it is there.
    func store(_ parts: [Unpublished], _ publisher: inout Publisher) throws(LMDBError) {
        if durability == .full { extendFile(&publisher) }
        // Changed in a copy, taken over after the disk has it.
        var tree = publisher.tree
        var transaction = try environment.beginWrite()
        for part in parts {
            for record in part.records { try put(record, &transaction, &tree) }
            // One entry for each stream, in the order of the keys: neighbours share a page.
            for (stream, head) in part.heads.sorted(by: { $0.key < $1.key }) { try head.store(for: stream, &transaction, tables.streams) }
        }
        try tree.store(&transaction, tables.tiles)
        try transaction.commit()
        publisher.tree = tree
    }

    private func put(
        _ record: borrowing JournalRecord, _ transaction: inout WriteTransaction, _ tree: inout TileWriter
    ) throws(LMDBError) {
        let bytes = unsafe record.bytes.span.bytes
        var sequence = record.first
        var items = record.items
        while let item = items.next(bytes) {
            switch item {
            case .event(let range):
                let envelope = bytes.extracting(range)
                let key: InlineArray<1, UInt64> = [sequence.bigEndian]
                try transaction.put(unsafe key.span.bytes, envelope, in: tables.events, .append)
                unsafe tree.append(leaf: envelope, publishingHasher)
                sequence += 1
            case .command(let key, let value):
                try transaction.put(bytes.extracting(key), bytes.extracting(value), in: tables.commands)
            case .release(let key):
                try transaction.remove(bytes.array(key), from: tables.commands)
            }
        }
    }

    /// The file doubles ahead of its use, by at most 4 MiB at a time: a pause of some milliseconds for 10,000 events.
    ///
    /// - Parameter isAhead: nobody waits, so there is more room afterwards than the next commits are likely to need.
    private func extendFile(_ publisher: inout Publisher, ahead isAhead: Bool = false) {
        let used = environment.bytesUsed
        let step = min(max(used, 1 << 20), 4 << 20)
        guard used + (isAhead ? step : step / 8) > publisher.fileEnd else { return }
        // Where that fails the next attempt is made when LMDB has grown the file by itself.
        publisher.fileEnd = max(environment.extendFile(by: step), used + step / 4)
    }
}
