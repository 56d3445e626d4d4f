import LMDB
import Primitives

/// Whether every event follows from the one before it in its stream, in memory that does not grow with the streams.
///
/// Each event adds a keyed hash of (stream, version, sequence), and takes away that of the predecessor it names. What is left
/// over must be the hashes of the newest events in the index of streams. If so, each event is named by one successor or is the newest
/// of its stream, and as a stream has one newest event, its events are one chain from version 1. The key is drawn by this process,
/// so nobody can have made a log whose sums agree and whose chains do not, but by luck of 1 in 2^64.
struct StreamSum {
    private var sum: UInt64 = 0

    /// false: the event cannot follow from anything.
    mutating func take(_ event: EnvelopeHeader) -> Bool {
        sum &+= Self.hash(event.stream, event.version, event.sequence)
        switch (event.version, event.previous) {
        case (0, _): return false
        case (1, let previous): return previous == 0
        case (let version, let previous):
            sum &-= Self.hash(event.stream, version - 1, previous)
            return previous > 0 && previous < event.sequence
        }
    }

    /// Whether the newest events are those that the index names.
    consuming func leads(to streams: Database, _ transaction: borrowing ReadTransaction) throws(LedgerError) -> Bool {
        var rest = sum
        try unwrap { () throws(LMDBError) in
            try transaction.withCursor(in: streams) { (cursor: inout Cursor) throws(LMDBError) in
                try cursor.walk(from: []) { key, value in
                    guard key.byteCount == 16, value.byteCount == 16 else {
                        rest &+= 1
                        return true
                    }
                    let stream = UUIDv7(high: key.bigEndian(at: 0), low: key.bigEndian(at: 8))
                    rest &-= Self.hash(stream, value.bigEndian(at: 0), value.bigEndian(at: 8))
                    return true
                }
            }
        }
        return rest == 0
    }

    /// SipHash with a key of this process.
    private static func hash(_ stream: UUIDv7, _ version: UInt64, _ sequence: UInt64) -> UInt64 {
        var hasher = Hasher()
        hasher.combine(stream.high)
        hasher.combine(stream.low)
        hasher.combine(version)
        hasher.combine(sequence)
        return UInt64(bitPattern: Int64(hasher.finalize()))
    }
}
