/// Joins lines and calls, one to one.
///
/// Of one number, every pair within the time tolerance is a candidate. Candidates are taken in this order, and a candidate
/// one of whose sides is taken already is passed over:
/// 1. pairs whose durations agree before pairs whose durations do not;
/// 2. the smaller distance in time, then the smaller difference in duration;
/// 3. the call with the lower number, then the line that comes first in the file.
/// So the same two files are always matched the same way, in whatever order the lines are read.
struct Matcher {
    private struct Candidate {
        var line: Int32
        var call: Int32
        var distance: Int64
        var difference: Int64
        var agrees: Bool

        var order: (Int, Int64, Int64) { (agrees ? 0 : 1, distance, difference) }
    }

    /// Candidates of one line that are looked at: of more, the best.
    private static let candidatesMax = 32

    private let lines: [StatementLine]
    private let calls: [OwnCall]
    private let settings: ReconciliationSettings
    private let shift: ClockShift
    /// For every line, the place of its call; -1: none. For every call the same with its line.
    private(set) var callOfLine: [Int32]
    private(set) var lineOfCall: [Int32]
    /// For a line without a call, the line that says the same; -1: none.
    private(set) var original: [Int32]

    init(_ lines: [StatementLine], _ calls: [OwnCall], _ shift: ClockShift, _ settings: ReconciliationSettings) {
        self.lines = lines
        self.calls = calls
        self.shift = shift
        self.settings = settings
        callOfLine = Array(repeating: -1, count: lines.count)
        lineOfCall = Array(repeating: -1, count: calls.count)
        original = Array(repeating: -1, count: lines.count)
        let groups = NumberGroups(lines, calls, moment: shift.moment(of:))
        var candidates: [Candidate] = []
        for group in groups.groups where !group.lines.isEmpty {
            if !group.calls.isEmpty {
                candidates.removeAll(keepingCapacity: true)
                for place in group.lines { collect(groups.lines[place], groups.calls[group.calls], &candidates) }
                if candidates.count > 1 {
                    candidates.sort { a, b in
                        if a.order != b.order { return a.order < b.order }
                        return (calls[Int(a.call)].cdr, lines[Int(a.line)].line) < (calls[Int(b.call)].cdr, lines[Int(b.line)].line)
                    }
                }
                for candidate in candidates where callOfLine[Int(candidate.line)] < 0 && lineOfCall[Int(candidate.call)] < 0 {
                    callOfLine[Int(candidate.line)] = candidate.call
                    lineOfCall[Int(candidate.call)] = candidate.line
                }
            }
            if group.lines.count > 1 { findDuplicates(groups.lines[group.lines]) }
        }
    }

    private func collect(_ line: Int32, _ calls: ArraySlice<Int32>, _ candidates: inout [Candidate]) {
        let tolerance = settings.timeToleranceMicroseconds
        let first = candidates.count
        let (one, other) = shift.moments(of: lines[Int(line)].start)
        for moment in [one, other] {
            guard let moment else { continue }
            var low = calls.startIndex
            var high = calls.endIndex
            while low < high {
                let middle = (low + high) / 2
                if shift.moment(of: self.calls[Int(calls[middle])]) < moment - tolerance { low = middle + 1 } else { high = middle }
            }
            while low < calls.endIndex {
                let call = self.calls[Int(calls[low])]
                let distance = shift.moment(of: call) - moment
                guard distance <= tolerance else { break }
                candidates.append(
                    Candidate(
                        line: line, call: calls[low], distance: abs(distance), difference: abs(call.milliseconds - lines[Int(line)].milliseconds),
                        agrees: settings.durationAgrees(lines[Int(line)], call)))
                low += 1
            }
        }
        guard candidates.count - first > Self.candidatesMax else { return }
        candidates[first...].sort { $0.order == $1.order ? $0.call < $1.call : $0.order < $1.order }
        candidates.removeSubrange((first + Self.candidatesMax)...)
    }

    /// A line that no call is left for is a duplicate if another line of the statement says the same: equal number, and start
    /// and duration within the tolerances. The line that has the call is the original; if none has, the first one in the file.
    private mutating func findDuplicates(_ group: ArraySlice<Int32>) {
        for place in group.indices {
            let line = group[place]
            guard callOfLine[Int(line)] < 0 else { continue }
            var best: (isWithoutCall: Bool, distance: Int64, line: Int32)?
            for step in [-1, 1] {
                var other = place + step
                while other >= group.startIndex, other < group.endIndex {
                    let candidate = group[other]
                    let distance = abs(lines[Int(candidate)].start - lines[Int(line)].start)
                    guard distance <= settings.timeToleranceMicroseconds else { break }
                    other += step
                    guard
                        abs(lines[Int(candidate)].milliseconds - lines[Int(line)].milliseconds) <= settings.durationToleranceMilliseconds
                    else { continue }
                    let isWithoutCall = callOfLine[Int(candidate)] < 0
                    // Of lines without a call, one that comes earlier in the file and is no duplicate itself.
                    if isWithoutCall, lines[Int(candidate)].line > lines[Int(line)].line { continue }
                    let found = (isWithoutCall, distance, candidate)
                    if best.map({ Self.precedes(found, $0) }) ?? true { best = found }
                }
            }
            if let best { original[Int(line)] = best.line }
        }
    }

    private static func precedes(_ a: (Bool, Int64, Int32), _ b: (Bool, Int64, Int32)) -> Bool {
        (a.0 ? 1 : 0, a.1, a.2) < (b.0 ? 1 : 0, b.1, b.2)
    }
}
