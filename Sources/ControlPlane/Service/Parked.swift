internal import Synchronization

/// Holds the core between the opening of a directory and the start of its thread.
final class Parked: Sendable {
    private let core: Mutex<ControlCore?>

    init(_ core: sending ControlCore) { self.core = Mutex(core) }

    func take() -> sending ControlCore? {
        core.withLock { core in
            let taken = core
            core = nil
            return taken
        }
    }

    func drop() { core.withLock { $0 = nil } }
}
