package import Bus
package import Primitives

/// What a media worker is told when it starts.
package struct MediaWorkerConfiguration: Sendable {
    /// As enrolled.
    package var worker: String
    package var keys: CurveKeyPair
    package var controlKey: CurvePublicKey
    /// The control plane's desk and feed, `tcp://host:port`.
    package var desk: String
    package var feed: String
    /// Of the process, where other roles are in it; nil: the worker makes its own.
    package var bus: BusContext?
    /// Where signal workers connect to, `tcp://host:port`; the port may be `*` for any that is free.
    package var studio: String
    /// What signal workers are told instead, when they reach this worker by another address.
    package var studioAdvertised: String?
    /// Where media is received, and what goes into session descriptions.
    package var address: SocketAddress.Host
    /// Two pairs of ports for each session.
    package var ports: ClosedRange<UInt16> = 30_000...39_999
    /// Threads that relay.
    package var shards = 1
    /// How long a stop waits for sessions to end.
    package var drainLimit: Duration = .seconds(5)
    package var sources = SourceRules()
    /// Takes the packets of all ports by one socket of each thread, if the system lets it (docs/decisions/0069-steered-ports.md).
    package var steersPorts = true
    /// Where recordings are written; nil: none are made.
    package var recordings: String?
    /// Where sounds are read from, `NAME.wav`; nil: there are none.
    package var sounds: String?

    /// Whether packets that are not changed pass by the kernel alone.
    package var shortcuts = ShortcutChoice.automatic

    package init(
        worker: String, keys: CurveKeyPair, controlKey: CurvePublicKey, desk: String, feed: String, studio: String,
        address: SocketAddress.Host
    ) {
        self.worker = worker
        self.keys = keys
        self.controlKey = controlKey
        self.desk = desk
        self.feed = feed
        self.studio = studio
        self.address = address
    }

    /// From the file that enrolment wrote.
    package init(_ key: WorkerKeyFile, studio: String, address: SocketAddress.Host) {
        self.init(
            worker: key.name, keys: key.keys, controlKey: key.control, desk: key.desk, feed: key.feed, studio: studio,
            address: address)
    }
}
