import Ledger
public import Primitives

extension ViewQueries where Self: ~Copyable {
    /// The version of a stream; 0: nothing is in it. In a transaction, with what has been recorded so far.
    public func version(of stream: UUIDv7) throws(ViewsError) -> UInt64 { try number(Key(stream), in: .streams) ?? 0 }

    /// Sequences of the events that concern an entity, a call or a journal, the oldest first; the events themselves are
    /// read from the log. In a transaction, those of a call without what it has recorded itself.
    public func history(of id: UUIDv7, after sequence: UInt64 = 0, limit: Int) throws(ViewsError) -> [UInt64] {
        let prefix = Key(id)
        var sequences: [UInt64] = []
        for (key, _) in try page(.history, prefix: prefix, after: prefix.adding(sequence), limit: limit) {
            var reader = KeyReader(key.bytes)
            reader.skip(16)
            guard let sequence = reader.number64() else { throw .unreadable(table: .history) }
            sequences.append(sequence)
        }
        // What a call's own stream holds has no rows: the log leads from one event to the one before. Nor has a journal's own event.
        var others: [UInt64] = []
        var isCall = try value(prefix, in: .liveCalls) != nil
        if !isCall { isCall = try value(prefix, in: .cdrsByCall) != nil }
        if isCall { others = try stream(id).map(\.sequence) }
        if let posted = try number(prefix, in: .journals) { others.append(posted) }
        others = others.filter { $0 > sequence && $0 <= applied && !sequences.contains($0) }
        if !others.isEmpty { sequences = Array((sequences + others).sorted().prefix(limit)) }
        return sequences
    }

    /// Sequences of events that are no facts of calls, the oldest first.
    public func changes(after sequence: UInt64 = 0, limit: Int) throws(ViewsError) -> [UInt64] {
        var sequences: [UInt64] = []
        for (key, _) in try page(.changes, after: Key(sequence), limit: limit) {
            var reader = KeyReader(key.bytes)
            guard let sequence = reader.number64() else { throw .unreadable(table: .changes) }
            sequences.append(sequence)
        }
        return sequences
    }
}
