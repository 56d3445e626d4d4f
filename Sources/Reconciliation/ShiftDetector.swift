/// Finds the clock shift between a statement and our calls.
///
/// Every line votes with its distances to the calls to the same number, up to 15 hours. Pairs that belong together pile up
/// at one distance, all others scatter. A line's vote is shared by its candidates, so that a number that is called every minute
/// does not outvote the rest; a candidate of equal duration counts eight times.
struct ShiftDetector {
    private let lines: [StatementLine]
    private let calls: OwnCalls
    private let settings: ReconciliationSettings

    private static let reachSeconds: Int64 = 15 * 3_600
    /// A number's lines that vote, spread over its time.
    private static let votersPerNumber = 64
    private static let quarter: Int64 = 900
    /// What a change of zone costs against the lines that speak for it: fewer lines are chance.
    private static let changeCost = 4

    /// Lines that are enough to find a shift to the second, and a change of it to the hour.
    private static let linesWanted = 100_000

    init(_ lines: [StatementLine], _ calls: OwnCalls, _ settings: ReconciliationSettings) {
        self.settings = settings
        let share = UInt64(lines.count / Self.linesWanted)
        if share > 1 {
            // Some of the numbers, chosen by their digits: of a number that votes, all lines and calls are looked at.
            func votes(_ number: NumberKey) -> Bool { (number.value &* 0x9E37_79B9_7F4A_7C15) >> 32 % share == 0 }
            let some = lines.filter { votes($0.number) }
            if some.count >= Self.linesWanted / 4 {
                self.lines = some
                var few = calls
                few.calls = calls.calls.filter { votes($0.number) }
                self.calls = few
                return
            }
        }
        self.lines = lines
        self.calls = calls
    }

    func shift() -> ClockShift {
        var best: (shift: ClockShift, weight: Int)?
        for basis in settings.basis.map({ [$0] }) ?? ClockShift.Basis.allCases {
            let base = ClockShift(basis: basis)
            let groups = NumberGroups(lines, calls.calls, moment: base.moment(of:))
            guard let peak = peak(groups, base) else { continue }
            // A wrong moment blurs the pile by how long phones rang, so the sharper one is right.
            if best == nil || peak.sharpness > best!.weight { best = (shift(groups, base, peak.second), peak.sharpness) }
        }
        return best?.shift ?? ClockShift(basis: settings.basis ?? .started)
    }

    /// The distance in whole seconds at which most pairs lie; nil: fewer than three lines speak for any.
    private func peak(_ groups: NumberGroups, _ base: ClockShift) -> (second: Int64, sharpness: Int)? {
        let reach = Self.reachSeconds
        var votes = [Int](repeating: 0, count: Int(2 * reach + 1))
        var voters = 0
        forEachVoter(groups, base) { line, candidates in
            voters += 1
            let share = 65_536 / candidates.count
            for call in candidates {
                let distance = lines[line].start - base.moment(of: calls.calls[call])
                let seconds = (distance < 0 ? distance - 999_999 : distance) / 1_000_000
                guard abs(seconds) <= reach else { continue }
                votes[Int(seconds + reach)] += settings.durationAgrees(lines[line], calls.calls[call]) ? share * 8 : share
            }
        }
        guard voters >= 3 else { return nil }
        // The pile is as wide as the tolerance to both sides.
        let width = Int(max(1, settings.timeToleranceMicroseconds / 1_000_000))
        var sum = 0
        var best: (at: Int, sum: Int) = (Int(reach), 0)
        for end in votes.indices {
            sum += votes[end]
            if end >= 2 * width + 1 { sum -= votes[end - 2 * width - 1] }
            let middle = end - width
            guard middle >= 0 else { continue }
            let isNearer = abs(middle - Int(reach)) < abs(best.at - Int(reach))
            if sum > best.sum || (sum == best.sum && sum > 0 && isNearer) { best = (middle, sum) }
        }
        guard best.sum >= 3 * 65_536 else { return nil }
        // Within the pile, where it is highest.
        let pile = max(0, best.at - width)...min(votes.count - 1, best.at + width)
        var sharpness = 0
        for place in pile {
            sharpness = max(sharpness, votes[max(0, place - 1)...min(votes.count - 1, place + 1)].reduce(0, +))
        }
        return (Int64(best.at) - reach, sharpness)
    }

    /// The exact shift around a distance, with the changes of summer time.
    private func shift(_ groups: NumberGroups, _ base: ClockShift, _ second: Int64) -> ClockShift {
        let tolerance = settings.timeToleranceMicroseconds
        var distances: [Int64] = []
        forEachVoter(groups, base) { line, candidates in
            for call in candidates {
                let distance = lines[line].start - base.moment(of: calls.calls[call])
                if abs(distance - second * 1_000_000) <= tolerance + 1_000_000, settings.durationAgrees(lines[line], calls.calls[call]) {
                    distances.append(distance)
                }
            }
        }
        distances.sort()
        let median = distances.isEmpty ? second * 1_000_000 : distances[distances.count / 2]
        var result = base
        result.evidence = distances.count
        let zone = Self.rounded(median, to: Self.quarter * 1_000_000) / 1_000_000
        result.skewMicroseconds = median - zone * 1_000_000
        result.periods = periods(groups, base, zone, skew: result.skewMicroseconds)
        return result
    }

    /// Where the zone changes by an hour, or half of one, and back.
    private func periods(_ groups: NumberGroups, _ base: ClockShift, _ zone: Int64, skew: Int64) -> [ClockShift.Period] {
        var best: (periods: [ClockShift.Period], gain: Int) = ([ClockShift.Period(from: .min, zoneSeconds: zone)], 0)
        for change: Int64 in [3_600, -3_600, 1_800, -1_800] {
            let zones = (zone, zone + change)
            var witnesses: [(time: Int64, isSecond: Bool)] = []
            forEachVoter(groups, base) { line, candidates in
                var (first, second): (Int64?, Int64?) = (nil, nil)
                for call in candidates where settings.durationAgrees(lines[line], calls.calls[call]) {
                    let moment = base.moment(of: calls.calls[call])
                    let distance = lines[line].start - moment - skew
                    if abs(distance - zones.0 * 1_000_000) <= settings.timeToleranceMicroseconds { first = moment }
                    if abs(distance - zones.1 * 1_000_000) <= settings.timeToleranceMicroseconds { second = moment }
                }
                // A line that could be either says nothing.
                if let first, second == nil { witnesses.append((first, false)) }
                if let second, first == nil { witnesses.append((second, true)) }
            }
            witnesses.sort { ($0.time, $0.isSecond ? 1 : 0) < ($1.time, $1.isSecond ? 1 : 0) }
            let (periods, gain) = Self.divide(witnesses, zones)
            if gain > best.gain { best = (periods, gain) }
        }
        return best.periods
    }

    /// The division of time into periods of either zone that contradicts the fewest witnesses, where every change costs
    /// `changeCost` of them. The gain is how many fewer it contradicts than the first zone alone.
    private static func divide(_ witnesses: [(time: Int64, isSecond: Bool)], _ zones: (Int64, Int64)) -> ([ClockShift.Period], Int) {
        // Two states, the fewest contradictions on the way to each, and where it came from.
        var cost = (0, 0)
        var came: [(first: Bool, second: Bool)] = []
        came.reserveCapacity(witnesses.count)
        for witness in witnesses {
            let toFirst = cost.1 + changeCost < cost.0
            let toSecond = cost.0 + changeCost < cost.1
            let next = (
                (toFirst ? cost.1 + changeCost : cost.0) + (witness.isSecond ? 1 : 0),
                (toSecond ? cost.0 + changeCost : cost.1) + (witness.isSecond ? 0 : 1)
            )
            came.append((toFirst, toSecond))
            cost = next
        }
        var isSecond = cost.1 < cost.0
        let gain = witnesses.count(where: \.isSecond) - min(cost.0, cost.1)
        var states = [Bool](repeating: false, count: witnesses.count)
        for index in witnesses.indices.reversed() {
            states[index] = isSecond
            if isSecond ? came[index].second : came[index].first { isSecond.toggle() }
        }
        guard let start = states.first else { return ([ClockShift.Period(from: .min, zoneSeconds: zones.0)], 0) }
        var periods = [ClockShift.Period(from: .min, zoneSeconds: start ? zones.1 : zones.0)]
        for index in states.indices.dropFirst() where states[index] != states[index - 1] {
            periods.append(
                ClockShift.Period(
                    from: boundary(witnesses[index - 1].time, witnesses[index].time), zoneSeconds: states[index] ? zones.1 : zones.0))
        }
        return (periods, gain)
    }

    /// A moment after `last` and not after `first`: a full hour if there is one, because clocks are changed then.
    private static func boundary(_ last: Int64, _ first: Int64) -> Int64 {
        for step: Int64 in [3_600_000_000, 1_800_000_000, 900_000_000] {
            let time = first - (first % step)
            if time > last { return time }
        }
        return first
    }

    private static func rounded(_ value: Int64, to step: Int64) -> Int64 {
        let half = value >= 0 ? step / 2 : -step / 2
        return (value + half) / step * step
    }

    /// Lines that have calls to the same number within reach, with those calls. Of a number with many lines, some.
    private func forEachVoter(_ groups: NumberGroups, _ base: ClockShift, _ body: (Int, [Int]) -> Void) {
        let reach = Self.reachSeconds * 1_000_000
        var candidates: [Int] = []
        for group in groups.groups where !group.lines.isEmpty && !group.calls.isEmpty {
            let step = max(1, group.lines.count / Self.votersPerNumber)
            for place in stride(from: group.lines.lowerBound, to: group.lines.upperBound, by: step) {
                let line = Int(groups.lines[place])
                let start = lines[line].start
                candidates.removeAll(keepingCapacity: true)
                var low = group.calls.lowerBound
                var high = group.calls.upperBound
                while low < high {
                    let middle = (low + high) / 2
                    if base.moment(of: calls.calls[Int(groups.calls[middle])]) < start - reach { low = middle + 1 } else { high = middle }
                }
                while low < group.calls.upperBound {
                    let call = Int(groups.calls[low])
                    guard base.moment(of: calls.calls[call]) <= start + reach else { break }
                    candidates.append(call)
                    low += 1
                }
                if !candidates.isEmpty { body(line, candidates) }
            }
        }
    }
}
