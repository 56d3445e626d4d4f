public import Primitives

extension EventLog {
    /// The last sequence that was recorded at the time or before it; 0: none was.
    ///
    /// A binary search, which the log allows because the times of its events never decrease. Of several events with the
    /// same time it is the last.
    public func sequence(asOf time: WallTime) throws(LedgerError) -> UInt64 {
        var before: UInt64 = 0
        var after = head + 1
        while after - before > 1 {
            let middle = before + (after - before) / 2
            guard let envelope = try event(at: middle) else { throw .damaged(sequence: middle) }
            if envelope.time <= time { before = middle } else { after = middle }
        }
        return before
    }
}
