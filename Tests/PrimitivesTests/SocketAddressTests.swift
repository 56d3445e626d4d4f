import Primitives
import Testing

@Suite("Addresses")
struct SocketAddressTests {
    @Test("Literals are read, and written as RFC 5952 asks", arguments: [
        ("192.0.2.1:5060", "192.0.2.1:5060"),
        ("0.0.0.0:0", "0.0.0.0:0"),
        ("255.255.255.255:65535", "255.255.255.255:65535"),
        ("[2001:DB8:0:0:0:0:0:1]:5060", "[2001:db8::1]:5060"),
        ("[::]:1", "[::]:1"),
        ("[::1]:1", "[::1]:1"),
        ("[1::]:1", "[1::]:1"),
        ("[2001:db8:0:1:1:1:1:1]:1", "[2001:db8:0:1:1:1:1:1]:1"),
        ("[2001:0:0:1:0:0:0:1]:1", "[2001:0:0:1::1]:1"),
        ("[2001:db8:0:0:1:0:0:1]:1", "[2001:db8::1:0:0:1]:1"),
        ("[::ffff:192.0.2.1]:1", "[::ffff:c000:201]:1"),
    ])
    func reads(text: String, written: String) throws {
        let address = try #require(SocketAddress(text))
        #expect(address.description == written)
        #expect(SocketAddress(address.description) == address)
    }

    @Test("Anything else is no address", arguments: [
        "", "192.0.2.1", ":5060", "192.0.2:1", "192.0.2.1.1:1", "192.0.2.256:1", "192.0.2.-1:1", "1.2.3.0004:1", "192.0.2.1:65536",
        "192.0.2.1:-1", "localhost:1", "::1:5060", "[::1]", "[1:2:3:4:5:6:7]:1", "[1:2:3:4:5:6:7:8:9]:1", "[1::2::3]:1",
        "[1:2:3:4:5:6:7::8]:1", "[12345::]:1", "[g::]:1", "[+1::]:1", "[::1.2.3]:1", "[:1]:1",
    ])
    func refuses(text: String) { #expect(SocketAddress(text) == nil) }

    @Test("A host is a literal with or without brackets")
    func hosts() {
        #expect(SocketAddress.Host("2001:db8::1") == SocketAddress.Host("[2001:db8::1]"))
        #expect(SocketAddress.Host("127.0.0.1") == SocketAddress.loopback(0).host)
        #expect(SocketAddress.Host("example.com") == nil)
    }
}
