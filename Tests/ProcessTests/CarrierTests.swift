import Foundation
import Testing

/// A platform of real processes with three carriers: one that would lose money, one whose gateway is down, and one whose gateway,
/// SIPp, asks for a password and checks it by itself.
@Suite struct CarrierTests {
    private static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fixtures/sipp")

    private struct Estate: Sendable {
        let platform: TestPlatform
        let token: String

        /// The id of what was made.
        @discardableResult
        func make(_ path: String, _ body: String) async throws -> String {
            let answer = try await platform.ask("POST", path, token: token, body)
            let fields = try JSONSerialization.jsonObject(with: Data(answer.utf8)) as? [String: Any]
            guard let id = fields?["id"] as? String else { throw ServerFailure(description: "\(path): \(answer)") }
            return id
        }

        func items(_ path: String) async throws -> [[String: Any]] {
            let answer = try await platform.ask("GET", path, token: token)
            let fields = try JSONSerialization.jsonObject(with: Data(answer.utf8)) as? [String: Any]
            return fields?["items"] as? [[String: Any]] ?? []
        }

        func deck(_ provider: String, _ perMinute: String) async throws -> String {
            let id = try await make("/v1/rate-decks", #"{"provider_id":"\#(provider)","name":"at \#(perMinute)","currency":"USD","decimals":4}"#)
            _ = try await platform.ask(
                "POST", "/v1/rate-decks/\(id)/versions", token: token,
                #"{"entries":[{"prefix":"1","per_minute":"\#(perMinute)","first_increment_seconds":1,"next_increment_seconds":1}]}"#)
            return id
        }

        func carrier(_ provider: String, _ name: String, cost: String, port: Int, _ more: String = "") async throws -> String {
            try await make(
                "/v1/carriers",
                #"{"provider_id":"\#(provider)","name":"\#(name)","cost_deck_id":"\#(try await deck(provider, cost))","gateways":[{"name":"\#(name) gateway","host":"127.0.0.1","port":\#(port)\#(more)}]}"#
            )
        }

        /// - Parameter gateway: where SIPp will listen; the two ports after it nobody listens at.
        func grow(gateway: Int) async throws {
            let provider = try await make("/v1/providers", #"{"name":"Kages","namespace":"kages.example","currency":"USD","time_zone":"UTC","refuses_losses":true}"#)
            let contact = try await make("/v1/contacts", #"{"provider_id":"\#(provider)","name":"Ada"}"#)
            let rules = try await make(
                "/v1/dial-plans", #"{"provider_id":"\#(provider)","name":"USA","rules":[{"match":"^[2-9][0-9]{9}$","substitution":"^([0-9]*)$","replacement":"+1\\1"}]}"#)
            let dear = try await carrier(provider, "Dear", cost: "0.05", port: gateway + 1)
            let shut = try await carrier(provider, "Shut", cost: "0.001", port: gateway + 2)
            let cheap = try await carrier(
                provider, "Cheap", cost: "0.01", port: gateway, #","auth_username":"trunk","auth_password":"tea for two","calls_max":2"#)
            let group = try await make(
                "/v1/carriers", #"{"provider_id":"\#(provider)","name":"All","member_ids":["\#(dear)","\#(cheap)","\#(shut)"],"choice":"least_cost"}"#)
            let plan = try await make(
                "/v1/service-plans",
                #"{"provider_id":"\#(provider)","name":"Plan","payment_mode":"postpaid","rate_deck_id":"\#(try await deck(provider, "0.04"))","dial_plan_id":"\#(rules)","carrier_id":"\#(group)"}"#
            )
            let customer = try await make(
                "/v1/customers", #"{"provider_id":"\#(provider)","contact_id":"\#(contact)","service_plan_id":"\#(plan)","name":"Acme","currency":"USD"}"#)
            let tenant = try await make(
                "/v1/tenants", #"{"customer_id":"\#(customer)","name":"Acme","domain":"acme.kages.example","country_code":"1","area_code":"209"}"#)
            try await make("/v1/subscribers", #"{"tenant_id":"\#(tenant)","username":"alice","password":"correct-horse","allowed_prefixes":["+1"]}"#)
        }
    }

    @Test func aCallGoesByTheCheapestCarrierThatLosesNothingAndAnswersItsChallenge() async throws {
        let scratch = try Scratch()
        let platform = TestPlatform(scratch: scratch.path)
        let server = try await platform.start()
        let estate = Estate(platform: platform, token: try await platform.token(of: server))
        let gateway = Ports.take(3)
        try await estate.grow(gateway: gateway)
        let (media, caller) = (Ports.take(4), Ports.take(5))
        // SIPp that waits for calls does not heed its own limit of time.
        let answering = Task {
            try await run(
                "timeout",
                [
                    "--signal=KILL", "75", "sipp", "-sf", Self.fixtures.appending(path: "gateway-with-a-password.xml").path, "-i", "127.0.0.1", "-p", "\(gateway)", "-mp", "\(media)", "-nostdin",
                    "-m", "1", "-timeout", "60",
                ])
        }
        // A gateway that is not there yet would be one that is down.
        #expect(try await Ports.isTaken(gateway, within: 20))
        let call = try await run(
            "sipp",
            [
                "-sf", Self.fixtures.appending(path: "caller.xml").path, "-i", "127.0.0.1", "-p", "\(caller)", "-mp", "\(caller + 1)", "-nostdin", "-m", "1", "-timeout", "60",
                "127.0.0.1:\(platform.sip)",
            ])
        #expect(call.status == 0, "\(call.output.suffix(2_000))")
        let answer = try await answering.value
        #expect(answer.status == 0, "\(answer.output.suffix(2_000))")

        let deadline = Date().addingTimeInterval(10)
        var records: [[String: Any]] = []
        while records.isEmpty, Date() < deadline { records = try await estate.items("/v1/cdrs") }
        let record = try #require(records.first)
        let attempts = record["attempts"] as? [[String: Any]] ?? []
        #expect(attempts.compactMap { $0["sip_status"] as? Int } == [503, 200])
        #expect(attempts.first?["post_dial_delay_ms"] is NSNull && attempts.last?["post_dial_delay_ms"] is Int)
        #expect((record["margins"] as? [[String: Any]])?.count == 1)

        let explained = try await Ledgerline.finish(["explain", "--cdr", "1", "--data", platform.data]).output
        #expect(explained.contains("1. gateway Shut gateway of carrier Shut: chosen"), "\(explained)")
        #expect(explained.contains("2. gateway Cheap gateway of carrier Cheap: to be tried if the first cannot take the call"), "\(explained)")
        #expect(explained.contains("carrier Dear: left out: somebody who refuses losses would pay more than it earns"), "\(explained)")
        let stats = try await Ledgerline.finish(["stats", "--by", "carrier", "--url", platform.url, "--token", estate.token]).output
        let lines = stats.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        #expect(lines.dropFirst().map { Array($0.prefix(5)) } == [["Shut", "1", "0", "0.00", "0.00"], ["Cheap", "1", "1", "100.00", "100.00"]], "\(stats)")
        #expect(try await server.stopped() == 0)
    }
}
