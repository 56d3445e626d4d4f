import ArgumentParser
import Bus
import ControlAPI
import ControlPlane
import Foundation
import Logging
import MediaWorker
import Model
import Primitives
import SIP
import SignalWorker

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Runs everything on one machine: control plane, one signalling and one media worker.",
        discussion: """
            The first start makes the data directory and prints the administrator's token once; later starts carry on.
            Example: ledgerline serve --data ./data --address 192.0.2.10
            """)

    @OptionGroup var options: ControlOptions

    @Option(help: "Address that phones reach this machine at.")
    var address = SocketAddress.Host("127.0.0.1")!

    @Option(help: "Port for SIP over UDP and TCP.")
    var sipPort: UInt16 = 5060

    @Option(help: "More addresses for SIP, TRANSPORT:ADDRESS:PORT with udp, tcp, tls, ws or wss; may be repeated.")
    var listen: [ListenAddress] = []

    @OptionGroup var transports: TransportOptions

    @Option(help: "UDP ports for media, first-last.")
    var ports = PortRange(argument: "30000-39999")!

    @Option(help: "As of `ledgerline media`: auto, off, or names of interfaces, a comma between.")
    var xdp = ShortcutOption(argument: "auto")!

    @Flag(name: .customLong("offer-sha256"), help: "Offer SHA-256 beside MD5; older phones give up when they are offered it.")
    var offersSHA256 = false

    func run() async throws {
        let logger = startLogging()
        let service = try options.open(logger)
        let platform = try options.platform(of: service)
        guard let endpoints = service.endpoints, let bus = service.bus else { throw fail(.unavailable, "the bus did not start") }
        let signal = try await keys(of: "signal", .signal, service)
        let media = try await keys(of: "media", .media, service)
        var signalling = SignalWorkerConfiguration(
            worker: "signal", keys: signal, controlKey: service.busKey, desk: endpoints.desk, feed: endpoints.feed,
            relay: "tcp://127.0.0.1:*", listeners: [SocketAddress(address, port: sipPort)], cluster: nil,
            stateDirectory: options.data + "/signal")
        signalling.bus = bus
        signalling.offersSHA256 = offersSHA256
        signalling.dnsServers = options.dnsServer
        signalling.listeners += listen.filter { $0.transport == .udp }.map(\.address)
        signalling.streams = [StreamAddress(.tcp, SocketAddress(address, port: sipPort))]
        signalling.streams += listen.filter { $0.transport != .udp }.map { StreamAddress($0.transport, $0.address) }
        transports.apply(to: &signalling)
        var relaying = MediaWorkerConfiguration(
            worker: "media", keys: media, controlKey: service.busKey, desk: endpoints.desk, feed: endpoints.feed,
            studio: "tcp://127.0.0.1:*", address: address)
        relaying.bus = bus
        relaying.ports = ports.range
        relaying.shortcuts = xdp.choice
        relaying.sounds = options.data + "/sounds"
        relaying.recordings = options.data + "/recordings/media"
        let (signalDriver, mediaDriver): (SignalDriver, MediaDriver)
        do {
            signalDriver = try SignalDriver(signalling, logger: logger)
            mediaDriver = try MediaDriver(relaying, logger: logger)
        } catch {
            service.stop()
            throw fail(.unavailable, "\(error)")
        }
        let more = listen.map { ", \($0.address) (\($0.transport.name))" }.joined()
        print("SIP \(SocketAddress(address, port: sipPort)) (UDP, TCP)\(more), media \(address):\(ports.range.lowerBound)-\(ports.range.upperBound)")
        try await ledgerline.run(
            [
                ControlPlaneRunner(service: service), WitnessService(platform, logger: logger), options.api(platform, logger), MediaRunner(driver: mediaDriver),
                SignalRunner(driver: signalDriver),
            ], logger: logger)
    }

    /// The key of a worker of this process: made and enrolled at the first start.
    private func keys(of name: String, _ kind: WorkerKind, _ service: ControlPlaneService) async throws -> CurveKeyPair {
        let path = options.data + "/keys/\(name).key"
        do {
            if FileManager.default.fileExists(atPath: path) { return try CurveKeyPair.load(from: path) }
            let keys = try CurveKeyPair.generate()
            var worker = Worker()
            worker.name = name
            worker.kind = kind
            worker.curvePublicKey = Data(keys.publicKey.bytes)
            let request = AdminRequest(.enrollWorker(worker), actor: "serve", requestID: "first start")
            _ = try await service.driver.submit(request)
            try keys.store(at: path)
            return keys
        } catch let rejection as AdminRejection {
            service.stop()
            throw fail(
                .configuration,
                "worker \(name) cannot be enrolled (\(rejection.reason)); if its key file \(path) was lost, revoke it first")
        } catch {
            service.stop()
            throw fail(.configuration, "\(error)")
        }
    }
}
