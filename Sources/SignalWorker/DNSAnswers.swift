internal import DNS
internal import Synchronization

/// What DNS has said, on its way from the thread that asks to the one that needs it.
final class DNSAnswers: Sendable {
    private let waiting = Mutex<[(DNSQuestion, DNSAnswer)]>([])

    func put(_ question: DNSQuestion, _ answer: DNSAnswer) { waiting.withLock { $0.append((question, answer)) } }

    func take() -> [(DNSQuestion, DNSAnswer)] {
        waiting.withLock { waiting in
            defer { waiting.removeAll() }
            return waiting
        }
    }
}
