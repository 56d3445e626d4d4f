import Bus
import Glibc
import Primitives
import Testing

private let start = ContinuousClock.now

/// Tests over real sockets ask the real clock, only to give up.
func now() -> Instant { Instant(nanoseconds: UInt64(clamping: (ContinuousClock.now - start).nanoseconds) + 1) }

/// The time by which anything over loopback has happened, or will not.
let patience = Duration.seconds(60)

/// A control side and the means to make workers for it.
struct Loopback {
    let context: BusContext
    let control: CurveKeyPair
    let allowlist = Allowlist()
    var limits = BusLimits()

    init(joinsInside: Bool = false) throws {
        context = try BusContext(joinsInside: joinsInside)
        control = try .generate()
        limits.reconnect = .milliseconds(10)
        limits.reconnectMax = .milliseconds(40)
    }

    func router(on endpoint: String = "tcp://127.0.0.1:*") throws -> Router {
        try Router(listeningOn: endpoint, as: control, allowing: allowlist, limits: limits, in: context)
    }

    /// On a port that a socket of this process had just now: libzmq closes in the background.
    func routerAgain(on endpoint: String) throws -> Router {
        let deadline = now() + patience
        while true {
            do {
                return try router(on: endpoint)
            } catch BusError.addressInUse where now() < deadline {
                linger()
            }
        }
    }

    func dealer(to endpoint: String, as keys: CurveKeyPair) throws -> Dealer {
        try Dealer(to: endpoint, server: control.publicKey, as: keys, limits: limits, in: context)
    }

    /// A key that is enrolled under `name`.
    func enrolled(_ name: String) throws -> CurveKeyPair {
        let keys = try CurveKeyPair.generate()
        allowlist.enrol(keys.publicKey, name: name)
        return keys
    }
}

/// A short wait for another thread, in loops that have a deadline.
func linger() {
    var poller = Poller()
    _ = poller.wait(for: .milliseconds(2))
}

/// Sends when the socket has a connection.
func deliver(_ message: BusMessage, over dealer: inout Dealer) -> SendOutcome {
    let deadline = now() + patience
    while now() < deadline {
        if dealer.send(message) == .sent { return .sent }
        linger()
    }
    return dealer.send(message)
}

struct NothingCame: Error {}

func next(_ router: inout Router) throws -> Router.Delivery {
    let deadline = now() + patience
    while now() < deadline {
        if let delivery = router.receive() { return delivery }
        linger()
    }
    throw NothingCame()
}

func next(_ dealer: inout Dealer) throws -> BusMessage {
    let deadline = now() + patience
    while now() < deadline {
        if let message = dealer.receive() { return message }
        linger()
    }
    throw NothingCame()
}

func next(_ subscriber: inout FeedSubscriber) throws -> [UInt8] {
    let deadline = now() + patience
    while now() < deadline {
        if let body = subscriber.receive() { return body }
        linger()
    }
    throw NothingCame()
}

func eventually(_ condition: () -> Bool) -> Bool {
    let deadline = now() + patience
    while now() < deadline {
        if condition() { return true }
        linger()
    }
    return condition()
}

/// A TCP connection that says what it is told: a peer that is no peer.
final class Stranger {
    private let descriptor: Int32

    /// Connects to `endpoint` on the loopback address.
    init(connectingTo endpoint: String) throws {
        let port = try #require(endpoint.split(separator: ":").last.flatMap { UInt16($0) })
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(status == 0)
    }

    func say(_ bytes: [UInt8]) { _ = send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) }

    deinit { close(descriptor) }
}
