import Model
import Primitives
import Tables

/// The calls of an invoice, one a line. It names numbers of people, so it is no part of the invoice: it is made again from the log
/// whenever it is wanted, and holds no more than the log does then.
package struct CallList: Sendable {
    package struct Entry: Sendable {
        var record: UInt64
        var startedAt: WallTime
        var direction: CallDirection
        var caller: String
        var called: String
        var destination: String
        var seconds: UInt32
        var micros: Int64

        init(_ cdr: Cdr, _ posting: AccountPosting, of account: AccountRef, destination: String, seconds: UInt32) {
            record = cdr.number
            startedAt = WallTime(microseconds: cdr.startedAt)
            direction = cdr.direction
            caller = cdr.callerNumber(onBillOf: account)
            called = cdr.calledE164.isEmpty ? cdr.dialled : cdr.calledE164
            self.destination = destination
            self.seconds = seconds
            micros = -posting.amountMicros
        }
    }

    package let entries: [Entry]
    package let currency: String
    private let calendar: BillingCalendar

    init(_ entries: [Entry], currency: String, timeZone: String) {
        self.entries = entries
        self.currency = currency
        calendar = BillingCalendar(timeZone: timeZone)
    }

    package static let columns = ["cdr_number", "started_at", "direction", "caller", "called", "destination", "billed_seconds", "amount", "currency"]

    /// RFC 4180; amounts exact, before the rounding of the invoice's lines. Times by the invoice's time zone.
    package var csv: [UInt8] {
        var writer = CSVWriter()
        writer.append(Self.columns)
        for entry in entries {
            writer.append([
                String(entry.record), calendar.text(entry.startedAt), entry.direction.literal, entry.caller, entry.called, entry.destination,
                String(entry.seconds), Money.decimal(micros: entry.micros), currency,
            ])
        }
        return writer.bytes
    }
}
