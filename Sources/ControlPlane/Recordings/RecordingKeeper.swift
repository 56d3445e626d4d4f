internal import Dispatch
internal import Foundation
internal import Logging
internal import Model
internal import Primitives
internal import Projections
internal import Synchronization

/// Deletes the files of recordings that the log says are removed, on a thread of its own. What was decided is in the log; a file that is
/// there in spite of it, because the process was killed or the folder was restored, goes with the next look.
final class RecordingKeeper: Sendable {
    private static let interval = 60.0

    private let folder: String
    private let views: Views
    private let logger: Logger
    private let isStopping = Mutex(false)
    private let stopped = DispatchSemaphore(value: 0)
    private let thread = Mutex<DriverThread?>(nil)

    init(folder: String, views: Views, logger: Logger) {
        self.folder = folder
        self.views = views
        self.logger = logger
    }

    func start() throws(ControlPlaneError) {
        let started = try DriverThread("recordings") { [self] in
            while !isStopping.withLock({ $0 }) {
                pass()
                _ = stopped.wait(timeout: .now() + RecordingKeeper.interval)
            }
        }
        thread.withLock { $0 = started }
    }

    func stop() {
        isStopping.withLock { $0 = true }
        stopped.signal()
        let started = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        started?.join()
    }

    func pass() {
        let files = FileManager.default
        for worker in ((try? files.contentsOfDirectory(atPath: folder)) ?? []).sorted() {
            for name in ((try? files.contentsOfDirectory(atPath: "\(folder)/\(worker)")) ?? []).sorted() {
                guard !isStopping.withLock({ $0 }) else { return }
                guard name.hasSuffix(".rec"), let id = UUIDv7(String(name.dropLast(4))) else { continue }
                do {
                    let known = try views.read { snapshot throws(ViewsError) in try snapshot.recording(id) }
                    guard let known, known.removedAt > 0 else { continue }
                    try files.removeItem(atPath: "\(folder)/\(worker)/\(name)")
                    logger.info("a recording was removed", metadata: ["recording": "\(id)"])
                } catch {
                    // It says removed everywhere else, so the operator must hear that it is still there.
                    logger.error("a removed recording's file is still there; it is tried again", metadata: ["recording": "\(id)", "reason": "\(error)"])
                }
            }
        }
    }
}
