import Foundation
import Testing

/// A platform with billed calls.
struct Billed: Sendable {
    let platform: TestPlatform
    let token: String
    let provider: String
    let customer: String
    let deck: String

    /// A platform, stopped, with so many calls of a minute at 4 cents, and a second version of their deck at 6 cents.
    ///
    /// - Parameter isResold: the platform charges the provider 3 cents for each.
    static func make(_ platform: TestPlatform, calls: Int, isResold: Bool = false) async throws -> Billed {
        let server = try await platform.start()
        let token = try await platform.token(of: server)
        func post(_ path: String, _ body: String) async throws -> String {
            let answer = try await platform.ask("POST", path, token: token, body)
            let fields = try JSONSerialization.jsonObject(with: Data(answer.utf8)) as? [String: Any]
            guard fields?["title"] == nil, let id = fields?["id"] as? String ?? (fields?["version"] as? Int).map(String.init) else {
                throw ServerFailure(description: "\(path): \(answer)")
            }
            return id
        }
        let provider = try await post("/v1/providers", #"{"name":"Kages","namespace":"kages.example","currency":"USD","time_zone":"UTC"}"#)
        let contact = try await post("/v1/contacts", #"{"provider_id":"\#(provider)","name":"Ada"}"#)
        let deck = try await post("/v1/rate-decks", #"{"provider_id":"\#(provider)","name":"Retail","currency":"USD","decimals":4}"#)
        for price in ["0.04", "0.06"] {
            _ = try await post(
                "/v1/rate-decks/\(deck)/versions",
                #"{"entries":[{"prefix":"1","destination":"USA","connection_fee":"0","per_minute":"\#(price)","first_increment_seconds":60,"next_increment_seconds":60}]}"#)
        }
        let plan = try await post(
            "/v1/service-plans",
            #"{"provider_id":"\#(provider)","name":"Default","payment_mode":"postpaid","rate_deck_id":"\#(deck)","subscribers_max":10,"concurrent_calls_max":5}"#)
        let customer = try await post(
            "/v1/customers",
            #"{"provider_id":"\#(provider)","contact_id":"\#(contact)","service_plan_id":"\#(plan)","name":"Acme","external_id":"C-1","currency":"USD"}"#)
        var edges: [String] = []
        if isResold {
            edges = [try await post("/v1/rate-decks", #"{"name":"Wholesale","currency":"USD","decimals":4}"#)]
            _ = try await post(
                "/v1/rate-decks/\(edges[0])/versions",
                #"{"entries":[{"prefix":"1","destination":"USA","connection_fee":"0","per_minute":"0.03","first_increment_seconds":60,"next_increment_seconds":60}]}"#)
        }
        #expect(try await server.stopped() == 0)
        let writer = Ledgerline.binary.deletingLastPathComponent().appendingPathComponent("call-writer").path
        let written = try await run(writer, [platform.data, provider, customer, deck, "\(calls)"] + edges)
        guard written.status == 0 else { throw ServerFailure(description: written.output) }
        return Billed(platform: platform, token: token, provider: provider, customer: customer, deck: deck)
    }

    func rerate(_ more: [String]) async throws -> (status: Int32, output: String, report: [String: Any]) {
        let (status, output) = try await Ledgerline.finish(
            ["rerate", "--deck", deck, "--deck-version", "2", "--from", "2020-01-01", "--to", "2100-01-01"] + more)
        let line = output.split(separator: "\n").last { $0.hasPrefix("{") } ?? ""
        return (status, output, (try? JSONSerialization.jsonObject(with: Data(line.utf8))) as? [String: Any] ?? [:])
    }

    func post() async throws -> (status: Int32, output: String, report: [String: Any]) {
        try await rerate(["--post", "--reason", "Rate of 4 November", "--url", platform.url, "--token", token, "--json"])
    }

    func corrections() async throws -> [(number: Int, counts: Int)] {
        let tail = try await Ledgerline.finish(["log", "tail", "--data", platform.data, "--from", "1", "--json"]).output
        var counts: [Int: Int] = [:]
        for line in tail.split(separator: "\n") where line.contains("charge.corrected") {
            let event = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            let number = try #require(Self.find("cdr_number", in: event) ?? Self.find("cdrNumber", in: event))
            counts[number, default: 0] += 1
        }
        return counts.map { ($0.key, $0.value) }
    }

    private static func find(_ name: String, in value: Any) -> Int? {
        if let fields = value as? [String: Any] {
            if let found = fields[name] { return (found as? NSNumber)?.intValue ?? (found as? String).flatMap { Int($0) } }
            return fields.values.lazy.compactMap { find(name, in: $0) }.first
        }
        return nil
    }

    func balance() async throws -> String {
        let answer = try await platform.ask("GET", "/v1/customers/\(customer)/balance", token: token)
        let fields = try JSONSerialization.jsonObject(with: Data(answer.utf8)) as? [String: Any]
        return (fields?["balance"] as? [String: Any])?["amount"] as? String ?? answer
    }

    func expectBooksInOrder() async throws {
        let books = try await platform.ask("GET", "/v1/trial-balance", token: token)
        #expect(books.contains(#""is_zero":true"#), "\(books)")
        let replayed = try await Ledgerline.finish(["replay", "--check", "--data", platform.data])
        #expect(replayed.status == 0, "\(replayed.output)")
        let verified = try await Ledgerline.finish(["log", "verify", "--data", platform.data])
        #expect(verified.status == 0, "\(verified.output)")
    }

    /// How many events the running platform has.
    func size() async throws -> Int {
        let health = try await run("curl", ["-sS", platform.url + "/healthz"]).output
        let fields = try? JSONSerialization.jsonObject(with: Data(health.utf8)) as? [String: Any]
        return (fields?["log_position"] as? NSNumber)?.intValue ?? 0
    }
}
