internal import CShims
internal import Glibc

/// Wakes the thread that waits in a `Poller`, from any other (an eventfd).
public final class Waker: Sendable {
    let descriptor: Int32

    public init() throws(BusError) {
        let descriptor = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        guard descriptor >= 0 else { throw BusError(call: "eventfd", endpoint: nil, code: errno) }
        self.descriptor = descriptor
    }

    deinit { _ = close(descriptor) }

    /// Never blocks: a counter that is full is a wake-up that is already on its way.
    public func wake() {
        var one: UInt64 = 1
        _ = unsafe write(descriptor, &one, 8)
    }

    /// Forgets the wake-ups so far.
    func clear() {
        var count: UInt64 = 0
        _ = unsafe read(descriptor, &count, 8)
    }
}
