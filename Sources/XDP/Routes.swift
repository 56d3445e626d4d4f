internal import CXDP
internal import Glibc
package import Primitives

/// By which interface packets to an address leave, and what their frames carry.
package struct NextHop: Equatable, Sendable {
    package let interface: UInt32
    package let source: [UInt8]
    package let destination: [UInt8]
    /// Of an IP packet.
    package let bytesMax: UInt32
}

/// What the kernel's tables of routes and neighbours say, as they are when asked. Belongs to one thread.
package struct Routes: ~Copyable {
    package enum Answer: Equatable, Sendable {
        case hop(NextHop)
        /// The neighbour's address is being asked for.
        case notYet
        /// No route, or one that leads to this machine or nowhere.
        case none
    }

    private let netlink: Int32

    package init() throws(XDPError) {
        netlink = ll_netlink_open()
        guard netlink >= 0 else { throw XDPError(call: "netlink", code: -netlink) }
    }

    deinit { _ = close(netlink) }

    /// - Parameter refreshing: the kernel is to ask the neighbour whether it is still there, as it does when packets of its own go there.
    package func find(from source: SocketAddress.Host, to destination: SocketAddress.Host, refreshing: Bool = false) -> Answer {
        var (from, to) = (ll_address(source), ll_address(destination))
        var route = ll_route()
        guard unsafe ll_route_find(netlink, &from, &to, &route) == 0, route.is_unicast != 0, route.interface != 0 else { return .none }
        var hop = route.has_gateway != 0 ? route.gateway : to
        if refreshing { _ = unsafe ll_neighbour_use(netlink, route.interface, &hop) }
        var neighbour = ll_neighbour()
        guard unsafe ll_neighbour_find(netlink, route.interface, &hop, &neighbour) == 0, neighbour.is_usable != 0 else {
            _ = unsafe ll_neighbour_use(netlink, route.interface, &hop)
            return .notYet
        }
        guard let interface = interface(route.interface), interface.isEthernet, interface.isUp else { return .none }
        let mac = unsafe withUnsafeBytes(of: neighbour.mac) { unsafe Array($0) }
        let bytesMax = route.mtu == 0 ? interface.bytesMax : min(route.mtu, interface.bytesMax)
        return .hop(NextHop(interface: route.interface, source: interface.mac, destination: mac, bytesMax: bytesMax))
    }

    package struct Interface: Equatable, Sendable {
        package let name: String
        package let mac: [UInt8]
        package let bytesMax: UInt32
        package let isEthernet: Bool
        package let isUp: Bool
        /// One end of a pair whose other end may be in another namespace.
        package let isPair: Bool
    }

    package func interface(_ number: UInt32) -> Interface? {
        var found = ll_interface()
        guard unsafe ll_interface_find(netlink, number, &found) == 0 else { return nil }
        let name = unsafe withUnsafeBytes(of: found.name) { name in unsafe String(decoding: name.prefix { $0 != 0 }, as: UTF8.self) }
        let mac = unsafe withUnsafeBytes(of: found.mac) { unsafe Array($0) }
        return Interface(
            name: name, mac: mac, bytesMax: found.mtu, isEthernet: found.is_ethernet != 0, isUp: found.is_up != 0, isPair: found.is_pair != 0)
    }

    /// The number of the interface that has the address.
    package static func interface(with host: SocketAddress.Host) -> UInt32? {
        var address = ll_address(host)
        let number = unsafe ll_interface_of(&address)
        return number == 0 ? nil : number
    }

    package static func interface(named name: String) -> UInt32? {
        let number = unsafe ll_interface_named(name)
        return number == 0 ? nil : number
    }

    package static func name(of number: UInt32) -> String {
        var name = [CChar](repeating: 0, count: Int(IF_NAMESIZE))
        guard unsafe if_indextoname(number, &name) != nil else { return "number \(number)" }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Whether the driver sends frames that another interface's program hands it. nil: the kernel is older than Linux 6.3 and does not say.
    package static func takesFrames(_ number: UInt32) -> Bool? {
        let answer = ll_interface_takes_frames(number)
        return answer < 0 ? nil : answer == 1
    }
}

extension ll_address {
    fileprivate init(_ host: SocketAddress.Host) {
        self.init()
        if case .v6 = host { is6 = 1 }
        unsafe withUnsafeMutableBytes(of: &bytes) { unsafe $0.copyBytes(from: host.bytes) }
    }
}
