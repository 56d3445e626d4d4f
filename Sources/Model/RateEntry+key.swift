extension RateEntry {
    /// Where the row stands among the rows of its version: rows with the same key are the same row twice.
    ///
    /// Digits first, so that everything that a number begins with is found by going back from it; behind them `/` for a whole
    /// number, then `!` to `.` for the bands 1 to 14. Expressions come last, behind a `~`, the longest first, and of the
    /// same one those with a band first.
    public var key: String {
        guard pattern.isEmpty else {
            let length = String(1_000 + max(0, 999 - pattern.utf8.count)).dropFirst()
            return "~\(length)\(pattern)\u{1}\(Self.character(0x2F - min(band, Self.bandsMax)))"
        }
        guard isExact || band > 0 else { return prefix }
        return prefix + (isExact ? "/" : "") + (band > 0 ? String(Self.character(0x20 + min(band, Self.bandsMax))) : "")
    }

    /// Of a version.
    public static let bandsMax: UInt32 = 14

    private static func character(_ code: UInt32) -> Character { Character(UnicodeScalar(UInt8(truncatingIfNeeded: code))) }

    /// The row counts in the band that is in force; 0: in none.
    public func isInForce(in band: UInt32) -> Bool { self.band == 0 || self.band == band }
}

extension RateDeckVersion {
    public var rowCount: UInt64 { rows == 0 ? UInt64(entries.count) : rows }
}
