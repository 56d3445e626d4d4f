import Model
import Rating

/// What one line or number costs for some days of a month: exact, and rounded once, half-up, to the smallest amount of the
/// currency that is paid.
enum FeePrice {
    /// - Parameters:
    ///   - month: the price of a whole month.
    ///   - days: that it was there.
    ///   - isWhole: the month is charged as a whole, however many days these are.
    static func amount(
        _ month: Int64, _ proration: Proration, days: FeeDays, of period: FeePeriod, isWhole: Bool, currency: Currency
    ) -> Int64 {
        guard !days.isEmpty else { return 0 }
        let all = period.month.dayCount
        switch proration {
        case .wholeMonth where isWhole: return month
        case .wholeMonth, .days: return part(month, Int64(days.count), of: all, currency)
        // What the month comes to with this day, less what it came to without: the days of a month add up to its price.
        case .daily:
            let day = Int64(period.days.lowerBound)
            return part(month, day + 1, of: all, currency) - part(month, day, of: all, currency)
        case .UNRECOGNIZED: return 0
        }
    }

    /// Below 10^15, as a plan's and a number's price is.
    private static func part(_ month: Int64, _ days: Int64, of all: UInt32, _ currency: Currency) -> Int64 {
        var unit: Int128 = 1
        for _ in currency.decimals..<6 { unit *= 10 }
        return Int64(dividedHalfUp(Int128(month) * Int128(days), by: Int128(all) * unit) * unit)
    }
}
