import Foundation
package import Ledger
package import Model
import OpenSSL
package import Primitives
package import Projections
import Subjects
import SwiftProtobuf

/// Everything that the control plane decides, in one thread, without sockets or a clock.
///
/// A batch is decided command by command inside the views' write transaction, so that each sees what the ones before
/// it have done; then all facts go to the log in one durable append; then the views commit; then the answers leave.
/// While a batch is on its way to the disk the next one is decided: `ControlCore+pipeline.swift`. If the append fails the views
/// are put back, and everybody is told to try again.
package struct ControlCore {
    let log: any EventLog
    let views: Views
    let vault: Vault
    let platform: String
    let settings: ControlSettings
    var random: RandomSource
    var workers: WorkerTable
    var registrar = Registrar()
    var lines = LineCalls()
    var subscriptions = Subscriptions()
    var router: Router
    var gateways: GatewayWatch
    /// Workers that are gone and may still own calls.
    var orphans: [String: Orphan] = [:]
    private(set) var appender: any Appender
    /// Decided; not on its way to the disk yet.
    var open: Undertaking?
    /// On its way to the disk.
    var flight: Undertaking?
    private let location: LocationStore?
    private var feedNumber: UInt64
    private var publishedRoster = Model.Roster()
    /// Of the table when it was last compared; nil: the table has been put back to what it was before.
    var rosterRevision: UInt64?
    /// Workers that were found to be enrolled since an entity has changed.
    var enrolled: (generation: UInt64, names: Set<String>) = (0, [])
    private var headAt: Instant
    private var earlyCallsAt: Instant
    private var tickedAt: Instant
    /// The newest time that was handed in.
    var latest: Instant
    /// The same on the wall.
    var latestWall: WallTime
    /// Of what is paid by the month.
    var fees = FeeClock()
    var recordingClock = RecordingClock()
    /// When readers are to see what they do not see yet.
    var publishAt: Instant?
    /// The log was told that it will be soon.
    var isPublishingPrepared = false
    /// The last fact that is durable, and the last that readers were shown.
    var concludedHead: UInt64 = 0
    var publishedHead: UInt64 = 0
    /// The log has facts that the views do not: they catch up before the next decision.
    var behind = false
    /// Erased subjects whose keys are still to be destroyed.
    var condemned: [UUIDv7] = []
    /// Until when calls of workers that were never heard are known to have run: the last fact before this start.
    let lastFactBeforeStart: WallTime

    struct Orphan {
        var since: Instant
        /// When the worker was last heard; nil: not since this start.
        var heardAt: WallTime?
    }

    /// Appends on the thread that decides; see `append(by:)`.
    ///
    /// - Parameter location: nil keeps registrations in memory alone.
    package init(
        log: any EventLog, views: Views, vault: Vault, platform: String = "ledgerline", random: RandomSource,
        settings: ControlSettings = ControlSettings(), location: LocationStore? = nil, now: Instant, wall: WallTime
    ) throws(ControlPlaneError) {
        self.log = log
        self.views = views
        self.vault = vault
        self.platform = platform
        self.random = random
        self.settings = settings
        self.location = location
        appender = InlineAppender(Append(log: log, keys: views.keys))
        workers = WorkerTable(deadAfter: settings.deadAfter)
        router = Router(leaseSeconds: settings.creditLeaseSeconds)
        gateways = GatewayWatch(graceUntil: now + settings.startGrace)
        // Numbers that go on after a restart: a worker that missed it sees a gap, not repetitions.
        feedNumber = UInt64(max(0, wall.microseconds))
        headAt = now
        earlyCallsAt = now + settings.earlyCallMax
        tickedAt = now
        latest = now
        latestWall = wall
        do {
            try log.publish()
            try views.catchUp(with: log)
            let head = log.head
            (concludedHead, publishedHead) = (head, head)
            lastFactBeforeStart = head == 0 ? wall : try log.event(at: head)?.time ?? wall
            let owners = try views.read { snapshot throws(ViewsError) in try snapshot.liveCallOwners() }
            for owner in owners { workers.expect(owner, until: now + settings.startGrace) }
            try views.read { snapshot throws(ViewsError) in try lines.restore(from: snapshot) }
            try destroyKeysOfErased()
        } catch {
            throw .views(reason: "\(error)")
        }
        if let error = destroyCondemned() { throw .views(reason: "\(error)") }
        if let location {
            do throws(LocationStoreError) {
                for (subscriber, row) in try location.load() {
                    let tenant = (try? views.read { snapshot throws(ViewsError) in try snapshot.subscriber(subscriber) })?.flatMap { TenantID($0.tenantID) }
                    registrar.restore(subscriber, row, of: tenant)
                }
            } catch {
                throw .views(reason: "location store: \(error)")
            }
        }
    }

    /// What time brings: dead workers, their calls, lapsed contacts, the head on the feed.
    package mutating func tick(now: Instant, wall: WallTime) -> [Output] {
        var outputs = settle()
        latest = now
        if isPublishingDue(at: now), let error = publishViews() { outputs.append(.note(.viewsBehind(reason: "\(error)"))) }
        // If this process was stopped, heartbeats of the time are still waiting to be read.
        let stall = now - tickedAt
        if stall > settings.deadAfter { workers.forgive(stall) }
        tickedAt = now
        for name in workers.sweep(now: now) {
            orphans[name] = Orphan(since: now, heardAt: workers.lastHeard(name))
            outputs.append(.note(.workerLost(name)))
        }
        if !orphans.isEmpty { outputs += settleOrphans(now: now, wall: wall) }
        if now >= earlyCallsAt {
            earlyCallsAt = now + .seconds(60)
            outputs += closeForgottenCalls(wall: wall)
        }
        outputs += chargeFees(at: wall)
        outputs += renewPackages(at: wall)
        outputs += expireRecordings(now: now, wall: wall)
        if !behind, let error = destroyCondemned() { outputs.append(.note(.keyNotDestroyed(reason: "\(error)"))) }
        registrar.sweep(at: wall)
        latestWall = wall
        outputs += storeContacts()
        outputs += lapseSubscriptions(at: wall).map { announce($0) }
        if subscriptions.hasSuspects { outputs += endWatches() }
        subscriptions.tellDoubted()
        if !subscriptions.untold.isEmpty { outputs += tellWatchers(of: [], at: wall) }
        if now >= headAt {
            headAt = now + settings.headInterval
            outputs.append(head())
        }
        outputs += publishRoster()
        outputs += watchGateways(now: now)
        return outputs
    }

    /// Nothing is decided any more. On the thread that decided.
    package mutating func finish() -> [Output] {
        let outputs = settle()
        return outputs + (publishViews().map { [.note(.viewsBehind(reason: "\($0)"))] } ?? [])
    }

    /// When `tick` has something to do at the latest.
    package var nextWake: Instant {
        fees.isBusy ? latest : min(headAt, workers.nextDeadline ?? headAt, publishDue ?? headAt)
    }

    /// Every enrolled worker, by name.
    package func workerStatuses() -> [WorkerStatus] {
        let enrolled = try? views.read { snapshot throws(ViewsError) in try snapshot.workers(limit: 10_000) }
        return (enrolled ?? []).map { workers.status(of: $0) }
    }

    package func bindings(of subscriber: SubscriberID, at wall: WallTime) -> [Binding] {
        registrar.bindings(of: subscriber, at: wall)
    }

    /// The last number on the feed.
    package var feedPosition: UInt64 { feedNumber }

    /// From here on; while nothing is on its way.
    package mutating func append(by appender: any Appender) { self.appender = appender }

    // MARK: - after a batch

    /// The facts are durable: views, keys, answers.
    mutating func conclude(_ batch: Batch) -> [Output] {
        var batch = batch
        concludedHead = max(concludedHead, batch.head)
        if batch.changesGateways { gateways.directoryChanged(at: batch.head) }
        if let error = publish(batch) { batch.notes.append(.viewsBehind(reason: "\(error)")) }
        var outputs = batch.admissions.map(Output.admission)
        for case .dismiss(let name) in batch.admissions {
            orphans[name] = Orphan(since: latest, heardAt: workers.lastHeard(name))
            workers.forget(name)
        }
        for subscriber in batch.unbound { registrar.removeAll(of: subscriber) }
        for change in batch.lineCalls { lines.take(change) }
        condemned += batch.erased
        if !behind, let error = destroyCondemned() { outputs.append(.note(.keyNotDestroyed(reason: "\(error)"))) }
        outputs += batch.replies
        outputs += batch.announcements.map { announce($0) }
        outputs += publishRoster()
        let changed = lines.takeChanged() + batch.announcements.compactMap { SubscriberID($0.invalidate.subscriberID) }
        if !subscriptions.watches.isEmpty {
            // Those whom something else has made suspect are looked at by ticks.
            if suspectWatchers(batch.announcements) { outputs += endWatches() }
            outputs += tellWatchers(of: changed, at: max(latestWall, batch.time))
        }
        outputs += storeContacts()
        outputs += batch.notes.map(Output.note)
        return outputs
    }

    // MARK: - feed

    mutating func announce(_ message: FeedMessage) -> Output {
        var message = message
        feedNumber += 1
        message.number = feedNumber
        return .feed(message)
    }

    private mutating func publishRoster() -> [Output] {
        guard workers.revision != rosterRevision else { return [] }
        rosterRevision = workers.revision
        let roster = workers.roster
        guard roster != publishedRoster else { return [] }
        publishedRoster = roster
        return [announce(.with { $0.roster = roster })]
    }

    private mutating func head() -> Output {
        let size = log.head
        var head = LedgerHead()
        head.logPosition = size
        if let root = try? log.rootHash(size: size) { head.rootHash = .init(root.bytes) }
        return announce(.with { $0.head = head })
    }

    private mutating func storeContacts() -> [Output] {
        let changed = registrar.takeChanged()
        guard !changed.isEmpty else { return [] }
        let outputs = subscriptions.watches.isEmpty ? [] : tellWatchers(of: changed.map(\.subscriber), at: latestWall)
        guard let location else { return outputs }
        do throws(LocationStoreError) {
            try location.save(changed)
            return outputs
        } catch {
            return outputs + [.note(.locationStoreFailed(reason: "\(error)"))]
        }
    }
}
