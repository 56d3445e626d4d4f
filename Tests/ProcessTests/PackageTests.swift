import Foundation
import Testing

@Test func packagesAndFeesAreHandledFromTheCommandLine() async throws {
    let scratch = try Scratch()
    let platform = TestPlatform(scratch: scratch.path)
    let billed = try await Billed.make(platform, calls: 1)
    let server = try await platform.start()
    let customer = try await platform.ask("GET", "/v1/customers/\(billed.customer)", token: billed.token)
    let fields = try #require(try JSONSerialization.jsonObject(with: Data(customer.utf8)) as? [String: Any])
    let plan = try #require(fields["service_plan_id"] as? String)
    let changed = try await platform.ask(
        "PATCH", "/v1/service-plans/\(plan)", token: billed.token,
        #"{"packages":[{"number":1,"name":"Weekend","price":"2.50","days":2,"renewing":true,"allowances":[{"number":1,"name":"an hour","seconds":3600,"period":"once"}]}]}"#)
    #expect(changed.contains("Weekend"), "\(changed)")
    func ledgerline(_ arguments: String...) async throws -> (status: Int32, output: String) {
        try await Ledgerline.finish(arguments + ["--url", platform.url, "--token", billed.token])
    }
    // The same request twice buys one.
    for _ in 1...2 {
        let bought = try await ledgerline("package", "buy", billed.customer, "1", "--key", "weekend")
        #expect(bought.status == 0 && bought.output.contains("Weekend") && bought.output.contains("2.50 USD"), "\(bought.output)")
    }
    let list = try await ledgerline("package", "list", billed.customer, "--json")
    let lines = list.output.split(separator: "\n")
    #expect(list.status == 0 && lines.count == 1, "\(list.output)")
    let package = try #require(try JSONSerialization.jsonObject(with: Data(list.output.utf8)) as? [String: Any])
    #expect(package["is_renewed"] as? Bool == true)
    let left = try await ledgerline("package", "left", billed.customer)
    #expect(left.output.contains("an hour") && left.output.contains("3600 s"), "\(left.output)")
    let cancelled = try await ledgerline("package", "cancel", billed.customer, try #require(package["id"] as? String))
    #expect(cancelled.status == 0 && cancelled.output.hasSuffix("no\n"), "\(cancelled.output)")
    let fees = try await ledgerline("fee", "list", "--customer", billed.customer)
    #expect(fees.status == 0 && fees.output.hasPrefix("PERIOD"), "\(fees.output)")
    let neither = try await ledgerline("fee", "list")
    #expect(neither.status == 64 && neither.output.contains("--customer or --provider"), "\(neither.output)")
    #expect(try await server.stopped() == 0)
}
