internal import Glibc
internal import Primitives

/// A thread of our own: a body that blocks must not sit in a pool.
enum Thread {
    /// Runs the body; somebody must `join` it.
    /// - Parameter name: what operators see of it (`nameThread`).
    static func start(_ name: String, _ body: @escaping @Sendable () -> Void) -> pthread_t {
        var thread = pthread_t()
        let box = unsafe Unmanaged.passRetained(Box(name, body))
        let status = unsafe pthread_create(&thread, nil, { context in
            let box = unsafe Unmanaged<Box>.fromOpaque(context!).takeRetainedValue()
            nameThread(box.name)
            box.body()
            return nil
        }, box.toOpaque())
        precondition(status == 0, "no thread could be started")
        return thread
    }

    /// Runs the body; nobody waits for its end.
    static func detach(_ name: String, _ body: @escaping @Sendable () -> Void) { pthread_detach(start(name, body)) }

    static func join(_ thread: pthread_t) { pthread_join(thread, nil) }

    private final class Box {
        let name: String
        let body: @Sendable () -> Void
        init(_ name: String, _ body: @escaping @Sendable () -> Void) { (self.name, self.body) = (name, body) }
    }
}
