internal import CZeroMQ
internal import Synchronization

/// Where the service thread writes what a socket's monitor tells, and the socket's owner reads it.
final class LinkRecord: Sendable {
    private let state = Mutex(LinkCounters())

    var counters: LinkCounters { state.withLock { $0 } }

    /// - Parameter event: a `ZMQ_EVENT_…`; one that is not counted changes nothing.
    func count(_ event: Int32) {
        state.withLock { counters in
            switch event {
            case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
                counters.established += 1
                counters.state = .connected
            case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
                counters.refused += 1
                counters.state = .refused
            case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL, ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
                counters.failed += 1
                counters.state = .failed
            case ZMQ_EVENT_DISCONNECTED:
                // A handshake that failed is followed by this too; there its state says more.
                guard counters.state == .connected else { return }
                counters.lost += 1
                counters.state = .connecting
            default:
                return
            }
        }
    }
}
