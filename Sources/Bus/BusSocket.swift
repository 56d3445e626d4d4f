/// What a `Poller` can watch beside descriptors and a `Waker`.
public protocol BusSocket: ~Copyable {
    var handle: SocketHandle { get }
}

extension BusSocket where Self: ~Copyable {
    /// What its connections have been through.
    public var link: LinkCounters { handle.link }

    /// Messages that were received and dropped because they did not have the frames of the bus.
    public var malformed: UInt64 { handle.malformed }
}
