public import Primitives

/// Figures of calls by ITU-T E.411: how many were tried, answered and carried, how long they were and how soon they rang.
public struct CallStatistics: Sendable {
    public enum Dimension: String, CaseIterable, Sendable {
        case hour
        case day
        case provider
        case customer
        case tenant
        case carrier
        case gateway
        case country
        case prefix
        case direction
        case cause
        case refusal
        case status
    }

    public struct Question: Sendable {
        /// Calls that came in then or later.
        public var from = WallTime(microseconds: 0)
        /// And before.
        public var to = WallTime(microseconds: .max)
        /// At most three.
        public var by: [Dimension] = []
        /// Only rows whose dimension has one of these values.
        public var only: [(dimension: Dimension, values: Set<UInt32>)] = []
        /// How many digits `prefix` has, 1 to 7.
        public var prefixDigits = 4
        /// Every gateway that was tried is one; else every call is.
        public var countsAttempts = false
        /// Of the first digits of a number, at most four: two letters as a number; 0: unknown. Asked once for each different one.
        public var country: @Sendable (_ digits: String) -> UInt32 = { _ in 0 }

        public init() {}
    }

    /// What was counted under one value of every dimension asked for.
    public struct Group: Sendable {
        public internal(set) var values: [UInt32]
        public internal(set) var sums: Sums
    }

    public struct Sums: Sendable, Equatable {
        /// All, refused ones too.
        public internal(set) var calls: UInt64 = 0
        /// That were sent somewhere.
        public internal(set) var seizures: UInt64 = 0
        public internal(set) var answered: UInt64 = 0
        public internal(set) var effective: UInt64 = 0
        public internal(set) var busy: UInt64 = 0
        public internal(set) var noAnswer: UInt64 = 0
        public internal(set) var rejected: UInt64 = 0
        public internal(set) var cancelled: UInt64 = 0
        public internal(set) var failed: UInt64 = 0
        public internal(set) var refused: UInt64 = 0
        public internal(set) var talkMilliseconds: UInt64 = 0
        public internal(set) var delays = DelayHistogram()

        /// Answer-seizure ratio, in hundredths of a percent; nil: nothing was sent anywhere.
        public var asr: UInt64? { seizures == 0 ? nil : (answered * 10_000 + seizures / 2) / seizures }
        /// Network effectiveness ratio: busy, ringing and declining are not the network's fault.
        public var ner: UInt64? { seizures == 0 ? nil : (effective * 10_000 + seizures / 2) / seizures }
        /// Average call duration of answered calls, milliseconds.
        public var acd: UInt64? { answered == 0 ? nil : talkMilliseconds / answered }
    }

    public let groups: [Group]
    /// How many were looked at.
    public let rows: UInt64
}

/// Milliseconds from sending a call to its ringing, in fixed classes whose width is an eighth of the power of two below: histograms
/// of several questions can be added up.
public struct DelayHistogram: Sendable, Equatable {
    public static let classes = 112
    public internal(set) var counts = [UInt32](repeating: 0, count: classes)
    public internal(set) var total: UInt64 = 0
    public internal(set) var sum: UInt64 = 0

    public init() {}

    @inline(__always) static func index(of milliseconds: UInt32) -> Int {
        guard milliseconds >= 64 else { return Int(milliseconds / 8) }
        let exponent = 31 - milliseconds.leadingZeroBitCount
        return min(classes - 1, 8 + (exponent - 6) * 8 + Int((milliseconds >> UInt32(exponent - 3)) & 7))
    }

    /// The middle of a class, milliseconds.
    static func middle(of index: Int) -> UInt64 {
        if index < 8 { return UInt64(index) * 8 + 4 }
        let (exponent, part) = ((index - 8) / 8 + 6, UInt64((index - 8) % 8))
        let width = UInt64(1) << UInt64(exponent - 3)
        return (8 + part) * width + width / 2
    }

    public mutating func add(_ milliseconds: UInt32) {
        counts[Self.index(of: milliseconds)] += 1
        total += 1
        sum += UInt64(milliseconds)
    }

    public mutating func merge(_ other: DelayHistogram) {
        for index in counts.indices { counts[index] += other.counts[index] }
        total += other.total
        sum += other.sum
    }

    /// To within a sixteenth; nil: nothing rang.
    public func percentile(_ percent: UInt64) -> UInt64? {
        guard total > 0 else { return nil }
        let rank = max(1, (total * percent + 99) / 100)
        var seen: UInt64 = 0
        for (index, count) in counts.enumerated() {
            seen += UInt64(count)
            if seen >= rank { return Self.middle(of: index) }
        }
        return nil
    }

    public var mean: UInt64? { total == 0 ? nil : sum / total }
}
