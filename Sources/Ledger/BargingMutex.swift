internal import Glibc

/// A value under a lock that whoever comes first takes. `Synchronization.Mutex` hands itself to the thread that waited
/// longest, which costs a change of threads for each of many producers that hold it for a few nanoseconds.
@safe final class BargingMutex<Value>: @unchecked Sendable {
    // Neither may move: the mutex because the kernel knows its address, the value so that it is changed in place. The value
    // is touched inside the lock alone.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let value = UnsafeMutablePointer<Value>.allocate(capacity: 1)

    init(_ initial: sending Value) {
        unsafe pthread_mutex_init(mutex, nil)
        unsafe value.initialize(to: initial)
    }

    deinit {
        unsafe value.deinitialize(count: 1)
        unsafe value.deallocate()
        unsafe pthread_mutex_destroy(mutex)
        unsafe mutex.deallocate()
    }

    func withLock<R>(_ body: (inout Value) -> R) -> R {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        return unsafe body(&value.pointee)
    }
}
