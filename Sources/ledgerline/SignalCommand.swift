import ArgumentParser
import Bus
import Foundation
import Logging
import Primitives
import SIP
import SignalWorker

struct SignalCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "signal", abstract: "Runs a signalling worker.",
        discussion: """
            An address is UDP's unless it names another transport: tcp, tls, ws (WebSocket) or wss.
            Example: ledgerline signal --key s1.key --state s1 --listen 192.0.2.10:5062 --cluster 192.0.2.10:5060 \\
              --cluster tcp:192.0.2.10:5060 --cluster tls:192.0.2.10:5061 --cluster wss:192.0.2.10:443 --certificates certs
            """)

    @Option(help: "The worker's key file, from `ledgerline worker enroll`.")
    var key: String

    @Option(help: "SIP address of this worker alone, [TRANSPORT:]ADDRESS:PORT; may be repeated.")
    var listen: [ListenAddress] = []

    @Option(help: "SIP address that all signalling workers share, [TRANSPORT:]ADDRESS:PORT; one of UDP, any number of others.")
    var cluster: [ListenAddress] = []

    @OptionGroup var transports: TransportOptions

    @Option(help: "Where the other signalling workers connect; port 0 takes a free one.")
    var bus = Endpoint(argument: "127.0.0.1:0")!

    @Option(help: "Directory for facts that are on their way to the control plane.")
    var state: String

    @Flag(name: .customLong("offer-sha256"), help: "Offer SHA-256 beside MD5; older phones give up when they are offered it.")
    var offersSHA256 = false

    @Option(help: "DNS servers that say where gateways are, as 192.0.2.53:53, several with commas; none: the machine's.")
    var dnsServer = ""

    func run() async throws {
        let logger = startLogging()
        let file = try loadKey(key, kind: "signal")
        let shared = cluster.filter { $0.transport == .udp }
        guard shared.count <= 1 else { throw ValidationError("the workers share one UDP address: give one --cluster without a transport") }
        var configuration = SignalWorkerConfiguration(
            worker: file.name, keys: file.keys, controlKey: file.control, desk: file.desk, feed: file.feed, relay: bus.bus,
            listeners: listen.filter { $0.transport == .udp }.map(\.address), cluster: shared.first?.address, stateDirectory: state)
        configuration.streams =
            cluster.filter { $0.transport != .udp }.map { StreamAddress($0.transport, $0.address, isShared: true) }
            + listen.filter { $0.transport != .udp }.map { StreamAddress($0.transport, $0.address) }
        transports.apply(to: &configuration)
        configuration.offersSHA256 = offersSHA256
        configuration.dnsServers = dnsServer
        let driver: SignalDriver
        do throws(SignalWorkerError) {
            driver = try SignalDriver(configuration, logger: logger)
        } catch {
            throw fail(.unavailable, "\(error)")
        }
        try await ledgerline.run([SignalRunner(driver: driver)], logger: logger)
    }
}

/// A worker's key file, checked to be of that kind.
func loadKey(_ path: String, kind: String) throws -> WorkerKeyFile {
    let file: WorkerKeyFile
    do throws(KeyFileError) {
        file = try WorkerKeyFile.load(from: path)
    } catch {
        throw fail(.noInput, "\(error)")
    }
    guard file.kind == kind else {
        throw fail(.configuration, "\(path) is the key of a \(file.kind) worker: start it with `ledgerline \(file.kind)`")
    }
    return file
}
