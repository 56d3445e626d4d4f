/// How the carrier's clock differs from ours: whole quarters of an hour of time zone, which summer time may change on the way,
/// and a skew that stays.
package struct ClockShift: Hashable, Sendable {
    /// Which moment of a call the statement's start is.
    package enum Basis: String, Hashable, Sendable, CaseIterable {
        /// When we began the call.
        case started
        /// When it was answered.
        case answered
    }

    package struct Period: Hashable, Sendable {
        /// Microseconds since 1970, UTC; the period before this one ends here. `.min` for the first.
        package var from: Int64
        /// Added to UTC to get the statement's time.
        package var zoneSeconds: Int64

        package init(from: Int64, zoneSeconds: Int64) {
            self.from = from
            self.zoneSeconds = zoneSeconds
        }
    }

    package var basis: Basis
    package var periods: [Period]
    /// Added to a time in the statement's zone to get the statement's.
    package var skewMicroseconds: Int64
    /// How many lines the shift was found by; 0: it was given, or nothing spoke for one.
    package var evidence: Int

    package init(basis: Basis = .started, periods: [Period] = [Period(from: .min, zoneSeconds: 0)], skewMicroseconds: Int64 = 0, evidence: Int = 0) {
        self.basis = basis
        self.periods = periods
        self.skewMicroseconds = skewMicroseconds
        self.evidence = evidence
    }

    /// The moment of a call that lines are compared with.
    func moment(of call: OwnCall) -> Int64 { basis == .answered && call.isAnswered ? call.answered : call.started }

    /// The moments in UTC that a time in the statement may mean: one, or two in the hour that the end of summer time repeats, or
    /// none in the one that its beginning leaves out.
    func moments(of start: Int64) -> (Int64?, Int64?) {
        var found: (Int64?, Int64?) = (nil, nil)
        for (index, period) in periods.enumerated() {
            let moment = start - skewMicroseconds - period.zoneSeconds * 1_000_000
            let until = index + 1 < periods.count ? periods[index + 1].from : .max
            guard moment >= period.from, moment < until else { continue }
            if found.0 == nil { found.0 = moment } else { found.1 = found.1 ?? moment }
        }
        return found
    }

    /// The moment that is shown for a line; in a left-out hour the one by the period before it.
    func moment(of start: Int64) -> Int64 {
        moments(of: start).0 ?? start - skewMicroseconds - (periods.first?.zoneSeconds ?? 0) * 1_000_000
    }
}

extension ClockShift.Period {
    /// `UTC+01:00`
    package var zone: String {
        func pad(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let minutes = abs(zoneSeconds) / 60
        return "UTC\(zoneSeconds < 0 ? "-" : "+")\(pad(minutes / 60)):\(pad(minutes % 60))"
    }
}
