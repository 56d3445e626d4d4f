/// One line of a carrier's statement, in the units that calls are compared in.
package struct StatementLine: Hashable, Sendable {
    /// In the file, from 1.
    package var line: Int
    /// Where its record begins in the file's bytes.
    package var offset: Int
    package var number: NumberKey
    /// Microseconds since 1970 by the carrier's clock and zone.
    package var start: Int64
    package var milliseconds: Int64
    /// 0 if the statement has no amounts.
    package var micros: Int64

    package init(line: Int, offset: Int = 0, number: NumberKey, start: Int64, milliseconds: Int64, micros: Int64) {
        self.line = line
        self.offset = offset
        self.number = number
        self.start = start
        self.milliseconds = milliseconds
        self.micros = micros
    }
}

/// A carrier's statement, read.
package struct Statement: Sendable {
    package struct Unreadable: Hashable, Sendable {
        package var line: Int
        package var reason: String
    }

    package var lines: [StatementLine] = []
    /// Lines that are no calls, in the file's order: totals, remarks, damage.
    package var unreadable: [Unreadable] = []
    package var hasAmounts = true
    /// The most decimals that an amount is written with.
    package var decimals = 0
    /// What was found out about the file, in words.
    package var findings: [String] = []

    package init() {}

    package init(lines: [StatementLine], hasAmounts: Bool = true, decimals: Int) {
        self.lines = lines
        self.hasAmounts = hasAmounts
        self.decimals = decimals
    }
}

/// How a statement is to be read; what is not given is found out from the file.
package struct StatementSettings: Sendable {
    package var map = ""
    package var separator: UInt8?
    package var dateOrder: DateOrder?
    package var durationUnit: DurationUnit?
    package var hasDecimalComma: Bool?
    package var numbers = NumberReader()

    package init() {}
}
