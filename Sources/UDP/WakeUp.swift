internal import CShims
internal import Glibc

/// Wakes a thread that waits in a `ReadinessQueue`, from any other (an eventfd).
package struct WakeUp: ~Copyable, Sendable {
    package let descriptor: Int32

    package init() throws(SocketError) {
        let descriptor = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        guard descriptor >= 0 else { throw SocketError(call: "eventfd", address: nil, code: errno) }
        self.descriptor = descriptor
    }

    deinit { _ = close(descriptor) }

    /// Never blocks: a counter that is full is a wake-up that is already on its way.
    package func signal() {
        var one: UInt64 = 1
        _ = unsafe write(descriptor, &one, 8)
    }

    /// Forgets the wake-ups so far.
    package func clear() {
        var count: UInt64 = 0
        _ = unsafe read(descriptor, &count, 8)
    }
}
