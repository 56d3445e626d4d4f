internal import CXDP
package import Primitives

/// Packets of one stream on their way in and out.
package struct ForwardedFlow: Equatable, Sendable {
    /// Ours, to which they come.
    package let local: SocketAddress
    package let remote: SocketAddress
    /// Ours, from which they are sent on.
    package let source: SocketAddress
    package let destination: SocketAddress
    package let ssrc: UInt32
    package let payloadType: UInt8

    /// - Precondition: all are of one family.
    package init(local: SocketAddress, remote: SocketAddress, source: SocketAddress, destination: SocketAddress, ssrc: UInt32, payloadType: UInt8) {
        precondition([local, remote, source, destination].allSatisfy { $0.isV4 == local.isV4 })
        self.local = local
        self.remote = remote
        self.source = source
        self.destination = destination
        self.ssrc = ssrc
        self.payloadType = payloadType
    }
}

/// Sums of 16-bit words in one's complement (RFC 1071), by which checksums are brought up to date without the packet (RFC 1624).
struct ChecksumChange: Equatable {
    /// For the new addresses; IPv4's own checksum.
    let addresses: UInt16
    /// The same and the ports, for UDP's.
    let udp: UInt16
    /// Of the pseudo header without the length, before and after.
    let pseudo: UInt16
    let newPseudo: UInt16

    private static let udpProtocol: UInt16 = 17

    init(_ flow: ForwardedFlow) {
        let old = flow.remote.words + flow.local.words
        let new = flow.source.words + flow.destination.words
        addresses = Self.sum(new + old.map { ~$0 })
        udp = Self.sum([addresses, flow.source.port, flow.destination.port, ~flow.remote.port, ~flow.local.port])
        pseudo = Self.sum(old + [Self.udpProtocol])
        newPseudo = Self.sum(new + [Self.udpProtocol])
    }

    private static func sum(_ words: [UInt16]) -> UInt16 {
        var sum = words.reduce(UInt32(0)) { $0 + UInt32($1) }
        while sum > 0xFFFF { sum = sum & 0xFFFF + sum >> 16 }
        return UInt16(sum)
    }
}

extension ll_xdp_rule {
    init(_ flow: ForwardedFlow, _ hop: NextHop, slot: UInt32, keepsPartialChecksums: Bool) {
        let change = ChecksumChange(flow)
        self.init()
        self.slot = slot
        interface = hop.interface
        ssrc = flow.ssrc.bigEndian
        bytes_max = UInt16(clamping: hop.bytesMax)
        payload_type = flow.payloadType
        flags = keepsPartialChecksums ? UInt8(LL_XDP_KEEPS_PARTIAL) : 0
        unsafe withUnsafeMutableBytes(of: &ethernet) { unsafe $0.copyBytes(from: hop.destination + hop.source) }
        source_port = flow.source.port.bigEndian
        destination_port = flow.destination.port.bigEndian
        // The sum of swapped words is the swapped sum (RFC 1071 §2B).
        address_change = change.addresses.bigEndian
        udp_change = change.udp.bigEndian
        pseudo = change.pseudo.bigEndian
        new_pseudo = change.newPseudo.bigEndian
        unsafe withUnsafeMutableBytes(of: &source) { unsafe $0.copyBytes(from: flow.source.host.bytes) }
        unsafe withUnsafeMutableBytes(of: &destination) { unsafe $0.copyBytes(from: flow.destination.host.bytes) }
    }
}

extension ll_xdp_key4 {
    init(_ flow: ForwardedFlow) {
        self.init()
        unsafe withUnsafeMutableBytes(of: &local) { unsafe $0.copyBytes(from: flow.local.host.bytes) }
        unsafe withUnsafeMutableBytes(of: &remote) { unsafe $0.copyBytes(from: flow.remote.host.bytes) }
        local_port = flow.local.port.bigEndian
        remote_port = flow.remote.port.bigEndian
    }
}

extension ll_xdp_key6 {
    init(_ flow: ForwardedFlow) {
        self.init()
        unsafe withUnsafeMutableBytes(of: &local) { unsafe $0.copyBytes(from: flow.local.host.bytes) }
        unsafe withUnsafeMutableBytes(of: &remote) { unsafe $0.copyBytes(from: flow.remote.host.bytes) }
        local_port = flow.local.port.bigEndian
        remote_port = flow.remote.port.bigEndian
    }
}

extension SocketAddress {
    fileprivate var words: [UInt16] {
        switch host {
        case .v4(let value): [UInt16(truncatingIfNeeded: value >> 16), UInt16(truncatingIfNeeded: value)]
        case .v6(let high, let low): (0..<8).map { UInt16(truncatingIfNeeded: ($0 < 4 ? high : low) >> UInt64(48 - $0 % 4 * 16)) }
        }
    }
}

extension SocketAddress.Host {
    /// As on the wire.
    var bytes: [UInt8] {
        switch self {
        case .v4(let value): (0..<4).map { UInt8(truncatingIfNeeded: value >> UInt32(24 - $0 * 8)) }
        case .v6(let high, let low): (0..<16).map { UInt8(truncatingIfNeeded: ($0 < 8 ? high : low) >> UInt64(56 - $0 % 8 * 8)) }
        }
    }

    init(bytes: some Collection<UInt8>) {
        func word(_ part: some Collection<UInt8>) -> UInt64 { part.reduce(0) { $0 << 8 | UInt64($1) } }
        self = bytes.count == 4 ? .v4(UInt32(word(bytes))) : .v6(word(bytes.prefix(8)), word(bytes.dropFirst(8)))
    }
}
