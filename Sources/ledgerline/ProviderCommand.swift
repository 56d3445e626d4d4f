import ArgumentParser
import Foundation

struct ProviderCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "provider", abstract: "What a provider owes the one above it: payments and corrections.",
        discussion: """
            Asked by the one above, with a token of its scope. What the debt came from:
            ledgerline statement provider_payable.ID.EUR --data ./data --from 2026-11-01
            """,
        subcommands: [Pay.self, Adjust.self])

    struct Pay: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Records what a provider has paid to the one above it.",
            discussion: "Example: ledgerline provider pay 0198c5a0-7e1d-7c39-8f6e-5d0c6a4f1b22 --amount 119 --currency EUR --reason 'transfer 17' --key transfer-17")

        @OptionGroup var booking: Booking

        func run() async throws { try await booking.submit(to: "payments") }
    }

    struct Adjust: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Puts right what a provider owes: a positive amount is in its favour.",
            discussion: """
                Beyond the limit of the one above (approval_above) nothing is booked before a second person has approved it.

                Example: ledgerline provider adjust 0198c5a0-7e1d-7c39-8f6e-5d0c6a4f1b22 --amount=-5 --currency EUR --reason 'set-up'
                """)

        @OptionGroup var booking: Booking

        func run() async throws { try await booking.submit(to: "adjustments") }
    }

    struct Booking: ParsableArguments {
        @Argument(help: "The provider's id: of who owes.") var provider: String
        @Option(help: "A decimal number; one below zero as --amount=-5.") var amount: String
        @Option(help: "In which it is charged.") var currency: String
        @Option(help: "Stands beside the posting.") var reason = ""
        @Option(help: "The request's key: given again, it books nothing twice.") var key = UUID().uuidString
        @Flag(help: "One JSON object.") var json = false
        @OptionGroup var access: WorkerCommand.Access

        func submit(to path: String) async throws {
            let body: [String: Any] = ["amount": ["amount": amount, "currency": currency], "reason": reason]
            let answer = try await access.client().request("POST", "/v1/providers/\(provider)/\(path)", body, headers: ["Idempotency-Key": key])
            if json { return try printJSON(answer) }
            if let request = answer["request_id"] as? String {
                return print("waits for a second person: request \(request)")
            }
            print("booked as \(Listing.text(answer["journal_id"])); the provider owes \(Listing.money(answer["owes"]))")
        }
    }
}
