internal import CZeroMQ
internal import Primitives
internal import Synchronization

/// Where the service thread writes what a socket's monitor tells, and the socket's owner reads it.
final class LinkRecord: Sendable {
    private let state = Mutex(LinkCounters())
    /// Nanoseconds of the system's clock since when no connection is being made; 0 while one is.
    private let ended = Atomic<UInt64>(0)

    var counters: LinkCounters { state.withLock { $0 } }

    /// Whether libzmq has given up for at least so long. Asked before each message: one load while all is well.
    func isEnded(for pause: Duration) -> Bool {
        let since = ended.load(ordering: .relaxed)
        return since != 0 && Instant(nanoseconds: since) + pause <= systemInstant()
    }

    func begin() { ended.store(0, ordering: .relaxed) }

    func end() { ended.store(systemInstant().nanoseconds, ordering: .relaxed) }

    /// - Parameter event: a `ZMQ_EVENT_…`; one that is not counted changes nothing.
    func count(_ event: Int32) {
        switch event {
        case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
            begin()
            state.withLock {
                $0.established += 1
                $0.state = .connected
            }
        case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
            end()
            state.withLock {
                $0.refused += 1
                $0.state = .refused
            }
        case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL, ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
            end()
            state.withLock {
                $0.failed += 1
                $0.state = .failed
            }
        case ZMQ_EVENT_DISCONNECTED:
            end()
            state.withLock {
                // A handshake that failed is followed by this too; there its state says more.
                guard $0.state == .connected else { return }
                $0.lost += 1
                $0.state = .connecting
            }
        case ZMQ_EVENT_CONNECT_RETRIED:
            begin()
        default:
            break
        }
    }
}
