import Testing

@testable import SIP

private func parse(_ text: String) throws -> SIPMessage { try SIPMessage(parsing: Array(text.utf8)) }

@Test func compactNamesAreTheLongOnes() throws {
    let message = try parse(
        """
        INVITE sip:b@example.com SIP/2.0\r
        v: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1\r
        f: <sip:a@example.com>;tag=1\r
        t: <sip:b@example.com>\r
        i: c\r
        CSeq: 1 INVITE\r
        m: <sip:a@10.0.0.1>\r
        k: timer, 100rel\r
        s: hello\r
        x: 1800\r
        e: identity\r
        c: application/sdp\r
        l: 0\r
        \r

        """)
    #expect(message.contact?.uri.host == "10.0.0.1")
    #expect(message.supported == ["timer", "100rel"])
    #expect(message.headers[.subject] == "hello")
    #expect(message.headers[.sessionExpires] == "1800")
    #expect(message.contentType == "application/sdp")
    #expect(!message.hasSDP, "no body")
}

@Test func namesAreComparedWithoutCaseAndWrittenInOneForm() {
    #expect(HeaderName("CALL-id") == .callID)
    #expect(HeaderName("x-my-HEADER") == HeaderName("X-My-Header"))
    #expect(HeaderName("x-my-HEADER").text == "X-My-Header")
    #expect(HeaderName("www-authenticate") == .wwwAuthenticate)
    #expect(HeaderName("w").text == "W")
}

@Test func listsAreTakenApartOutsideQuotesAndBrackets() throws {
    let message = Samples.request(
        "INVITE",
        extra: """
            Record-Route: <sip:p2.example.com;lr>, "a, b" <sip:x,y@p1.example.com;lr>\r
            Route: <sip:r1.example.com;lr>\r
            Route: <sip:r2.example.com;lr> , <sip:r3.example.com>\r
            Contact: "Quote \\" and, comma" <sip:c,d@example.com>;q=0.5,<sip:e@example.com>\r

            """)
    #expect(message.recordRoutes.map(\.uri.host) == ["p2.example.com", "p1.example.com"])
    #expect(message.recordRoutes[1].displayName == "a, b")
    #expect(message.routes.map(\.uri.host) == ["r1.example.com", "r2.example.com", "r3.example.com"])
    #expect(message.contacts.map(\.uri.user) == ["1000", "c,d", "e"])
    #expect(message.contacts[1].displayName == "Quote \" and, comma")
    #expect(message.contacts[1].parameters["q"] == "0.5")
}

@Test func viasOfOneLineAndOfSeveralAreOneList() throws {
    let message = try parse(
        """
        SIP/2.0 200 OK\r
        Via: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK1;received="10.0.0.1", SIP / 2.0 / TCP [2001:DB8::1]:5070 ;branch=z9hG4bK2\r
        From: <sip:a@example.com>;tag=1\r
        v: SIP/2.0/WSS host.INVALID;branch=z9hG4bK3;rport=99\r
        To: <sip:b@example.com>;tag=2\r
        Call-ID: c\r
        CSeq: 1 INVITE\r
        \r

        """)
    #expect(message.vias.map(\.host) == ["10.0.0.1", "[2001:db8::1]", "host.invalid"])
    #expect(message.vias.map(\.transport) == [.udp, .tcp, .secureWebSocket])
    #expect(message.vias.map(\.port) == [5_060, 5_070, nil])
    #expect(message.vias[0].received == "10.0.0.1")
    #expect(message.vias[2].receivedPort == 99)
}

@Test func wildcardContactIsNoAddress() {
    let message = Samples.request("REGISTER")
    var wildcard = message
    wildcard.headers[.contact] = "*"
    #expect(wildcard.isContactWildcard && wildcard.contacts.isEmpty)
    #expect(!message.isContactWildcard)
}

@Test func responseCopiesWhatRFC3261Says() throws {
    let request = Samples.request(
        "INVITE", extra: "Record-Route: <sip:p;lr>\r\nTimestamp: 54\r\nSubject: not copied\r\n")
    let trying = request.response(100, toTag: "t")
    #expect(trying.to.tag == nil)
    #expect(trying.headers[.timestamp] == "54")
    #expect(trying.reason == "Trying")
    let ringing = request.response(180, toTag: "t")
    #expect(ringing.to.tag == "t")
    #expect(ringing.vias == request.vias)
    #expect(ringing.from == request.from)
    #expect(ringing.callID == request.callID && ringing.cseq == request.cseq)
    #expect(ringing.headers.all(.recordRoute) == ["<sip:p;lr>"])
    #expect(ringing.headers[.subject] == nil)
    #expect(request.response(486, toTag: "t").headers.all(.recordRoute).isEmpty)
    #expect(Samples.request("BYE", toTag: "old").response(200, toTag: "new").to.tag == "old")
    #expect(try SIPMessage(parsing: ringing.bytes) == ringing)
}

@Test func noValueCanStartALineOfItsOwn() throws {
    var request = Samples.request("OPTIONS")
    request.headers.append(.subject, "a\r\nX-Evil: 1")
    request.headers[.userAgent] = "b\r\n\r\nbody"
    let response = request.response(400, reason: "no\r\nX-Evil: 2")
    #expect(try SIPMessage(parsing: request.bytes).headers["X-Evil"] == nil)
    #expect(try SIPMessage(parsing: response.bytes).headers["X-Evil"] == nil)
}

@Test func fieldsAreReplacedInTheirPlace() {
    var headers = Headers()
    headers.append(.route, "1")
    headers.append(.subject, "s")
    headers.append(.route, "2")
    headers.set(.route, ["a", "b"])
    #expect(headers.fields.map(\.value) == ["a", "b", "s"])
    headers[.subject] = nil
    headers.prepend(.date, "d")
    #expect(headers.fields.map(\.name) == [.date, .route, .route])
}

@Test func bodyIsWrittenWithItsLength() throws {
    var request = Samples.request("INVITE")
    request.setBody(Array(Samples.offer.utf8), type: "application/sdp")
    let read = try SIPMessage(parsing: request.bytes, framing: .stream)
    #expect(read.hasSDP)
    #expect(read.body == Array(Samples.offer.utf8))
    request.setBody([], type: "application/sdp")
    #expect(!request.headers.contains(.contentType))
}
