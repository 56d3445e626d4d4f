import Synchronization

/// Ports for tests that name theirs, each given once: below 32768, from where the system gives them to whoever asks for any, so that
/// no other socket of this process has them.
enum FreePorts {
    private static let given = Atomic<UInt16>(20_000)

    static func next(_ count: UInt16) -> UInt16 { given.add(count, ordering: .relaxed).oldValue }
}
