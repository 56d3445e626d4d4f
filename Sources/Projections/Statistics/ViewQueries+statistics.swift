public import Primitives

public enum StatisticsError: Error, Sendable {
    case views(ViewsError)
    case tooManyGroups(max: Int)
}

extension ViewQueries where Self: ~Copyable {
    /// Numbers that stand for parties in statistics; nil: no call of it was recorded.
    public func statisticsCode(of party: UUIDv7) throws(ViewsError) -> UInt32? {
        try number(Key(party), in: .statisticsParties).map { UInt32(truncatingIfNeeded: $0) }
    }

    /// The parties that numbers stand for.
    public func statisticsParties(_ codes: Set<UInt32>) throws(ViewsError) -> [UInt32: UUIDv7] {
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
    public func statistics(_ question: CallStatistics.Question) throws(StatisticsError) -> CallStatistics {
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
    private let dimensions: Int
    private let by: InlineArray<3, CallStatistics.Dimension>
    private let only: [(dimension: CallStatistics.Dimension, values: Set<UInt32>)]
    private let isFiltered: Bool
    private let countsAttempts: Bool
    /// Where the delay that counts is in a row.
    private let delay: Int
    private let from, to: Int64
    private let prefixMax: UInt32
    private let country: @Sendable (String) -> UInt32
    /// By the first four digits behind a 1, which tell a country: its code, or 1 and an area code. All ones: not asked yet.
    private var countries = [UInt32](repeating: .max, count: 20_000)
    private var table = StatisticsTable()
    private var rows: UInt64 = 0

    init(_ question: CallStatistics.Question) {
        dimensions = min(3, question.by.count)
        var by: InlineArray<3, CallStatistics.Dimension> = [.hour, .hour, .hour]
        for (index, dimension) in question.by.prefix(3).enumerated() { by[index] = dimension }
        self.by = by
        only = question.only
        isFiltered = !question.only.isEmpty
        countsAttempts = question.countsAttempts
        delay = question.countsAttempts ? 8 : 12
        country = question.country
        from = question.from.microseconds / 1_000_000
        to = question.to.microseconds == .max ? .max : (question.to.microseconds + 999_999) / 1_000_000
        var bound: UInt32 = 2
        for _ in 0..<max(1, min(7, question.prefixDigits)) { bound *= 10 }
        prefixMax = bound
    }

    var result: CallStatistics { CallStatistics(groups: table.groups(dimensions: dimensions), rows: rows) }

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
        rows += 1
        let last = number(44)
        let flags = UInt8(truncatingIfNeeded: last >> 16)
        if !countsAttempts, flags & StatisticsRow.Flag.isLast == 0 { return }
        let started = Int64(number(0))
        guard started >= from, started < to else { return }
        if isFiltered {
            for filter in only where !filter.values.contains(value(filter.dimension, bytes, offset)) { return }
        }
        var key: InlineArray<3, UInt32> = [0, 0, 0]
        if dimensions > 0 { key[0] = value(by[0], bytes, offset) }
        if dimensions > 1 { key[1] = value(by[1], bytes, offset) }
        if dimensions > 2 { key[2] = value(by[2], bytes, offset) }
        let place = try table.place(of: key)
        table.count(place, flags: flags, outcome: UInt8(truncatingIfNeeded: last >> 24), talk: number(4), delay: number(delay))
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
        case .country:
            var prefix = number(36)
            while prefix >= 20_000 { prefix /= 10 }
            let known = countries[Int(prefix)]
            return known == .max ? ask(prefix) : known
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

    @inline(never) private mutating func ask(_ prefix: UInt32) -> UInt32 {
        let found = prefix == 0 ? 0 : country(String(String(prefix).dropFirst()))
        countries[Int(prefix)] = found
        return found
    }
}
