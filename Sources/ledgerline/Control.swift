import ArgumentParser
import ControlAPI
import ControlPlane
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
        try await ledgerline.run([ControlPlaneRunner(service: service), options.api(service, logger)], logger: logger)
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

    /// Opens the directory and starts the bus. The first start prints the administrator's token, once.
    func open(_ logger: Logger) throws -> ControlPlaneService {
        var configuration = ControlPlaneConfiguration(directory: data)
        configuration.platform = platform
        configuration.deskEndpoint = desk.bus
        configuration.feedEndpoint = feed.bus
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

    func api(_ service: ControlPlaneService, _ logger: Logger) -> some Service {
        APIServer(Platform(service), logger: logger).service(host: http.host, port: http.port) { [http] port in
            print("ready: HTTP http://\(http.host):\(port)/v1")
            flushOutput()
        }
    }
}
