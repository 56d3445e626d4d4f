import ControlAPI
import ControlPlane
import Foundation
import Hummingbird
import Logging
import MediaWorker
import ServiceLifecycle
import SignalWorker
import UnixSignals

/// The control plane as long as its process is wanted.
struct ControlPlaneRunner: Service {
    let service: ControlPlaneService

    func run() async throws {
        try? await gracefulShutdown()
        service.stop()
    }
}

struct SignalRunner: Service {
    let driver: SignalDriver

    func run() async throws {
        try await withGracefulShutdownHandler {
            do throws(SignalWorkerError) {
                try await driver.run()
            } catch {
                throw fail(.unavailable, "\(error)")
            }
        } onGracefulShutdown: {
            driver.stop()
        }
    }
}

struct MediaRunner: Service {
    let driver: MediaDriver

    func run() async throws {
        try await withGracefulShutdownHandler {
            do throws(MediaWorkerError) {
                try await driver.run()
            } catch {
                throw fail(.unavailable, "\(error)")
            }
        } onGracefulShutdown: {
            driver.stop()
        }
    }
}

/// Runs until SIGTERM or SIGINT, then stops them in the opposite order.
func run(_ services: [any Service], logger: Logger) async throws {
    // Whoever reads the log may go: then it is lost, and nothing else. Commands that end by themselves keep the usual way.
    signal(SIGPIPE, SIG_IGN)
    let group = ServiceGroup(
        configuration: ServiceGroupConfiguration(
            services: services.map {
                .init(service: $0, successTerminationBehavior: .gracefullyShutdownGroup, failureTerminationBehavior: .gracefullyShutdownGroup)
            }, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
    do {
        try await group.run()
    } catch let error as APIServerError {
        throw fail(.unavailable, "\(error)")
    }
}
