import LMDB
import Primitives

/// Whether every event follows from the one before it in its stream, in memory that does not grow with the streams.
///
/// Each event adds a keyed hash of (stream, version, sequence), and takes away that of the predecessor it names. What is left
/// over must be the hashes of the newest events in the index of streams. If so, each event is named by one successor or is the newest
/// of its stream, and as a stream has one newest event, its events are one chain from version 1. The key is drawn by this process,
/// so nobody can have made a log whose sums agree and whose chains do not, but by luck of 1 in 2^64.
struct StreamSum {
    private let hash = KeyedHash()
    private var sum: UInt64 = 0

    /// false: the event cannot follow from anything.
    mutating func take(_ event: EnvelopeHeader) -> Bool {
        sum &+= hash(event.stream, event.version, event.sequence)
        switch (event.version, event.previous) {
        case (0, _): return false
        case (1, let previous): return previous == 0
        case (let version, let previous):
            sum &-= hash(event.stream, version - 1, previous)
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
                    rest &-= hash(stream, value.bigEndian(at: 0), value.bigEndian(at: 8))
                    return true
                }
            }
        }
        return rest == 0
    }
}

/// SipHash-1-3 of four words (Aumasson and Bernstein, 2012), with a key that is drawn for each use. The standard library's `Hasher` is the same
/// function; there it costs a call for each word.
struct KeyedHash {
    private let low: UInt64
    private let high: UInt64

    init(low: UInt64 = .random(in: 0 ... .max), high: UInt64 = .random(in: 0 ... .max)) { (self.low, self.high) = (low, high) }

    @inline(__always) func callAsFunction(_ stream: UUIDv7, _ version: UInt64, _ sequence: UInt64) -> UInt64 {
        var state = State(low, high)
        state.take(stream.high)
        state.take(stream.low)
        state.take(version)
        state.take(sequence)
        return state.finish(byteCount: 32)
    }

    private struct State {
        private var a, b, c, d: UInt64

        @inline(__always) init(_ low: UInt64, _ high: UInt64) {
            a = low ^ 0x736F_6D65_7073_6575
            b = high ^ 0x646F_7261_6E64_6F6D
            c = low ^ 0x6C79_6765_6E65_7261
            d = high ^ 0x7465_6462_7974_6573
        }

        @inline(__always) private mutating func round() {
            a &+= b
            c &+= d
            b = (b << 13 | b >> 51) ^ a
            d = (d << 16 | d >> 48) ^ c
            a = a << 32 | a >> 32
            c &+= b
            a &+= d
            b = (b << 17 | b >> 47) ^ c
            d = (d << 21 | d >> 43) ^ a
            c = c << 32 | c >> 32
        }

        @inline(__always) mutating func take(_ word: UInt64) {
            d ^= word
            round()
            a ^= word
        }

        @inline(__always) mutating func finish(byteCount: UInt64) -> UInt64 {
            take(byteCount << 56)
            c ^= 0xFF
            round()
            round()
            round()
            return a ^ b ^ c ^ d
        }
    }
}
