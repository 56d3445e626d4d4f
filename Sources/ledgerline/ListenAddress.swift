import ArgumentParser
import Primitives
import SIP
import SignalWorker

/// `[TRANSPORT:]ADDRESS:PORT`: where SIP is spoken, and over what; UDP unless it says otherwise.
struct ListenAddress: ExpressibleByArgument {
    var transport: Transport
    var address: SocketAddress

    init?(argument: String) {
        transport = .udp
        var rest = Substring(argument)
        if let colon = argument.firstIndex(of: ":"), let named = Transport.all.first(where: { $0.name.lowercased() == argument[..<colon].lowercased() }) {
            transport = named
            rest = argument[argument.index(after: colon)...]
        }
        guard let address = SocketAddress(String(rest)) else { return nil }
        self.address = address
    }

    static var allValueStrings: [String] { [] }
}

/// How phones and carriers reach a worker, and what they may ask of it: the same for `signal` and `serve`.
struct TransportOptions: ParsableArguments {
    @Option(help: "Directory with DOMAIN.crt and DOMAIN.key (PEM) for TLS and secure WebSocket; followed while it changes.")
    var certificates: String?

    @Option(help: "PEM file of those who may vouch for carriers that are called by TLS; else those of the machine.")
    var authorities: String?

    @Option(name: .customLong("web-origin"), help: "Whose pages may be phones by WebSocket, https://phone.example.com or https://*.example.com, for one of our names alone NAME=ORIGIN; may be repeated; none: all.")
    var webOrigins: [String] = []

    @Option(help: "Seconds after which a silent phone behind a NAT is asked by UDP whether it is there (OPTIONS), so that the NAT lets calls through; 0: never.")
    var natPing = 25

    @Option(help: "Connections of one source address.")
    var connectionsPerSource = 512

    @Option(help: "Requests a second outside of calls of one source address that no password, gateway or line vouches for; twice as many at once.")
    var requestsPerSource = 2_000

    @Option(help: "Requests a second outside of calls of one line, with its password or from its address; twice as many at once.")
    var requestsPerLine = 200

    @Option(help: "Connections in all.")
    var connections = 20_000

    func validate() throws {
        var origins = WebOrigins()
        for origin in webOrigins where !origins.add(origin) {
            throw ValidationError("--web-origin \(origin): write https://phone.example.com, https://*.example.com, or NAME=https://phone.example.com")
        }
    }

    func apply(to configuration: inout SignalWorkerConfiguration) {
        configuration.certificates = certificates
        configuration.authorities = authorities
        for origin in webOrigins { _ = configuration.streamLimits.origins.add(origin) }
        configuration.natPing = .seconds(Int64(max(0, natPing)))
        configuration.streamLimits.perSource = max(1, connectionsPerSource)
        configuration.streamLimits.connections = max(1, connections)
        configuration.requestsPerSource = min(max(1, requestsPerSource), 1_000_000)
        configuration.requestsPerLine = min(max(1, requestsPerLine), 1_000_000)
    }
}
