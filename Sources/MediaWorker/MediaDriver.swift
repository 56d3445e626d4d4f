internal import Bus
internal import Foundation
package import Logging
internal import Primitives
internal import Synchronization

/// A media worker: one thread that talks to the control plane and to signal workers, and shards that relay.
package final class MediaDriver: Sendable {
    private typealias Outcome = Result<Void, MediaWorkerError>

    private struct End: Sendable {
        var outcome: Outcome?
        var waiting: [CheckedContinuation<Outcome, Never>] = []
    }

    /// As bound, and as signal workers are told.
    package let studioEndpoint: String
    private let waker: Waker
    private let stops = Atomic<Int>(0)
    /// Until the thread takes it.
    private let loop: Mutex<MediaLoop?>
    private let end = Mutex(End())

    /// Binds the studio's port and checks the media address; nothing runs yet.
    package init(_ configuration: MediaWorkerConfiguration, logger: Logger) throws(MediaWorkerError) {
        let waker: Waker
        do throws(BusError) {
            waker = try Waker()
        } catch {
            throw .bus(error)
        }
        let loop = try MediaLoop(configuration, waker: waker, logger: logger)
        self.waker = waker
        studioEndpoint = loop.studioEndpoint
        self.loop = Mutex(loop)
    }

    /// Relays until it is stopped or drained. Cancelling the task stops it at once.
    package func run() async throws(MediaWorkerError) {
        start()
        try await ended()
    }

    /// Starts the worker's threads, at once and once.
    package func start() {
        let thread = Thread { [self] in
            nameThread("media-control")
            guard var loop = loop.withLock({ $0.take() }) else { return }  // started before
            let outcome = loop.run(stops: stops)
            let waiting = end.withLock { end in
                end.outcome = outcome
                defer { end.waiting = [] }
                return end.waiting
            }
            for continuation in waiting { continuation.resume(returning: outcome) }
        }
        thread.start()
    }

    /// Waits for the worker to end. Cancelling the task stops it at once.
    package func ended() async throws(MediaWorkerError) {
        let outcome = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let known = end.withLock { end -> Outcome? in
                    if end.outcome == nil { end.waiting.append(continuation) }
                    return end.outcome
                }
                if let known { continuation.resume(returning: known) }
            }
        } onCancel: {
            stop()
            stop()
        }
        try outcome.get()
    }

    /// Takes no new sessions and ends with the last one, or after the drain limit; called again, ends at once.
    /// From any thread.
    package func stop() {
        stops.add(1, ordering: .relaxed)
        waker.wake()
    }
}
