import Primitives
import Testing

@testable import SIP

/// One layer and what it did, for the side that asks.
private struct Client {
    var layer = TransactionLayer(clientsMax: 4)
    var effects: [TransactionLayer.Effect] = []

    mutating func send(_ request: SIPMessage, at ms: UInt64 = 0, over transport: Transport = .udp)
        -> ClientTransactionID?
    {
        effects = []
        return layer.send(
            request, to: Hop(transport, listener: Samples.worker, remote: Samples.phone), now: Samples.time(ms),
            into: &effects)
    }

    mutating func receive(_ message: SIPMessage, at ms: UInt64) -> [String] {
        effects = []
        layer.receive(message, on: Samples.hop, now: Samples.time(ms), into: &effects)
        return told(effects)
    }

    mutating func tick(at ms: UInt64) -> [String] {
        effects = []
        layer.tick(now: Samples.time(ms), into: &effects)
        return told(effects)
    }

    mutating func cancel(_ id: ClientTransactionID, at ms: UInt64) -> [String] {
        effects = []
        layer.cancel(id, now: Samples.time(ms), into: &effects)
        return told(effects)
    }
}

@Test func unansweredInviteIsRepeatedThenFails() throws {
    var client = Client()
    let idSent = client.send(Samples.request("INVITE"))
    let id = try #require(idSent)
    #expect(told(client.effects) == ["send INVITE"])
    var all: [String] = []
    while let wake = client.layer.nextWake { all += client.tick(at: wake.nanoseconds / 1_000_000) }
    #expect(all == Array(repeating: "send INVITE", count: 6) + ["failed timeout"])
    #expect(client.effects == [.failed(id, .timeout)])
    #expect(client.layer.clientCount == 0)
}

@Test func failureIsAcknowledgedWithTheBranchOfTheInvite() throws {
    var client = Client()
    let invite = Samples.request("INVITE", extra: "Route: <sip:proxy.example.com;lr>\r\n")
    _ = client.send(invite)
    let busy = invite.response(486, toTag: "b")
    #expect(client.receive(busy, at: 100) == ["send ACK", "response 486 INVITE"])
    guard case .send(let bytes, _) = client.effects.first else { Issue.record("another effect"); return }
    let ack = try SIPMessage(parsing: bytes)
    #expect(ack.branch == invite.branch)
    #expect(ack.vias.count == 1)
    #expect(ack.to.tag == "b")
    #expect(ack.cseq == CSeq(1, .ack))
    #expect(ack.requestURI == invite.requestURI)
    #expect(ack.routes.count == 1)
    #expect(client.receive(busy, at: 600) == ["send ACK"], "repeated: acknowledged, not delivered")
}

@Test func aRefusalIsStillAcknowledgedAfterAnAnswerThatCameTooLate() throws {
    var client = Client()
    let invite = Samples.request("INVITE")
    _ = client.send(invite)
    let busy = invite.response(486, toTag: "b")
    #expect(client.receive(busy, at: 100) == ["send ACK", "response 486 INVITE"])
    #expect(client.receive(invite.response(200, toTag: "c"), at: 200) == [], "the INVITE has its final response")
    #expect(client.receive(busy, at: 600) == ["send ACK"])
}

@Test func repeatedSuccessIsAcknowledgedByTheLayerOnceTheApplicationHas() throws {
    var client = Client()
    let invite = Samples.request("INVITE")
    let idSent = client.send(invite)
    let id = try #require(idSent)
    let first = invite.response(200, toTag: "b1")
    #expect(client.receive(first, at: 100) == ["response 200 INVITE"])
    #expect(client.receive(first, at: 110) == [], "repeated before the application has acknowledged")
    client.effects = []
    client.layer.acknowledge(
        Samples.request("ACK", branch: "z9hG4bKack", toTag: "b1"), of: id, to: Samples.hop, into: &client.effects)
    #expect(told(client.effects) == ["send ACK"])
    #expect(client.receive(first, at: 600) == ["send ACK"])
    #expect(
        client.receive(invite.response(200, toTag: "b2"), at: 700) == ["response 200 INVITE"],
        "another branch of a fork")
    #expect(client.tick(at: 32_100) == [])
    #expect(client.layer.clientCount == 0)
    #expect(client.receive(first, at: 33_000) == ["stray 200 INVITE"])
}

@Test func cancelWaitsForAProvisionalResponse() throws {
    var client = Client()
    let invite = Samples.request("INVITE")
    let idSent = client.send(invite)
    let id = try #require(idSent)
    #expect(client.cancel(id, at: 100) == [])
    #expect(client.receive(invite.response(180, toTag: "b"), at: 200) == ["response 180 INVITE", "send CANCEL"])
    guard case .send(let bytes, _) = client.effects.last else { Issue.record("another effect"); return }
    let cancel = try SIPMessage(parsing: bytes)
    #expect(cancel.branch == invite.branch)
    #expect(cancel.to.tag == nil)
    #expect(cancel.cseq == CSeq(1, .cancel))
    #expect(client.receive(cancel.response(200, toTag: "b"), at: 300) == [], "nobody waits for it")
    #expect(client.receive(invite.response(487, toTag: "b"), at: 310) == ["send ACK", "response 487 INVITE"])
}

@Test func cancelAfterRingingLeavesAtOnce() throws {
    var client = Client()
    let invite = Samples.request("INVITE")
    let idSent = client.send(invite)
    let id = try #require(idSent)
    _ = client.receive(invite.response(180, toTag: "b"), at: 50)
    #expect(client.cancel(id, at: 100) == ["send CANCEL"])
    #expect(client.cancel(id, at: 110) == [])
    // A callee that answers neither: the INVITE is given up 64·T1 after the CANCEL (§9.1).
    var all: [String] = []
    while let wake = client.layer.nextWake { all += client.tick(at: wake.nanoseconds / 1_000_000) }
    #expect(all.filter { $0 != "send CANCEL" } == ["failed timeout"])
    #expect(client.layer.clientCount == 0)
}

@Test func cancelComesTooLateForAnAnsweredCall() throws {
    var client = Client()
    let invite = Samples.request("INVITE")
    let idSent = client.send(invite)
    let id = try #require(idSent)
    _ = client.receive(invite.response(200, toTag: "b"), at: 50)
    let couldCancel = client.layer.cancel(id, now: Samples.time(60), into: &client.effects)
    #expect(!couldCancel)
}

@Test func fullTableTakesNoRequest() {
    var client = Client()
    for number in 1...4 { #expect(client.send(Samples.request("OPTIONS", branch: "z9hG4bK\(number)")) != nil) }
    #expect(client.send(Samples.request("OPTIONS", branch: "z9hG4bK5")) == nil)
    #expect(client.effects.isEmpty)
}

@Test func unreachablePeerFailsEveryRequestToIt() throws {
    var client = Client()
    let firstSent = client.send(Samples.request("OPTIONS", branch: "z9hG4bK1"))
    let first = try #require(firstSent)
    let secondSent = client.send(Samples.request("INVITE", branch: "z9hG4bK2"))
    let second = try #require(secondSent)
    client.effects = []
    client.layer.unreachable(Samples.hop, now: Samples.time(10), into: &client.effects)
    #expect(client.effects == [.failed(first, .unreachable), .failed(second, .unreachable)])
    #expect(client.layer.clientCount == 0)
}

@Test func responseMatchesByBranchAndMethod() {
    var client = Client()
    let options = Samples.request("OPTIONS")
    _ = client.send(options)
    #expect(client.receive(Samples.request("INFO").response(200, toTag: "t"), at: 1) == ["stray 200 INFO"])
    #expect(client.receive(options.response(200, toTag: "t"), at: 2) == ["response 200 OPTIONS"])
    #expect(client.receive(options.response(200, toTag: "t"), at: 3) == [])
}

@Test func aThousandTransactionsEndInTheOrderOfTheirTimers() {
    var layer = TransactionLayer(clientsMax: 1_000)
    var effects: [TransactionLayer.Effect] = []
    for number in 0..<1_000 {
        let start = Samples.time(UInt64(number * 7_919 % 1_000))
        _ = layer.send(
            Samples.request("OPTIONS", branch: "z9hG4bK\(number)"), to: Samples.hop, now: start, into: &effects)
    }
    effects = []
    layer.tick(now: Samples.time(40_000), into: &effects)
    let failures = effects.filter { if case .failed = $0 { true } else { false } }
    #expect(failures.count == 1_000)
    #expect(layer.clientCount == 0)
    #expect(layer.nextWake.map { $0 > Samples.time(40_000) } ?? true)
}
