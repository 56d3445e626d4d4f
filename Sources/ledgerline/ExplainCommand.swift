import ArgumentParser
import Dispute
import Foundation
import Model
import Projections

struct ExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "How a call was read, routed and charged, from what was recorded when it happened.",
        discussion: """
            Reads the data directory, beside a running control plane or without one. Over the network: GET /v1/cdrs/{number}/explanation.
            For a file that proves it: ledgerline dispute.

            Example: ledgerline explain --cdr 17 --data ./data
            Example: ledgerline explain 0198c5a0-7e1d-7c39-8f6e-5d0c6a4f1b22 --data ./data --json
            """)

    @OptionGroup var named: NamedCall
    @Option(help: "The data directory.") var data: String
    @Flag(help: "Print one JSON object.") var json = false

    func run() async throws {
        let opened = try OpenedLog(data)
        let views = try opened.views()
        let id = try named.id(views)
        let explanation: CallExplanation
        do throws(DisputeError) {
            explanation = try CallExplainer(log: opened.log, views: views).explanation(of: id)
        } catch {
            throw fail(.data, "\(error)")
        }
        if json {
            print(String(decoding: try explanation.encoded(), as: UTF8.self))
        } else {
            for line in Self.lines(explanation) { print(line) }
        }
    }

    static func lines(_ call: CallExplanation) -> [String] {
        var lines = ["call \(call.call), record \(call.record), \(call.direction), \(call.startedAt)"]
        lines.append("  number   \(call.dialled) was dialled" + (call.called.isEmpty || call.called == call.dialled ? "" : ", read as \(call.called)"))
        lines.append("  rule     " + (call.dialRule.isEmpty ? "none was needed" : call.dialRule))
        for step in call.route ?? [] {
            let carrier = "carrier \(step.carrierName ?? step.carrier)"
            let gateway = step.gateway.isEmpty ? carrier : "gateway \(step.gatewayName ?? step.gateway) of \(carrier)"
            lines.append("  route    \(step.place.map { "\($0). " } ?? "-  ")\(gateway): \(step.words)" + (step.rule.isEmpty ? "" : ", by rule \(step.rule)"))
        }
        for attempt in call.attempts {
            let times = attempt.ringingAt.isEmpty ? "never rang" : "rang at \(attempt.ringingAt)"
            let target = attempt.name.map { "gateway \($0)" } ?? (attempt.target.isEmpty ? "gateway \(attempt.gateway)" : attempt.target)
            let reason = attempt.reason.isEmpty ? "" : " " + attempt.reason
            lines.append("  tried    \(target): \(attempt.status)\(reason), \(times)")
        }
        lines.append("  ended    \(call.cause), \(call.milliseconds) ms after the answer, \(call.sipStatus) to the caller")
        for charge in call.charges {
            lines.append("")
            lines.append("\(charge.edge): \(charge.amount) \(charge.currency) from \(charge.payer) to \(charge.payee)")
            lines.append("  deck \(charge.deck), version \(charge.version)")
            for candidate in charge.candidates where charge.candidates.count > 1 || candidate != charge.chosen {
                lines.append("  \(candidate == charge.chosen ? "→" : " ") \(Self.row(candidate))")
            }
            if !charge.candidates.contains(charge.chosen) || charge.candidates.count == 1 { lines.append("  → \(Self.row(charge.chosen))") }
            for (index, step) in charge.steps.enumerated() { lines.append("  \(index + 1). \(step)") }
        }
        if call.charges.isEmpty { lines.append("no charge: \(call.milliseconds == 0 ? "the call was not answered" : "no price was agreed when it started")") }
        for correction in call.corrections {
            lines.append("")
            lines.append("put right at \(correction.recordedAt): \(correction.reason)")
            for movement in correction.movements { lines.append("  \(movement.account)  \(movement.amount) \(movement.currency)") }
        }
        return lines
    }

    private static func row(_ row: CallExplanation.Candidate) -> String {
        let number = row.pattern ?? (row.prefix.isEmpty ? "any number" : row.prefix)
        let terms = ([row.band.map { "in \($0)" }] + (row.terms ?? []).map { $0 }).compactMap { $0 }
        return "\(number)  \(row.destination)  \(row.connectionFee) + \(row.perMinute) a minute, \(row.increments)" + (terms.isEmpty ? "" : "; " + terms.joined(separator: "; "))
    }
}
