import ArgumentParser
import Bus
import Foundation
import Logging
import Primitives
import SignalWorker

struct SignalCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "signal", abstract: "Runs a signalling worker.",
        discussion: "Example: ledgerline signal --key s1.key --listen 192.0.2.10:5061 --cluster 192.0.2.10:5060")

    @Option(help: "The worker's key file, from `ledgerline worker enroll`.")
    var key: String

    @Option(help: "SIP address (UDP) of this worker alone; may be repeated.")
    var listen: [SocketAddress] = []

    @Option(help: "SIP address (UDP) that all signalling workers share.")
    var cluster: SocketAddress?

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
        var configuration = SignalWorkerConfiguration(
            worker: file.name, keys: file.keys, controlKey: file.control, desk: file.desk, feed: file.feed, relay: bus.bus,
            listeners: listen, cluster: cluster, stateDirectory: state)
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
