import Primitives
import Testing

@testable import SIP

@Test(arguments: [
    "sip:alice@example.com", "sips:alice:secret@example.com:5061;transport=tcp;lr", "sip:example.com",
    "sip:[2001:db8::1]:5060",
    "sip:+12092488700@192.0.2.1;user=phone", "sip:a;b=c@example.com?Subject=x&Priority=urgent",
    "sip:%61lice@example.com",
    "sip:alice;day=tuesday@example.com", "tel:+1-201-555-0123;phone-context=example.com",
    "sip:1_unusual.URI~(to-be!sure)@h",
    "sip:a/b?c@example.com",
])
func uriIsWrittenAsItWasRead(text: String) throws {
    #expect(try #require(URI(text)).description == text)
}

@Test(arguments: [
    ("sip:+12095550100;npdi;rn=+12095550000@b.example", "+12095550100"), ("sip:12095550100;phone-context=+1@b.example", "12095550100"),
    ("sip:+12095550100@b.example", "+12095550100"), ("sip:al%20ice;x@b.example", "al ice;x"), ("sip:%31;x@b.example", "1;x"), ("sip:;x@b.example", ";x"),
    ("sip:+;x@b.example", "+;x"), ("tel:+1-209-555(01)00;phone-context=x", "+12095550100"), ("tel:911", "911"),
])
func aNumberIsReadWithoutItsParameters(text: String, user: String) throws {
    #expect(try #require(URI(text)).numberOrUser == user)
}

@Test func partsOfAURI() throws {
    let uri = try #require(URI("SIPS:al%20ice:pw@EXAMPLE.com:5061;Transport=TCP;lr;x=y?a=b"))
    #expect(uri.scheme == "sips" && uri.isSecure && uri.isSIP)
    #expect(uri.user == "al%20ice")
    #expect(uri.userDecoded == "al ice")
    #expect(uri.password == "pw")
    #expect(uri.host == "example.com")
    #expect(uri.port == 5_061)
    #expect(uri.transport == .tcp)
    #expect(uri.isLooseRouter)
    #expect(uri.headers == "a=b")
}

@Test(arguments: [
    "", "sip", "sip:", ":x", "1sip:x", "sip:@x", "sip:a@", "sip:a@b@c", "sip:a b@c", "sip:a@b:x", "sip:a@b:",
    "sip:a@b:0",
    "sip:a@b:65536", "sip:a@[::1", "sip:a@[]", "sip:a@[xyz]", "sip:a@b;", "sip:a@b;;lr", "sip:a@b;=x", "sip:a@b;x=",
    "sip:a@b;lr;lr",
    "sip:a%2@b", "sip:a%zz@b", "sip:a@b c", "sip:a@b?", "<sip:a@b>", "sip:a\u{7}@b", "sip:a@b(c)", "sip:\"a\"@b",
    "sip:a@b;x=\"y\"",
])
func brokenURIsAreNone(text: String) {
    #expect(URI(text) == nil)
}

@Test func escapedControlBytesStayEscaped() throws {
    let uri = try #require(URI("sip:null-%00-null@example.com"))
    #expect(uri.user == "null-%00-null")
    #expect(uri.userDecoded == nil)
}

/// The examples of RFC 3261 §19.1.4.
@Test(arguments: [
    ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp", true),
    ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5", true),
    ("sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on", true),
    (
        "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
        "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com", true
    ),
    (
        "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
        "sip:alice@atlanta.com?priority=urgent&subject=project%20x", true
    ),
    ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP", false),
    ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060", false),
    ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp", false),
    ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp", false),
    ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting", false),
    ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4", false),
    ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off", false),
])
func urisAreComparedAsRFC3261Says(a: String, b: String, isEquivalent: Bool) throws {
    let first = try #require(URI(a))
    let second = try #require(URI(b))
    #expect(first.isEquivalent(to: second) == isEquivalent)
    #expect(second.isEquivalent(to: first) == isEquivalent)
}

@Test func parametersOutsideBracketsAreTheHeaders() throws {
    let bare = try #require(NameAddress("sip:a@example.com;tag=1;x"))
    #expect(bare.tag == "1")
    #expect(bare.uri.parameters.isEmpty)
    let enclosed = try #require(NameAddress("<sip:a@example.com;lr>;tag=1"))
    #expect(enclosed.tag == "1")
    #expect(enclosed.uri.isLooseRouter)
    #expect(enclosed.description == "<sip:a@example.com;lr>;tag=1")
}

@Test func displayNamesAreUnquotedAndQuotedAgain() throws {
    let address = try #require(NameAddress(#""J \"Rosenberg\" \\ <x>" <sip:j@example.com> ; tag = 9"#))
    #expect(address.displayName == #"J "Rosenberg" \ <x>"#)
    #expect(address.tag == "9")
    #expect(NameAddress(address.description) == address)
    #expect(NameAddress("Anna Maria<sip:a@example.com>")?.displayName == "Anna Maria")
    #expect(NameAddress("\"\" <sip:a@example.com>")?.displayName == "")
}

@Test(arguments: [
    "", "<>", "<sip:a@b", "sip:a@b>", "\"x <sip:a@b>", "\"x\" y <sip:a@b>", "a, b <sip:a@b>", "< sip:a@b >",
    "sip:a@b?x=y",
    "<sip:a@b>;tag=1;tag=2", "<sip:a@b>;=1", "<sip:a@b> tag=1", "\"x\" sip:a@b",
])
func brokenAddressesAreNone(text: String) {
    #expect(NameAddress(text) == nil)
}

@Test(arguments: [
    "SIP/2.0/UDP", "SIP/2.0/UDP ", "SIP/2.0 h", "SIP/3.0/UDP h", "HTTP/2.0/UDP h", "SIP/2.0/UDP h:0",
    "SIP/2.0/UDP h:65536",
    "SIP/2.0/UDP h;branch=", "SIP/2.0/UDP h;branch=a;branch=b", "SIP/2.0/U DP h", "SIP/2.0/UDP h x",
    "SIP/2.0/UDP h;;branch=a",
    "SIP/2.0/UDP h;branch=\"a",
])
func brokenViasAreNone(text: String) {
    #expect(Via(text) == nil)
}

@Test func stampedViaTellsTheSource() throws {
    let source = try #require(SocketAddress("198.51.100.7:4000"))
    var asked = try #require(Via("SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bK1;rport"))
    asked.stamp(source: source)
    #expect(asked.received == "198.51.100.7" && asked.receivedPort == 4_000)
    #expect(asked.responseAddress(source: source) == source)
    var plain = try #require(Via("SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bK1;received=1.2.3.4"))
    plain.stamp(source: source)
    #expect(plain.received == nil, "what the client claims is taken out")
    #expect(plain.responseAddress(source: source).port == 5_060)
    var six = try #require(Via("SIP/2.0/UDP host;branch=z9hG4bK1;rport"))
    six.stamp(source: try #require(SocketAddress("[2001:db8::1]:5060")))
    #expect(six.received == "2001:db8::1")
}

@Test(arguments: [
    ("1 INVITE", true), ("0 X", true), ("2147483647 INVITE", true), ("2147483648 INVITE", false), ("INVITE", false),
    ("1", false), ("-1 INVITE", false), ("1 IN VITE", false), ("1  \tBYE", true), ("001 BYE", true), ("", false),
    ("1 INVITE x", false),
])
func sequenceNumbersAreBelowTwoToThe31(text: String, isValid: Bool) {
    #expect((CSeq(text) != nil) == isValid)
}
