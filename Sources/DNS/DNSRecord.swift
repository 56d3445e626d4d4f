package import Primitives

/// What is asked of DNS: the numbers of RFC 1035 §3.2.2, RFC 3596, RFC 2782 and RFC 3403.
package enum DNSType: UInt16, Hashable, Sendable {
    case a = 1
    case aaaa = 28
    case srv = 33
    case naptr = 35
}

package struct DNSQuestion: Hashable, Sendable {
    /// In lower case, without a dot at the end.
    package let name: String
    package let type: DNSType

    package init(_ name: String, _ type: DNSType) {
        self.name = name.lowercased()
        self.type = type
    }
}

package enum DNSRecord: Hashable, Sendable {
    case address(SocketAddress.Host)
    case server(priority: UInt16, weight: UInt16, port: UInt16, target: String)
    /// The regular expression of a NAPTR is not kept: SIP has no use for it (RFC 3263 §4.1).
    case pointer(order: UInt16, preference: UInt16, flags: String, service: String, replacement: String)
}

/// What DNS says to a question.
package enum DNSAnswer: Hashable, Sendable {
    /// - Parameter seconds: for which all of it may be kept.
    case records([DNSRecord], seconds: UInt32)
    /// The name does not exist, or has nothing of that type.
    case absent(seconds: UInt32)
    /// Nobody has said anything of use.
    case failed(reason: String)
}
