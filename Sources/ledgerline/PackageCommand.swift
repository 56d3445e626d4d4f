import ArgumentParser
import Foundation

struct PackageCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "package", abstract: "Packages of free units: bought, listed, not renewed any more; and what is left of all free units.",
        discussion: "Example: ledgerline package left 0198c5a0-7e1d-7c39-8f6e-5d0c6a4f1b22", subcommands: [Buy.self, List.self, Cancel.self, Left.self])

    struct Buy: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Buys a package of the customer's service plan; it is paid at once.",
            discussion: "Example: ledgerline package buy 0198c5a0-7e1d-7c39-8f6e-5d0c6a4f1b22 1 --key weekend-47")

        @Argument(help: "The customer's id.") var customer: String
        @Argument(help: "The package's number in the customer's service plan.") var package: UInt32
        @Option(help: "The request's key: given again, it buys nothing twice.") var key = UUID().uuidString
        @Flag(help: "One JSON object.") var json = false
        @OptionGroup var access: WorkerCommand.Access

        func run() async throws {
            let answer = try await access.client().request(
                "POST", "/v1/customers/\(customer)/packages", ["package": Int(package)], headers: ["Idempotency-Key": key])
            try show([answer], json: json)
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists what a customer has bought, the oldest first.", discussion: "Example: ledgerline package list 0198c5a0-7e1d-7c39-8f6e-5d0c6a4f1b22 --json")

        @Argument(help: "The customer's id.") var customer: String
        @Flag(help: "One JSON object a line.") var json = false
        @OptionGroup var access: WorkerCommand.Access

        func run() async throws {
            try show(try await Listing.items(try access.client(), "/v1/customers/\(customer)/packages"), json: json)
        }
    }

    struct Cancel: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "A package is not renewed any more; it holds until it ends.",
            discussion: "Example: ledgerline package cancel 0198c5a0-7e1d-7c39-8f6e-5d0c6a4f1b22 0198c5a1-…")

        @Argument(help: "The customer's id.") var customer: String
        @Argument(help: "The id of what was bought.") var package: String
        @Flag(help: "One JSON object.") var json = false
        @OptionGroup var access: WorkerCommand.Access

        func run() async throws {
            try show([try await access.client().request("DELETE", "/v1/customers/\(customer)/packages/\(package)")], json: json)
        }
    }

    struct Left: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "What there is of free units, of the plan and of packages, in the periods that are now.",
            discussion: "Example: ledgerline package left 0198c5a0-7e1d-7c39-8f6e-5d0c6a4f1b22 --json")

        @Argument(help: "The customer's id.") var customer: String
        @Flag(help: "One JSON object a line.") var json = false
        @OptionGroup var access: WorkerCommand.Access

        func run() async throws {
            let answer = try await access.client().request("GET", "/v1/customers/\(customer)/allowances")
            let all = answer["items"] as? [[String: Any]] ?? []
            if json { return try all.forEach(printJSON) }
            var rows = [["NAME", "SINCE", "OF", "USED", "IN CALLS"]]
            for units in all {
                let isMoney = (units["seconds"] as? Int ?? 0) == 0
                func part(_ suffix: String) -> String {
                    isMoney ? Listing.text(units["amount" + suffix]) : Listing.text(units["seconds" + suffix]) + " s"
                }
                rows.append([Listing.text(units["name"]), Listing.time(units["period_from"]), part(""), part("_used"), part("_held")])
            }
            print(Listing.table(rows))
        }
    }
}

private func show(_ packages: [[String: Any]], json: Bool) throws {
    if json { return try packages.forEach(printJSON) }
    var rows = [["ID", "NAME", "PRICE", "FROM", "TO", "RENEWED"]]
    for package in packages {
        let isRenewed = package["is_renewed"] as? Bool == true
        rows.append([
            Listing.text(package["id"]), Listing.text(package["name"]), Listing.money(package["price"]), Listing.time(package["from"]), Listing.time(package["to"]),
            isRenewed ? "when it ends" : "no",
        ])
    }
    print(Listing.table(rows))
}
