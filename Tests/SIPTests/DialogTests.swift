import Primitives
import Testing

@testable import SIP

private let via = Via(host: "192.0.2.1", port: 5060, branch: "z9hG4bKnew")

private func answer(_ status: Int, tag: String, routes: [String] = [], contact: String? = "sip:bob@192.0.2.9:5070")
    -> SIPMessage
{
    var response = Samples.request("INVITE").response(status, toTag: tag)
    for route in routes { response.headers.append(.recordRoute, route) }
    if let contact { response.headers.append(.contact, "<\(contact)>") }
    return response
}

/// RFC 3261 §12.1.2: the caller's route set is Record-Route from the last to the first.
@Test func callerTurnsTheRoutesRound() throws {
    let response = answer(200, tag: "b", routes: ["<sip:p2.example.com;lr>, <sip:p1.example.com;lr>"])
    var dialog = try #require(Dialog(calling: Samples.request("INVITE"), response: response))
    #expect(!dialog.isEarly)
    #expect(dialog.remoteTarget.description == "sip:bob@192.0.2.9:5070")
    #expect(dialog.nextHop.host == "p1.example.com")
    let bye = dialog.request(.bye, via: via)
    #expect(bye.requestURI == dialog.remoteTarget)
    #expect(bye.headers.all(.route) == ["<sip:p1.example.com;lr>", "<sip:p2.example.com;lr>"])
    #expect(bye.cseq == CSeq(2, .bye))
    #expect(bye.from.tag == "f1" && bye.to.tag == "b")
    #expect(try SIPMessage(parsing: bye.bytes) == bye)
}

/// §12.1.1: the callee keeps the order.
@Test func calleeKeepsTheRoutesAsTheyCame() throws {
    let invite = Samples.request(
        "INVITE", extra: "Record-Route: <sip:p2.example.com;lr>\r\nRecord-Route: <sip:p1.example.com;lr>\r\n")
    var dialog = try #require(Dialog(answering: invite, localTag: "mine"))
    #expect(dialog.isEarly)
    let bye = dialog.request(.bye, via: via)
    #expect(bye.headers.all(.route) == ["<sip:p2.example.com;lr>", "<sip:p1.example.com;lr>"])
    #expect(bye.from.tag == "mine" && bye.to.tag == "f1")
    #expect(bye.cseq.number == 1)
    #expect(bye.requestURI?.description == "sip:1000@198.51.100.7:40312")
}

/// §12.2.1.1: a strict router takes the place of the target.
@Test func strictRouterBecomesTheRequestURI() throws {
    let response = answer(200, tag: "b", routes: ["<sip:loose.example.com;lr>, <sip:strict.example.com>"])
    var dialog = try #require(Dialog(calling: Samples.request("INVITE"), response: response))
    let bye = dialog.request(.bye, via: via)
    #expect(bye.requestURI?.host == "strict.example.com")
    #expect(bye.headers.all(.route) == ["<sip:loose.example.com;lr>", "<sip:bob@192.0.2.9:5070>"])
}

@Test func eachTagIsADialogOfItsOwn() throws {
    let invite = Samples.request("INVITE")
    var first = try #require(Dialog(calling: invite, response: answer(180, tag: "b1")))
    let second = try #require(Dialog(calling: invite, response: answer(183, tag: "b2")))
    #expect(first.isEarly && second.isEarly)
    let ok = answer(200, tag: "b1", routes: ["<sip:p1.example.com;lr>"], contact: "sip:bob@192.0.2.10")
    #expect(first.matches(ok) && !second.matches(ok))
    first.receive(response: ok)
    #expect(!first.isEarly)
    #expect(first.routeSet.count == 1, "§13.2.2.4: the route set of the 2xx counts")
    #expect(first.remoteTarget.host == "192.0.2.10")
}

@Test func responsesThatMakeNoDialog() {
    let invite = Samples.request("INVITE")
    #expect(Dialog(calling: invite, response: invite.response(100)) == nil)
    #expect(Dialog(calling: invite, response: invite.response(180)) == nil)
    #expect(Dialog(calling: invite, response: answer(486, tag: "b")) == nil)
    #expect(Dialog(calling: invite, response: answer(200, tag: "b", contact: nil)) == nil)
    #expect(Dialog(calling: invite, response: answer(180, tag: "b", contact: nil)) != nil)
}

@Test func lowerNumbersAreRefusedWith500() throws {
    var dialog = try #require(Dialog(answering: Samples.request("INVITE", cseq: 10), localTag: "mine"))
    #expect(throws: Dialog.Rejection.outOfOrder(have: 9, expected: 10)) {
        try dialog.receive(Samples.request("BYE", cseq: 9, toTag: "mine"))
    }
    #expect(Dialog.Rejection.outOfOrder(have: 9, expected: 10).status == 500)
    try dialog.receive(Samples.request("INFO", cseq: 11, toTag: "mine"))
    #expect(dialog.remoteCSeq == 11)
    try dialog.receive(Samples.request("ACK", cseq: 10, toTag: "mine"))
    #expect(dialog.remoteCSeq == 11, "an ACK is not counted")
}

@Test func otherTagsAreAnotherDialog() throws {
    var dialog = try #require(Dialog(answering: Samples.request("INVITE"), localTag: "mine"))
    for stranger in [
        Samples.request("BYE", cseq: 2, toTag: "other"), Samples.request("BYE", cseq: 2, toTag: "mine", callID: "c2"),
        Samples.request("BYE", cseq: 2, toTag: "mine", fromTag: "f2"), Samples.request("BYE", cseq: 2),
    ] {
        #expect(throws: Dialog.Rejection.notThisDialog) { try dialog.receive(stranger) }
    }
}

@Test func reinviteMovesTheTargetAndByeDoesNot() throws {
    var dialog = try #require(Dialog(answering: Samples.request("INVITE"), localTag: "mine"))
    var moved = Samples.request("INVITE", cseq: 2, toTag: "mine")
    moved.headers[.contact] = "<sip:1000@203.0.113.5>"
    try dialog.receive(moved)
    #expect(dialog.remoteTarget.host == "203.0.113.5")
    var bye = Samples.request("BYE", cseq: 3, toTag: "mine")
    bye.headers[.contact] = "<sip:1000@203.0.113.6>"
    try dialog.receive(bye)
    #expect(dialog.remoteTarget.host == "203.0.113.5")
}

@Test func acknowledgementCarriesTheNumberAndCredentialsOfItsInvite() throws {
    let invite = Samples.request("INVITE", cseq: 7, extra: "Proxy-Authorization: Digest username=\"a\"\r\n")
    let dialog = try #require(Dialog(calling: invite, response: answer(200, tag: "b")))
    let ack = dialog.acknowledgement(of: invite, via: via)
    #expect(ack.cseq == CSeq(7, .ack))
    #expect(ack.headers[.proxyAuthorization] == "Digest username=\"a\"")
    #expect(ack.branch == "z9hG4bKnew")
    #expect(dialog.localCSeq == 7)
}

@Test func dialogIsCarriedOnFromItsState() throws {
    let response = answer(200, tag: "b", routes: ["<sip:p1.example.com;lr>"])
    let dialog = try #require(Dialog(calling: Samples.request("INVITE"), response: response))
    let state = dialog.state
    #expect(state.localURI == "\"Alice\" <sip:1000@example.com>")
    var restored = try #require(Dialog(restoring: state))
    #expect(restored == dialog)
    restored.localCSeq += 100
    #expect(restored.request(.bye, via: via).cseq.number == 102)
    var broken = state
    broken.remoteTarget = "nonsense"
    #expect(Dialog(restoring: broken) == nil)
}
