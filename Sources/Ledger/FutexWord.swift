internal import CShims
import Synchronization

/// A number that threads wait on until it changes: one system call wakes one of them or all.
@safe final class FutexWord: @unchecked Sendable {
    // The kernel compares the word where it stands, so it must not move; every access is atomic.
    private let word = UnsafeMutablePointer<Atomic<UInt32>>.allocate(capacity: 1)

    init() { unsafe word.initialize(to: Atomic(0)) }

    deinit {
        unsafe word.deinitialize(count: 1)
        unsafe word.deallocate()
    }

    var value: UInt32 { unsafe word.pointee.load(ordering: .sequentiallyConsistent) }

    /// Waits while the word is `seen`; it may also return for no reason.
    func wait(_ seen: UInt32, nanosecondsMax: Int64 = -1) { unsafe shims_futex_wait(address, seen, nanosecondsMax) }

    func changeAndWakeOne() { change(waking: 1) }
    func changeAndWakeAll() { change(waking: .max) }

    private func change(waking count: Int32) {
        unsafe word.pointee.add(1, ordering: .sequentiallyConsistent)
        unsafe shims_futex_wake(address, count)
    }

    /// An `Atomic` is laid out like its value.
    private var address: UnsafeMutablePointer<UInt32> {
        unsafe UnsafeMutableRawPointer(word).assumingMemoryBound(to: UInt32.self)
    }
}

/// Lets through everybody whose batch is settled. Batches settle in the order of their numbers, the first is 1.
final class Turnstile: Sendable {
    private let settled = Atomic<UInt64>(0)
    // Those of one batch wait on one word, those of the next on the other: a wake-up for all of a batch wakes nobody else.
    private let (even, odd) = (FutexWord(), FutexWord())

    private func word(_ number: UInt64) -> FutexWord { number & 1 == 0 ? even : odd }

    func isOpen(to number: UInt64) -> Bool { settled.load(ordering: .acquiring) >= number }

    func open(to number: UInt64) {
        settled.store(number, ordering: .sequentiallyConsistent)
        word(number).changeAndWakeAll()
    }

    func wait(for number: UInt64) {
        while true {
            let seen = word(number).value
            if isOpen(to: number) { return }
            word(number).wait(seen)
        }
    }
}
