internal import Foundation
package import Primitives

/// Times of a zone as text. The zone's offset is asked for once a quarter of an hour of the times that come by.
package struct CivilTime {
    private let zone: TimeZone
    private var quarter = Int64.min
    private var offset: Int64 = 0

    /// UTC for a zone that is not known.
    package init(zone: String) {
        self.zone = TimeZone(identifier: zone) ?? TimeZone(secondsFromGMT: 0) ?? .current
    }

    /// Microseconds since 1970 as the clock on the wall there shows them.
    package mutating func local(_ microseconds: Int64) -> WallTime {
        let quarter = microseconds / 900_000_000
        if quarter != self.quarter {
            self.quarter = quarter
            offset = Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(microseconds / 1_000_000))))
        }
        return WallTime(microseconds: microseconds + offset * 1_000_000)
    }

    /// `2026-11-21 13:05:09`, with three decimals if they are asked for.
    package mutating func text(_ microseconds: Int64, milliseconds: Bool = false) -> String {
        let text = local(microseconds).rfc3339
        return "\(text.prefix(10)) \(text.dropFirst(11).prefix(milliseconds ? 12 : 8))"
    }

    /// `20261121130509`
    package mutating func stamp(_ microseconds: Int64) -> String {
        String(local(microseconds).rfc3339.prefix(19).filter(\.isNumber))
    }
}
