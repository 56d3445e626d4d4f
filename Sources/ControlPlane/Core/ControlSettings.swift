/// The times and limits of the control plane, all printed here.
package struct ControlSettings: Sendable {
    /// How often a worker says that it is there.
    package var heartbeat: Duration = .seconds(1)
    /// A worker that is silent for so long is dead.
    package var deadAfter: Duration = .seconds(3)
    /// After a start of the control plane, workers that own calls get this long to come back.
    package var startGrace: Duration = .seconds(10)
    /// A call whose worker is dead, and that nobody can take over for so long, is closed by rule.
    package var callLease: Duration = .seconds(60)
    /// A call that was neither answered nor ended for so long is closed by rule: no plan rings that long.
    package var earlyCallMax: Duration = .seconds(15 * 60)
    /// Talk time that a prepaid call is granted at a time. What a call runs on beyond it is not charged.
    package var creditLeaseSeconds: UInt32 = 300
    /// The ledger's head goes out on the feed this often.
    package var headInterval: Duration = .seconds(1)

    /// For how long readers of the views may not see facts of calls that are in the log: the commits of many batches are
    /// one. What the API has been asked to do is seen at once. Where tens of thousands of facts come in a second, up to 0.4 s more.
    package var viewsLag: Duration = .zero

    /// Of users and sign-up.
    package var identity = IdentityRules()

    package init() {}

    /// Those of a running control plane; the plain ones show every fact at once, as tests want it.
    package static var service: ControlSettings {
        var settings = ControlSettings()
        settings.viewsLag = .milliseconds(100)
        return settings
    }
}
