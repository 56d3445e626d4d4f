import Testing

@testable import SIP

/// Descriptions beside other things (RFC 5621 §3).
@Suite struct MultipartTests {
    private static let description = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"

    private func body(_ parts: [(type: String, text: String)], boundary: String = "b1") -> String {
        parts.map { "--\(boundary)\r\n\($0.type)\r\n\r\n\($0.text)\r\n" }.joined() + "--\(boundary)--\r\n"
    }

    private func read(_ body: String, type: String, method: String = "INVITE") throws -> SIPMessage {
        var request = Samples.request(method)
        request.setBody(Array(body.utf8), type: type)
        return try SIPMessage(parsing: request.bytes)
    }

    @Test(arguments: ["multipart/mixed;boundary=b1", "Multipart/Mixed; boundary=\"b1\"", "multipart/related ; start=x;boundary=b1"])
    func theDescriptionIsTakenOutOfItsParts(type: String) throws {
        let isup = ("Content-Type: application/ISUP;version=itu-t92+", "\u{1}\u{0}--b1x\r\n--b")
        let sdp = ("Content-Disposition: session\r\nContent-Type: Application/SDP;charset=utf-8", Self.description)
        for parts in [[isup, sdp], [sdp, isup], [sdp]] {
            let message = try read(body(parts), type: type)
            #expect(message.hasSDP)
            #expect(String(decoding: message.body, as: UTF8.self) == Self.description)
            #expect(message.headers[.contentType] == "application/sdp")
        }
    }

    /// What has none stays as it came, and is refused by who needs one.
    @Test(arguments: [
        ("multipart/mixed;boundary=b1", "--b1\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b1--\r\n"), ("multipart/mixed", "--b1\r\n\r\n--b1--"),
        ("multipart/mixed;boundary=b1", ""), ("multipart/mixed;boundary=b1", "--b1"), ("multipart/mixed;boundary=b1", "--b1\r\nContent-Type: application/sdp\r\n\r\nv=0"),
        ("multipart/mixed;boundary=b1", "--b1\r\nContent-Type: application/sdp\r\nContent-Transfer-Encoding: base64\r\n\r\ndj0w\r\n--b1--"),
        ("multipart/mixed;boundary=b1", "--b1\r\nno field\r\n\r\nx\r\n--b1--"), ("multipart/mixed;boundary=b1", "\r\n\r\n--b1--\r\n--b1\r\n"),
    ])
    func otherBodiesStayAsTheyAre(type: String, body: String) throws {
        let message = try read(body, type: type)
        #expect(!message.hasSDP)
        #expect(String(decoding: message.body, as: UTF8.self) == body)
    }

    @Test func theyAreReadWhereDescriptionsBelongAlone() throws {
        let whole = body([("Content-Type: application/sdp", Self.description)])
        #expect(try read(whole, type: "multipart/mixed;boundary=b1", method: "UPDATE").hasSDP)
        #expect(try String(decoding: read(whole, type: "multipart/mixed;boundary=b1", method: "MESSAGE").body, as: UTF8.self) == whole)
        let many = body(Array(repeating: ("Content-Type: text/plain", "x"), count: 20) + [("Content-Type: application/sdp", Self.description)])
        #expect(try !read(many, type: "multipart/mixed;boundary=b1").hasSDP)
    }
}
