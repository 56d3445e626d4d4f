import Foundation
import Testing

/// A phone whose customer does not pay, at a platform of real processes: it stays registered, calls for help through a carrier (SIPp), and
/// everything else is refused with a reason.
@Suite struct EmergencyTests {
    private static let domain = CallFlowTests.domain

    private func refused(_ dialled: String, _ estate: CallFlowTests.Estate, by line: String = "alice") async throws {
        var caller = SIPpScript(line, Self.domain, .caller(dials: dialled))
        caller.call()
        caller.hear(403, insisting: ["X-Ledgerline-Reason: locked", "X-Ledgerline-Position: [0-9]+"])
        caller.acknowledgeRefusal()
        try await estate.play(caller, called: [])
    }

    @Test func aPhoneOfALockedCustomerCallsForHelpAndNobodyElse() async throws {
        let scratch = try Scratch()
        let estate = try await CallFlowTests.Estate(in: scratch)
        let carrier = estate.phone()
        try await estate.grow(gateway: carrier.port)
        let plans = try await estate.items("/v1/dial-plans")
        let plan = try #require(plans.first?["id"] as? String)
        _ = try await estate.platform.ask(
            "PATCH", "/v1/dial-plans/\(plan)", token: estate.token,
            #"{"rules":[{"description":"emergency","match":"^911$","replacement":"+12095550911"},{"match":"^[2-9][0-9]{9}$","substitution":"^([0-9]*)$","replacement":"+1\\1"}]}"#)
        _ = try await estate.registered("alice")
        let customer = try #require(try await estate.items("/v1/customers").first?["id"] as? String)
        let locked = try await estate.platform.ask("PATCH", "/v1/customers/\(customer)", token: estate.token, #"{"status":"locked"}"#)
        #expect(locked.contains(#""status":"locked""#), "\(locked)")
        // The phone registers anew, and is told no word of it.
        let phone = try await estate.registered("alice")
        var alice = SIPpScript("alice", Self.domain, .caller(dials: "911"))
        alice.call()
        alice.hear(180)
        alice.hear(200)
        alice.request("ACK")
        alice.pause(500)
        alice.hangUp()
        var help = SIPpScript("+12095550911", Self.domain, .called)
        help.beCalled(insisting: ["INVITE sip:.12095550911@"])
        help.answer()
        help.beHungUp()
        try await estate.play(alice, by: phone, called: [(carrier, help)])
        // Outside, a colleague, and a colleague who calls it.
        try await refused("2092488700", estate)
        try await refused("1002", estate)
        try await refused("1001", estate, by: "bob")
        let records = try await estate.records(4)
        #expect(records.compactMap { $0["dialled"] as? String } == ["911", "2092488700", "1002", "1001"])
        #expect(records.first?["cause"] as? String == "caller_hung_up" && records.first?["sip_status"] as? Int == 200)
        #expect(records.dropFirst().allSatisfy { $0["refusal"] as? String == "locked" }, "\(records)")
        // For good.
        _ = try await estate.platform.ask("PATCH", "/v1/customers/\(customer)", token: estate.token, #"{"status":"terminated"}"#)
        await #expect(throws: ServerFailure.self) { _ = try await estate.registered("alice") }
        try await estate.end()
    }
}
