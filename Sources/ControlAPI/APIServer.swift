package import Hummingbird
import HummingbirdCore
package import Logging
import NIOCore

/// The HTTP API over a platform: a Hummingbird application that takes its routes from `RouteTable`.
package struct APIServer: Sendable {
    private let platform: Platform
    private let logger: Logger

    package init(_ platform: Platform, logger: Logger = Logger(label: "ledgerline.api")) {
        self.platform = platform
        self.logger = logger
    }

    /// - Parameters:
    ///   - host: an address or name to listen on.
    ///   - port: 0 takes a free one.
    ///   - onListening: told the port once connections are accepted.
    package func application(
        host: String, port: Int, onListening: @escaping @Sendable (Int) async -> Void = { _ in }
    ) -> some ApplicationProtocol {
        let counters = platform.counters
        return Application(
            router: router(),
            // A client that says nothing for this long gives its place to another.
            server: .http1(
                configuration: .init(
                    additionalChannelHandlers: [MalformedRequestCounter(counters)], idleTimeout: .seconds(75))),
            configuration: ApplicationConfiguration(
                address: .hostname(host, port: port), serverName: "ledgerline",
                availableConnectionsDelegate: MaximumAvailableConnections(4_096)),
            onServerRunning: { channel in await onListening(channel.localAddress?.port ?? port) },
            logger: logger)
    }

    func router() -> Router<APIContext> {
        let router = Router(context: APIContext.self, options: [.autoGenerateHeadEndpoints])
        router.add(middleware: ProblemMiddleware(operations: RouteTable.operations, counters: platform.counters))
        for operation in RouteTable.operations {
            let dispatcher = Dispatcher(platform: platform, operation: operation)
            router.on(RouterPath(operation.path), method: operation.method.http) { request, context in
                try await dispatcher.respond(to: request, context: context)
            }
        }
        // Not in the table: a tile's address has as many parts as its number needs, which OpenAPI cannot say.
        let tiles = TileEndpoint(platform: platform)
        router.get("/tile/**") { request, context in try await tiles.respond(to: request, context: context) }
        return router
    }
}
