import ArgumentParser
import Bus
import Logging
import MediaWorker
import Primitives

struct MediaCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "media", abstract: "Runs a media worker.",
        discussion: "Example: ledgerline media --key m1.key --address 192.0.2.10 --ports 30000-39999")

    @Option(help: "The worker's key file, from `ledgerline worker enroll`.")
    var key: String

    @Option(help: "Address that media is received at; goes into session descriptions.")
    var address: SocketAddress.Host

    @Option(help: "UDP ports for media, first-last.")
    var ports = PortRange(argument: "30000-39999")!

    @Option(help: "Where signalling workers connect; port 0 takes a free one.")
    var bus = Endpoint(argument: "127.0.0.1:0")!

    @Option(help: "Threads that relay.")
    var shards = 1

    @Option(help: "Where recordings are written, in a folder named after the worker: a directory that the control plane reads as DATA/recordings.")
    var recordings: String?

    @Option(help: "Folder of sounds for music on hold: NAME.wav is what a tenant or a line names.")
    var sounds: String?

    @Option(help: "Interfaces whose XDP program passes on packets that are not changed: auto (the one that has the media address), off, or names, a comma between.")
    var xdp = ShortcutOption(argument: "auto")!

    func run() async throws {
        let logger = startLogging()
        let file = try loadKey(key, kind: "media")
        var configuration = MediaWorkerConfiguration(
            worker: file.name, keys: file.keys, controlKey: file.control, desk: file.desk, feed: file.feed, studio: bus.bus,
            address: address)
        configuration.ports = ports.range
        configuration.shards = shards
        configuration.shortcuts = xdp.choice
        configuration.sounds = sounds
        configuration.recordings = recordings.map { $0 + "/" + file.name }
        let driver: MediaDriver
        do throws(MediaWorkerError) {
            driver = try MediaDriver(configuration, logger: logger)
        } catch {
            throw fail(.unavailable, "\(error)")
        }
        try await ledgerline.run([MediaRunner(driver: driver)], logger: logger)
    }
}

/// `30000-39999`.
struct PortRange: ExpressibleByArgument {
    let range: ClosedRange<UInt16>

    init?(argument: String) {
        let parts = argument.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let first = UInt16(parts[0]), let last = UInt16(parts[1]), first > 0, first <= last else { return nil }
        range = first...last
    }

    var defaultValueDescription: String { "\(range.lowerBound)-\(range.upperBound)" }
}

/// `auto`, `off`, or `eth0,eth1`.
struct ShortcutOption: ExpressibleByArgument {
    let choice: ShortcutChoice

    init?(argument: String) {
        switch argument {
        case "auto": choice = .automatic
        case "off": choice = .never
        default:
            let names = argument.split(separator: ",", omittingEmptySubsequences: false).map { String($0) }
            guard names.allSatisfy({ !$0.isEmpty && $0.utf8.count <= 15 }) else { return nil }
            choice = .interfaces(names)
        }
    }

    var defaultValueDescription: String {
        switch choice {
        case .automatic: "auto"
        case .never: "off"
        case .interfaces(let names): names.joined(separator: ",")
        }
    }
}
