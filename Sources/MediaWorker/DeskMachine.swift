internal import Bus
internal import Foundation
package import Model
package import Primitives

/// A media worker's standing with the control plane: it says hello, then that it lives, and learns from the
/// roster whose requests to take.
///
/// Nothing here is needed to relay: without an answer the worker goes on with the roster that it has.
package struct DeskMachine: Sendable {
    package enum Input: Sendable {
        case tick(sessions: Int, sessionsMax: Int, MediaFigures)
        case reply(DeskReply)
        case feed(FeedMessage)
        /// A recording is written, or failed; told until it is noted.
        case recorded(RecordingReport)
    }

    package enum Effect: Sendable {
        case request(DeskRequest)
        /// Take requests from these signal workers, and from no other.
        case allow([Peer])
        /// No new sessions: this worker is to go.
        case drain
        /// The control plane knows the recording.
        case noted(UUIDv7)
        /// For the log: what an operator has to change.
        case refused(String)
    }

    package struct Peer: Equatable, Sendable {
        package let worker: String
        package let publicKey: [UInt8]
    }

    private enum State: Sendable {
        case away
        case greeted
    }

    private struct Known: Sendable {
        var publicKey: [UInt8]
        var listedAt: Instant
    }

    /// A worker that the roster no longer lists may be cut off from the control plane while its calls run, and
    /// after a restart of the control plane nobody is listed for a moment. So a key outlives its entry by this.
    private static let keyOutlivesRoster = Duration.seconds(300)

    private let hello: Hello
    private var state = State.away
    private var peers: [String: Known] = [:]
    /// Workers of the newest roster.
    private var listed: Set<String> = []
    private var interval = Duration.seconds(1)
    private var nextWord: Instant
    private var gaps = FeedGapDetector()
    /// Not noted yet, oldest first.
    private var recordings: [RecordingReport] = []
    private var recordingsAt: Instant
    /// Told at a time; how often they are told again.
    private static let recordingsMax = 16
    private static let repetition: Duration = .seconds(2)

    /// - Parameters:
    ///   - address: what goes into session descriptions.
    ///   - studioEndpoint: where signal workers connect.
    ///   - incarnation: new for each start of the process.
    package init(worker: String, address: String, studioEndpoint: String, incarnation: [UInt8], at now: Instant) {
        var hello = Hello()
        hello.worker = worker
        hello.kind = .media
        hello.listeners = [address]
        hello.busEndpoint = studioEndpoint
        hello.incarnation = Data(incarnation)
        self.hello = hello
        nextWord = now
        recordingsAt = now
    }

    package var nextWake: Instant { recordings.isEmpty || state == .away ? nextWord : min(nextWord, recordingsAt) }
    package var isGreeted: Bool { state == .greeted }

    package mutating func handle(_ input: Input, at now: Instant, into effects: inout [Effect]) {
        switch input {
        case .recorded(let report):
            recordings.append(report)
            recordingsAt = now
        case .tick(let sessions, let sessionsMax, let figures):
            tellRecordings(at: now, &effects)
            guard now >= nextWord else { return }
            forget(at: now, &effects)
            switch state {
            case .away: greet(at: now, &effects)
            case .greeted:
                var request = DeskRequest()
                request.heartbeat.calls = UInt32(clamping: sessions)
                request.heartbeat.loadPermille = UInt32(
                    clamping: sessionsMax > 0 ? sessions * 1_000 / sessionsMax : 1_000)
                request.heartbeat.media = figures
                nextWord = now + interval
                effects.append(.request(request))
            }
        case .reply(let reply): handle(reply, at: now, &effects)
        case .feed(let message):
            switch gaps.accept(message.number) {
            case .inOrder: apply(message, at: now, &effects)
            case .duplicate, .unsynchronised: break  // the welcome's roster is as new, or is yet to come
            case .gap: greet(at: now, &effects)
            }
        }
    }

    private mutating func tellRecordings(at now: Instant, _ effects: inout [Effect]) {
        guard state == .greeted, !recordings.isEmpty, now >= recordingsAt else { return }
        recordingsAt = now + Self.repetition
        for report in recordings.prefix(Self.recordingsMax) {
            var request = DeskRequest()
            request.recordingReport = report
            effects.append(.request(request))
        }
    }

    private mutating func apply(_ message: FeedMessage, at now: Instant, _ effects: inout [Effect]) {
        switch message.kind {
        case .roster(let roster): allow(roster, at: now, &effects)
        case .drain(let drain): if drain.worker == hello.worker { effects.append(.drain) }
        case .invalidate, .head, .adopt, .hangUp, .notify, .gateways, nil: break
        }
    }

    private mutating func greet(at now: Instant, _ effects: inout [Effect]) {
        state = .away
        nextWord = now + .seconds(1)
        var request = DeskRequest()
        request.hello = hello
        effects.append(.request(request))
    }

    private mutating func handle(_ reply: DeskReply, at now: Instant, _ effects: inout [Effect]) {
        switch reply.kind {
        case .welcome(let welcome):
            state = .greeted
            if welcome.heartbeatMs > 0 { interval = .milliseconds(Int64(welcome.heartbeatMs)) }
            nextWord = now + interval
            gaps.synchronise(at: welcome.feedNumber)
            allow(welcome.roster, at: now, &effects)
        case .heartbeat(let heartbeat):
            if gaps.observe(head: heartbeat.feedNumber) { greet(at: now, &effects) }
        case .error(let error):
            switch error.code {
            case .sayHello: greet(at: now, &effects)
            case .notEnrolled:
                state = .away
                effects.append(.refused("the control plane does not know worker \(hello.worker): enrol it again"))
            case .unavailable: break
            case .malformed, .unknownCall, .notOwner, .UNRECOGNIZED:
                effects.append(.refused("the control plane did not understand: \(error.detail)"))
            }
        case .recordingNoted(let noted):
            recordings.removeAll { $0.recordingID == noted.recordingID }
            recordingsAt = now
            if let id = UUIDv7(bytes: noted.recordingID) { effects.append(.noted(id)) }
        case .credential, .source, .bind, .bindBatch, .callPlan, .callRefused, .recorded, .creditGranted, .callLocated, .gatewayCredential, .subscribed, .recordingGranted, nil:
            break  // answers to what a media worker does not ask
        }
    }

    private mutating func allow(_ roster: Roster, at now: Instant, _ effects: inout [Effect]) {
        for entry in roster.workers where entry.kind == .signal && entry.curvePublicKey.count == 32 {
            peers[entry.worker] = Known(publicKey: Array(entry.curvePublicKey), listedAt: now)
        }
        listed = Set(roster.workers.map(\.worker))
        effects.append(allowance)
    }

    private mutating func forget(at now: Instant, _ effects: inout [Effect]) {
        for name in listed { peers[name]?.listedAt = now }
        let before = peers.count
        peers = peers.filter { now - $0.value.listedAt < DeskMachine.keyOutlivesRoster }
        if peers.count != before { effects.append(allowance) }
    }

    private var allowance: Effect {
        .allow(peers.sorted { $0.key < $1.key }.map { Peer(worker: $0.key, publicKey: $0.value.publicKey) })
    }
}
