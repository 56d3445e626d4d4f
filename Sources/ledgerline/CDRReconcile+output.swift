import Foundation
import Model
import Primitives
import Reconciliation
import Tables

extension CDRReconcile {
    /// The summary on a terminal.
    func tell(_ report: ReconciliationReport) {
        let result = report.result
        print("\(statement): \(result.statement.lines.count) calls; \(result.statement.findings.joined(separator: "; "))")
        if let first = result.statement.unreadable.first {
            print("\(result.statement.unreadable.count) lines are no calls; the first is line \(first.line): \(first.reason)")
        }
        print("clock: \(report.clock)")
        print("")
        func row(_ cells: [String]) {
            let widths = [-16, 10, 16, 16, 16]
            print(zip(cells, widths).map { Self.padded($0, to: $1) }.joined())
        }
        let code = result.currency.code
        row(["", "lines", "asked \(code)", "ours \(code)", "difference"])
        for kind in LineClass.allCases {
            let total = result[kind]
            row([kind.title, "\(total.count)", amount(total.theirMicros, result), amount(total.ourMicros, result), amount(total.differenceMicros, result)])
        }
        print("")
        print("claim: \(amount(result.claimMicros, result)) \(code) for \(result.disputed.count) lines; in our favour: \(amount(result.inOurFavourMicros, result)) \(code)")
        if let out { print("written to \(out): claim.html, claim.csv, one CSV per class") }
    }

    func summary(_ report: ReconciliationReport) -> [String: Any] {
        let result = report.result
        var classes: [String: Any] = [:]
        for kind in LineClass.allCases {
            let total = result[kind]
            classes[kind.rawValue] = [
                "lines": total.count, "asked": amount(total.theirMicros, result), "ours": amount(total.ourMicros, result),
                "difference": amount(total.differenceMicros, result), "asked_seconds": Double(total.theirMilliseconds) / 1_000,
                "our_seconds": Double(total.ourMilliseconds) / 1_000,
            ]
        }
        let shift = result.shift
        return [
            "lines": result.statement.lines.count, "unreadable": result.statement.unreadable.count, "calls": result.calls.calls.count,
            "currency": result.currency.code, "findings": result.statement.findings, "classes": classes,
            "clock": [
                "basis": shift.basis.rawValue, "skew_ms": shift.skewMicroseconds / 1_000, "evidence": shift.evidence,
                "periods": shift.periods.map { period in
                    ["zone": period.zone, "from": period.from == .min ? NSNull() : WallTime(microseconds: period.from).rfc3339 as Any]
                },
            ] as [String: Any],
            "claim": ["lines": result.disputed.count, "amount": amount(result.claimMicros, result)] as [String: Any],
            "in_our_favour": amount(result.inOurFavourMicros, result),
        ]
    }

    /// One file per class, the claim, and the summary.
    func write(_ report: ReconciliationReport, to directory: String) throws {
        do {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            for kind in LineClass.allCases {
                try table(directory, "\(kind.rawValue).csv", ReconciliationReport.columns) { row in try report.forEachRow(of: kind, row) }
            }
            try table(directory, "unreadable.csv", ["line", "reason"]) { row in try report.forEachUnreadable(row) }
            try table(directory, "claim.csv", ReconciliationReport.columns) { row in try report.forEachClaim(row) }
            let page = report.page(made: WallTime(microseconds: Int64(Date().timeIntervalSince1970 * 1_000_000)))
            try Data(page.utf8).write(to: URL(fileURLWithPath: directory + "/claim.html"), options: .atomic)
            let summary = try JSONSerialization.data(withJSONObject: summary(report), options: [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes])
            try summary.write(to: URL(fileURLWithPath: directory + "/summary.json"), options: .atomic)
        } catch {
            throw fail(.cannotCreate, "\(directory) cannot be written: \(error.localizedDescription)")
        }
    }

    /// Written beside its place and moved there when it is whole.
    private func table(_ directory: String, _ name: String, _ columns: [String], _ rows: ((([String]) throws -> Void)) throws -> Void) throws {
        let fresh = "\(directory)/.\(name).new"
        guard FileManager.default.createFile(atPath: fresh, contents: nil) else { throw CocoaError(.fileWriteUnknown) }
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: fresh))
        var writer = CSVWriter()
        writer.append(columns)
        try rows { row in
            writer.append(row)
            if writer.bytes.count > 1 << 20 { try handle.write(contentsOf: Data(writer.take())) }
        }
        try handle.write(contentsOf: Data(writer.take()))
        try handle.close()
        guard unsafe rename(fresh, "\(directory)/\(name)") == 0 else { throw CocoaError(.fileWriteUnknown) }
    }

    private func amount(_ micros: Int64, _ result: Reconciliation) -> String { Money(micros: micros, result.currency).decimal }

    /// Set to the right in so many characters; to the left if the width is negative.
    private static func padded(_ text: String, to width: Int) -> String {
        let space = String(repeating: " ", count: max(0, abs(width) - text.count))
        return width < 0 ? text + space : space + text
    }
}
