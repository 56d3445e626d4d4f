/// The base values of RFC 3261 §17 and what follows from them (table 4). Durations that only unreliable
/// transports need are zero on reliable ones; the machines see to that.
package struct Timers: Hashable, Sendable {
    /// Estimate of the round trip.
    package var t1: Duration
    /// Longest interval between repetitions.
    package var t2: Duration
    /// Longest time that a message stays in the network.
    package var t4: Duration
    /// How long the application may think before the server transaction says 100 by itself (§17.2.1).
    package var trying: Duration = .milliseconds(200)
    /// Timer D: how long an INVITE client waits for repeated final responses (§17.1.1.2).
    package var waitForRepeatedFailure: Duration = .seconds(32)

    package init(t1: Duration = .milliseconds(500), t2: Duration = .seconds(4), t4: Duration = .seconds(5)) {
        self.t1 = t1
        self.t2 = t2
        self.t4 = t4
    }

    package static let standard = Timers()

    /// Timers B, F, H, J, L and M.
    package var giveUp: Duration { t1 * 64 }

    func doubled(_ interval: Duration) -> Duration { min(interval * 2, t2) }
}
