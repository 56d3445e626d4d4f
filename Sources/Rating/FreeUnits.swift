public import Model

/// Free units that are there for a call, in the order in which they are taken: first those of time, then those of money.
public struct FreeUnits: Equatable, Sendable {
    public let units: [AllowanceUse]

    public init(_ units: [AllowanceUse]) { self.units = units }

    /// Of all allowances of time.
    public var seconds: UInt32 {
        UInt32(clamping: units.reduce(UInt64(0)) { $1.isMoney ? $0 : $0 + UInt64($1.seconds) })
    }
    /// Of all allowances of money.
    public var micros: Int64 { units.reduce(0) { $1.isMoney ? $0 &+ $1.micros : $0 } }

    /// Of the billed seconds the first ones. A call that costs nothing, or is paid for, takes none.
    public func takingTime(of billed: UInt32, by price: Tariff) -> (uses: [AllowanceUse], total: UInt32) {
        guard price.perMinuteMicros > 0 || price.firstPerMinuteMicros ?? 0 > 0 else { return ([], 0) }
        var uses: [AllowanceUse] = []
        var left = billed
        for var unit in units where !unit.isMoney && left > 0 && unit.seconds > 0 {
            unit.seconds = min(unit.seconds, left)
            left -= unit.seconds
            uses.append(unit)
        }
        return (uses, billed - left)
    }

    /// Of the amount that is due after the rounding.
    public func takingMoney(of amount: Int64) -> (uses: [AllowanceUse], total: Int64) {
        var uses: [AllowanceUse] = []
        var left = max(0, amount)
        for var unit in units where unit.isMoney && left > 0 && unit.micros > 0 {
            unit.micros = min(unit.micros, left)
            left -= unit.micros
            uses.append(unit)
        }
        return (uses, max(0, amount) - left)
    }
}
