package import Bus
package import Primitives

/// What a signal worker is told when it starts.
package struct SignalWorkerConfiguration: Sendable {
    /// As enrolled.
    package var worker: String
    package var keys: CurveKeyPair
    package var controlKey: CurvePublicKey
    /// The control plane's desk and feed, `tcp://host:port`.
    package var desk: String
    package var feed: String
    /// Of the process, where other roles are in it; nil: the worker makes its own.
    package var bus: BusContext?
    /// Where fellow signal workers connect to, `tcp://host:port`; the port may be `*`.
    package var relay: String
    /// What they are told instead, when they reach this worker by another address.
    package var relayAdvertised: String?
    /// SIP addresses of this worker alone.
    package var listeners: [SocketAddress]
    /// The SIP address that all signal workers share (SO_REUSEPORT, ECMP or DNS SRV).
    package var cluster: SocketAddress?
    /// Where connections are taken: TCP, TLS, WebSocket.
    package var streams: [StreamAddress] = []
    package var streamLimits = StreamLimits()
    /// `DOMAIN.crt` and `DOMAIN.key` in PEM; needed for TLS and secure WebSocket.
    package var certificates: String?
    /// A PEM file of those who may vouch for peers that we call by TLS; nil: those of the machine.
    package var authorities: String?
    /// Where facts are kept until the control plane has acknowledged them.
    package var stateDirectory: String
    /// How long a stop waits for calls to end.
    package var drainLimit: Duration = .seconds(2)
    /// Whether challenges offer SHA-256 beside MD5 (RFC 8760). Phones of RFC 2617, and those are many, give up when they are
    /// offered what they do not know, so it is for platforms that know their phones.
    package var offersSHA256 = false
    /// How long a phone behind a NAT may be silent before it is asked by UDP whether it is there; zero: it is not asked.
    package var natPing: Duration = .seconds(25)
    /// In a second, outside of dialogs: of an address that nobody vouches for, and of a line. Twice as many may come at once.
    package var requestsPerSource = 2_000
    package var requestsPerLine = 200
    /// How long what has happened to a call waits for company on its way to the control plane.
    package var factsGathered: Duration = .milliseconds(20)
    /// How long a registration waits for company on its way to the control plane.
    package var registrationsGathered: Duration = .milliseconds(20)
    /// DNS servers that say where gateways are, as `192.0.2.53:53`, several with commas; empty: the machine's.
    package var dnsServers = ""

    package init(
        worker: String, keys: CurveKeyPair, controlKey: CurvePublicKey, desk: String, feed: String, relay: String,
        listeners: [SocketAddress], cluster: SocketAddress?, stateDirectory: String
    ) {
        self.worker = worker
        self.keys = keys
        self.controlKey = controlKey
        self.desk = desk
        self.feed = feed
        self.relay = relay
        self.listeners = listeners
        self.cluster = cluster
        self.stateDirectory = stateDirectory
    }
}
