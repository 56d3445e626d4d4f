package import Primitives

/// What a media worker offers, and how long it waits for things.
package struct StudioRules: Equatable, Sendable {
    /// The worker's name, as enrolled.
    package var worker: String
    /// The address that goes into session descriptions.
    package var address: SocketAddress.Host
    package var ports: ClosedRange<UInt16>
    package var prompts = PromptLibrary.carried
    /// Of the certificate that DTLS peers are shown; empty: DTLS is not spoken.
    package var fingerprint: [UInt8] = []
    /// Nothing heard from either side for this long is reported to the owner.
    package var silenceLimit: Duration = .seconds(60)
    /// How often it is reported again while it lasts.
    package var noticeInterval: Duration = .seconds(30)
    /// A session that is silent, and that nobody has asked about, for this long has been forgotten by its owner.
    package var orphanLimit: Duration = .seconds(300)
    package var sweepInterval: Duration = .seconds(5)
    /// How long the figures of a closed session are kept for an owner that asks again.
    package var memoryOfClosed: Duration = .seconds(600)
    package var closedMax = 20_000
    /// How long a worker that drains stays after its last answer to a close. Owners ask again each second.
    package var repeatLimit: Duration = .milliseconds(2_500)
    /// Ports tried for one session when other programs hold some.
    package var portAttemptsMax = 64

    package init(worker: String, address: SocketAddress.Host, ports: ClosedRange<UInt16>) {
        self.worker = worker
        self.address = address
        self.ports = ports
    }
}
