internal import Glibc

/// A thread of our own: a body that blocks must not sit in a pool.
enum Thread {
    /// Runs the body; somebody must `join` it.
    static func start(_ body: @escaping @Sendable () -> Void) -> pthread_t {
        var thread = pthread_t()
        let box = unsafe Unmanaged.passRetained(Box(body))
        let status = unsafe pthread_create(&thread, nil, { context in
            unsafe Unmanaged<Box>.fromOpaque(context!).takeRetainedValue().body()
            return nil
        }, box.toOpaque())
        precondition(status == 0, "no thread could be started")
        return thread
    }

    /// Runs the body; nobody waits for its end.
    static func detach(_ body: @escaping @Sendable () -> Void) { pthread_detach(start(body)) }

    static func join(_ thread: pthread_t) { pthread_join(thread, nil) }

    private final class Box {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
}
