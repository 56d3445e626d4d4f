import Testing

@testable import SIP

/// What is refused before any parser sees it.

private let start = "OPTIONS sip:x@example.com SIP/2.0\r\n"
private let must = """
    Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1\r
    From: <sip:a@example.com>;tag=1\r
    To: <sip:b@example.com>\r
    Call-ID: c\r
    CSeq: 1 OPTIONS\r

    """

private func parse(_ text: String, framing: SIPMessage.Framing = .datagram) throws(ParseError) -> SIPMessage {
    try SIPMessage(parsing: Array(text.utf8), framing: framing)
}

private func error(_ bytes: [UInt8]) -> ParseError? {
    do throws(ParseError) {
        _ = try SIPMessage(parsing: bytes)
        return nil
    } catch {
        return error
    }
}

@Test func sizeIsLimitedTo65535Bytes() throws {
    let frame = start + must + "\r\n"
    let most = Array(frame.utf8) + Array(repeating: 0x78, count: 65_535 - frame.utf8.count)
    #expect(try SIPMessage(parsing: most).body.count == 65_535 - frame.utf8.count)
    #expect(error(most + [0x78]) == .tooLarge(have: 65_536, limit: 65_535))
}

@Test func lengthOfALineIsLimited() throws {
    func message(_ length: Int) -> [UInt8] {
        Array((start + must + "X: " + String(repeating: "x", count: length - 3) + "\r\n\r\n").utf8)
    }
    #expect(error(message(8_191)) == nil)
    #expect(error(message(8_192)) == nil)
    #expect(error(message(8_193)) == .lineTooLong(have: 8_193, limit: 8_192))
}

@Test func foldedLinesAreLimitedTogether() {
    let line = " " + String(repeating: "x", count: 4_000) + "\r\n"
    func message(_ lines: Int) -> [UInt8] {
        Array((start + must + "X: a\r\n" + String(repeating: line, count: lines) + "\r\n").utf8)
    }
    #expect(error(message(2)) == nil)
    #expect(error(message(3)) == .lineTooLong(have: 4 + 3 * 4_003, limit: 8_192))
}

/// Values of a list are looked for from its beginning each time, by libosip2, and names of parameters among those before.
@Test func numberOfValuesAndParametersIsLimited() {
    func message(_ commas: Int) -> [UInt8] {
        // One semicolon is in each of Via, From and To of `must`, two lines of a list hold the rest.
        let half = commas / 2
        let lists = [half, commas - half].map { "Accept: a/b" + String(repeating: ",a/b", count: $0) + "\r\n" }
        return Array((start + must + lists.joined() + "\r\n").utf8)
    }
    let own = must.utf8.count { $0 == UInt8(ascii: ";") || $0 == UInt8(ascii: ",") }
    #expect(error(message(512 - own)) == nil)
    #expect(error(message(513 - own)) == .tooManyValues(limit: 512))
    // A body may have as many as it likes.
    #expect(error(message(512 - own) + Array(repeating: UInt8(ascii: ";"), count: 10_000)) == nil)

    func contact(_ count: Int) -> [UInt8] {
        Array((start + must + "Contact: <sip:a@b>" + (0..<count).map { ";p\($0)" }.joined() + "\r\n\r\n").utf8)
    }
    #expect(error(contact(64)) == nil)
    #expect(error(contact(65)) == .malformed(.contact))
}

@Test func numberOfFieldsIsLimited() {
    func message(_ count: Int) -> [UInt8] {
        Array((start + must + String(repeating: "X: 1\r\n", count: count - 5) + "\r\n").utf8)
    }
    #expect(error(message(256)) == nil)
    #expect(error(message(257)) == .tooManyHeaders(limit: 256))
}

/// In a header no control byte passes, wherever it stands; in a body every byte does.
@Test func everyByteIsTriedInEveryPlace() throws {
    let text = Array((start + must + "Subject: abc\r\n\r\nbody").utf8)
    let subject = (start + must + "Subject: a").utf8.count
    for byte in UInt8.min...UInt8.max {
        var changed = text
        changed[subject] = byte
        let isControl = byte < 0x20 && byte != 0x09 || byte == 0x7F
        #expect((error(changed) == nil) == !isControl, "byte \(byte) in a value")
        changed = text
        changed[text.count - 2] = byte
        #expect(try SIPMessage(parsing: changed).body[2] == byte, "byte \(byte) in the body")
    }
}

@Test func lineEndsAreCarriageReturnAndLineFeedOnly() {
    #expect(error(Array((start + must + "X: a\nY: b\r\n\r\n").utf8)) != nil)
    #expect(error(Array((start + must + "X: a\rY: b\r\n\r\n").utf8)) != nil)
    #expect(error(Array((start + must).utf8)) == .unfinished)
    #expect(error(Array((start + must + "\r").utf8)) == .unfinished)
    #expect(error(Array((start + must + "X: a").utf8)) == .unfinished)
}

@Test(arguments: ["", "\r\n", "\r\n\r\n", "\0", "\0\0\0\0"])
func keepAlivesAreTold(text: String) {
    #expect(error(Array(text.utf8)) == .keepAlive)
    #expect(ParseError.keepAlive.status == nil)
}

@Test func contentLengthRulesTheBody() throws {
    func message(_ length: String, _ body: String) -> String {
        start + must + "Content-Length: \(length)\r\n\r\n" + body
    }
    #expect(try parse(message("3", "abc")).body.count == 3)
    #expect(try parse(message("2", "abc")).body.count == 2, "what is beyond is dropped")
    #expect(throws: ParseError.bodyTooShort(have: 3, need: 4)) { try parse(message("4", "abc")) }
    #expect(try parse(start + must + "\r\nabc").body.count == 3, "absent: to the end of the datagram")
    for broken in ["-1", "+3", "3x", "0x3", "", "99999999999999999999", "4294967299"] {
        #expect(throws: ParseError.malformed(.contentLength), "\(broken)") { try parse(message(broken, "abc")) }
    }
    #expect(throws: ParseError.repeated(.contentLength)) { try parse(message("3\r\nl: 3", "abc")) }
}

@Test func streamedMessagesAreExactlyTheirLength() throws {
    #expect(try parse(start + must + "Content-Length: 3\r\n\r\nabc", framing: .stream).body.count == 3)
    #expect(throws: ParseError.malformed(.contentLength)) {
        try parse(start + must + "Content-Length: 2\r\n\r\nabc", framing: .stream)
    }
    #expect(throws: ParseError.missing(.contentLength)) { try parse(start + must + "\r\n", framing: .stream) }
}

@Test(arguments: [HeaderName.via, .from, .to, .callID, .cseq])
func requiredFieldsAreRequired(name: HeaderName) {
    let without =
        must.split(separator: "\r\n").filter { !$0.hasPrefix(name.text + ":") }.joined(separator: "\r\n") + "\r\n\r\n"
    #expect(error(Array((start + without).utf8)) == .missing(name))
}

@Test(arguments: [
    ("From: <sip:x@y>;tag=2", HeaderName.from), ("t: <sip:x@y>", .to), ("i: d", .callID), ("CSeq: 1 OPTIONS", .cseq),
])
func singleFieldsMayNotBeRepeated(line: String, name: HeaderName) {
    #expect(error(Array((start + must + line + "\r\n\r\n").utf8)) == .repeated(name))
}

@Test(arguments: [
    "OPTIONS", "OPTIONS ", "OPTIONS sip:x@y", "OPTIONS  sip:x@y SIP/2.0", "OPTIONS sip:x@y  SIP/2.0",
    "OPTIONS sip:x@y SIP/2.0 ",
    " OPTIONS sip:x@y SIP/2.0", "OPT(IONS sip:x@y SIP/2.0", "OPTIONS <sip:x@y> SIP/2.0", "OPTIONS sip: SIP/2.0",
    "OPTIONS sip:@y SIP/2.0", "OPTIONS sip:x@ SIP/2.0", "OPTIONS sip:x@y:0 SIP/2.0", "OPTIONS sip:x@y:65536 SIP/2.0",
    "OPTIONS sip:x@y?a=b SIP/2.0", "OPTIONS sip:x@y@z SIP/2.0", "OPTIONS x SIP/2.0", "OPTIONS sip:%4@y SIP/2.0",
    "OPTIONS sip:x@y HTTP/1.1", "SIP/2.0 99 X", "SIP/2.0 700 X", "SIP/2.0 20 X", "SIP/2.0 2000 X", "SIP/2.0 abc X",
    "SIP/2.0",
])
func brokenStartLinesAreRefused(line: String) {
    #expect(error(Array((line + "\r\n" + must + "\r\n").utf8)) == .startLine)
}

@Test func otherVersionsGet505() {
    let bytes = Array(("OPTIONS sip:x@y SIP/3.0\r\n" + must + "\r\n").utf8)
    #expect(error(bytes) == .version)
    let answer = SIPMessage.rejection(of: bytes, for: .version).flatMap { try? SIPMessage(parsing: $0) }
    #expect(answer?.status == 505)
    #expect(answer?.callID == "c")
    #expect(answer?.to.tag != nil)
}

@Test func nothingIsAnsweredToAResponseOrAnAcknowledgement() {
    #expect(SIPMessage.rejection(of: Array(("SIP/2.0 200 OK\r\n" + must + "\r\n").utf8), for: .methodMismatch) == nil)
    #expect(
        SIPMessage.rejection(of: Array(("ACK sip:x@y SIP/2.0\r\n" + must + "\r\n").utf8), for: .methodMismatch) == nil)
    #expect(SIPMessage.rejection(of: Array("garbage".utf8), for: .startLine) == nil)
}

@Test func bytesThatAreNotTextAreKeptOutOfWhatIsCompared() {
    func message(_ replaced: String, _ with: [UInt8]) -> [UInt8] {
        let text = Array((start + must + "\r\n").utf8)
        guard let range = text.firstRange(of: Array(replaced.utf8)) else { return text }
        return Array(text[..<range.lowerBound]) + with + Array(text[range.upperBound...])
    }
    #expect(error(message("Call-ID: c", Array("Call-ID: ".utf8) + [0xC3])) == .malformed(.callID))
    #expect(error(message("branch=z9hG4bK1", Array("branch=z9hG4bK".utf8) + [0xFF])) == .malformed(.via))
    let latin = message("From: <", Array("From: M".utf8) + [0xFC] + Array("ller <".utf8))
    #expect(error(latin) == nil, "a Latin-1 name is repaired, not a reason to lose a call")
}

@Test func whatBeginsSomethingIsReadByBothReaders() throws {
    // Our own reader takes this Call-ID, libosip2 does not.
    let fields = must.replacing("Call-ID: c", with: "Call-ID: @c")
    #expect(error(Array((start + fields + "\r\n").utf8)) == .refusedByParser)
    #expect(try parse(start + fields.replacing("To: <sip:b@example.com>", with: "To: <sip:b@example.com>;tag=2") + "\r\n").callID == "@c")
    #expect(try parse("SIP/2.0 200 OK\r\n" + fields + "\r\n").callID == "@c")
    // It ends here: no other reader is shown it.
    let registration = try parse((start + fields + "\r\n").replacing("OPTIONS", with: "REGISTER"))
    #expect(registration.method == .register && registration.callID == "@c")
}

@Test func aControlByteIsFoundWhereverItStands() {
    for length in 0..<40 {
        let plain = [UInt8](repeating: 0x41, count: length)
        #expect(plain.indexOfControl(from: 0) == nil)
        for place in 0..<length {
            for byte in UInt8.min...UInt8.max {
                var bytes = plain
                bytes[place] = byte
                // A tab before it, and what is above ASCII, are none.
                if place > 0 { bytes[place - 1] = place % 2 == 0 ? ASCII.tab : 0xFF }
                #expect(bytes.indexOfControl(from: 0) == (byte.isControl ? place : nil), "\(byte) at \(place) of \(length)")
            }
        }
    }
}

@Test func numbersAreWrittenInDecimal() {
    for number in [0, 1, 9, 10, 99, 100, 65_535, UInt64.max / 10, UInt64.max] {
        #expect(TextWriter.text { $0 += number } == String(number))
    }
    #expect(TextWriter.text { $0 += UInt8(255) } == "255")
    #expect(TextWriter.text { $0 += "Müller, längerer Name"; $0 += " "; $0 += ("ß" as Unicode.Scalar) } == "Müller, längerer Name ß")
}

@Test func bytesAreFoundAsOneByOneWouldFindThem() {
    // Neighbours that differ by one bit or by a borrow are what looking at eight at once could mistake.
    let around: [UInt8] = [0x00, 0x01, 0x39, 0x3A, 0x3B, 0x7F, 0x80, 0xBA, 0xFF]
    for length in 0..<27 {
        for place in 0...length {
            for other in around where other != ASCII.colon {
                var bytes = [UInt8](repeating: other, count: length)
                if place < length { bytes[place] = ASCII.colon }
                if place + 1 < length { bytes[place + 1] = 0x3B }
                #expect(bytes.index(of: ASCII.colon, in: 0..<length) == bytes.firstIndex(of: ASCII.colon))
                if length > 2 { #expect(bytes.index(of: ASCII.colon, in: 1..<length - 1) == bytes[1..<length - 1].firstIndex(of: ASCII.colon)) }
                #expect(bytes.isUTF8(0..<length) == (String(validating: bytes, as: UTF8.self) != nil))
            }
        }
    }
}

@Test func whatIsWrittenMayBeLongerThanWasExpected() {
    let long = String(repeating: "Rufumleitung, ", count: 40)
    let text = TextWriter.text(capacity: 0) { text in
        for number in UInt(0)..<30 {
            text += long
            text += number
            text += ";"
            text += Array("ß".utf8)
        }
    }
    #expect(text == (0..<30).map { "\(long)\($0);ß" }.joined())
    var writer = TextWriter(capacity: 3)
    #expect(writer.bytes.isEmpty)
    writer += ""
    writer += [UInt8]()
    writer += "abcd"
    #expect(writer.bytes == Array("abcd".utf8))
}

@Test func aFieldThatIsSetTakesThePlaceOfAllOfItsName() {
    var headers = Headers()
    for (name, value) in [(HeaderName.allow, "a"), (.supported, "b"), (.allow, "c"), (.reason, "d"), (.allow, "e")] { headers.append(name, value) }
    headers[.allow] = "INVITE\r\nX: y"
    #expect(headers.fields.map { "\($0.name) \($0.value)" } == ["Allow INVITE  X: y", "Supported b", "Reason d"])
    headers[.event] = "dialog"
    headers[.allow] = nil
    #expect(headers.fields.map { "\($0.name) \($0.value)" } == ["Supported b", "Reason d", "Event dialog"])
}

@Test func namesOfFieldsAreKnownInEitherCaseAndByEachOfTheirLetters() {
    let known: [HeaderName] = [.to, .cseq, .via, .route, .expires, .contentType, .maxForwards, .sessionExpires, .proxyAuthorization, .preferredIdentity]
    for name in known {
        let text = Array(name.text.utf8)
        for bytes in [text, text.map(\.lowered), text.map { $0.isLetter ? $0 & ~0x20 : $0 }] { #expect(HeaderName(parsing: bytes, bytes.indices) == name) }
        for place in text.indices {
            for byte in UInt8.min...UInt8.max where byte != ASCII.carriageReturn && byte.lowered != text[place].lowered {
                var other = text
                other[place] = byte
                let read = HeaderName(parsing: other, other.indices)
                #expect(read != name, "\(byte) at \(place) of \(name)")
                #expect((read != nil) == byte.isToken, "\(byte) at \(place) of \(name)")
            }
        }
    }
    #expect(HeaderName(parsing: [], 0..<0) == nil)
}
