package import Bus
internal import Foundation
internal import Invoices
package import Ledger
package import Logging
package import Model
package import OpenSSL
internal import Primitives
package import Projections
internal import Subjects
internal import Synchronization

/// A control node over its data directory: keys, lock, ledger, views, location store and the driver.
///
///     DIR/ledger/ DIR/views/ DIR/location/     LMDB
///     DIR/snapshots/<sequence>/                the state as of a sequence
///     DIR/keys/{log-signing.pem, vault.key, curve.key, subjects.keys}   mode 0600
///     DIR/lock
package final class ControlPlaneService: Sendable {
    package let configuration: ControlPlaneConfiguration
    package let driver: ControlDriver
    package let exports: ExportService
    /// Where media workers write recordings: a folder to each.
    package let recordings: String
    private let recordingKeeper: RecordingKeeper
    /// nil: there is no mail server.
    package let mail: MailService?
    package let identity: IdentityDesk
    package let books: BooksService
    package let log: LMDBEventLog
    package let views: Views
    /// Questions about the past.
    package let past: PastDesk
    package let replays: Replays
    package let signingKey: SigningKey
    /// Names the log in checkpoints: what the key file says. A restored log has another name than the original.
    package let logName: String
    /// What workers must know the control plane by.
    package let busKey: CurvePublicKey
    /// The platform administrator's token, on the very first start alone; its text is kept nowhere.
    package let firstToken: BearerToken?

    /// By which a provider checks what is posted to it.
    package let webhookKey: @Sendable (ProviderID) -> String

    private let keys: ControlKeys
    private let lock: DirectoryLock
    private let logger: Logger
    private let snapshotKeeper: SnapshotKeeper
    private let allowlist = Allowlist()
    private let running = Mutex<Running>(.opened)

    private enum Running {
        /// The core waits for its thread.
        case opened
        case started(DriverThread, BusContext, desk: String, feed: String)
        case stopped
    }

    private let parked: Parked

    /// Opens the directory, makes what is missing, catches the views up with the log. Nothing listens yet.
    package init(
        _ configuration: ControlPlaneConfiguration, logger: Logger = Logger(label: "ledgerline.control")
    ) throws(ControlPlaneError) {
        let directory = DataDirectory(configuration.directory)
        try directory.make()
        lock = try DirectoryLock(directory)
        do throws(LedgerError) {
            log = try LMDBEventLog(directory: directory.ledger, sizeMax: configuration.logBytesMax)
        } catch {
            throw .ledger(reason: "\(error)")
        }
        keys = try ControlKeys(directory, logName: configuration.platform, mayMake: log.head == 0)
        let subjects = try keys.subjects(directory)
        do throws(ViewsError) {
            let began = ContinuousClock.now
            let opening = try Views.open(
                directory: directory.views, next: directory.nextViews, former: directory.formerViews, log: log,
                keys: subjects)
            let seconds = (ContinuousClock.now - began) / .seconds(1)
            views = opening.views
            replays = Replays(views: opening.views, log: log, directory: directory, logger: logger)
            replays.noteStart(opening, seconds: seconds, at: .now)
            if opening.condition != .kept, opening.events > 0 {
                logger.warning(
                    "views were built anew before the start",
                    metadata: [
                        "found": "\(opening.condition)", "changed": "\(opening.changed.joined(separator: " "))",
                        "events": "\(opening.events)", "seconds": "\(seconds)",
                        "differences": "\(opening.comparison.map { "\($0.count)" } ?? "")",
                    ])
            }
        } catch {
            throw .views(reason: "\(error)")
        }
        let location: LocationStore
        do throws(LocationStoreError) {
            location = try LocationStore(directory: directory.location, keys: views.keys)
        } catch {
            throw .directoryUnusable(path: directory.location, reason: "\(error)")
        }
        driver = try ControlDriver()
        recordings = directory.recordings
        recordingKeeper = RecordingKeeper(folder: directory.recordings, views: views, logger: logger)
        exports = ExportService(directory: directory, views: views, logger: logger, submit: driver.submitAndWait)
        identity = IdentityDesk(vault: keys.vault, rules: configuration.settings.identity)
        let vault = keys.vault
        let desk = InvoiceDesk(views: views, log: log, store: InvoiceStore(folder: directory.invoices, keys: subjects))
        mail = configuration.mail.map { [identity, views, driver] settings in
            MailService(settings, secrets: identity.links, invoices: desk, views: views, logger: logger, submit: driver.submitAndWait)
        }
        books = BooksService(
            views: views, log: log, desk: desk, carriers: [WebhookCarrier(key: { vault.webhookKey(of: $0) })], logger: logger, submit: driver.submitAndWait)
        webhookKey = { provider in vault.webhookKey(of: provider) }
        var core = try ControlCore(
            log: log, views: views, vault: keys.vault, platform: configuration.platform, random: .pooled(),
            settings: configuration.settings, location: location, now: .now, wall: .now)
        firstToken = try Self.issueFirstToken(&core, views)
        parked = Parked(core)
        signingKey = keys.signing
        logName = keys.logName
        busKey = keys.curve.publicKey
        past = PastDesk(snapshots: SnapshotStore(directory: directory.snapshots, keys: subjects), log: log, logger: logger)
        snapshotKeeper = SnapshotKeeper(past.snapshots, views, log, configuration.snapshots, logger)
        self.configuration = configuration
        self.logger = logger
    }

    /// Binds the bus and starts the driver's thread.
    package func start() throws(ControlPlaneError) {
        let result = running.withLock { running -> Result<Void, ControlPlaneError> in
            guard case .opened = running else { return .success(()) }
            do throws(ControlPlaneError) {
                running = try launch()
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }

    /// Answers what is queued, marks the views clean, ends the thread. Idempotent; waits for the end.
    package func stop() {
        let thread = running.withLock { running -> DriverThread? in
            defer { running = .stopped }
            if case .started(let thread, _, _, _) = running { return thread }
            return nil
        }
        snapshotKeeper.stop()
        replays.close()
        exports.stop()
        recordingKeeper.stop()
        mail?.stop()
        books.stop()
        driver.close()
        thread?.join()
        parked.drop()
        do throws(ViewsError) {
            try views.close()
        } catch {
            logger.error("the views could not be closed and will be built anew", metadata: ["reason": "\(error)"])
        }
    }

    /// Where workers connect, as bound; nil before `start`.
    package var endpoints: (desk: String, feed: String)? {
        running.withLock { running in
            if case .started(_, _, let desk, let feed) = running { return (desk, feed) }
            return nil
        }
    }

    /// For workers of the same process, which reach the desk by memory in it; nil before `start`.
    package var bus: BusContext? {
        running.withLock { running in
            if case .started(_, let bus, _, _) = running { return bus }
            return nil
        }
    }

    private func launch() throws(ControlPlaneError) -> Running {
        let workers = try enrolled()
        allowlist.replace(with: workers)
        let context = try onBus { () throws(BusError) in try BusContext(joinsInside: true) }
        let desk = try listenDesk(in: context)
        let feed = try listenFeed(in: context)
        guard var core = parked.take() else { throw .bus(reason: "it was started before") }
        let appender = try ThreadAppender(Append(log: log, keys: views.keys)) { [driver] in driver.waker.wake() }
        core.append(by: appender)
        let endpoints = (desk: desk.endpoint, feed: feed.endpoint)
        let loop = ControlLoop(core, desk: desk, feed: feed, allowlist: allowlist, driver: driver, logger: logger)
        driver.open()
        let thread = try DriverThread("control") {
            loop.run()
            appender.stop()
        }
        snapshotKeeper.start()
        try exports.start()
        try recordingKeeper.start()
        if configuration.mailLeavesByItself { try mail?.start() }
        try books.start()
        logger.info(
            "the control plane is ready",
            metadata: ["desk": "\(endpoints.desk)", "feed": "\(endpoints.feed)", "log": "\(log.head)"])
        return .started(thread, context, desk: endpoints.desk, feed: endpoints.feed)
    }

    private func onBus<R>(_ body: () throws(BusError) -> R) throws(ControlPlaneError) -> R {
        do throws(BusError) {
            return try body()
        } catch {
            throw .bus(reason: "\(error)")
        }
    }

    private func listenDesk(in context: BusContext) throws(ControlPlaneError) -> Bus.Router {
        do throws(BusError) {
            return try Bus.Router(
                listeningOn: configuration.deskEndpoint, as: keys.curve, allowing: allowlist, in: context)
        } catch {
            throw .bus(reason: "\(error)")
        }
    }

    private func listenFeed(in context: BusContext) throws(ControlPlaneError) -> FeedPublisher {
        do throws(BusError) {
            return try FeedPublisher(
                listeningOn: configuration.feedEndpoint, as: keys.curve, allowing: allowlist, in: context)
        } catch {
            throw .bus(reason: "\(error)")
        }
    }

    private func enrolled() throws(ControlPlaneError) -> [String: CurvePublicKey] {
        var keys: [String: CurvePublicKey] = [:]
        do throws(ViewsError) {
            for worker in try views.read({ snapshot throws(ViewsError) in try snapshot.workers(limit: .max) }) {
                if let key = CurvePublicKey(bytes: Array(worker.curvePublicKey)) { keys[worker.name] = key }
            }
        } catch {
            throw .views(reason: "\(error)")
        }
        return keys
    }

    /// A platform without any token is one that nobody can enter: it is the first start.
    private static func issueFirstToken(
        _ core: inout ControlCore, _ views: Views
    ) throws(ControlPlaneError) -> BearerToken? {
        do throws(ViewsError) {
            guard try views.read({ snapshot throws(ViewsError) in try snapshot.tokens(limit: 1) }).isEmpty else {
                return nil
            }
        } catch {
            throw .views(reason: "\(error)")
        }
        var random = RandomSource.system
        let bearer = BearerToken(random: &random)
        var token = Token()
        token.name = "admin"
        token.role = .platformAdmin
        token.secretHash = Data(Hash.sha256(Array(bearer.text.utf8)))
        let request = AdminRequest(.issueToken(token), actor: "first start", requestID: "first start")
        for case .adminResult(_, let result) in core.process([.admin(ticket: 0, request)], now: .now, wall: .now) {
            if case .failure(let rejection) = result { throw .ledger(reason: rejection.reason) }
        }
        return bearer
    }
}
