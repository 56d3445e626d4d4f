import ArgumentParser
import SignalWorker

struct ReasonsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reasons",
        abstract: "Prints what the reasons of final SIP responses mean.",
        discussion: """
            Each final response that a signalling worker gives by itself has X-Ledgerline-Reason, and X-Ledgerline-Position: the
            sequence number of the log that the worker had applied.

            Example: what does the refusal mean that a phone has got?

                ledgerline reasons no-credit
            """)

    @Argument(help: "A reason; without one the whole list as Markdown, which docs/reasons.md is.")
    var reason: String?

    func run() throws {
        guard let reason else { return print(FinalReason.page, terminator: "") }
        guard let known = FinalReason(rawValue: reason) else {
            throw ValidationError("\(reason) is no reason of this version; without an argument all are listed")
        }
        print([known.meaning.text, known.meaning.remedy].filter { !$0.isEmpty }.joined(separator: " "))
    }
}
