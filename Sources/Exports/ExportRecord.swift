package import Foundation
package import Model

/// One line of an export: a call's record, or a correction of what was charged for one.
package enum ExportRecord: Sendable, Equatable {
    case call(Cdr)
    /// With the record that it corrects.
    case correction(Correction, of: Cdr)

    package var cdr: Cdr {
        switch self {
        case .call(let cdr): cdr
        case .correction(_, let cdr): cdr
        }
    }
}

/// What was put right later. The call's record stays as it was.
package struct Correction: Sendable, Equatable {
    /// 1, 2, 3 … on the platform, without gaps.
    package var number: UInt64
    package var cdr: UInt64
    package var journalID: Data
    package var at: Int64
    package var reason: String
    /// One to an edge whose charge changes; the amount is the difference: negative gives money back.
    package var charges: [Charge]

    package init(number: UInt64, cdr: UInt64, journalID: Data, at: Int64, reason: String, charges: [Charge]) {
        self.number = number
        self.cdr = cdr
        self.journalID = journalID
        self.at = at
        self.reason = reason
        self.charges = charges
    }

    /// The charge by the price that it was put right by, with the difference for its amount.
    init(_ event: ChargeCorrected) {
        var charge = event.charge
        charge.amountMicros = event.differenceMicros
        self.init(
            number: event.number, cdr: event.cdrNumber, journalID: event.journalID, at: event.correctedAt,
            reason: event.reason, charges: [charge])
    }
}
