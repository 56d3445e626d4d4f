import Foundation
package import Model
package import Primitives
import Projections
import SwiftProtobuf

/// Who watches a line, for an operator.
package struct LineWatcher: Equatable, Sendable {
    package let subscriber: SubscriberID
    /// Event package.
    package let event: String
    package let expiresAt: WallTime
    package let flow: Flow

    package init(subscriber: SubscriberID, event: String, expiresAt: WallTime, flow: Flow) {
        self.subscriber = subscriber
        self.event = event
        self.expiresAt = expiresAt
        self.flow = flow
    }
}

extension ControlCore {
    package func watchers(of line: SubscriberID) -> [LineWatcher] {
        subscriptions.keys(of: line).compactMap { subscriptions.watches[$0] }.map {
            LineWatcher(subscriber: $0.watcher, event: $0.package.rawValue, expiresAt: $0.expiresAt, flow: $0.flow)
        }
    }

    /// A line watches others of its tenant; its messages are its own business.
    mutating func subscribe(
        _ request: Subscribe, now: Instant, at wall: WallTime, _ views: borrowing ViewTransaction
    ) throws -> DeskReply {
        var reply = Subscribed()
        reply.logPosition = views.applied
        func refused(_ outcome: SubscribeOutcome) -> DeskReply {
            reply.outcome = outcome
            return .with { $0.subscribed = reply }
        }
        let key = Subscriptions.Key(callID: request.dialog.callID, tag: request.dialog.localTag)
        guard let package = EventPackage(header: request.event) else { return refused(.badEvent) }
        guard request.event.utf8.count <= 128, key.callID.utf8.count <= 256 else { return refused(.badEvent) }
        guard let watcher = SubscriberID(request.subscriberID), let subscriber = try views.subscriber(watcher),
            let tenantID = TenantID(subscriber.tenantID)
        else { return refused(.forbidden) }
        // A locked line is there to call for help, and sees nothing.
        guard try request.expiresSeconds == 0 || Line.of(watcher, in: views)?.allows(.callOut) == true else { return refused(.forbidden) }
        if let known = subscriptions.watches[key] {
            guard known.watcher == watcher, known.package == package else { return refused(.forbidden) }
            guard request.dialog.remoteCseq > known.dialog.remoteCseq else { return refused(.stale) }
            subscriptions.update(key) { watch in
                let number = watch.dialog.localCseq
                watch.dialog = request.dialog
                watch.dialog.localCseq = number
                watch.credential = subscriber.sealedCredential.hashValue
                watch.flow = request.flow
            }
        } else {
            guard request.expiresSeconds > 0 || !request.isRefresh else { return refused(.unknownSubscription) }
            // Names of another domain are other people's, also where they sound the same.
            guard try request.domain.lowercased() == views.tenant(tenantID)?.domain else { return refused(.unknownResource) }
            guard let line = try views.subscriber(tenant: tenantID, user: request.resource), let id = SubscriberID(line.id) else {
                return refused(.unknownResource)
            }
            guard package != .messages || id == watcher else { return refused(.forbidden) }
            guard !subscriptions.isFull(for: watcher) else { return refused(.tooMany) }
            var watch = Subscriptions.Watch(
                watcher: watcher, credential: subscriber.sealedCredential.hashValue, line: id, package: package, event: request.event, dialog: request.dialog, flow: request.flow, expiresAt: wall)
            watch.dialog.localCseq = Self.firstNumber(at: wall)
            watch.version = request.isRefresh ? watch.dialog.localCseq : 0
            subscriptions.put(watch, key)
            lines.watched.insert(id)
        }
        reply.expiresSeconds = min(request.expiresSeconds, Subscriptions.secondsMax)
        subscriptions.update(key) { $0.expiresAt = wall + .seconds(Int64(reply.expiresSeconds)) }
        let state = request.expiresSeconds == 0 ? "terminated;reason=timeout" : "active;expires=\(reply.expiresSeconds)"
        if let line = subscriptions.watches[key]?.line, let told = try lineState(line, at: wall, in: views) {
            reply.notify = order(key, told, state)
        }
        if request.expiresSeconds == 0 { forget(key) }
        return .with { $0.subscribed = reply }
    }

    /// Above all numbers that an earlier start of this process has given, unless it has told a watcher more than 32 times a second: they need
    /// to rise, not to be without gaps. They begin anew about once a year, and only a restart at that moment would show it.
    private static func firstNumber(at wall: WallTime) -> UInt32 {
        UInt32(truncatingIfNeeded: (wall.microseconds - 1_780_000_000_000_000) / 31_250) & 0x3FFF_FFFF
    }

    mutating func subscriptionLost(_ lost: SubscriptionLost) {
        forget(Subscriptions.Key(callID: lost.callID, tag: lost.localTag))
    }

    private mutating func forget(_ key: Subscriptions.Key) {
        guard let line = subscriptions.remove(key)?.line, subscriptions.keys(of: line).isEmpty else { return }
        lines.watched.remove(line)
    }

    // MARK: - telling

    /// Tells watchers of these lines, and of those that could not be read before, where there is something that they can tell apart.
    mutating func tellWatchers(of changed: [SubscriberID], at wall: WallTime) -> [Output] {
        let lines = subscriptions.untold.union(changed).filter { !subscriptions.keys(of: $0).isEmpty }
        subscriptions.untold = []
        guard !lines.isEmpty else { return [] }
        var outputs: [Output] = []
        var reason: ViewsError?
        for line in lines.sorted() {
            let state: LineState?
            do throws(ViewsError) {
                state = try views.read { snapshot throws(ViewsError) in try lineState(line, at: wall, in: snapshot) }
            } catch {
                // Nothing is known of the line, so it is not said to be gone: the next tick asks again.
                subscriptions.untold.insert(line)
                reason = error
                continue
            }
            outputs += notifications(of: line, state, at: wall).map { announce($0) }
        }
        if let reason { outputs.append(.note(.watchersUntold(lines: subscriptions.untold.count, reason: "\(reason)"))) }
        return outputs
    }

    /// - Parameter state: nil: the line is gone.
    private mutating func notifications(of line: SubscriberID, _ state: LineState?, at wall: WallTime) -> [FeedMessage] {
        var messages: [FeedMessage] = []
        for key in subscriptions.keys(of: line) {
            guard let watch = subscriptions.watches[key] else { continue }
            guard let state else {
                if let told = watch.told { messages.append(.with { $0.notify = order(key, told, "terminated;reason=noresource") }) }
                forget(key)
                continue
            }
            guard watch.isDoubtful || !state.isSame(as: watch.told, for: watch.package) else { continue }
            let left = max(0, (watch.expiresAt - wall).milliseconds / 1_000)
            let notify = order(key, state, "active;expires=\(left)")
            subscriptions.update(key) { $0.announced = (notify.worker, wall) }
            messages.append(.with { $0.notify = notify })
        }
        return messages
    }

    /// What is announced to workers about a line, or about all, may mean that it sees nothing any more.
    ///
    /// - Returns: whether anybody was meant.
    mutating func suspectWatchers(_ announcements: [FeedMessage]) -> Bool {
        var isAnybodyMeant = false
        for case .invalidate(let what) in announcements.compactMap(\.kind) {
            isAnybodyMeant = true
            if what.everything { subscriptions.suspect(nil) } else if let line = SubscriberID(what.subscriberID) { subscriptions.suspect(line) }
        }
        return isAnybodyMeant
    }

    /// Ends what lines watch that may not do so any more. Once readers see what has changed; the next tick comes back to it.
    mutating func endWatches() -> [Output] {
        guard !behind, publishAt == nil else { return [] }
        var outputs: [Output] = []
        for watcher in subscriptions.nextSuspects(Self.suspectsAtOnce) {
            let line: Line?
            do throws(ViewsError) {
                line = try views.read { snapshot throws(ViewsError) in try Line.of(watcher, in: snapshot) }
            } catch {
                break  // Nothing is known of it: the next tick asks again.
            }
            subscriptions.clear(watcher)
            for key in subscriptions.keys(by: watcher) {
                guard let watch = subscriptions.watches[key], let reason = Self.reasonToEnd(watch, line) else { continue }
                if let told = watch.told { outputs.append(announce(.with { $0.notify = order(key, told, "terminated;reason=\(reason)") })) }
                forget(key)
            }
        }
        return outputs
    }

    /// RFC 6665 §4.1.3: whoever is gone is not to ask again, whoever is locked later, and whoever has another password at once, with that one.
    /// - Parameter line: nil: it is gone.
    private static func reasonToEnd(_ watch: Subscriptions.Watch, _ line: Line?) -> String? {
        guard let line, line.allows(.register) else { return "rejected" }
        guard line.allows(.callOut) else { return "probation;retry-after=\(Subscriptions.secondsMax)" }
        return line.subscriber.sealedCredential.hashValue == watch.credential ? nil : "deactivated"
    }

    private static let suspectsAtOnce = 200

    /// Those that were not refreshed (RFC 6665 §4.2.2).
    mutating func lapseSubscriptions(at wall: WallTime) -> [FeedMessage] {
        subscriptions.lapsed(at: wall).compactMap { key in
            defer { forget(key) }
            guard let told = subscriptions.watches[key]?.told else { return nil }
            return .with { $0.notify = order(key, told, "terminated;reason=timeout") }
        }
    }

    /// The next NOTIFY; takes a number of its dialog.
    private mutating func order(_ key: Subscriptions.Key, _ state: LineState, _ words: String) -> Notify {
        guard let watch = subscriptions.watches[key] else { return Notify() }
        var order = Notify()
        order.worker = workers.isAlive(watch.flow.worker) ? watch.flow.worker : workers.anySignalWorker ?? ""
        order.dialog = watch.dialog
        order.flow = watch.flow
        order.event = watch.event
        order.subscriptionState = words
        order.contentType = watch.package.contentType
        order.body = Data(state.document(watch.package, version: watch.version).utf8)
        subscriptions.update(key) { watch in
            watch.dialog.localCseq += 1
            watch.version += 1
            watch.told = state
            watch.announced = nil
            watch.isDoubtful = false
        }
        return order
    }

    /// nil: the line is gone.
    private func lineState<State: ViewQueries & ~Copyable>(
        _ id: SubscriberID, at wall: WallTime, in state: borrowing State
    ) throws(ViewsError) -> LineState? {
        guard let line = try state.subscriber(id), let tenantID = TenantID(line.tenantID), let tenant = try state.tenant(tenantID) else { return nil }
        return LineState(
            uri: "sip:\(line.username)@\(tenant.domain)", isRegistered: !registrar.contacts(of: id, at: wall).isEmpty,
            isNotToBeDisturbed: line.doNotDisturb, messages: line.messages, calls: lines.calls(of: id))
    }
}
