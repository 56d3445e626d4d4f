internal import Glibc
internal import Primitives
internal import Synchronization

/// A thread of our own that runs one body to its end: a loop that waits in `poll` must not sit in a pool.
final class DriverThread: Sendable {
    private final class Task {
        let name: String
        let body: () -> Void
        init(_ name: String, _ body: @escaping () -> Void) { (self.name, self.body) = (name, body) }
    }

    private let thread: Mutex<pthread_t?>

    /// - Parameters:
    ///   - name: what operators see of it (`nameThread`).
    ///   - body: handed over; what it holds belongs to the thread from here on.
    init(_ name: String, _ body: sending @escaping () -> Void) throws(ControlPlaneError) {
        let task = unsafe Unmanaged.passRetained(Task(name, body))
        var thread = pthread_t()
        let status = unsafe pthread_create(
            &thread, nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                let task = unsafe Unmanaged<Task>.fromOpaque(argument).takeRetainedValue()
                nameThread(task.name)
                task.body()
                return nil
            }, task.toOpaque())
        guard status == 0 else {
            unsafe task.release()
            throw .bus(reason: "no thread could be started (system error \(status))")
        }
        self.thread = Mutex(thread)
    }

    /// Waits for the end of the body; once.
    func join() {
        let taken = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        if let taken { pthread_join(taken, nil) }
    }
}
