package import Primitives
package import SIP

/// What a signal worker is told when it starts, as far as its machine needs it.
package struct SignalConfiguration: Sendable {
    /// As enrolled; stands in every tag and branch.
    package var worker: String
    /// Addresses of this worker alone.
    package var listeners: [SocketAddress]
    /// The address that all signal workers share; nil for a single worker.
    package var cluster: SocketAddress?
    /// Where fellow workers connect.
    package var busEndpoint: String
    /// New for each start of the process.
    package var incarnation: UInt64
    /// Offered to phones, most wanted first. Phones of RFC 2617 give up when they are offered what they do not know,
    /// so a platform with such phones leaves SHA-256 out.
    package var algorithms: [DigestAlgorithm] = [.sha256, .md5]
    package var timers = Timers.standard
    /// A gateway that has said nothing at all after this is given up for the next one.
    package var gatewaySilence: Duration = .seconds(4)
    /// Workers that a restarted control plane does not list yet are taken for alive for so long.
    package var rosterGrace: Duration = .seconds(12)
    /// A call that was taken over runs on for so long while its credit is asked for.
    package var adoptionGrace: Duration = .seconds(10)
    /// Of registrations at carriers.
    var registrationRules = RegistrationMachine.Rules()
    package var callsMax = 10_000
    package var transactionsMax = 50_000
    package var registrationSeconds: ClosedRange<UInt32> = 60...3_600
    /// A phone behind a NAT that does not keep its flow alive by itself registers again after so long at the latest.
    package var natSeconds: UInt32 = 120
    /// Requests outside of dialogs that one source address may send in a second, on average and in a burst.
    package var sourceRate = 2_000
    package var sourceBurst = 4_000
    /// Wrong passwords from one address, within the window, before its new requests are not listened to for a while.
    package var wrongPasswordsMax = 20
    package var wrongPasswordsWindow: Duration = .seconds(60)
    package var banTime: Duration = .seconds(300)

    package init(
        worker: String, listeners: [SocketAddress], cluster: SocketAddress?, busEndpoint: String, incarnation: UInt64
    ) {
        precondition(!listeners.isEmpty || cluster != nil, "a signal worker listens somewhere")
        self.worker = worker
        self.listeners = listeners
        self.cluster = cluster
        self.busEndpoint = busEndpoint
        self.incarnation = incarnation
    }

    /// Where peers reach us, whichever of us is alive.
    package var advertised: SocketAddress { cluster ?? listeners[0] }

    func isOurs(_ listener: SocketAddress) -> Bool { listener == cluster || listeners.contains(listener) }
}
