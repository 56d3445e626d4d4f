import Foundation
import Testing

/// Lines of two tenants and a carrier, on a platform of real processes; the phones are SIPp.
@Suite(.serialized) struct LineTests {
    static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fixtures/sipp")

    struct Estate: Sendable {
        let platform: TestPlatform
        let token: String
        /// Ids of the lines by user name.
        private(set) var lines: [String: String] = [:]
        private(set) var tenant = ""

        init(_ platform: TestPlatform, token: String) {
            self.platform = platform
            self.token = token
        }

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

        /// Acme has alice (1000), bob (1001, +12095550101) and carol (1002), Other has dave (+12095550102).
        mutating func grow(gateway: Int) async throws {
            let provider = try await make("/v1/providers", #"{"name":"Kages","namespace":"kages.example","currency":"USD","time_zone":"UTC"}"#)
            let contact = try await make("/v1/contacts", #"{"provider_id":"\#(provider)","name":"Ada"}"#)
            let rules = try await make(
                "/v1/dial-plans", #"{"provider_id":"\#(provider)","name":"USA","rules":[{"match":"^[2-9][0-9]{9}$","substitution":"^([0-9]*)$","replacement":"+1\\1"}]}"#)
            let deck = try await make("/v1/rate-decks", #"{"provider_id":"\#(provider)","name":"Deck","currency":"USD","decimals":4}"#)
            _ = try await platform.ask(
                "POST", "/v1/rate-decks/\(deck)/versions", token: token,
                #"{"entries":[{"prefix":"1","per_minute":"0.04","first_increment_seconds":60,"next_increment_seconds":60}]}"#)
            let carrier = try await make(
                "/v1/carriers", #"{"provider_id":"\#(provider)","name":"Carrier","gateways":[{"name":"gateway","host":"127.0.0.1","port":\#(gateway)}]}"#)
            let plan = try await make(
                "/v1/service-plans",
                #"{"provider_id":"\#(provider)","name":"Plan","payment_mode":"postpaid","rate_deck_id":"\#(deck)","dial_plan_id":"\#(rules)","carrier_id":"\#(carrier)"}"#)
            for (name, users) in [("acme", [("alice", "1000"), ("bob", "1001"), ("carol", "1002")]), ("other", [("dave", "1003")])] {
                let customer = try await make(
                    "/v1/customers", #"{"provider_id":"\#(provider)","contact_id":"\#(contact)","service_plan_id":"\#(plan)","name":"\#(name)","currency":"USD"}"#)
                let tenant = try await make(
                    "/v1/tenants", #"{"customer_id":"\#(customer)","name":"\#(name)","domain":"\#(name).kages.example","country_code":"1","area_code":"209"}"#)
                if name == "acme" { self.tenant = tenant }
                for (user, alias) in users {
                    lines[user] = try await make(
                        "/v1/subscribers",
                        #"{"tenant_id":"\#(tenant)","username":"\#(user)","aliases":["\#(alias)"],"password":"correct-horse","allowed_prefixes":["+1"]}"#)
                }
            }
            for (user, number) in [("bob", "+12095550101"), ("dave", "+12095550102")] {
                let id = try await make("/v1/numbers", #"{"provider_id":"\#(provider)","e164":"\#(number)"}"#)
                _ = try await platform.ask("POST", "/v1/numbers/\(id)/assign", token: token, #"{"subscriber_id":"\#(lines[user] ?? "")"}"#)
            }
        }

        /// What is set for the line and nothing else of these settings.
        func set(_ user: String, _ settings: String = "") async throws {
            let usual = [
                "forward_always", "forward_busy", "forward_no_answer", "forward_not_registered", "forward_outside_hours",
            ].filter { !settings.contains($0) }.map { #""\#($0)":"""# }
            let flags = ["do_not_disturb", "reject_anonymous"].filter { !settings.contains($0) }.map { #""\#($0)":false"# }
            let lists = ["blocked_callers", "closed_days"].filter { !settings.contains($0) }.map { #""\#($0)":[]"# }
            let body = (usual + flags + lists + (settings.isEmpty ? [] : [settings])).joined(separator: ",")
            let answer = try await platform.ask("PATCH", "/v1/subscribers/\(lines[user] ?? "")", token: token, "{\(body)}")
            guard answer.contains(#""username":"\#(user)""#) else { throw ServerFailure(description: answer) }
        }

        // MARK: phones

        /// SIPp with one of our scenarios, one call, then its end.
        func phone(_ scenario: String, port: Int? = nil, user: String = "x", to number: String = "x", privacy: String = "none", _ more: [String] = []) async throws -> (status: Int32, output: String) {
            let own = port ?? Ports.take()
            let media = Ports.take(8)
            let file = LineTests.fixtures.appending(path: scenario + ".xml").path
            let (status, output) = try await run(
                "timeout",
                [
                    "--signal=KILL", "60", "sipp", "-sf", file, "-i", "127.0.0.1", "-p", "\(own)", "-mp", "\(media)", "-nostdin", "-m", "1", "-timeout", "40", "-s", number, "-key",
                    "caller", user, "-au", user, "-ap", "correct-horse", "-key", "privacy", privacy,
                ] + more + ["127.0.0.1:\(platform.sip)"])
            // Screens of figures say less than what it did not like.
            let words = output.split(separator: "\n").filter { !$0.contains("|") && !$0.contains("----") }.joined(separator: "\n")
            return (status, words)
        }

        /// A phone that waits: it listens when this returns.
        func waiting(_ scenario: String, port: Int, _ more: [String] = []) async throws -> Task<(status: Int32, output: String), any Error> {
            let task = Task { try await self.phone(scenario, port: port, more) }
            guard try await Ports.isTaken(port, within: 20) else {
                let (status, output) = try await task.value
                throw ServerFailure(description: "\(scenario) does not listen: \(status) \(output.suffix(1_000))")
            }
            return task
        }

        func register(_ user: String, phone: Int) async throws {
            let (status, output) = try await self.phone("line-registers", user: user, ["-key", "phone_port", "\(phone)"])
            guard status == 0 else { throw ServerFailure(description: output) }
        }

        /// The records of all calls, the oldest first, as soon as there are so many.
        func records(_ count: Int) async throws -> [[String: Any]] {
            let deadline = Date().addingTimeInterval(15)
            var records: [[String: Any]] = []
            while records.count < count, Date() < deadline { records = try await items("/v1/cdrs?limit=100") }
            guard records.count == count else { throw ServerFailure(description: "\(records.count) records instead of \(count): \(records)") }
            return records
        }
    }

    private func estate(_ scratch: Scratch, gateway: Int = Ports.take()) async throws -> (Estate, Server) {
        let platform = TestPlatform(scratch: scratch.path)
        let server = try await platform.start()
        var estate = Estate(platform, token: try await platform.token(of: server))
        try await platform.workersAreThere(token: estate.token)
        try await estate.grow(gateway: gateway)
        return (estate, server)
    }

    private func text(_ record: [String: Any], _ name: String) -> String { record[name] as? String ?? "null" }

    @Test func callsGoOnToWhereTheLineHasSet() async throws {
        let scratch = try Scratch()
        let gateway = Ports.take()
        let (estate, server) = try await estate(scratch, gateway: gateway)
        let (bob, carol) = (Ports.take(), Ports.take())
        try await estate.register("carol", phone: carol)
        var calls = 0
        func forwarded(_ settings: String, kind: String, phone scenario: String?, to port: Int) async throws {
            try await estate.set("bob", settings)
            let silent = scenario == nil ? nil : try await estate.waiting(scenario ?? "", port: bob)
            let answering = try await estate.waiting("phone-answers", port: port)
            let call = try await estate.phone("line-calls", user: "alice", to: "1001")
            #expect(call.status == 0, "\(kind): \(call.output.suffix(1_500))")
            let answer = try await answering.value
            #expect(answer.status == 0, "\(kind): \(answer.output.suffix(1_500))")
            let unanswered = try await silent?.value.status ?? 0
            #expect(unanswered == 0, "\(kind)")
            calls += 2
            let records = try await estate.records(calls)
            let pair = Array(records.suffix(2))
            let second = try #require(pair.first { text($0, "forward_kind") == kind }, "\(kind): \(pair)")
            let first = try #require(pair.first { text($0, "forward_kind") == "none" })
            #expect(text(second, "forwarded_from") == text(first, "call_id") && first["forwarded_from"] is NSNull)
            #expect((first["duration_ms"] as? Int ?? 0) > 1_000 && (second["duration_ms"] as? Int ?? 0) > 1_000)
            let payer = (second["caller"] as? [String: Any])?["subscriber_id"] as? String
            #expect(payer == estate.lines["bob"] && (first["caller"] as? [String: Any])?["subscriber_id"] as? String == estate.lines["alice"])
        }
        try await forwarded(#""forward_not_registered":"1002""#, kind: "not_registered", phone: nil, to: carol)
        try await estate.register("bob", phone: bob)
        try await forwarded(#""forward_busy":"1002""#, kind: "busy", phone: "phone-is-busy", to: carol)
        try await forwarded(#""forward_no_answer":"1002","dial_timeout_seconds":1"#, kind: "no_answer", phone: "phone-rings", to: carol)
        try await forwarded(#""forward_busy":"1002","do_not_disturb":true"#, kind: "busy", phone: nil, to: carol)
        // Outside: the first call is free of charge, and the second is Bob's to pay.
        try await forwarded(#""forward_always":"2125550100""#, kind: "always", phone: nil, to: gateway)
        let records = try await estate.records(calls)
        let charged = records.filter { !(($0["charges"] as? [Any])?.isEmpty ?? true) }
        #expect(charged.map { text($0, "forward_kind") } == ["always"])
        #expect(try await server.stopped() == 0)
    }

    @Test func aLineKeepsCallsAwayAndARingOfTwoTenantsEnds() async throws {
        let scratch = try Scratch()
        let (estate, server) = try await estate(scratch)
        try await estate.register("bob", phone: Ports.take())
        var calls = 0
        func refused(_ settings: String, _ refusal: String, _ status: Int, privacy: String = "none") async throws {
            try await estate.set("bob", settings)
            let call = try await estate.phone("line-is-refused", user: "alice", to: "1001", privacy: privacy)
            #expect(call.status == 0, "\(refusal): \(call.output.suffix(1_500))")
            calls += 1
            let record = try #require(try await estate.records(calls).last)
            #expect(text(record, "refusal") == refusal && record["sip_status"] as? Int == status, "\(record)")
        }
        try await refused(#""do_not_disturb":true"#, "do_not_disturb", 486)
        try await refused(#""blocked_callers":["10*"]"#, "caller_blocked", 603)
        let today = ISO8601DateFormatter.string(from: Date(), timeZone: .gmt, formatOptions: [.withFullDate])
        try await refused(#""closed_days":["\#(today)","--\#(today.dropFirst(5))"]"#, "closed", 480)
        try await refused(#""reject_anonymous":true"#, "anonymous", 433, privacy: "id")
        // Bob of one tenant and Dave of the other send each other's calls on.
        try await estate.set("dave", #""forward_always":"2095550101""#)
        try await estate.set("bob", #""forward_always":"2095550102""#)
        let call = try await estate.phone("line-is-refused", user: "alice", to: "1001")
        #expect(call.status == 0, "\(call.output.suffix(1_500))")
        let records = try await estate.records(calls + 3)
        #expect(records.suffix(3).map { text($0, "refusal") }.sorted() == ["forward_loop", "none", "none"])
        let stats = try await Ledgerline.finish(["stats", "--by", "refusal", "--url", estate.platform.url, "--token", estate.token]).output
        #expect(stats.split(separator: "\n").contains { $0.hasPrefix("forward_loop") && $0.split(separator: " ").dropFirst().first == "1" }, "\(stats)")
        #expect(try await server.stopped() == 0)
    }

    @Test func aRingingCallIsPickedUpAndALampShowsIt() async throws {
        let scratch = try Scratch()
        let (estate, server) = try await estate(scratch)
        let bob = Ports.take()
        try await estate.register("bob", phone: bob)
        for (user, setting) in [("bob", #""call_group":7"#), ("carol", #""pickup_group":7"#)] {
            _ = try await estate.platform.ask("PATCH", "/v1/subscribers/\(estate.lines[user] ?? "")", token: estate.token, "{\(setting)}")
        }
        let lamp = Task { try await estate.phone("line-watches", user: "carol", to: "bob") }
        let callersLamp = Task { try await estate.phone("line-watches-a-caller", user: "carol", to: "alice") }
        let messages = scratch.path + "/bob.messages"
        let ringing = try await estate.waiting("phone-rings", port: bob, ["-trace_msg", "-message_file", messages])
        // The lamps are on before the call.
        let deadline = Date().addingTimeInterval(30)
        for user in ["alice", "bob"] {
            while try await estate.platform.ask("GET", "/v1/subscribers/\(estate.lines[user] ?? "")/watchers", token: estate.token).contains(#""items":[]"#), Date() < deadline {
                try await Task.sleep(for: .milliseconds(20))
            }
        }
        let caller = Task { try await estate.phone("line-is-hung-up-on", user: "alice", to: "1001") }
        // What does not ring yet cannot be taken.
        while (try? String(contentsOfFile: messages, encoding: .utf8))?.contains("180 Ringing") != true, Date() < deadline {
            try await Task.sleep(for: .milliseconds(20))
        }
        let taker = try await estate.phone("line-calls", user: "carol", to: "*8")
        #expect(taker.status == 0, "\(taker.output.suffix(1_500))")
        let (called, silenced, watched, seen) = try await (caller.value, ringing.value, lamp.value, callersLamp.value)
        #expect(called.status == 0, "\(called.output.suffix(1_500))")
        #expect(silenced.status == 0, "\(silenced.output.suffix(1_500))")
        #expect(watched.status == 0, "\(watched.output.suffix(3_000))")
        #expect(seen.status == 0, "\(seen.output.suffix(3_000))")
        let records = try await estate.records(2)
        let picked = try #require(records.first { !($0["picked_up"] is NSNull) })
        let other = try #require(records.first { $0["picked_up"] is NSNull })
        #expect(text(picked, "picked_up") == text(other, "call_id") && text(other, "answered_at") != "null")
        #expect(try await server.stopped() == 0)
    }

    @Test func aTrunkNeedsNoPasswordAndServesAllItsNumbers() async throws {
        let scratch = try Scratch()
        let (estate, server) = try await estate(scratch)
        let (pbx, carol) = (Ports.take(), Ports.take())
        try await estate.register("carol", phone: carol)
        try await estate.set("bob", #""is_trunk":true,"trunk_addresses":["127.0.0.1:\#(pbx)"]"#)
        let answering = try await estate.waiting("phone-answers", port: carol)
        let call = try await estate.phone("trunk-calls", port: pbx, to: "1002", ["-key", "shown", "12095550101"])
        #expect(call.status == 0, "\(call.output.suffix(1_500))")
        let answered = try await answering.value
        #expect(answered.status == 0, "\(answered.output.suffix(1_500))")
        let trunk = try await estate.waiting("trunk-answers", port: pbx)
        let inbound = try await estate.phone("line-calls", user: "alice", to: "2095550101")
        #expect(inbound.status == 0, "\(inbound.output.suffix(1_500))")
        let reached = try await trunk.value
        #expect(reached.status == 0, "\(reached.output.suffix(1_500))")
        let records = try await estate.records(2)
        #expect(records.map { text($0, "cause") } == ["caller_hung_up", "caller_hung_up"])
        #expect((records.first?["caller"] as? [String: Any])?["subscriber_id"] as? String == estate.lines["bob"])
        #expect(try await server.stopped() == 0)
    }

    /// A phone that registers; it ends with the test, and by itself.
    private func baresip(_ user: String, _ scratch: Scratch, _ estate: Estate, _ account: String, contacts: String = "", module: String) throws -> Server {
        let directory = scratch.path + "/" + user
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let files = [
            "accounts": #""\#(user)" <sip:\#(user)@acme.kages.example>;auth_pass=correct-horse;outbound="sip:127.0.0.1:\#(estate.platform.sip)";regint=120\#(account)"#,
            "contacts": contacts,
            // It listens on the next port too, for TLS, whether it has a certificate or not; and on ports of its own for sound, among those of
            // `Ports` unless it is told others (the same as in tools/lib/phone.py).
            "config": """
            sip_listen 127.0.0.1:\(Ports.take(2))
            rtp_ports 20000-29999
            net_interface 127.0.0.1
            audio_player nullaudio,
            audio_alert nullaudio,
            audio_source ausine,
            module_path /usr/lib/baresip/modules
            module ausine.so
            module g711.so
            module_tmp uuid.so
            module_app account.so
            module_app contact.so
            module_app menu.so
            module_app \(module).so
            """,
        ]
        for (name, text) in files { try (text + "\n").write(toFile: "\(directory)/\(name)", atomically: true, encoding: .utf8) }
        return try Server(["-4", "-v", "-t", "90", "-f", directory], log: directory + "/log", program: "/usr/bin/baresip")
    }

    @Test func soundsOfALineAreItsOwnOrItsTenants() async throws {
        let scratch = try Scratch()
        let (estate, server) = try await estate(scratch)
        let (bob, tenant) = (estate.lines["bob"] ?? "", estate.tenant)
        func sounds(_ words: String...) async throws -> (status: Int32, output: String) {
            try await Ledgerline.finish(["sounds"] + words + ["--url", estate.platform.url, "--token", estate.token])
        }
        let silent = try await sounds("--line", bob)
        #expect(silent.status == 0 && silent.output.contains("ring_back   phone  (not set)") && silent.output.contains("music       silence  (not set)"), "\(silent.output)")
        let above = try await sounds("--tenant", tenant, "--ring-back", "tone", "--music", "waltz")
        #expect(above.status == 0 && above.output.contains("ring_back   tone\n"), "\(above.output)")
        let own = try await sounds("--line", bob, "--ring-back", "jingle")
        #expect(own.status == 0 && own.output.contains("ring_back   jingle\n") && own.output.contains("music       waltz  (its tenant's)"), "\(own.output)")
        let object = try await sounds("--line", bob, "--json")
        let row = try #require(try JSONSerialization.jsonObject(with: Data(object.output.utf8)) as? [String: Any])
        #expect(row["id"] as? String == bob && row["ring_back"] as? String == "jingle" && row["music"] as? String == "")
        #expect(row["heard"] as? [String: String] == ["ring_back": "jingle", "music": "waltz"])
        let back = try await sounds("--line", bob, "--ring-back", "")
        #expect(back.output.contains("ring_back   tone  (its tenant's)"), "\(back.output)")
        #expect(try await sounds().output.contains("say whose: --line ID or --tenant ID"))
        #expect(try await server.stopped() == 0)
    }

    @Test func baresipHearsOfItsMessagesAndWatchesAnother() async throws {
        let scratch = try Scratch()
        let (estate, server) = try await estate(scratch)
        let bob = try baresip("bob", scratch, estate, ";mwi=yes", module: "mwi")
        _ = try await bob.waiting(for: "Voice-Message: 0/0 (0/0)")
        let path = "/v1/subscribers/\(estate.lines["bob"] ?? "")"
        let set = try await Ledgerline.finish([
            "line", "set", estate.lines["bob"] ?? "", "messages_new=2", "messages_old=1", "urgent_messages_new=1", "--url", estate.platform.url, "--token", estate.token,
        ])
        #expect(set.status == 0 && set.output.contains("messages_new            2"), "\(set.output)")
        _ = try await bob.waiting(for: "Voice-Message: 2/1 (1/0)")
        let alice = try baresip("alice", scratch, estate, "", contacts: #""Bob" <sip:bob@acme.kages.example>;presence=p2p"#, module: "presence")
        _ = try await alice.waiting(for: "200 OK (Ledgerline)")
        let deadline = Date().addingTimeInterval(20)
        var events: [String] = []
        while events.count < 2, Date() < deadline { events = try await estate.items(path + "/watchers").compactMap { $0["event"] as? String }.sorted() }
        #expect(events == ["message-summary", "presence"])
        let phones = try await Ledgerline.finish(["line", "phones", estate.lines["bob"] ?? "", "--clear", "--url", estate.platform.url, "--token", estate.token])
        #expect(phones.status == 0 && phones.output.contains("baresip") && phones.output.contains("1 forgotten"), "\(phones.output)")
        #expect(try await estate.items(path + "/bindings").isEmpty)
        try await bob.killed()
        try await alice.killed()
        #expect(try await server.stopped() == 0)
    }
}
