public import Model
public import Primitives

extension ViewQueries where Self: ~Copyable {
    /// What the charges of a record were put right by, in the order in which it was.
    public func corrections(ofRecord number: UInt64) throws(ViewsError) -> [ChargeCorrected] {
        try messages(ChargeCorrected.self, in: .correctionsByRecord, prefix: Key(number), limit: .max)
    }

    /// Of all records, by number.
    public func corrections(after number: UInt64 = 0, limit: Int) throws(ViewsError) -> [ChargeCorrected] {
        var found: [ChargeCorrected] = []
        for (_, value) in try page(.corrections, after: Key(number), limit: limit) {
            var reader = KeyReader(value)
            guard let sequence = reader.number64(), let record = reader.number64(),
                let correction = try message(
                    ChargeCorrected.self, Key(record).adding(sequence), in: .correctionsByRecord)
            else { throw .unreadable(table: .corrections) }
            found.append(correction)
        }
        return found
    }

    /// One more than the last, from 1.
    public func nextCorrectionNumber() throws(ViewsError) -> UInt64 {
        guard let (key, _) = try last(in: .corrections, atOrBefore: Key(UInt64.max)) else { return 1 }
        var reader = KeyReader(key.bytes)
        guard let number = reader.number64() else { throw .unreadable(table: .corrections) }
        return number + 1
    }

    /// Numbers of the records of calls that started before `end`, in the order of their set-up; of two with the same time the one
    /// that ended earlier comes first.
    ///
    /// - Parameter last: the last that was seen; a number of 0 comes before every call of the time.
    public func records(
        startedAfter last: (at: WallTime, number: UInt64), before end: WallTime, limit: Int
    ) throws(ViewsError) -> [(at: WallTime, number: UInt64)] {
        var start = Key()
        start.add(last.at)
        var bound = Key()
        bound.add(end)
        var found: [(at: WallTime, number: UInt64)] = []
        var isBroken = false
        guard limit > 0 else { return found }
        try scan(.cdrsByStart, from: start.adding(last.number).successor) { key, _ in
            guard key.bytes.lexicographicallyPrecedes(bound.bytes) else { return false }
            var reader = KeyReader(key.bytes)
            guard let at = reader.time(), let number = reader.number64() else {
                isBroken = true
                return false
            }
            found.append((at, number))
            return found.count < limit
        }
        if isBroken { throw .unreadable(table: .cdrsByStart) }
        return found
    }
}
