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
    /// Where connections are taken. Only what is spoken there is spoken to others.
    package var streams: [StreamAddress] = []
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
    /// How long a fact waits for others that go to the control plane with it; zero: it goes at once.
    package var factsGathered: Duration = .zero
    /// How long a registration waits for others, to go to the control plane with them in one message; zero: it goes at once, alone.
    package var registrationsGathered: Duration = .zero
    /// Dialogs are refreshed at half of this, by us or by the peer (RFC 4028).
    package var sessionSeconds: UInt32 = 1_800
    package var callsMax = 10_000
    /// Of each kind. Over UDP a call leaves two of them behind for 32 seconds (RFC 3261 §17, 64 · T1), so a thousand calls a second are
    /// 64,000.
    package var transactionsMax = 300_000
    package var registrationSeconds: ClosedRange<UInt32> = 60...3_600
    /// A phone behind a NAT that does not keep its flow alive by itself registers again after so long at the latest.
    package var natSeconds: UInt32 = 120
    /// One that says nothing is asked something after so long, which keeps the NAT's way to it open; zero: it is not asked.
    package var natPing: Duration = .seconds(25)
    /// Requests outside of dialogs that one source address may send in a second and nobody vouches for, on average and in a burst.
    package var sourceRate = 2_000
    package var sourceBurst = 4_000
    /// The same of a line, with its password or from its address.
    package var lineRate = 200
    package var lineBurst = 400
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

    /// The address that a peer on that way is told to be ours.
    func local(on hop: Hop) -> SocketAddress {
        guard hop.transport == .udp else { return hop.listener }
        // Peers of the other family need an address of theirs.
        return advertised.isSameFamily(as: hop.remote) || !isOurs(hop.listener) ? advertised : hop.listener
    }

    /// Where a peer is reached that is not on a way already; nil: that transport, or that family of addresses, is not spoken.
    func hop(to remote: SocketAddress, by transport: Transport, name: String? = nil) -> Hop? {
        if transport == .udp {
            let listener = ([advertised] + listeners).first { $0.isSameFamily(as: remote) }
            return listener.map { Hop(listener: $0, remote: remote) }
        }
        let stream = streams.first { $0.transport == transport && $0.address.isSameFamily(as: remote) }
        return stream.map { Hop(transport, listener: $0.address, remote: remote, name: transport.isSecure ? name : nil) }
    }
}

extension SocketAddress {
    func isSameFamily(as other: SocketAddress) -> Bool {
        switch (host, other.host) {
        case (.v4, .v4), (.v6, .v6): true
        case (.v4, .v6), (.v6, .v4): false
        }
    }
}
