import Foundation
import Primitives

/// Time zones are read here, at the edge: what a price is computed from is the offset, which is recorded with it.
enum ZoneOffset {
    static func isKnown(_ zone: String) -> Bool { TimeZone(identifier: zone) != nil }

    /// To the east of UTC; 0 for a zone that this machine does not know (any more).
    static func seconds(of zone: String, at time: WallTime) -> Int32 {
        guard let zone = TimeZone(identifier: zone) else { return 0 }
        let seconds = time.microseconds / 1_000_000 - (time.microseconds % 1_000_000 < 0 ? 1 : 0)
        return Int32(clamping: zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(seconds))))
    }
}
