internal import CZeroMQ
internal import Synchronization

/// The way to a `Router` or a `FeedPublisher` for dealers and subscribers of its own context: the memory of one process instead of TCP
/// and CURVE (docs/decisions/0083-one-process-one-bus.md).
///
/// It asks what a handshake asks: that the server has the key that its guest expects, and that the guest's is in the allowlist. libzmq
/// attaches no name to what comes this way, so the names are kept here, by the routes that are drawn for the guests.
final class LocalServer: Sendable {
    /// Who came in, as a handshake would have named it.
    struct Guest {
        let name: String
        let enrolment: UInt64
        fileprivate let record: LinkRecord
    }

    private struct State {
        var isClosed = false
        var guests: [UInt64: Guest] = [:]
    }

    /// Where the server's socket listens beside TCP.
    let endpoint: String
    private let key: CurvePublicKey
    private let allowlist: Allowlist
    private let record: LinkRecord
    private let state = Mutex(State())

    init(_ endpoint: String, key: CurvePublicKey, allowing allowlist: Allowlist, record: LinkRecord) {
        self.endpoint = endpoint
        self.key = key
        self.allowlist = allowlist
        self.record = record
    }

    /// Lets a guest in, or refuses it, and counts it at both.
    /// - Parameter connect: connects the guest under the route that it is given. The server is open for as long as that takes.
    /// - Returns: the guest's route; nil when it was refused, or the server is closed.
    func join(
        as keys: CurvePublicKey, expecting server: CurvePublicKey, record guest: LinkRecord, connect: (UInt64) throws(BusError) -> Void
    ) throws(BusError) -> UInt64? {
        let result = state.withLock { state -> Result<UInt64?, BusError> in
            guard !state.isClosed else {
                guest.end()
                return .success(nil)
            }
            guard server == key else { return refuse(guest, ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL) }
            guard let (name, enrolment) = allowlist.admit(keys, address: "this process") else {
                return refuse(guest, ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)
            }
            // Begins with another byte than the routes that libzmq draws, and cannot be guessed by a peer that chooses its own.
            let route = UInt64.random(in: firstRoute...lastRoute)
            do throws(BusError) {
                try connect(route)
            } catch {
                guest.end()
                return .failure(error)
            }
            state.guests[route] = Guest(name: name, enrolment: enrolment, record: guest)
            for record in [record, guest] { record.count(ZMQ_EVENT_HANDSHAKE_SUCCEEDED) }
            return .success(route)
        }
        return try result.get()
    }

    private func refuse(_ guest: LinkRecord, _ event: Int32) -> Result<UInt64?, BusError> {
        for record in [record, guest] { record.count(event) }
        return .success(nil)
    }

    func guest(_ route: UInt64) -> Guest? { state.withLock { $0.guests[route] } }

    /// The guest closes its socket.
    func leave(_ route: UInt64) {
        if state.withLock({ $0.guests.removeValue(forKey: route) }) != nil { record.count(ZMQ_EVENT_DISCONNECTED) }
    }

    /// The server closes its socket: its guests look for another one, as after any connection that was lost.
    func close() {
        let guests = state.withLock { state in
            state.isClosed = true
            defer { state.guests = [:] }
            return state.guests.values
        }
        for guest in guests { guest.record.count(ZMQ_EVENT_DISCONNECTED) }
    }
}

// Five bytes, as libzmq's own, whose first is zero.
private let firstRoute: UInt64 = 0x01_0000_0000
private let lastRoute: UInt64 = 0xFF_FFFF_FFFF
