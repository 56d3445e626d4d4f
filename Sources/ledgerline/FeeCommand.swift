import ArgumentParser
import Foundation

struct FeeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fee", abstract: "Shows what service plans charged by the month or the day.",
        discussion: "Example: ledgerline fee list --customer 0198c5a0-7e1d-7c39-8f6e-5d0c6a4f1b22", subcommands: [List.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists the periods that were charged, the oldest first, with their lines.",
            discussion: """
                Of a provider: what it was charged by the one above it, for everything below it.

                Example: ledgerline fee list --customer 0198c5a0-7e1d-7c39-8f6e-5d0c6a4f1b22
                Example: ledgerline fee list --provider 0198c5a0-7e1d-7c39-8f6e-5d0c6a4f1b22 --json
                """)

        @Option(help: "A customer's id.") var customer: String?
        @Option(help: "A provider's id.") var provider: String?
        @Flag(help: "One JSON object a line.") var json = false
        @OptionGroup var access: WorkerCommand.Access

        func validate() throws {
            guard (customer == nil) != (provider == nil) else { throw ValidationError("give --customer or --provider") }
        }

        func run() async throws {
            let path = customer.map { "/v1/customers/\($0)/fees" } ?? "/v1/providers/\(provider ?? "")/fees"
            let fees = try await Listing.items(try access.client(), path)
            if json { return try fees.forEach(printJSON) }
            var rows = [["PERIOD", "FOR", "QUANTITY", "PRICE", "DAYS", "AMOUNT"]]
            for fee in fees {
                for line in fee["lines"] as? [[String: Any]] ?? [] {
                    rows.append([
                        Listing.text(fee["period"]), Listing.text(line["kind"]), Listing.text(line["quantity"]), Listing.text(line["price"]),
                        "\(Listing.text(line["days"])) of \(Listing.text(line["days_of_month"]))", Listing.text(line["amount"]),
                    ])
                }
                rows.append([Listing.text(fee["period"]), "all", "", "", "", Listing.money(fee["amount"])])
            }
            print(Listing.table(rows))
        }
    }
}
