internal import Bus
internal import Foundation
package import Logging
internal import Primitives
internal import Synchronization
internal import UDP

/// A signal worker: one thread that waits for SIP, the bus and the clock, and asks the machine.
package final class SignalDriver: Sendable {
    private let waker: Waker
    private let stops = Atomic<Int>(0)
    private let configuration: SignalWorkerConfiguration
    private let logger: Logger

    /// Checks what can be checked before a thread is started.
    package init(_ configuration: SignalWorkerConfiguration, logger: Logger) throws(SignalWorkerError) {
        guard !configuration.listeners.isEmpty || configuration.cluster != nil else { throw .noListener }
        do throws(BusError) {
            waker = try Waker()
        } catch {
            throw .bus(error)
        }
        self.configuration = configuration
        self.logger = logger
    }

    /// Carries calls until it is stopped or drained; called once. Cancelling the task stops it at once. Throws if a port or the
    /// outbox is not to be had.
    package func run() async throws(SignalWorkerError) {
        let outcome = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let thread = Thread { [self] in
                    nameThread("signal")
                    continuation.resume(returning: carry())
                }
                thread.start()
            }
        } onCancel: {
            stop()
            stop()
        }
        try outcome.get()
    }

    private func carry() -> Result<Void, SignalWorkerError> {
        do throws(SignalWorkerError) {
            var loop = try SignalLoop(configuration, waker: waker, logger: logger)
            loop.run(stops: stops)
            return .success(())
        } catch {
            return .failure(error)
        }
    }

    /// Takes no new calls and ends with the last one, or after the drain limit; called again, ends at once. From any thread.
    package func stop() {
        stops.add(1, ordering: .relaxed)
        waker.wake()
    }
}
