package import Primitives

extension ViewQueries where Self: ~Copyable {
    /// The version of a stream; 0: nothing is in it. In a transaction, with what has been recorded so far.
    package func version(of stream: UUIDv7) throws(ViewsError) -> UInt64 { try number(Key(stream), in: .streams) ?? 0 }

    /// Sequences of the events that concern an entity, a call or a journal, the oldest first; the events themselves are
    /// read from the log.
    package func history(of id: UUIDv7, after sequence: UInt64 = 0, limit: Int) throws(ViewsError) -> [UInt64] {
        let prefix = Key(id)
        var sequences: [UInt64] = []
        for (key, _) in try page(.history, prefix: prefix, after: prefix.adding(sequence), limit: limit) {
            var reader = KeyReader(key.bytes)
            reader.skip(16)
            guard let sequence = reader.number64() else { throw .unreadable(table: .history) }
            sequences.append(sequence)
        }
        return sequences
    }

    /// Sequences of events that are no facts of calls, the oldest first.
    package func changes(after sequence: UInt64 = 0, limit: Int) throws(ViewsError) -> [UInt64] {
        var sequences: [UInt64] = []
        for (key, _) in try page(.changes, after: Key(sequence), limit: limit) {
            var reader = KeyReader(key.bytes)
            guard let sequence = reader.number64() else { throw .unreadable(table: .changes) }
            sequences.append(sequence)
        }
        return sequences
    }
}
