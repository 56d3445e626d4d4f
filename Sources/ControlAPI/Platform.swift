package import Bus
package import ControlPlane
package import DNS
package import Ledger
import Logging
package import Model
package import OpenSSL
package import Projections

/// What the API stands on: where commands go, and where answers come from.
package struct Platform: Sendable {
    package var submit: @Sendable (AdminRequest) async throws(AdminRejection) -> AdminOutcome
    package var workers: @Sendable () async -> [WorkerStatus]
    package var gateways: @Sendable () async -> [GatewayStatus]
    package var bindings: @Sendable (SubscriberID) async -> [Binding]
    package var watchers: @Sendable (SubscriberID) async -> [LineWatcher]
    package var exports: @Sendable (CdrExportID) -> ExportStatus
    package var views: Views
    package var replays: Replays
    package var log: any EventLog
    /// Where the state as of an earlier sequence comes from.
    package var past: PastDesk
    /// Names the log in checkpoints.
    package var origin: String
    package var signingKey: SigningKey
    /// What a worker must know the control plane by, and where it finds it.
    package var busKey: CurvePublicKey
    package var endpoints: @Sendable () -> (desk: String, feed: String)?
    /// Tiles and entries as they are published; nil: not there yet.
    package var published: @Sendable (TilePath) throws(LedgerError) -> [UInt8]?
    /// Whether `/tile/entries/` is for everybody. Entries hold business data, hashes do not.
    package var publishesEntries = false
    /// Where records that prove domains are looked for.
    package var resolver = TXTResolver()
    /// Signs the head, and has it cosigned.
    package var publisher: CheckpointPublisher
    /// Looks at passwords, codes and links; nil: nobody logs in here.
    package var identity: IdentityDesk?
    /// There is something to send; nil: there is no mail server.
    package var wakeMail: (@Sendable () -> Void)?
    /// How often one address may ask for mail or try a password.
    package var throttle = Throttle()
    /// By which a provider checks what is posted to it.
    package var webhookKey: @Sendable (ProviderID) -> String
    package var invoices: InvoiceDesk
    /// Where media workers write recordings: a folder to each; empty: nowhere.
    package var recordings = ""
    let counters = RequestCounters()

    /// A data directory that is read, beside a control plane that runs on it or without one.
    init(reading views: Views, _ log: LMDBEventLog) {
        submit = { _ async throws(AdminRejection) in throw .unavailable(reason: "nothing is changed in the past") }
        workers = { [] }
        gateways = { [] }
        bindings = { _ in [] }
        watchers = { _ in [] }
        exports = { _ in ExportStatus() }
        self.views = views
        replays = Replays(views: views, log: log, directory: DataDirectory(""), logger: Logger(label: "ledgerline.past"))
        self.log = log
        past = PastDesk(snapshots: SnapshotStore(directory: "", keys: views.keys), log: log)
        origin = ""
        let zeros = [UInt8](repeating: 0, count: 32)
        guard let signingKey = SigningKey(seed: zeros), let busKey = CurvePublicKey(bytes: zeros) else {
            preconditionFailure("a key has 32 bytes")
        }
        // What is signed, and what workers are told, cannot be asked as of the past: neither key is used.
        self.signingKey = signingKey
        self.busKey = busKey
        endpoints = { nil }
        published = { _ throws(LedgerError) in nil }
        publisher = CheckpointPublisher(log: log, origin: "", key: signingKey)
        webhookKey = { _ in "" }
        invoices = InvoiceDesk(views: views, log: log, store: InvoiceStore(folder: "", keys: nil))
    }

    /// - Parameter witnesses: who is asked to cosign each checkpoint.
    package init(_ service: ControlPlaneService, witnesses: WitnessPolicy = WitnessPolicy()) {
        let driver = service.driver
        submit = { request async throws(AdminRejection) in try await driver.submit(request) }
        workers = { await driver.workers() }
        gateways = { await driver.gateways() }
        bindings = { subscriber in await driver.bindings(of: subscriber) }
        watchers = { subscriber in await driver.watchers(of: subscriber) }
        exports = { [exports = service.exports] id in exports.status(of: id) }
        views = service.views
        replays = service.replays
        log = service.log
        past = service.past
        origin = service.logName
        signingKey = service.signingKey
        busKey = service.busKey
        endpoints = { service.endpoints }
        webhookKey = service.webhookKey
        invoices = service.books.desk
        recordings = service.recordings
        published = { [log = service.log] path throws(LedgerError) in try log.published(path) }
        identity = service.identity
        if let mail = service.mail { wakeMail = { mail.wake() } }
        publisher = CheckpointPublisher(
            log: service.log, origin: service.logName, key: service.signingKey, policy: witnesses)
    }
}
