internal import Primitives
internal import UDP

/// One socket that gets the packets of all the ports of a shard's sessions, and one that sends from any of them: a system call moves as many
/// packets as have come, whosesoever they are (docs/decisions/0069-steered-ports.md). The ports' own sockets stay bound and get what is not
/// steered.
struct SteeredPorts: ~Copyable, Sendable {
    /// Far beyond any call: a port that gets more is served by its own socket, whose queue is its own too, so that a flood to one
    /// port does not take the room of the others.
    static let packetsPerSecondMax: UInt16 = 1_000
    /// A longer packet may not fit the way to its peer, and is left to the port's own socket, for which the kernel cuts it in pieces.
    static let packetBytesMax = 1_200
    /// A tenth of a second of two thousand calls.
    private static let receiveBufferBytes: Int32 = 16 << 20

    /// What system calls need of it; good for as long as it lives.
    struct Handles {
        let receiver: Int32
        let sender: Int32
        let host: SocketAddress.Host
    }

    let handles: Handles
    private let receiver: UDPSocket
    private let sender: PortSender
    private let steering: PortSteering
    private let place: Int
    private let ports: ClosedRange<UInt16>
    /// Packets of each port in this second.
    private var heard: [UInt16]
    private var secondEnds = Instant.zero

    /// - Parameter place: this shard's among those that share the steering.
    init(host: SocketAddress.Host, ports: ClosedRange<UInt16>, steering: PortSteering, place: Int) throws(SocketError) {
        let receiver = try UDPSocket(
            binding: SocketAddress(host, port: 0), reportingDestinations: true, receiveBufferBytes: SteeredPorts.receiveBufferBytes)
        let sender = try PortSender(family: host)
        try steering.put(receiver, at: place)
        handles = Handles(receiver: receiver.descriptor, sender: sender.descriptor, host: host)
        self.receiver = receiver
        self.sender = sender
        self.steering = steering
        self.place = place
        self.ports = ports
        heard = Array(repeating: 0, count: ports.count)
    }

    mutating func open(_ port: UInt16) { steering.steer(port, to: place) }

    mutating func close(_ port: UInt16) {
        steering.release(port)
        heard[Int(port - ports.lowerBound)] = 0
    }

    /// Counts a packet, and lets go of a port that gets too many.
    /// - Returns: whether it was let go.
    mutating func count(_ port: UInt16, at now: Instant) -> Bool {
        if now >= secondEnds {
            for index in heard.indices { heard[index] = 0 }
            secondEnds = now + .seconds(1)
        }
        guard ports.contains(port) else { return false }
        let index = Int(port - ports.lowerBound)
        heard[index] &+= 1
        guard heard[index] == SteeredPorts.packetsPerSecondMax else { return false }
        steering.release(port)
        return true
    }
}
