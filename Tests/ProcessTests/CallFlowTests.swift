import Foundation
import Testing

/// Flows of calls through real processes, between SIPp's phones: what each side has to hear is in its script, what it cost in the records.
@Suite(.serialized) struct CallFlowTests {
    static let domain = "acme.kages.example"

    struct Estate: Sendable {
        let scratch: String
        let platform: TestPlatform
        let server: Server
        let token: String

        init(in scratch: Scratch, _ arguments: [String] = []) async throws {
            self.scratch = scratch.path
            platform = TestPlatform(scratch: scratch.path)
            server = try await platform.start(arguments)
            token = try await platform.token(of: server)
            try await platform.workersAreThere(token: token)
        }

        @discardableResult
        func make(_ path: String, _ body: String) async throws -> String {
            let answer = try await platform.ask("POST", path, token: token, body)
            let fields = try JSONSerialization.jsonObject(with: Data(answer.utf8)) as? [String: Any]
            guard let id = fields?["id"] as? String else { throw ServerFailure(description: "\(path): \(answer)") }
            return id
        }

        /// Lines alice (1001), bob (1002), carol (1003) and dave (1004) of one customer, who pays for calls to 209… by the minute.
        func grow(gateway: Int) async throws {
            let provider = try await make("/v1/providers", #"{"name":"Kages","namespace":"kages.example","currency":"USD","time_zone":"UTC"}"#)
            let contact = try await make("/v1/contacts", #"{"provider_id":"\#(provider)","name":"Ada"}"#)
            let rules = try await make(
                "/v1/dial-plans", #"{"provider_id":"\#(provider)","name":"USA","rules":[{"match":"^[2-9][0-9]{9}$","substitution":"^([0-9]*)$","replacement":"+1\\1"}]}"#)
            let deck = try await make("/v1/rate-decks", #"{"provider_id":"\#(provider)","name":"Retail","currency":"USD","decimals":4}"#)
            _ = try await platform.ask(
                "POST", "/v1/rate-decks/\(deck)/versions", token: token,
                #"{"entries":[{"prefix":"1","per_minute":"0.60","first_increment_seconds":60,"next_increment_seconds":60}]}"#)
            let carrier = try await make(
                "/v1/carriers", #"{"provider_id":"\#(provider)","name":"Carrier","gateways":[{"name":"gateway","host":"127.0.0.1","port":\#(gateway),"add_pai":true}]}"#)
            let plan = try await make(
                "/v1/service-plans",
                #"{"provider_id":"\#(provider)","name":"Plan","payment_mode":"postpaid","rate_deck_id":"\#(deck)","dial_plan_id":"\#(rules)","carrier_id":"\#(carrier)"}"#)
            let customer = try await make(
                "/v1/customers", #"{"provider_id":"\#(provider)","contact_id":"\#(contact)","service_plan_id":"\#(plan)","name":"Acme","currency":"USD"}"#)
            let tenant = try await make(
                "/v1/tenants", #"{"customer_id":"\#(customer)","name":"Acme","domain":"\#(CallFlowTests.domain)","country_code":"1","area_code":"209"}"#)
            for (index, name) in ["alice", "bob", "carol", "dave"].enumerated() {
                try await make(
                    "/v1/subscribers",
                    #"{"tenant_id":"\#(tenant)","username":"\#(name)","aliases":["\#(1_001 + index)"],"password":"correct-horse","allowed_prefixes":["+1"]}"#)
            }
        }

        func items(_ path: String) async throws -> [[String: Any]] {
            let answer = try await platform.ask("GET", path, token: token)
            return (try JSONSerialization.jsonObject(with: Data(answer.utf8)) as? [String: Any])?["items"] as? [[String: Any]] ?? []
        }

        func phone() -> SIPpPeer { SIPpPeer(in: scratch) }

        func registered(_ user: String, q: String = "1.0") async throws -> SIPpPeer {
            let peer = phone()
            try await peer.register(user, at: platform.sip, domain: CallFlowTests.domain, q: q)
            return peer
        }

        /// Its id.
        func line(_ user: String) async throws -> String {
            let answer = try await platform.ask("GET", "/v1/subscribers?limit=100", token: token)
            let items = (try JSONSerialization.jsonObject(with: Data(answer.utf8)) as? [String: Any])?["items"] as? [[String: Any]] ?? []
            guard let id = items.first(where: { $0["username"] as? String == user })?["id"] as? String else { throw ServerFailure(description: "\(user): \(answer)") }
            return id
        }

        /// The records, oldest first, once there are so many.
        func records(_ count: Int) async throws -> [[String: Any]] {
            let deadline = Date().addingTimeInterval(15)
            var records: [[String: Any]] = []
            while records.count < count, Date() < deadline {
                let answer = try await platform.ask("GET", "/v1/cdrs", token: token)
                records = (try JSONSerialization.jsonObject(with: Data(answer.utf8)) as? [String: Any])?["items"] as? [[String: Any]] ?? []
            }
            return records.sorted { ($0["number"] as? Int ?? 0) < ($1["number"] as? Int ?? 0) }
        }

        /// Plays those who are called beside the caller, and expects of all that they heard what they insist on.
        /// - Parameter at: port of the worker that the caller calls by; nil: of the first.
        func play(_ caller: SIPpScript, by peer: SIPpPeer? = nil, at port: Int? = nil, called: [(SIPpPeer, SIPpScript)], _ location: SourceLocation = #_sourceLocation) async throws {
            try await withThrowingTaskGroup(of: (String, Int32, String).self) { group in
                for (index, (peer, script)) in called.enumerated() {
                    group.addTask {
                        let end = try await peer.play(script)
                        return ("called \(index + 1)", end.status, end.output)
                    }
                }
                for (peer, _) in called { #expect(try await Ports.isTaken(peer.port, within: 20), sourceLocation: location) }
                let (own, sip) = (peer ?? phone(), port ?? platform.sip)
                group.addTask {
                    let end = try await own.play(caller, to: sip)
                    return ("the caller", end.status, end.output)
                }
                for try await (who, status, output) in group where status != 0 {
                    Issue.record("\(who) ended with \(status): \(output.suffix(1_200)) \(own.errors().suffix(3_000))", sourceLocation: location)
                }
            }
        }

        func end() async throws { #expect(try await server.stopped() == 0) }
    }

    /// What the line's customer pays for it.
    private func retail(_ record: [String: Any]?) -> String? {
        let charge = (record?["charges"] as? [[String: Any]])?.first { $0["edge"] as? String == "retail" }
        return (charge?["amount"] as? [String: Any])?["amount"] as? String
    }

    private func line(_ name: String, dials number: String) -> SIPpScript { SIPpScript(name, Self.domain, .caller(dials: number)) }
    private func called(_ name: String) -> SIPpScript { SIPpScript(name, Self.domain, .called) }

    @Test func callsAreHeldResumedAndRefreshed() async throws {
        let scratch = try Scratch()
        let estate = try await Estate(in: scratch)
        try await estate.grow(gateway: Ports.take())
        let phone = try await estate.registered("bob")
        var alice = line("alice", dials: "1002")
        alice.call(["Supported: timer", "Session-Expires: 600;refresher=uac"])
        alice.hear(180)
        alice.hear(200, insisting: ["Session-Expires: 600;refresher=uac", "Require: timer"])
        alice.request("ACK")
        alice.hear("INVITE", insisting: ["a=sendonly"])
        alice.reply("200 OK", sdp: "a=recvonly")
        alice.hear("ACK")
        alice.hear("INVITE", insisting: ["a=sendrecv"])
        alice.reply("200 OK", sdp: "a=sendrecv")
        alice.hear("ACK")
        alice.request("UPDATE", ["Supported: timer", "Session-Expires: 600;refresher=uac"])
        alice.hear(200, insisting: ["Session-Expires: 600;refresher=uac"])
        alice.request("UPDATE", ["Supported: timer"], sdp: "a=sendonly")
        alice.hear(200, insisting: ["a=recvonly"])
        alice.hangUp()
        var bob = called("bob")
        bob.beCalled(insisting: ["Session-Expires: 1800", "Min-SE: 90"])
        bob.answer(["Allow: INVITE, ACK, BYE, CANCEL, UPDATE"])
        bob.pause(300)
        bob.request("INVITE", sdp: "a=sendonly")
        bob.hear(100, isOptional: true)
        bob.hear(200, insisting: ["a=recvonly"])
        bob.request("ACK")
        bob.request("INVITE", sdp: "a=sendrecv")
        bob.hear(100, isOptional: true)
        bob.hear(200, insisting: ["a=sendrecv"])
        bob.request("ACK")
        bob.hear("UPDATE", insisting: ["a=sendonly"])
        bob.reply("200 OK", sdp: "a=recvonly")
        bob.beHungUp()
        try await estate.play(alice, called: [(phone, bob)])
        #expect(try await estate.records(1).first?["cause"] as? String == "caller_hung_up")
        try await estate.end()
    }

    @Test func ringingIsConfirmedAndOffersMayComeLate() async throws {
        let scratch = try Scratch()
        let estate = try await Estate(in: scratch)
        try await estate.grow(gateway: Ports.take())
        let phone = try await estate.registered("bob")
        // Early media, reliably on both sides.
        var alice = line("alice", dials: "1002")
        alice.call(["Supported: 100rel"])
        alice.hear(183, insisting: ["Require: 100rel", "RSeq: [0-9]+", "m=audio"])
        alice.prack()
        alice.hear(200)
        alice.hear(200, insisting: ["m=audio"])
        alice.request("ACK")
        alice.pause(200)
        alice.hangUp()
        var bob = called("bob")
        bob.beCalled(insisting: ["Supported: .*100rel"])
        bob.reply("183 Session Progress", ["Require: 100rel", "RSeq: 41"], sdp: "", isFirst: true)
        bob.hear("PRACK", insisting: ["RAck: 41 1 INVITE"])
        bob.reply("200 OK")
        bob.answerInvite()
        bob.hear("ACK")
        bob.beHungUp()
        try await estate.play(alice, called: [(phone, bob)])
        // No offer in the INVITE: the answer is in the ACK, and a session that is too short is refused.
        var late = line("alice", dials: "1002")
        late.call(sdp: nil)
        late.hear(180)
        late.hear(200, insisting: ["m=audio [1-9]"])
        late.request("ACK", sdp: "")
        late.pause(200)
        late.hangUp()
        var again = called("bob")
        again.beCalled(insisting: ["m=audio [1-9]", "rtpmap:8 PCMA"])
        again.answer()
        again.beHungUp()
        try await estate.play(late, called: [(phone, again)])
        var hasty = line("carol", dials: "1002")
        hasty.call(["Supported: timer", "Session-Expires: 30"])
        hasty.hear(422, insisting: ["Min-SE: 90", "X-Ledgerline-Reason: session-too-short", "X-Ledgerline-Position: [0-9]+"])
        hasty.acknowledgeRefusal()
        try await estate.play(hasty, called: [])
        #expect(try await estate.records(2).compactMap { $0["sip_status"] as? Int } == [200, 200])
        try await estate.end()
    }

    @Test func aForkedCallRingsOnceAndARedirectedOneIsTwo() async throws {
        let scratch = try Scratch()
        let estate = try await Estate(in: scratch)
        let gateway = estate.phone()
        try await estate.grow(gateway: gateway.port)
        let (desk, kitchen) = (try await estate.registered("bob"), try await estate.registered("bob"))
        var alice = line("alice", dials: "1002")
        alice.call()
        alice.hear(180)
        alice.hear(180, isOptional: true)
        alice.hear(200)
        alice.request("ACK")
        alice.pause(200)
        alice.hangUp()
        var bob = called("bob")
        bob.beCalled()
        bob.reply("180 Ringing", isFirst: true)
        bob.pause(400)
        bob.answerInvite()
        bob.hear("ACK")
        bob.beHungUp()
        var silent = called("bob")
        silent.beCalled()
        silent.reply("180 Ringing", isFirst: true)
        silent.hear("CANCEL", insisting: ["Reason: SIP;cause=200;text=.Call completed elsewhere."])
        silent.reply("200 OK")
        silent.refuseInvite("487 Request Terminated")
        silent.hear("ACK")
        try await estate.play(alice, called: [(desk, bob), (kitchen, silent)])

        // Carol's phone sends its calls outside: her line pays for it, and the carrier hears who diverted.
        let phone = try await estate.registered("carol")
        var dave = line("dave", dials: "1003")
        dave.call(["Privacy: id"])
        dave.hear(181, isOptional: true)
        dave.hear(180)
        dave.hear(200)
        dave.request("ACK")
        dave.pause(200)
        dave.hangUp()
        var carol = called("carol")
        carol.beCalled(insisting: ["From: .*anonymous@anonymous.invalid"])
        carol.reply("302 Moved Temporarily", isFirst: true, contact: "sip:2092488700@\(Self.domain)")
        carol.hear("ACK")
        var carrier = called("gw")
        carrier.beCalled(insisting: ["Diversion: <sip:[^>]*@127.0.0.1>;reason=deflection", "History-Info:", "Privacy: id"])
        carrier.answer()
        carrier.beHungUp()
        try await estate.play(dave, called: [(phone, carol), (gateway, carrier)])
        let records = try await estate.records(3)
        #expect(records.count == 3)
        let outside = records.first { $0["direction"] as? String == "outbound" }
        #expect(outside?["forward_kind"] as? String == "redirected")
        #expect(retail(outside) == "0.60")
        try await estate.end()
    }

    @Test func transfersAreTwoCallsOfTwoPayers() async throws {
        let scratch = try Scratch()
        let estate = try await Estate(in: scratch)
        let gateway = estate.phone()
        try await estate.grow(gateway: gateway.port)
        let phone = try await estate.registered("bob")
        // Blind, to the outside: bob's line pays for that.
        var alice = line("alice", dials: "1002")
        alice.call()
        alice.hear(180)
        alice.hear(200)
        alice.request("ACK")
        alice.hear("INVITE", insisting: ["m=audio"])
        alice.reply("200 OK", sdp: "")
        alice.hear("ACK")
        alice.pause(500)
        alice.hangUp()
        var bob = called("bob")
        bob.beCalled()
        bob.answer()
        bob.pause(200)
        bob.request("REFER", ["Refer-To: <sip:2092488700@\(Self.domain)>", "Referred-By: <sip:bob@\(Self.domain)>"])
        bob.hear(202)
        bob.hear("NOTIFY", insisting: ["Event: refer", "SIP/2.0 100 Trying"])
        bob.reply("200 OK")
        bob.hear("NOTIFY", insisting: ["SIP/2.0 180 Ringing"])
        bob.reply("200 OK")
        bob.hear("NOTIFY", insisting: ["Subscription-State: terminated", "SIP/2.0 200 OK"])
        bob.reply("200 OK")
        bob.beHungUp()
        var carrier = called("gw")
        carrier.beCalled()
        carrier.reply("180 Ringing", isFirst: true)
        carrier.pause(300)
        carrier.answerInvite()
        carrier.hear("ACK")
        carrier.beHungUp()
        try await estate.play(alice, called: [(phone, bob), (gateway, carrier)])
        let records = try await estate.records(2)
        let inside = records.first { $0["direction"] as? String == "on_net" }
        let outside = records.first { $0["direction"] as? String == "outbound" }
        #expect(outside?["forward_kind"] as? String == "transferred" && outside?["forwarded_from"] as? String == inside?["call_id"] as? String)
        #expect((inside?["charges"] as? [Any])?.count == 0)
        #expect(retail(outside) == "0.60")
        #expect((outside?["caller"] as? [String: Any])?["subscriber_id"] as? String == (inside?["called"] as? [String: Any])?["subscriber_id"] as? String)
        try await estate.end()
    }

    @Test func attendedTransfersJoinTwoCalls() async throws {
        let scratch = try Scratch()
        let estate = try await Estate(in: scratch)
        try await estate.grow(gateway: Ports.take())
        let (atBob, atCarol, second) = (try await estate.registered("bob"), try await estate.registered("carol"), estate.phone())
        // Bob has asked carol by another line of his phone.
        var consulting = line("bob", dials: "1003")
        consulting.call()
        consulting.hear(180)
        consulting.hear(200)
        consulting.report()
        consulting.request("ACK")
        consulting.beHungUp()
        var carol = called("carol")
        carol.beCalled()
        carol.answer()
        carol.hear("INVITE", insisting: ["m=audio"])
        carol.reply("200 OK", sdp: "")
        carol.hear("ACK")
        carol.beHungUp()
        let consultation = Task { [consulting, carol] in try await estate.play(consulting, by: second, called: [(atCarol, carol)]) }
        let replaces = try await second.reported().addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
        var alice = line("alice", dials: "1002")
        alice.call()
        alice.hear(180)
        alice.hear(200)
        alice.request("ACK")
        alice.hear("INVITE", insisting: ["m=audio"])
        alice.reply("200 OK", sdp: "")
        alice.hear("ACK")
        alice.pause(400)
        alice.hangUp()
        var bob = called("bob")
        bob.beCalled()
        bob.answer()
        bob.pause(200)
        bob.request("REFER", ["Refer-To: <sip:1003@\(Self.domain)?Replaces=\(replaces)>"])
        bob.hear(202)
        bob.hear("NOTIFY", insisting: ["SIP/2.0 100 Trying"])
        bob.reply("200 OK")
        bob.hear("NOTIFY", insisting: ["SIP/2.0 200 OK"])
        bob.reply("200 OK")
        bob.beHungUp()
        try await estate.play(alice, called: [(atBob, bob)])
        try await consultation.value
        // Alice's call and the one that bob made; none is new.
        let records = try await estate.records(2)
        #expect(records.count == 2 && records.allSatisfy { $0["cause"] as? String == "caller_hung_up" && $0["forward_kind"] as? String == "none" }, "\(records)")
        try await estate.end()
    }

    @Test func refusalsSayWhereAndWhyTheyWereDecided() async throws {
        let scratch = try Scratch()
        let estate = try await Estate(in: scratch)
        try await estate.grow(gateway: Ports.take())
        for (number, status, reason) in [("99", 404, "unknown-number"), ("1002", 480, "not-registered")] {
            var alice = line("alice", dials: number)
            alice.call()
            alice.hear(status, insisting: ["X-Ledgerline-Position: [1-9][0-9]*", "X-Ledgerline-Reason: \(reason)"])
            alice.acknowledgeRefusal()
            try await estate.play(alice, called: [])
        }
        var hops = line("alice", dials: "1002")
        hops.request("OPTIONS")
        hops.hear(200, insisting: ["X-Ledgerline-Position: [0-9]+", "Allow: .*REFER"])
        try await estate.play(hops, called: [])
        let help = try await Ledgerline.finish(["reasons", "not-registered"])
        #expect(help.status == 0 && help.output.contains("No phone of the called line is registered"))
        try await estate.end()
    }
}
