package import Primitives

/// Figures of calls by ITU-T E.411: how many were tried, answered and carried, how long they were and how soon they rang.
package struct CallStatistics: Sendable {
    package enum Dimension: String, CaseIterable, Sendable {
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

    package struct Question: Sendable {
        /// Calls that came in then or later.
        package var from = WallTime(microseconds: 0)
        /// And before.
        package var to = WallTime(microseconds: .max)
        /// At most three.
        package var by: [Dimension] = []
        /// Only rows whose dimension has one of these values.
        package var only: [(dimension: Dimension, values: Set<UInt32>)] = []
        /// How many digits `prefix` has, 1 to 7.
        package var prefixDigits = 4
        /// Every gateway that was tried is one; else every call is.
        package var countsAttempts = false
        /// Of the first digits of a number, at most four: two letters as a number; 0: unknown. Asked once for each different one.
        package var country: @Sendable (_ digits: String) -> UInt32 = { _ in 0 }

        package init() {}
    }

    /// What was counted under one value of every dimension asked for.
    package struct Group: Sendable {
        package internal(set) var values: [UInt32]
        package internal(set) var sums: Sums
    }

    package struct Sums: Sendable, Equatable {
        /// All, refused ones too.
        package internal(set) var calls: UInt64 = 0
        /// That were sent somewhere.
        package internal(set) var seizures: UInt64 = 0
        package internal(set) var answered: UInt64 = 0
        package internal(set) var effective: UInt64 = 0
        package internal(set) var busy: UInt64 = 0
        package internal(set) var noAnswer: UInt64 = 0
        package internal(set) var rejected: UInt64 = 0
        package internal(set) var cancelled: UInt64 = 0
        package internal(set) var failed: UInt64 = 0
        package internal(set) var refused: UInt64 = 0
        package internal(set) var talkMilliseconds: UInt64 = 0
        package internal(set) var delays = DelayHistogram()

        /// Answer-seizure ratio, in hundredths of a percent; nil: nothing was sent anywhere.
        package var asr: UInt64? { seizures == 0 ? nil : (answered * 10_000 + seizures / 2) / seizures }
        /// Network effectiveness ratio: busy, ringing and declining are not the network's fault.
        package var ner: UInt64? { seizures == 0 ? nil : (effective * 10_000 + seizures / 2) / seizures }
        /// Average call duration of answered calls, milliseconds.
        package var acd: UInt64? { answered == 0 ? nil : talkMilliseconds / answered }
    }

    package let groups: [Group]
    /// How many were looked at.
    package let rows: UInt64
}

/// Milliseconds from sending a call to its ringing, in fixed classes whose width is an eighth of the power of two below: histograms
/// of several questions can be added up.
package struct DelayHistogram: Sendable, Equatable {
    package static let classes = 112
    package internal(set) var counts = [UInt32](repeating: 0, count: classes)
    package internal(set) var total: UInt64 = 0
    package internal(set) var sum: UInt64 = 0

    package init() {}

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

    package mutating func add(_ milliseconds: UInt32) {
        counts[Self.index(of: milliseconds)] += 1
        total += 1
        sum += UInt64(milliseconds)
    }

    package mutating func merge(_ other: DelayHistogram) {
        for index in counts.indices { counts[index] += other.counts[index] }
        total += other.total
        sum += other.sum
    }

    /// To within a sixteenth; nil: nothing rang.
    package func percentile(_ percent: UInt64) -> UInt64? {
        guard total > 0 else { return nil }
        let rank = max(1, (total * percent + 99) / 100)
        var seen: UInt64 = 0
        for (index, count) in counts.enumerated() {
            seen += UInt64(count)
            if seen >= rank { return Self.middle(of: index) }
        }
        return nil
    }

    package var mean: UInt64? { total == 0 ? nil : sum / total }
}
