import Model
package import Primitives
import Tables

/// A reconciliation as tables: one for each class, and the claim.
package struct ReconciliationReport: Sendable {
    package let result: Reconciliation
    private let reader: StatementReader
    private let carrier: String
    private let file: String

    package init(_ result: Reconciliation, _ reader: StatementReader, carrier: String, file: String) {
        self.result = result
        self.reader = reader
        self.carrier = carrier
        self.file = file
    }

    /// The columns of every table. Those that begin with `statement_` are the carrier's own words.
    package static let columns = [
        "line", "class", "statement_called", "statement_start", "statement_duration", "statement_amount", "cdr", "our_called", "our_start",
        "our_duration_seconds", "our_amount", "currency", "their_amount", "difference", "reason",
    ]

    /// Goes over the rows of one class in the order of the statement, or of our records for calls that it does not list.
    package func forEachRow(of kind: LineClass, _ body: ([String]) throws -> Void) rethrows {
        if kind == .missingTheirs {
            for place in result.missingTheirs { try body(row(of: result.calls.calls[place])) }
        } else {
            for line in result.classes.indices where result.classes[line] == kind { try body(row(of: line)) }
        }
    }

    /// The disputed lines, by class and then as in the statement.
    package func forEachClaim(_ body: ([String]) throws -> Void) rethrows {
        let disputed = result.disputed
        for kind in LineClass.allCases {
            for line in disputed where result.classes[line] == kind { try body(row(of: line)) }
        }
    }

    /// Lines that are no calls.
    package func forEachUnreadable(_ body: ([String]) throws -> Void) rethrows {
        for line in result.statement.unreadable { try body(["\(line.line)", line.reason]) }
    }

    private func row(of line: Int) -> [String] {
        let record = result.statement.lines[line]
        let words = reader.words(of: record)
        return ["\(record.line)", result.classes[line].rawValue, words.called, words.start, words.duration, words.amount] + ours(result.call(of: line)) + [
            result.currency.code, amount(record.micros), amount(result.difference(of: line)), result.reason(of: line),
        ]
    }

    private func row(of call: OwnCall) -> [String] {
        ["", LineClass.missingTheirs.rawValue, "", "", "", ""] + ours(call) + [result.currency.code, "", amount(-call.micros), "not in the statement"]
    }

    private func ours(_ call: OwnCall?) -> [String] {
        guard let call else { return ["", "", "", "", ""] }
        return [
            "\(call.cdr)", call.number.description, WallTime(microseconds: result.shift.moment(ofOwn: call)).rfc3339, seconds(call.milliseconds), amount(call.micros),
        ]
    }

    private func amount(_ micros: Int64) -> String { Money(micros: micros, result.currency).decimal }

    private func seconds(_ milliseconds: Int64) -> String {
        let fraction = "\(1_000 + milliseconds % 1_000)".dropFirst()
        return "\(milliseconds / 1_000).\(fraction)"
    }

    /// The clock shift in words.
    package var clock: String {
        let shift = result.shift
        var text = ""
        for (index, period) in shift.periods.enumerated() {
            if index > 0 { text += ", from \(WallTime(microseconds: period.from).rfc3339.prefix(16))Z on " }
            text += period.zone
        }
        let skew = shift.skewMicroseconds
        if skew != 0 { text += ", and \(seconds(abs(skew) / 1_000)) s \(skew > 0 ? "ahead of" : "behind") our clock" }
        text += "; calls counted from \(shift.basis == .started ? "their beginning" : "the answer")"
        return text + (shift.evidence > 0 ? " (found by \(shift.evidence) pairs)" : "")
    }

    /// Lines of a claim that are printed; more are in the table.
    private static let printedMax = 5_000

    /// The claim as a page for the carrier's people.
    package func page(made: WallTime) -> String {
        var page = HTMLPage(title: "Claim: \(carrier), \(file)")
        let disputed = result.disputed
        let claim = Money(micros: result.claimMicros, result.currency).description
        page.heading("Claim against \(carrier)", level: 1)
        page.paragraph("Of the \(result.statement.lines.count) calls in \(file), we dispute \(disputed.count), and ask for \(claim).")
        page.facts([
            ("Statement", file), ("Made", WallTime(microseconds: made.microseconds).rfc3339), ("Clock of the statement", clock),
            ("Tolerances", "\(seconds(result.settings.timeToleranceMicroseconds / 1_000)) s in time, \(seconds(result.settings.durationToleranceMilliseconds)) s in duration, \(amount(result.settings.amountToleranceMicros)) in amount"),
        ])
        page.heading("What the statement holds")
        page.table(
            ["Class", "Lines", "Asked", "Our books", "Difference"],
            LineClass.allCases.map { kind in
                let total = result[kind]
                return [kind.title, "\(total.count)", amount(total.theirMicros), amount(total.ourMicros), kind == .missingTheirs ? "" : amount(total.differenceMicros)]
            }, figures: [1, 2, 3, 4])
        page.paragraph("\"Missing ours\" are lines for which we have no call; \"missing theirs\" are calls of ours that the statement does not list, which are not part of the claim.")
        for kind in LineClass.allCases where kind.isDisputable {
            let lines = disputed.filter { result.classes[$0] == kind }
            guard !lines.isEmpty else { continue }
            page.heading("\(kind.title.prefix(1).uppercased() + kind.title.dropFirst()): \(lines.count)")
            let sum = lines.reduce(0) { $0 + result.difference(of: $1) }
            page.table(
                ["Line", "Called", "Start", "Duration", "Amount", "Our record", "Our duration", "Our amount", "Disputed", "Why"],
                lines.prefix(Self.printedMax).map { line in
                    let words = reader.words(of: result.statement.lines[line])
                    let call = result.call(of: line)
                    return [
                        "\(result.statement.lines[line].line)", words.called, words.start, words.duration, words.amount, call.map { "\($0.cdr)" } ?? "none",
                        call.map { seconds($0.milliseconds) } ?? "", call.map { amount($0.micros) } ?? "", amount(result.difference(of: line)), result.reason(of: line),
                    ]
                }, figures: [0, 3, 4, 5, 6, 7, 8], total: ["", "", "", "", "", "", "", "", amount(sum), result.currency.code])
            if lines.count > Self.printedMax { page.paragraph("The first \(Self.printedMax) are printed; all \(lines.count) are in claim.csv.") }
        }
        return page.text
    }
}

extension ClockShift {
    /// The moment of a call of ours that a statement's start is compared with.
    package func moment(ofOwn call: OwnCall) -> Int64 { moment(of: call) }
}
