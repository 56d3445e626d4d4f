import Foundation

/// What a call to and from a carrier needs, on a platform of real processes: a carrier with the gateways that a test wants, and
/// Alice, who has a number.
struct TrunkEstate: Sendable {
    static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fixtures")

    let platform: TestPlatform
    let token: String
    let carrier: String
    let gateways: [String]

    /// - Parameter gateways: JSON of each.
    init(_ platform: TestPlatform, token: String, gateways: [String]) async throws {
        func make(_ path: String, _ body: String) async throws -> String {
            let fields = try await Self.object(platform, token, "POST", path, body)
            guard let id = fields["id"] as? String else { throw ServerFailure(description: "\(path): \(fields)") }
            return id
        }
        try await platform.workersAreThere(token: token)
        let provider = try await make("/v1/providers", #"{"name":"Kages","namespace":"kages.example","currency":"USD","time_zone":"UTC"}"#)
        let contact = try await make("/v1/contacts", #"{"provider_id":"\#(provider)","name":"Ada"}"#)
        let rules = try await make(
            "/v1/dial-plans", #"{"provider_id":"\#(provider)","name":"USA","rules":[{"match":"^[2-9][0-9]{9}$","substitution":"^([0-9]*)$","replacement":"+1\\1"}]}"#)
        let deck = try await make("/v1/rate-decks", #"{"provider_id":"\#(provider)","name":"Retail","currency":"USD","decimals":4}"#)
        _ = try await Self.object(
            platform, token, "POST", "/v1/rate-decks/\(deck)/versions",
            #"{"entries":[{"prefix":"1","per_minute":"0.04","first_increment_seconds":1,"next_increment_seconds":1}]}"#)
        let made = try await Self.object(
            platform, token, "POST", "/v1/carriers", #"{"provider_id":"\#(provider)","name":"Carrier","gateways":[\#(gateways.joined(separator: ","))]}"#)
        guard let carrier = made["id"] as? String else { throw ServerFailure(description: "carrier: \(made)") }
        let plan = try await make(
            "/v1/service-plans",
            #"{"provider_id":"\#(provider)","name":"Plan","payment_mode":"postpaid","rate_deck_id":"\#(deck)","dial_plan_id":"\#(rules)","carrier_id":"\#(carrier)"}"#)
        let customer = try await make(
            "/v1/customers", #"{"provider_id":"\#(provider)","contact_id":"\#(contact)","service_plan_id":"\#(plan)","name":"Acme","currency":"USD"}"#)
        let tenant = try await make(
            "/v1/tenants", #"{"customer_id":"\#(customer)","name":"Acme","domain":"acme.kages.example","country_code":"1","area_code":"209"}"#)
        let alice = try await make("/v1/subscribers", #"{"tenant_id":"\#(tenant)","username":"alice","password":"correct-horse","allowed_prefixes":["+1"]}"#)
        let number = try await make("/v1/numbers", #"{"provider_id":"\#(provider)","e164":"+12095550100","voice":true}"#)
        _ = try await Self.object(platform, token, "POST", "/v1/numbers/\(number)/assign", #"{"subscriber_id":"\#(alice)"}"#)
        self.platform = platform
        self.token = token
        self.carrier = carrier
        self.gateways = (made["gateways"] as? [[String: Any]] ?? []).compactMap { $0["id"] as? String }
    }

    private static func object(
        _ platform: TestPlatform, _ token: String, _ method: String, _ path: String, _ body: String? = nil
    ) async throws -> [String: Any] {
        let answer = try await platform.ask(method, path, token: token, body)
        guard let fields = try JSONSerialization.jsonObject(with: Data(answer.utf8)) as? [String: Any] else { throw ServerFailure(description: "\(path): \(answer)") }
        return fields
    }

    func change(gateway: Int, _ body: String) async throws {
        _ = try await Self.object(platform, token, "PATCH", "/v1/carriers/\(carrier)/gateways/\(gateways[gateway])", body)
    }

    /// Looks at a gateway until it is as it should be.
    func waits(for what: String, of gateway: Int = 0, until isSo: ([String: Any]) -> Bool) async throws -> [String: Any] {
        let deadline = Date().addingTimeInterval(40)
        var last: [String: Any] = [:]
        while Date() < deadline {
            last = try await Self.object(platform, token, "GET", "/v1/carriers/\(carrier)/gateways/\(gateways[gateway])")
            if isSo(last) { return last }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw ServerFailure(description: "no \(what): \(last)")
    }

    static func registration(_ gateway: [String: Any]) -> [String: Any] { gateway["registration"] as? [String: Any] ?? [:] }

    /// - Returns: the newest first.
    func records(_ count: Int) async throws -> [[String: Any]] {
        let deadline = Date().addingTimeInterval(20)
        var items: [[String: Any]] = []
        while Date() < deadline {
            items = try await Self.object(platform, token, "GET", "/v1/cdrs")["items"] as? [[String: Any]] ?? []
            if items.count >= count { return items }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw ServerFailure(description: "\(items.count) records instead of \(count)")
    }

    /// Of the carrier.
    func history() async throws -> [[String: Any]] {
        try await Self.object(platform, token, "GET", "/v1/entities/\(carrier)/history")["items"] as? [[String: Any]] ?? []
    }

    /// How many events of a type the carrier has, when it has so many: what a worker has said is shown before it is in the log.
    func events(_ type: String, atLeast count: Int) async throws -> Int {
        let deadline = Date().addingTimeInterval(10)
        var found = 0
        while Date() < deadline {
            found = try await history().count { $0["type"] as? String == type }
            if found >= count { break }
        }
        return found
    }

    /// What the audit tells of the carrier's events of that type: each field as it was afterwards.
    func changes(of type: String) async throws -> [[String: String]] {
        let answer = try await Self.object(platform, token, "GET", "/v1/audit?entity_id=\(carrier)&type=\(type)")
        return (answer["items"] as? [[String: Any]] ?? []).map { item in
            let changes = item["changes"] as? [[String: Any]] ?? []
            return Dictionary(changes.map { ($0["field"] as? String ?? "", "\($0["after"] ?? "")") }, uniquingKeysWith: { $1 })
        }
    }

    /// SIPp with a scenario of ours, from its port to another. It takes the port for media and the three after it.
    static func sipp(_ scenario: String, port: Int, media: Int, to target: Int? = nil, calls: Int = 1) async throws -> (status: Int32, output: String) {
        try await run(
            "timeout",
            [
                "--signal=KILL", "75", "sipp", "-sf", fixtures.appending(path: "sipp/\(scenario).xml").path, "-i", "127.0.0.1", "-p", "\(port)", "-mp", "\(media)", "-nostdin",
                "-m", "\(calls)", "-timeout", "60",
            ] + (target.map { ["127.0.0.1:\($0)"] } ?? []))
    }

    /// A carrier that challenges, and knows who is registered. It ends with the object.
    static func kamailio(_ scratch: String, port: Int, publicPort: Int, algorithm: String) async throws -> Kamailio {
        let server = try Server(
            [
                "--signal=TERM", "--kill-after=5", "170", "kamailio", "-DD", "-E", "-f", fixtures.appending(path: "kamailio/carrier.cfg").path, "-m", "32", "-M", "4", "-Y", scratch,
                "-A", "LISTEN=udp:127.0.0.1:\(port)", "-A", "LISTEN_TCP=tcp:127.0.0.1:\(port)", "-A", "PUBLIC=\"sip:127.0.0.1:\(publicPort)\"", "-A", "ALGORITHM=\"\(algorithm)\"",
            ], log: scratch + "/kamailio.log", program: "/usr/bin/timeout")
        let kamailio = Kamailio(server)
        guard try await Ports.isTaken(port, within: 60) else { throw ServerFailure(description: "kamailio: \(server.text.suffix(1_500))") }
        return kamailio
    }
}

/// All of its processes are in the group of `timeout`, and end with it.
struct Kamailio: Sendable {
    let server: Server
    var text: String { server.text }

    init(_ server: Server) { self.server = server }
}
