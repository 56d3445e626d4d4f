import ControlPlane
import Dispatch
import HTTPTypes
import Synchronization

/// Where passwords are hashed: one after the other, so that a flood of them takes one core and 32 MiB, and no thread that answers.
enum PasswordThread {
    private static let queue = DispatchQueue(label: "ledgerline.passwords")
    private static let waiting = Mutex(0)
    private static let waitingMax = 64

    static func run<R: Sendable>(_ body: @escaping @Sendable () -> R) async throws -> R {
        let isTaken = waiting.withLock { count in
            guard count < waitingMax else { return false }
            count += 1
            return true
        }
        guard isTaken else {
            throw Problem(.unavailable, "Too many passwords are being looked at. Try again in a moment.", headers: [.retryAfter: "5"])
        }
        defer { waiting.withLock { $0 -= 1 } }
        return await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: body()) }
        }
    }
}
