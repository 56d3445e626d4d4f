import ArgumentParser
import ControlAPI
import ControlPlane
import DNS
import Logging
import ServiceLifecycle

struct Control: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Runs the control plane: log, views, decisions, HTTP API.",
        discussion: "Example: ledgerline control --data ./data --http 127.0.0.1:8080")

    @OptionGroup var options: ControlOptions

    func run() async throws {
        let logger = startLogging()
        let service = try options.open(logger)
        let platform = try options.platform(of: service)
        try await ledgerline.run(
            [ControlPlaneRunner(service: service), WitnessService(platform, logger: logger), options.api(platform, logger)], logger: logger)
    }
}

/// Where a control plane keeps its data and listens; for `control` and `serve`.
struct ControlOptions: ParsableArguments {
    @Option(help: "The data directory; made if it is not there.")
    var data: String

    @Option(help: "Address of the HTTP API.")
    var http = Endpoint(argument: "127.0.0.1:8080")!

    @Option(help: "Where workers send requests.")
    var desk = Endpoint(argument: "127.0.0.1:7401")!

    @Option(help: "Where workers listen to the feed.")
    var feed = Endpoint(argument: "127.0.0.1:7402")!

    @Option(help: "Name of the platform: names the log in checkpoints.")
    var platform = "ledgerline"

    @Option(help: "DNS servers that are asked for records that prove domains (and, by `serve`, where gateways are), as 192.0.2.53:53, several with commas; none: the machine's.")
    var dnsServer = ""

    @OptionGroup var mail: MailOptions

    @Option(help: "A witness that cosigns checkpoints, as VKEY,URL; may be given again and again.")
    var witness: [String] = []

    @Option(help: "How many witnesses must have cosigned a checkpoint before it is shown at /checkpoint.")
    var witnessQuorum = 0

    @Flag(help: "Serve /tile/entries/ to everybody: events hold names, numbers and amounts.")
    var publishEntries = false

    /// Opens the directory and starts the bus. The first start prints the administrator's token, once.
    func open(_ logger: Logger) throws -> ControlPlaneService {
        var configuration = ControlPlaneConfiguration(directory: data)
        configuration.platform = platform
        configuration.deskEndpoint = desk.bus
        configuration.feedEndpoint = feed.bus
        configuration.mail = try mail.settings()
        configuration.settings.identity.providers = mail.signUp
        do throws(ControlPlaneError) {
            let service = try ControlPlaneService(configuration, logger: logger)
            try service.start()
            if let token = service.firstToken {
                print("admin token (shown once, keep it): \(token.text)")
                flushOutput()
            }
            return service
        } catch {
            switch error {
            case .bus: throw fail(.unavailable, "\(error)")
            case .keyUnusable: throw fail(.configuration, "\(error)")
            case .directoryInUse, .directoryUnusable: throw fail(.cannotCreate, "\(error)")
            case .ledger, .views: throw fail(.inputOutput, "\(error)")
            }
        }
    }

    /// What the API stands on.
    func platform(of service: ControlPlaneService) throws -> Platform {
        var policy = WitnessPolicy()
        policy.quorum = witnessQuorum
        for text in witness {
            guard let witness = Witness(text) else {
                service.stop()
                throw fail(.configuration, "--witness \(text) is not a witness: give its verifier key, a comma and its URL")
            }
            policy.witnesses.append(witness)
        }
        guard (0...policy.witnesses.count).contains(witnessQuorum) else {
            service.stop()
            throw fail(.configuration, "--witness-quorum \(witnessQuorum) cannot be reached by \(policy.witnesses.count) witnesses")
        }
        var platform = Platform(service, witnesses: policy)
        platform.publishesEntries = publishEntries
        platform.resolver = TXTResolver(servers: dnsServer)
        return platform
    }

    func api(_ platform: Platform, _ logger: Logger) -> some Service {
        APIServer(platform, logger: logger).service(host: http.host, port: http.port) { [http] port in
            print("ready: HTTP http://\(http.host):\(port)/v1")
            flushOutput()
        }
    }
}
