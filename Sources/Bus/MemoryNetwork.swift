/// The bus within one process, for simulations: the same frames between named endpoints, moved by the caller.
///
/// Nothing arrives by itself. The caller looks at `parcels` and takes, drops, doubles or reorders them by index.
public struct MemoryNetwork: Sendable {
    public struct Parcel: Hashable, Sendable {
        /// Authenticated, as by CURVE: who sent it.
        public let source: String
        public let destination: String
        public let frame: [UInt8]

        /// nil for a frame of the feed, which has no header.
        public var message: BusMessage? { BusMessage(frame: frame) }
    }

    /// On their way, oldest first.
    public private(set) var parcels: [Parcel] = []
    private var endpoints: Set<String> = []
    private var subscribers: Set<String> = []

    public init() {}

    /// - Parameter subscribing: whether it hears the feed.
    public mutating func connect(_ endpoint: String, subscribing: Bool = false) {
        endpoints.insert(endpoint)
        if subscribing { subscribers.insert(endpoint) }
    }

    /// As when a process dies: what is on its way to it is lost.
    public mutating func disconnect(_ endpoint: String) {
        endpoints.remove(endpoint)
        subscribers.remove(endpoint)
        parcels.removeAll { $0.destination == endpoint }
    }

    public mutating func send(_ message: BusMessage, from source: String, to destination: String) -> SendOutcome {
        guard endpoints.contains(destination) else { return .unreachable }
        parcels.append(Parcel(source: source, destination: destination, frame: message.frame))
        return .sent
    }

    /// One parcel for each subscriber, in order of name.
    public mutating func publish(_ body: [UInt8], from source: String) {
        for subscriber in subscribers.sorted() {
            parcels.append(Parcel(source: source, destination: subscriber, frame: body))
        }
    }

    /// Takes a parcel off the network: to deliver it, or to lose it.
    public mutating func take(_ index: Int) -> Parcel { parcels.remove(at: index) }

    /// Puts a second copy at the end.
    public mutating func duplicate(_ index: Int) { parcels.append(parcels[index]) }

    /// Lets a parcel be overtaken by all others.
    public mutating func delay(_ index: Int) { parcels.append(parcels.remove(at: index)) }
}
