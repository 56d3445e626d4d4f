import Ledger
package import Logging
import ServiceLifecycle

/// Asks the witnesses again and again, for as long as the process is wanted.
package struct WitnessService: Service {
    private let publisher: CheckpointPublisher
    private let logger: Logger

    package init(_ platform: Platform, logger: Logger) {
        publisher = platform.publisher
        self.logger = logger
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            var told: [String: String] = [:]
            while !Task.isCancelled {
                do {
                    try await publisher.publish()
                } catch {
                    logger.error("no checkpoint can be published", metadata: ["reason": "\(error)"])
                }
                // Once for each change, not once for each round.
                for state in await publisher.states {
                    let name = state.witness.key.name
                    guard told[name] != state.fault ?? "" else { continue }
                    told[name] = state.fault ?? ""
                    if let fault = state.fault {
                        logger.warning("a witness does not cosign", metadata: ["witness": "\(name)", "reason": "\(fault)"])
                    } else {
                        logger.info("a witness cosigns", metadata: ["witness": "\(name)"])
                    }
                }
                try? await Task.sleep(for: publisher.policy.interval)
            }
        }
    }
}
