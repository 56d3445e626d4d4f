import Primitives
import Testing

@testable import SIP

/// One layer and what it did, for the side that answers.
private struct Server {
    var layer: TransactionLayer
    var effects: [TransactionLayer.Effect] = []

    init(serversMax: Int = 100) { layer = TransactionLayer(serversMax: serversMax) }

    mutating func receive(_ message: SIPMessage, at ms: UInt64, hop: Hop = Samples.hop) -> [String] {
        effects = []
        layer.receive(message, on: hop, now: Samples.time(ms), into: &effects)
        return told(effects)
    }

    mutating func respond(_ response: SIPMessage, to id: ServerTransactionID, at ms: UInt64) -> [String] {
        effects = []
        layer.respond(response, to: id, now: Samples.time(ms), into: &effects)
        return told(effects)
    }

    mutating func tick(at ms: UInt64) -> [String] {
        effects = []
        layer.tick(now: Samples.time(ms), into: &effects)
        return told(effects)
    }

    var id: ServerTransactionID? {
        for case .request(let id, _, _) in effects { return id }
        return nil
    }
}

@Test func repeatedRequestReachesTheApplicationOnce() throws {
    var server = Server()
    let options = Samples.request("OPTIONS")
    #expect(server.receive(options, at: 0) == ["request OPTIONS"])
    let id = try #require(server.id)
    #expect(server.receive(options, at: 500) == [])
    #expect(server.respond(options.response(200, toTag: "t"), to: id, at: 600) == ["send 200 OPTIONS"])
    #expect(server.receive(options, at: 1_500) == ["send 200 OPTIONS"])
    #expect(server.respond(options.response(404), to: id, at: 1_600) == [], "one final response is all")
    #expect(server.tick(at: 40_000) == [])
    #expect(server.layer.serverCount == 0)
}

@Test func responseGoesToWhereTheRequestWasSeenToComeFrom() throws {
    var server = Server()
    _ = server.receive(Samples.request("OPTIONS"), at: 0)
    guard case .request(let id, let stamped, let hop) = server.effects.first else {
        Issue.record("another effect"); return
    }
    #expect(hop.remote == Samples.phone)
    #expect(stamped.topVia?.received == "198.51.100.7")
    #expect(stamped.topVia?.receivedPort == 40_312)
    _ = server.respond(stamped.response(200, toTag: "t"), to: id, at: 1)
    guard case .send(let bytes, let back) = server.effects.first else { Issue.record("another effect"); return }
    #expect(back == Samples.hop)
    #expect(try SIPMessage(parsing: bytes).topVia?.receivedPort == 40_312)
}

/// RFC 3261 §18.2.2: without rport the address is the source's, the port the Via's.
@Test func responseWithoutRportGoesToThePortOfTheVia() {
    var server = Server()
    _ = server.receive(Samples.request("OPTIONS", via: "10.0.0.7:5070"), at: 0)
    guard case .request(_, let stamped, let hop) = server.effects.first else { Issue.record("another effect"); return }
    #expect(hop.remote == SocketAddress("198.51.100.7:5070"))
    #expect(stamped.topVia?.received == "198.51.100.7")
}

/// Its answer would go to our own listener, and it would pass for a request that we sent to ourselves, which nobody is asked a password for.
@Test func whoNamesOurOwnAddressAsTheOneToAnswerIsNotHeard() {
    var server = Server()
    let own = SocketAddress("198.51.100.7:5060")!
    let neighbour = Hop(listener: own, remote: SocketAddress("198.51.100.7:40312")!)
    #expect(server.receive(Samples.request("INVITE", via: "198.51.100.7:5060"), at: 0, hop: neighbour) == [])
    #expect(server.receive(Samples.request("INVITE", via: "198.51.100.7"), at: 0, hop: neighbour) == [])
    #expect(server.layer.serverCount == 0)
    #expect(server.receive(Samples.request("INVITE", via: "198.51.100.7:5062"), at: 0, hop: neighbour) == ["request INVITE"])
    // What we do send to ourselves is.
    #expect(server.receive(Samples.request("OPTIONS", via: "198.51.100.7:5060"), at: 0, hop: Hop(listener: own, remote: own)) == ["request OPTIONS"])
}

@Test func cancelsOfNothingLeaveNothing() {
    var server = Server()
    for _ in 0..<3 { #expect(server.receive(Samples.request("CANCEL"), at: 0) == ["refused 481"]) }
    #expect(server.layer.serverCount == 0)
}

/// A flood of new requests keeps nobody from hanging up.
@Test func aFullTableHasRoomForCallsThatGoOn() {
    var server = Server(serversMax: 8)
    for number in 0..<8 {
        _ = server.receive(Samples.request("INVITE", callID: "flood\(number)", via: "198.51.100.9:\(5_100 + number)"), at: 0)
    }
    _ = server.receive(Samples.request("INVITE", callID: "next", via: "198.51.100.9:5200"), at: 0)
    #expect(told(server.effects).contains("refused 503"))
    #expect(server.receive(Samples.request("BYE", toTag: "ours", callID: "c2"), at: 0) == ["request BYE"])
}

@Test func failureIsAcknowledgedInsideTheLayer() throws {
    var server = Server()
    let invite = Samples.request("INVITE")
    _ = server.receive(invite, at: 0)
    let id = try #require(server.id)
    let busy = invite.response(486, toTag: "t")
    #expect(server.respond(busy, to: id, at: 10) == ["send 486 INVITE"])
    #expect(server.tick(at: 510) == ["send 486 INVITE"])
    #expect(server.receive(Samples.request("ACK", toTag: "t"), at: 600) == [])
    #expect(server.tick(at: 1_600) == [])
    #expect(server.tick(at: 5_600) == [])
    #expect(server.layer.serverCount == 0)
}

@Test func answerIsRepeatedByTheLayerUntilTheAcknowledgementWithItsOwnBranch() throws {
    var server = Server()
    let invite = Samples.request("INVITE", body: Samples.offer)
    _ = server.receive(invite, at: 0)
    let id = try #require(server.id)
    #expect(server.respond(invite.response(180, toTag: "t"), to: id, at: 10) == ["send 180 INVITE"])
    #expect(server.receive(invite, at: 400) == ["send 180 INVITE"])
    #expect(server.respond(invite.response(200, toTag: "t"), to: id, at: 1_000) == ["send 200 INVITE"])
    #expect(server.receive(invite, at: 1_200) == [], "RFC 6026: absorbed")
    #expect(server.tick(at: 1_500) == ["send 200 INVITE"])
    #expect(server.tick(at: 2_500) == ["send 200 INVITE"])
    let ack = Samples.request("ACK", branch: "z9hG4bKother", toTag: "t")
    #expect(server.receive(ack, at: 2_600) == ["acknowledged"])
    #expect(server.receive(ack, at: 2_700) == [])
    #expect(server.tick(at: 10_000) == [])
    _ = server.tick(at: 33_000)
    #expect(server.layer.serverCount == 0)
    #expect(server.receive(ack, at: 33_100) == ["acknowledged by nobody's answer"])
}

@Test func missingAcknowledgementOfAnAnswerIsReported() throws {
    var server = Server()
    let invite = Samples.request("INVITE")
    _ = server.receive(invite, at: 0)
    let id = try #require(server.id)
    _ = server.respond(invite.response(200, toTag: "t"), to: id, at: 0)
    var all: [String] = []
    while let wake = server.layer.nextWake { all += server.tick(at: wake.nanoseconds / 1_000_000) }
    #expect(all == Array(repeating: "send 200 INVITE", count: 10) + ["unacknowledged"])
    #expect(server.layer.serverCount == 0)
}

/// A refusal stands without its ACK: whoever refused is not told, and ends nothing.
@Test func missingAcknowledgementOfAFailureChangesNothing() throws {
    var server = Server()
    let invite = Samples.request("INVITE")
    _ = server.receive(invite, at: 0)
    let id = try #require(server.id)
    _ = server.respond(invite.response(404, toTag: "t"), to: id, at: 0)
    var all: [String] = []
    while let wake = server.layer.nextWake { all += server.tick(at: wake.nanoseconds / 1_000_000) }
    #expect(all == Array(repeating: "send 404 INVITE", count: 10))
    #expect(server.layer.serverCount == 0)
}

@Test func cancelIsAnsweredAndTheInviteReported() throws {
    var server = Server()
    let invite = Samples.request("INVITE")
    _ = server.receive(invite, at: 0)
    let id = try #require(server.id)
    _ = server.respond(invite.response(180, toTag: "t"), to: id, at: 10)
    let cancel = Samples.request("CANCEL")
    #expect(server.receive(cancel, at: 100) == ["send 200 CANCEL", "cancelled"])
    guard case .cancelled(let cancelled, _) = server.effects.last else { Issue.record("another effect"); return }
    #expect(cancelled == id)
    #expect(server.receive(cancel, at: 200) == ["send 200 CANCEL"], "repeated: answered again, reported once")
    #expect(server.respond(invite.response(487, toTag: "t"), to: id, at: 300) == ["send 487 INVITE"])
}

@Test func cancelOfNothingGets481() {
    var server = Server()
    #expect(server.receive(Samples.request("CANCEL"), at: 0) == ["refused 481"])
}

@Test func cancelAfterTheAnswerChangesNothing() throws {
    var server = Server()
    let invite = Samples.request("INVITE")
    _ = server.receive(invite, at: 0)
    let id = try #require(server.id)
    _ = server.respond(invite.response(200, toTag: "t"), to: id, at: 10)
    #expect(server.receive(Samples.request("CANCEL"), at: 20) == ["send 200 CANCEL"])
}

@Test func cancelFromAnotherSenderDoesNotMatch() {
    var server = Server()
    _ = server.receive(Samples.request("INVITE"), at: 0)
    #expect(server.receive(Samples.request("CANCEL", via: "10.0.0.8:5060;rport"), at: 10) == ["refused 481"])
}

@Test func hundredIsSentWhenTheApplicationThinks() {
    var server = Server()
    _ = server.receive(Samples.request("INVITE"), at: 0)
    #expect(server.tick(at: 199) == [])
    #expect(server.tick(at: 200) == ["send 100 INVITE"])
    #expect(server.receive(Samples.request("INVITE"), at: 500) == ["send 100 INVITE"])
}

/// RFC 3261 §8.2.2.2: the same request by another path.
@Test func mergedRequestGets482() {
    var server = Server()
    _ = server.receive(Samples.request("INVITE", branch: "z9hG4bKpath1"), at: 0)
    #expect(
        server.receive(Samples.request("INVITE", branch: "z9hG4bKpath2"), at: 5) == ["refused 482"])
    #expect(server.receive(Samples.request("INVITE", branch: "z9hG4bKpath3", cseq: 2), at: 6) == ["request INVITE"])
    #expect(server.receive(Samples.request("INVITE", branch: "z9hG4bKpath4", toTag: "t"), at: 7) == ["request INVITE"])
}

@Test func fullTableRefusesWithoutLeavingATrace() {
    var server = Server(serversMax: 2)
    #expect(server.receive(Samples.request("OPTIONS", branch: "z9hG4bK1", callID: "1"), at: 0) == ["request OPTIONS"])
    #expect(server.receive(Samples.request("OPTIONS", branch: "z9hG4bK2", callID: "2"), at: 0) == ["request OPTIONS"])
    #expect(
        server.receive(Samples.request("OPTIONS", branch: "z9hG4bK3", callID: "3"), at: 0)
            == ["refused 503"])
    #expect(server.layer.serverCount == 2)
}

/// RFC 3261 §17.2.3: a client of RFC 2543 has no branch, or one without the magic cookie.
@Test func oldClientsAreMatchedByTheirFields() throws {
    var server = Server()
    let invite = Samples.request("INVITE", branch: "1")
    #expect(server.receive(invite, at: 0) == ["request INVITE"])
    let id = try #require(server.id)
    #expect(server.receive(invite, at: 100) == ["send 100 INVITE"])
    _ = server.respond(invite.response(486, toTag: "t"), to: id, at: 200)
    #expect(server.receive(Samples.request("ACK", branch: "1", toTag: "t"), at: 300) == [])
    #expect(server.tick(at: 1_000) == [], "acknowledged: not repeated")
}

@Test func transactionsOverAReliableTransportAreNotKept() throws {
    var server = Server()
    let hop = Hop(.tcp, listener: Samples.worker, remote: Samples.phone)
    let options = Samples.request("OPTIONS")
    _ = server.receive(options, at: 0, hop: hop)
    let id = try #require(server.id)
    #expect(server.respond(options.response(200, toTag: "t"), to: id, at: 1) == ["send 200 OPTIONS"])
    #expect(server.layer.serverCount == 0)
}

/// RFC 3261 §8.2.7: a challenge or a refusal of a request that anybody may have sent.
@Test(arguments: ["INVITE", "REGISTER"])
func requestThatIsAnsweredOnceLeavesNothingAndIsANewOneWhenItIsRepeated(method: String) throws {
    var server = Server()
    let request = Samples.request(method)
    for time in [UInt64(0), 500] {
        #expect(server.receive(request, at: time) == ["request \(method)"])
        let id = try #require(server.id)
        #expect(server.layer.origin(of: id)?.hop == Samples.hop)
        // The clock is looked at between the two.
        #expect(server.tick(at: time) == [])
        #expect(server.layer.servers.isEmpty && server.layer.serverKeys.isEmpty && server.layer.merges.isEmpty)
        server.effects = []
        server.layer.respondOnce(request.response(401, toTag: "challenge"), to: id, into: &server.effects)
        #expect(told(server.effects) == ["send 401 \(method)"])
        #expect(server.layer.serverCount == 0 && server.layer.nextWake == nil)
        #expect(server.layer.origin(of: id) == nil)
        #expect(server.respond(request.response(200, toTag: "t"), to: id, at: time) == [], "it is answered")
    }
    // Its ACK is nobody's, and a CANCEL that comes too late has nothing to cancel.
    #expect(server.receive(Samples.request("ACK", toTag: "challenge"), at: 600) == ["acknowledged by nobody's answer"])
    #expect(server.receive(Samples.request("CANCEL"), at: 700) == ["refused 481"])
    #expect(server.tick(at: 60_000) == [])
    #expect(server.layer.serverCount == 0)
}

/// What is not answered once and for all is kept by then at the latest when the layer is asked for anything else.
@Test func requestThatWaitsForItsAnswerIsKept() throws {
    var server = Server()
    let invite = Samples.request("INVITE")
    #expect(server.receive(invite, at: 0) == ["request INVITE"])
    let id = try #require(server.id)
    #expect(server.layer.serverCount == 1 && server.layer.nextWake == Samples.time(200))
    #expect(server.layer.expects(Samples.request("CANCEL")), "the layer knows what is to be cancelled")
    #expect(server.receive(Samples.request("OPTIONS", branch: "z9hG4bKother"), at: 10) == ["request OPTIONS"])
    #expect(server.receive(invite, at: 20) == ["send 100 INVITE"])
    #expect(server.layer.serverCount == 2)
    #expect(server.receive(Samples.request("CANCEL"), at: 30) == ["send 200 CANCEL", "cancelled"])
    #expect(server.respond(invite.response(487, toTag: "t"), to: id, at: 40) == ["send 487 INVITE"])
}

@Test func requestThatWaitsAloneIsToldAfter200Milliseconds() {
    var server = Server()
    #expect(server.receive(Samples.request("INVITE"), at: 0) == ["request INVITE"])
    #expect(server.tick(at: 199) == [])
    #expect(server.tick(at: 200) == ["send 100 INVITE"])
}
