internal import Foundation
package import Model
package import Primitives

/// A media worker's standing with the control plane: it says hello, then that it lives, and learns from the
/// roster whose requests to take.
///
/// Nothing here is needed to relay: without an answer the worker goes on with the roster that it has.
package struct DeskMachine: Sendable {
    package enum Input: Sendable {
        case tick(sessions: Int, sessionsMax: Int)
        case reply(DeskReply)
        case feed(FeedMessage)
        /// The feed skipped a number.
        case feedGap
    }

    package enum Effect: Sendable {
        case request(DeskRequest)
        /// Take requests from these signal workers, and from no other.
        case allow([Peer])
        /// No new sessions: this worker is to go.
        case drain
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

    private let hello: Hello
    private var state = State.away
    private var interval = Duration.seconds(1)
    private var nextWord: Instant
    /// The newest number heard on the feed, and the newest that control has told of.
    private var feedHeard: UInt64 = 0
    private var feedTold: UInt64 = 0

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
    }

    package var nextWake: Instant { nextWord }
    package var isGreeted: Bool { state == .greeted }

    package mutating func handle(_ input: Input, at now: Instant, into effects: inout [Effect]) {
        switch input {
        case .tick(let sessions, let sessionsMax):
            guard now >= nextWord else { return }
            switch state {
            case .away: greet(at: now, &effects)
            case .greeted:
                var request = DeskRequest()
                request.heartbeat.calls = UInt32(clamping: sessions)
                request.heartbeat.loadPermille = UInt32(clamping: sessionsMax > 0 ? sessions * 1_000 / sessionsMax : 1_000)
                nextWord = now + interval
                effects.append(.request(request))
            }
        case .reply(let reply): handle(reply, at: now, &effects)
        case .feed(let message):
            feedHeard = max(feedHeard, message.number)
            switch message.kind {
            case .roster(let roster): allow(roster, &effects)
            case .drain(let drain) where drain.worker == hello.worker: effects.append(.drain)
            case .drain, .invalidate, .head, .adopt, .hangUp, nil: break
            }
        case .feedGap: greet(at: now, &effects)
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
            // Numbers start anew with the control plane; the roster in hand is as new as the number.
            feedHeard = welcome.feedNumber
            feedTold = welcome.feedNumber
            allow(welcome.roster, &effects)
        case .heartbeat(let heartbeat):
            // The feed and this answer travel apart, so only a number that was told one beat ago is missed.
            if feedTold > feedHeard {
                greet(at: now, &effects)
            } else {
                feedTold = heartbeat.feedNumber
            }
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
        case .credential, .source, .bind, .callPlan, .callRefused, .recorded, .creditGranted, .callLocated, nil:
            break  // answers to what a media worker does not ask
        }
    }

    private func allow(_ roster: Roster, _ effects: inout [Effect]) {
        effects.append(
            .allow(
                roster.workers.filter { $0.kind == .signal && !$0.curvePublicKey.isEmpty }
                    .map { Peer(worker: $0.worker, publicKey: Array($0.curvePublicKey)) }))
    }
}
