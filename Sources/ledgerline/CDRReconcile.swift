import ArgumentParser
import Foundation
import Model
import Primitives
import Projections
import Rating
import Reconciliation
import Tables

struct CDRReconcile: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reconcile", abstract: "Lays a carrier's statement beside our calls, and writes the claim.",
        discussion: """
            Every line is matched with one of our calls by number, time and duration, and classified: agreed, missing ours, missing
            theirs, duration, rate, rounding, duplicate. Columns, formats, time zone and skew are found out and said. Nothing is changed.

            Example: ledgerline cdr reconcile statement.csv --data ./data --carrier "Acme Transit" --out ./claim
            Example: ledgerline cdr reconcile s.csv --data ./data --carrier Acme --map "called=B-Number,start=Date+Time,duration=Dur,amount=Cost"
            """)

    @Argument(help: "The carrier's file: CSV with commas, semicolons, tabs or bars.") var statement: String
    @Option(help: "The data directory.") var data: String
    @Option(help: "Whose statement it is: the carrier's name or id.") var carrier: String
    @Option(help: "Which column is what: called=…,start=…,duration=…,amount=… by name or number (date and time apart: start=Date+Time); what is left out is guessed from the header.")
    var map = ""
    @Option(help: "Order of day and month in dates like 01/02/2026: dmy, mdy or ymd (default: found out).") var dateOrder: DateOrder?
    @Option(help: "What a duration counts: seconds, minutes or milliseconds (default: by the column's name).") var durationUnit: DurationUnit?
    @Flag(help: "Amounts have a decimal comma (default: found out).") var decimalComma = false
    @Option(help: "Country code of numbers that are written nationally, for example 49.") var country: String?
    @Option(help: "A technical prefix that the carrier writes before numbers.") var strip = ""
    @Option(help: "How far starts may be apart.") var timeTolerance = TimeSpan(milliseconds: 5_000)
    @Option(help: "How far durations may be apart.") var durationTolerance = TimeSpan(milliseconds: 1_000)
    @Option(help: "How far amounts may be apart.") var amountTolerance = "0.0001"
    @Option(help: "What the statement's start is: started or answered (default: found out).") var basis: ClockShift.Basis?
    @Option(help: "The statement's zone, for example +01:00 (default: found out, with skew and summer time).") var zone: String?
    @Option(help: "Currency, if the carrier's calls are booked in several.") var currency: String?
    @Option(help: "Our calls from here on must be in the statement, RFC 3339 (default: its first line).") var from: String?
    @Option(help: "Our calls before this must be in the statement, RFC 3339 (default: its last line).") var to: String?
    @Option(help: "A directory to write one CSV per class to, with the claim as CSV and HTML.") var out: String?
    @Flag(help: "Print one JSON object.") var json = false

    func run() async throws {
        let tolerances = try settings()
        let period = try period()
        let opened = try OpenedLog(data)
        let views = try opened.views()
        let carrier = try findCarrier(views)
        guard let bytes = FileManager.default.contents(atPath: statement) else { throw fail(.noInput, "\(statement) cannot be read") }
        let reader: StatementReader
        let read: Statement
        var progress = Progress("statement", unit: "bytes")
        do throws(StatementError) {
            var settings = StatementSettings()
            settings.map = map
            settings.dateOrder = dateOrder
            settings.durationUnit = durationUnit
            settings.hasDecimalComma = decimalComma ? true : nil
            settings.numbers = NumberReader(country: country, strip: strip)
            reader = try StatementReader([UInt8](bytes), settings)
            read = try reader.read { progress.tell(UInt64($0), of: UInt64(bytes.count)) }
        } catch {
            throw fail(.data, "\(statement): \(error)")
        }
        progress.end()
        let (own, booked) = try ownCalls(of: carrier, views, around: read, and: period)
        let result = Reconciliation(read, own, booked, tolerances, period: period)
        let report = ReconciliationReport(
            result, reader, carrier: carrier.name, file: URL(fileURLWithPath: statement).lastPathComponent)
        if let out { try write(report, to: out) }
        if json { try printJSON(summary(report)) } else { tell(report) }
    }

    private func settings() throws -> ReconciliationSettings {
        var settings = ReconciliationSettings()
        settings.timeToleranceMicroseconds = timeTolerance.milliseconds * 1_000
        settings.durationToleranceMilliseconds = durationTolerance.milliseconds
        guard let amount = AmountReader().read(Array(amountTolerance.utf8)[...])?.micros, amount >= 0 else {
            throw ValidationError("--amount-tolerance is an amount, for example 0.0001")
        }
        settings.amountToleranceMicros = amount
        settings.basis = basis
        if let zone {
            // The zone of a time is what RFC 3339 ends in.
            guard let time = WallTime(rfc3339: "2000-01-02T00:00:00\(zone)") else { throw ValidationError("--zone is written +01:00, -05:30 or Z") }
            let seconds = (946_771_200_000_000 - time.microseconds) / 1_000_000
            settings.shift = ClockShift(basis: basis ?? .started, periods: [.init(from: .min, zoneSeconds: seconds)])
        }
        return settings
    }

    private func period() throws -> Range<Int64>? {
        func time(_ text: String?, _ name: String) throws -> Int64? {
            guard let text else { return nil }
            guard let time = WallTime(rfc3339: text) else { throw ValidationError("\(name) is a time like 2026-11-01T00:00:00Z") }
            return time.microseconds
        }
        let (from, to) = (try time(from, "--from"), try time(to, "--to"))
        guard from != nil || to != nil else { return nil }
        guard let from, let to, from < to else { throw ValidationError("give both --from and --to, the earlier first") }
        return from..<to
    }

    private func findCarrier(_ views: Views) throws -> Carrier {
        let known = try readViews(views) { views throws(ViewsError) in
            var known: [Carrier] = []
            var last: CarrierID?
            while true {
                let page = try views.carriers(after: last, limit: 500)
                known += page
                guard page.count == 500, let id = page.last.flatMap({ CarrierID($0.id) }) else { return known }
                last = id
            }
        }
        let found = known.filter { $0.name == carrier || CarrierID($0.id)?.description == carrier }
        if let only = found.first, found.count == 1 { return only }
        guard found.isEmpty else { throw fail(.data, "\(found.count) carriers are called \"\(carrier)\": give the id") }
        let names = known.prefix(10).map { "\"\($0.name)\"" }.joined(separator: ", ")
        throw fail(.data, "there is no carrier \"\(carrier)\"" + (names.isEmpty ? "" : "; there are \(names)"))
    }

    /// Our calls out through the carrier, from a day before the statement's first line to a day after its last, and in the period.
    private func ownCalls(of carrier: Carrier, _ views: Views, around statement: Statement, and period: Range<Int64>?) throws -> (OwnCalls, Currency) {
        guard let id = CarrierID(carrier.id) else { throw fail(.data, "the carrier has no id") }
        let day: Int64 = 86_400_000_000
        let first = min(statement.lines.map(\.start).min() ?? 0, period?.lowerBound ?? .max) - day
        let last = max(statement.lines.map(\.start).max() ?? 0, period?.upperBound ?? 0) + day
        var own = OwnCalls()
        var currencies: [String: Int] = [:]
        let wanted = currency
        var progress = Progress("our calls", unit: "records")
        let next = try readViews(views) { views throws(ViewsError) in try views.nextCDRNumber() }
        // Records are numbered in the order in which calls were recorded, which is that of their ends but for late reports.
        var number = try record(before: first - day, below: next, views)
        while true {
            // In pages, because pages of the views that a reader holds cannot be used again by the writer.
            let after = number
            let page = try readViews(views) { views throws(ViewsError) in try views.cdrs(of: id, after: after, limit: 2_000) }
            for cdr in page where cdr.direction == .outbound && cdr.startedAt >= first && cdr.startedAt <= last {
                guard let called = NumberKey(e164: cdr.calledE164) else { continue }
                let charge = cdr.charges.first { $0.payee.kind == .carrierPayable && $0.payee.ownerID == carrier.id }
                if let charge {
                    currencies[charge.currency, default: 0] += 1
                    if let wanted, charge.currency != wanted { continue }
                }
                own.add(cdr, called, charge)
            }
            guard let end = page.last, end.endedAt < last + 7 * day else { break }
            number = end.number
            progress.tell(number, of: next - 1)
        }
        progress.end()
        let used = currencies.keys.filter { wanted == nil || $0 == wanted }.sorted()
        guard used.count <= 1 else {
            throw fail(.data, "calls through this carrier are booked in \(used.joined(separator: " and ")): give --currency")
        }
        guard let text = used.first ?? wanted else {
            throw fail(.data, "no call through this carrier is booked, so nothing says what currency the statement is in: give --currency")
        }
        guard let code = Currency(text) else { throw fail(.data, "\(text) is not a currency") }
        return (own, code)
    }

    /// The number of the last record of a call that ended before a time; 0: there is none.
    private func record(before time: Int64, below next: UInt64, _ views: Views) throws -> UInt64 {
        try readViews(views) { views throws(ViewsError) in
            var (low, high) = (1 as UInt64, next)
            while low < high {
                let middle = low + (high - low) / 2
                if let cdr = try views.cdr(number: middle), cdr.endedAt < time { low = middle + 1 } else { high = middle }
            }
            return low - 1
        }
    }
}

extension OwnCalls {
    fileprivate mutating func add(_ cdr: Cdr, _ called: NumberKey, _ charge: Charge?) {
        var place: Int32?
        if let charge {
            let increments = Increments(first: charge.entry.firstIncrementSeconds, next: charge.entry.nextIncrementSeconds)
            place = self.place(
                of: Price(
                    connectionFeeMicros: charge.entry.connectionFeeMicros, perMinuteMicros: charge.entry.perMinuteMicros, increments: increments,
                    decimals: charge.decimals))
        }
        calls.append(
            OwnCall(
                cdr: cdr.number, number: called, started: cdr.startedAt, answered: cdr.answeredAt, milliseconds: Int64(clamping: cdr.durationMs),
                billedSeconds: charge?.billedSeconds ?? 0, micros: charge?.amountMicros ?? 0, price: place))
    }
}

extension DateOrder: ExpressibleByArgument {}
extension DurationUnit: ExpressibleByArgument {}
extension ClockShift.Basis: ExpressibleByArgument {}
