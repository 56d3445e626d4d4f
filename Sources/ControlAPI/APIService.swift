import Hummingbird
import NIOCore
package import ServiceLifecycle

/// The API as one of the services of a process. It says which address is taken where the network library says a number.
struct APIService<App: ApplicationProtocol>: Service {
    let application: App
    let host: String
    let port: Int

    func run() async throws {
        do {
            try await application.run()
        } catch let error as IOError {
            throw APIServerError.cannotListen(host: host, port: port, code: error.errnoCode)
        }
    }
}

package enum APIServerError: Error, Equatable, CustomStringConvertible {
    /// `code` is the system's error number.
    case cannotListen(host: String, port: Int, code: Int32)

    package var description: String {
        switch self {
        case .cannotListen(let host, let port, 98):
            "\(host):\(port) is taken: stop who listens there, or choose another port for the HTTP API"
        case .cannotListen(let host, let port, let code):
            "the HTTP API cannot listen on \(host):\(port) (system error \(code)): check the address"
        }
    }
}

extension APIServer {
    /// `application` with errors that say what to do.
    package func service(
        host: String, port: Int, onListening: @escaping @Sendable (Int) async -> Void = { _ in }
    ) -> some Service {
        APIService(application: application(host: host, port: port, onListening: onListening), host: host, port: port)
    }
}
