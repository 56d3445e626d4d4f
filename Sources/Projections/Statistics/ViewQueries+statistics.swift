package import Primitives

package enum StatisticsError: Error, Sendable {
    case views(ViewsError)
    case tooManyGroups(max: Int)
}

extension ViewQueries where Self: ~Copyable {
    /// Numbers that stand for parties in statistics; nil: no call of it was recorded.
    package func statisticsCode(of party: UUIDv7) throws(ViewsError) -> UInt32? {
        try number(Key(party), in: .statisticsParties).map { UInt32(truncatingIfNeeded: $0) }
    }

    /// The parties that numbers stand for.
    package func statisticsParties(_ codes: Set<UInt32>) throws(ViewsError) -> [UInt32: UUIDv7] {
        guard !codes.isEmpty else { return [:] }
        var parties: [UInt32: UUIDv7] = [:]
        try scan(.statisticsParties, from: Key([])) { key, value throws(ViewsError) in
            var reader = KeyReader(value)
            guard let id = UUIDv7(bytes: key.bytes), let code = reader.number64() else { throw .unreadable(table: .statisticsParties) }
            if id != .platform, codes.contains(UInt32(truncatingIfNeeded: code)) { parties[UInt32(truncatingIfNeeded: code)] = id }
            return true
        }
        return parties
    }

    /// Looks at every attempt that was recorded since the question's time begins.
    package func statistics(_ question: CallStatistics.Question) throws(StatisticsError) -> CallStatistics {
        var scan = StatisticsScan(question)
        var full: StatisticsTable.Full?
        do throws(ViewsError) {
            let start = try firstStatistics(recordedFrom: question.from)
            try self.scan(.statistics, from: start) { key, value throws(ViewsError) in
                guard StatisticsBlock.isWhole(value) else { throw .unreadable(table: .statistics) }
                do throws(StatisticsTable.Full) {
                    try scan.take(value)
                    return true
                } catch {
                    full = error
                    return false
                }
            }
        } catch {
            throw .views(error)
        }
        if let full { throw .tooManyGroups(max: full.groupsMax) }
        return scan.result
    }

    /// The last block that begins before the time: a call that came in later is not recorded before it.
    private func firstStatistics(recordedFrom time: WallTime) throws(ViewsError) -> Key {
        let seconds = time.microseconds / 1_000_000
        var found = Key([])
        guard let last = try last(in: .statistics, atOrBefore: Key(UInt64.max)) else { return found }
        var low: UInt64 = 0
        var high = last.key.bytes.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        while low < high {
            let middle = low + (high - low + 1) / 2
            guard let block = try self.last(in: .statistics, atOrBefore: Key(middle)), let recorded = StatisticsBlock.recordedSeconds(block.value)
            else {
                low = middle
                continue
            }
            if Int64(recorded) < seconds {
                found = block.key
                low = middle
            } else {
                high = block.key.bytes.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
                if high > 0 { high -= 1 }
            }
        }
        return found
    }
}

/// Adds up the rows of blocks.
private struct StatisticsScan {
    private let question: CallStatistics.Question
    private let from, to: Int64
    private var table = StatisticsTable()
    private var rows: UInt64 = 0
    private var countries: [UInt32: UInt32] = [:]
    private var recentCountry: (prefix: UInt32, country: UInt32) = (0, 0)
    private let prefixMax: UInt32

    init(_ question: CallStatistics.Question) {
        self.question = question
        from = question.from.microseconds / 1_000_000
        to = question.to.microseconds == .max ? .max : (question.to.microseconds + 999_999) / 1_000_000
        var bound: UInt32 = 2
        for _ in 0..<max(1, min(7, question.prefixDigits)) { bound *= 10 }
        prefixMax = bound
    }

    var result: CallStatistics { CallStatistics(groups: table.groups(dimensions: question.by.count), rows: rows) }

    mutating func take(_ block: [UInt8]) throws(StatisticsTable.Full) {
        let bytes = unsafe block.span.bytes
        var offset = StatisticsBlock.headBytes
        while offset < bytes.byteCount {
            try row(bytes, offset)
            offset += StatisticsRow.byteCount
        }
    }

    @inline(__always) private mutating func row(_ bytes: RawSpan, _ offset: Int) throws(StatisticsTable.Full) {
        @inline(__always) func number(_ place: Int) -> UInt32 {
            unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset + place, as: UInt32.self)
        }
        @inline(__always) func byte(_ place: Int) -> UInt8 { unsafe bytes.unsafeLoad(fromByteOffset: offset + place, as: UInt8.self) }
        rows += 1
        let flags = byte(46)
        if !question.countsAttempts, flags & StatisticsRow.Flag.isLast == 0 { return }
        let started = Int64(number(0))
        guard started >= from, started < to else { return }
        for filter in question.only where !filter.values.contains(value(filter.dimension, bytes, offset)) { return }
        var key: InlineArray<3, UInt32> = [0, 0, 0]
        for index in 0..<min(3, question.by.count) { key[index] = value(question.by[index], bytes, offset) }
        let delay = question.countsAttempts ? number(8) : number(12)
        let place = try table.place(of: key)
        let (talk, outcome) = (number(4), byte(47))
        table.change(place) { sums in
            sums.calls += 1
            if flags & StatisticsRow.Flag.isSeizure != 0 { sums.seizures += 1 }
            if flags & StatisticsRow.Flag.isEffective != 0 { sums.effective += 1 }
            switch outcome {
            case StatisticsRow.Outcome.answered.rawValue:
                sums.answered += 1
                sums.talkMilliseconds += UInt64(talk)
            case StatisticsRow.Outcome.busy.rawValue: sums.busy += 1
            case StatisticsRow.Outcome.noAnswer.rawValue: sums.noAnswer += 1
            case StatisticsRow.Outcome.rejected.rawValue: sums.rejected += 1
            case StatisticsRow.Outcome.cancelled.rawValue: sums.cancelled += 1
            case StatisticsRow.Outcome.refused.rawValue: sums.refused += 1
            default: sums.failed += 1
            }
            if delay != StatisticsRow.never { sums.delays.add(delay) }
        }
    }

    @inline(__always) private mutating func value(_ dimension: CallStatistics.Dimension, _ bytes: RawSpan, _ offset: Int) -> UInt32 {
        @inline(__always) func number(_ place: Int) -> UInt32 {
            unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset + place, as: UInt32.self)
        }
        @inline(__always) func byte(_ place: Int) -> UInt32 { UInt32(unsafe bytes.unsafeLoad(fromByteOffset: offset + place, as: UInt8.self)) }
        switch dimension {
        case .hour: return number(0) / 3_600
        case .day: return number(0) / 86_400
        case .provider: return number(16)
        case .customer: return number(20)
        case .tenant: return number(24)
        case .carrier: return number(28)
        case .gateway: return number(32)
        case .country: return country(number(36))
        case .prefix:
            var prefix = number(36)
            while prefix >= prefixMax { prefix /= 10 }
            return prefix
        case .direction: return byte(46) & UInt32(StatisticsRow.Flag.direction)
        case .cause: return byte(44)
        case .refusal: return byte(45)
        case .status: return number(40) & 0xFFFF
        }
    }

    private mutating func country(_ prefix: UInt32) -> UInt32 {
        guard prefix != 0 else { return 0 }
        if recentCountry.prefix == prefix { return recentCountry.country }
        let country: UInt32
        if let known = countries[prefix] {
            country = known
        } else {
            country = question.country(String(String(prefix).dropFirst()))
            countries[prefix] = country
        }
        recentCountry = (prefix, country)
        return country
    }
}
