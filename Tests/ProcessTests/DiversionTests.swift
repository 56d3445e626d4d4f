import Foundation
import Testing

/// What those who are called in the end read of the places that the call came by, and phones that name several places.
@Suite(.serialized) struct DiversionTests {
    private static let domain = CallFlowTests.domain

    private func caller(_ headers: [String] = []) -> SIPpScript {
        var alice = SIPpScript("alice", Self.domain, .caller(dials: "1002"))
        alice.call(headers)
        alice.hear(180, isOptional: true)
        alice.hear(181, isOptional: true)
        alice.hear(180)
        alice.hear(200)
        alice.request("ACK")
        alice.pause(200)
        alice.hangUp()
        return alice
    }

    private func answering(_ name: String, insisting: [String]) -> SIPpScript {
        var script = SIPpScript(name, Self.domain, .called)
        script.beCalled(insisting: insisting)
        script.answer()
        script.beHungUp()
        return script
    }

    private func refusing(_ name: String, with status: String, insisting: [String] = [], contact: String? = nil) -> SIPpScript {
        var script = SIPpScript(name, Self.domain, .called)
        script.beCalled(insisting: insisting)
        script.reply(status, isFirst: true, contact: contact)
        script.hear("ACK")
        return script
    }

    @Test func linesAndCarriersReadWhoSentTheCallOn() async throws {
        let scratch = try Scratch()
        let estate = try await CallFlowTests.Estate(in: scratch)
        let gateway = estate.phone()
        try await estate.grow(gateway: gateway.port)
        let carol = try await estate.registered("carol")
        let line = try await estate.line("bob")
        func set(_ settings: String) async throws {
            let answer = try await estate.platform.ask("PATCH", "/v1/subscribers/\(line)", token: estate.token, "{\(settings)}")
            try #require(answer.contains(#""username":"bob""#), "\(answer)")
        }
        func diverted(_ reason: String, _ cause: String) -> [String] {
            ["Diversion: <sip:1002@[^>]*>;reason=\(reason)", "History-Info: <sip:1002@[^>]*Reason=SIP%3Bcause%3D\(cause)>;index=1", "History-Info: <sip:1003@[^>]*>;index=1\\.1;mp=1"]
        }
        try await set(#""forward_not_registered":"1003""#)
        try await estate.play(caller(), called: [(carol, answering("carol", insisting: diverted("unavailable", "503")))])
        let bob = try await estate.registered("bob")
        try await set(#""forward_busy":"1003""#)
        try await estate.play(caller(), called: [(bob, refusing("bob", with: "486 Busy Here")), (carol, answering("carol", insisting: diverted("user-busy", "486")))])
        try await set(#""forward_busy":"","forward_no_answer":"1003","dial_timeout_seconds":1"#)
        var silent = SIPpScript("bob", Self.domain, .called)
        silent.beCalled()
        silent.reply("180 Ringing", isFirst: true)
        silent.hear("CANCEL")
        silent.reply("200 OK")
        silent.refuseInvite("487 Request Terminated")
        silent.hear("ACK")
        try await estate.play(caller(), called: [(bob, silent), (carol, answering("carol", insisting: diverted("no-answer", "408")))])
        try await set(#""forward_no_answer":"","forward_always":"1003""#)
        try await estate.play(caller(), called: [(carol, answering("carol", insisting: diverted("unconditional", "302")))])
        // Who does not want that to be known is heeded: a phone reads that the call was sent on, a carrier is trusted with the rest.
        try await estate.play(
            caller(["Privacy: history"]),
            called: [(carol, answering("carol", insisting: ["Diversion: <sip:anonymous@anonymous.invalid>;reason=unconditional", "History-Info: <sip:anonymous@anonymous.invalid>;index=1", "Privacy: history"]))])
        try await set(#""forward_always":"2092488700""#)
        try await estate.play(
            caller(["Privacy: id"]),
            called: [
                (
                    gateway,
                    answering("gw", insisting: ["Diversion: <sip:[^>]*@127.0.0.1>;reason=unconditional;counter=1", "History-Info: <sip:[+]?12092488700@127.0.0.1>;index=1\\.1;mp=1", "Privacy: id"])
                )
            ])
        #expect(try await estate.records(12).count == 12)
        try await estate.end()
    }

    @Test func aPhoneMayNameSeveralPlaces() async throws {
        let scratch = try Scratch()
        let estate = try await CallFlowTests.Estate(in: scratch)
        let gateway = estate.phone()
        try await estate.grow(gateway: gateway.port)
        let (bob, carol, dave) = (try await estate.registered("bob"), try await estate.registered("carol"), try await estate.registered("dave"))
        // Carol's and dave's phones ring together, and both are busy; outside comes last, and bob himself never.
        let places = "sip:1003@\(Self.domain)>;q=0.9, <sip:1004@\(Self.domain)>;q=0.9, <sip:2092488700@\(Self.domain)>;q=0.3, <sip:x@elsewhere.example>;q=0.8, <sip:1002@\(Self.domain)"
        var alice = SIPpScript("alice", Self.domain, .caller(dials: "1002"))
        alice.call()
        for _ in 0..<3 { alice.hear(181, isOptional: true) }
        alice.hear(180)
        alice.hear(200)
        alice.request("ACK")
        alice.pause(200)
        alice.hangUp()
        try await estate.play(
            alice,
            called: [
                (bob, refusing("bob", with: "300 Multiple Choices", contact: places)), (carol, refusing("carol", with: "486 Busy Here", insisting: ["Diversion: <sip:1002@"])),
                (dave, refusing("dave", with: "486 Busy Here", insisting: ["Diversion: <sip:1002@"])), (gateway, answering("gw", insisting: ["Diversion:"])),
            ])
        let records = try await estate.records(4)
        #expect(records.map { $0["sip_status"] as? Int }.sorted { ($0 ?? 0) < ($1 ?? 0) } == [200, 200, 486, 486], "\(records)")
        let first = try #require(records.first { $0["forward_kind"] as? String == "none" })
        let attempts = (first["attempts"] as? [[String: Any]] ?? []).compactMap { $0["sip_status"] as? Int }
        #expect(attempts == [403, 482, 300, 486, 486, 200], "\(first)")
        try await estate.end()
    }
}
