import Primitives

/// What is durable in the journal and not in the tables yet: readers do not see it, the next batch follows from it.
struct Unpublished: Sendable {
    private(set) var records: [JournalRecord] = []
    /// The newest version of each stream that has events in the records.
    private(set) var heads: [UUIDv7: StreamHead] = [:]
    private(set) var byteCount = 0

    var isEmpty: Bool { records.isEmpty }

    mutating func add(_ record: JournalRecord, _ heads: [UUIDv7: StreamHead]) {
        records.append(record)
        byteCount += record.bytes.count
        if self.heads.isEmpty {
            self.heads = heads
        } else {
            for (stream, head) in heads { self.heads[stream] = head }
        }
    }
}

/// What stands under idempotency keys, as far as the tables do not have it yet.
struct UnpublishedAnswers: Sendable {
    enum Answer: Sendable {
        /// As it will be stored: see `CommandRecord`.
        case stored([UInt8])
        case released
    }

    private(set) var open: [[UInt8]: Answer] = [:]
    private(set) var closing: [[UInt8]: Answer] = [:]

    subscript(key: [UInt8]) -> Answer? { open[key] ?? closing[key] }

    mutating func add(_ answers: [[UInt8]: Answer]) { open.merge(answers) { _, new in new } }

    /// Those of a part that is on its way into the tables are kept until it is there.
    mutating func turn() {
        closing = open
        open = [:]
    }

    mutating func closed() { closing = [:] }

    mutating func clear() { (open, closing) = ([:], [:]) }
}
