import DNS
import Primitives
import SIP

/// A place where a server of a name answers.
struct ServerTarget: Hashable, Sendable {
    var address: SocketAddress
    var priority: UInt16 = 0
    var weight: UInt16 = 0
}

/// Where requests to a host go (RFC 3263 §4), from what is known of DNS. Nothing is asked here: what is missing is said.
enum ServerLocation: Equatable, Sendable {
    case targets([ServerTarget])
    /// It cannot be told before these are answered.
    case needs([DNSQuestion])
    case failed(reason: String)
}

/// The rules of RFC 3263 over answers of DNS.
struct ServerLocator {
    /// What is known; nil: not asked, or not answered yet.
    let known: (DNSQuestion) -> DNSAnswer?
    /// A worker on IPv4 cannot reach a server on IPv6.
    let addressType: DNSType
    /// By which it is to be reached; NAPTR and SRV are asked for nothing else.
    var transport = Transport.udp

    /// - Parameter port: nil: NAPTR and SRV decide.
    func locate(_ host: String, port: UInt16?) -> ServerLocation {
        if let literal = SocketAddress.Host(host) { return .targets([ServerTarget(address: SocketAddress(literal, port: port ?? transport.defaultPort))]) }
        if let port { return addresses(host, port) }
        let service = serviceLabel + host
        switch known(DNSQuestion(host, .naptr)) {
        case nil:
            // Most names have no NAPTR: what is looked for next is asked at the same time.
            let next = [DNSQuestion(host, .naptr), DNSQuestion(service, .srv), DNSQuestion(host, addressType)]
            return .needs(next.filter { known($0) == nil })
        case .records(let records, _):
            let services = services(of: records)
            return services.isEmpty ? .failed(reason: "\(host) has no SIP over \(transport.name)") : servers(services, else: host)
        case .absent, .failed: return servers([service], else: host)
        }
    }

    /// RFC 3263 §4.1, table 1, and §4.2.
    private var serviceLabel: String { transport == .tls ? "_sips._tcp." : transport == .tcp ? "_sip._tcp." : "_sip._udp." }
    private var serviceName: String { transport == .tls ? "SIPS+D2T" : transport == .tcp ? "SIP+D2T" : "SIP+D2U" }

    /// The names of SRV records for SIP over the transport, the most wanted first (RFC 3403 §4.1).
    private func services(of records: [DNSRecord]) -> [String] {
        var found: [(order: UInt16, preference: UInt16, name: String)] = []
        for case .pointer(let order, let preference, let flags, let service, let replacement) in records
        where service == serviceName && flags == "s" && !replacement.isEmpty { found.append((order, preference, replacement)) }
        return found.sorted { ($0.order, $0.preference) < ($1.order, $1.preference) }.map(\.name)
    }

    private func servers(_ services: [String], else host: String) -> ServerLocation {
        var targets: [ServerTarget] = []
        var needs: [DNSQuestion] = []
        var isDefined = false
        for service in services {
            let question = DNSQuestion(service, .srv)
            guard let answer = known(question) else {
                needs.append(question)
                continue
            }
            guard case .records(let records, _) = answer else { continue }
            isDefined = true
            for case .server(let priority, let weight, let port, let name) in records where !name.isEmpty {
                switch addresses(name, port) {
                case .targets(let found):
                    targets += found.map { ServerTarget(address: $0.address, priority: priority, weight: weight) }
                case .needs(let questions): needs += questions
                case .failed: break
                }
            }
        }
        guard needs.isEmpty else { return .needs(needs) }
        // RFC 2782: a single "." says that there is no such service; other names without an address are of no use either.
        if isDefined { return targets.isEmpty ? .failed(reason: "none of the servers of \(host) has an address") : .targets(targets) }
        return addresses(host, transport.defaultPort)
    }

    private func addresses(_ host: String, _ port: UInt16) -> ServerLocation {
        if let literal = SocketAddress.Host(host) { return .targets([ServerTarget(address: SocketAddress(literal, port: port))]) }
        let question = DNSQuestion(host, addressType)
        switch known(question) {
        case nil: return .needs([question])
        case .records(let records, _):
            var targets: [ServerTarget] = []
            for case .address(let address) in records { targets.append(ServerTarget(address: SocketAddress(address, port: port))) }
            return targets.isEmpty ? .failed(reason: "\(host) has no address") : .targets(targets)
        case .absent: return .failed(reason: "\(host) has no address in DNS")
        case .failed(let reason): return .failed(reason: "\(host): \(reason)")
        }
    }

    /// In the order in which they are to be tried: by priority, and drawn by weight within one (RFC 2782).
    static func ordered(_ targets: [ServerTarget], _ random: inout RandomSource) -> [ServerTarget] {
        guard targets.count > 1 else { return targets }
        var result: [ServerTarget] = []
        for priority in Set(targets.map(\.priority)).sorted() {
            var rest = targets.filter { $0.priority == priority }
            while !rest.isEmpty {
                // Those of weight 0 keep a small chance as long as there are others.
                let total = rest.reduce(0) { $0 + UInt64($1.weight) * 100 + 1 }
                var drawn = UInt64.random(in: 0..<total, using: &random)
                let index = rest.firstIndex { target in
                    let share = UInt64(target.weight) * 100 + 1
                    if drawn < share { return true }
                    drawn -= share
                    return false
                }
                result.append(rest.remove(at: index ?? 0))
            }
        }
        return result
    }
}
