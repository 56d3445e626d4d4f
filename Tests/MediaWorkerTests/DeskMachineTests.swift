import Foundation
import MediaWorker
import Model
import Primitives
import Testing

private struct Desk {
    var machine = DeskMachine(
        worker: "media1", address: "127.0.0.1", studioEndpoint: "tcp://127.0.0.1:7501", incarnation: [1, 2], at: .zero)
    var now = Instant.zero

    mutating func input(_ input: DeskMachine.Input) -> [String] {
        var effects: [DeskMachine.Effect] = []
        machine.handle(input, at: now, into: &effects)
        return effects.map { effect in
            switch effect {
            case .request(let request):
                switch request.kind {
                case .hello(let hello): "hello \(hello.worker) \(hello.listeners) \(hello.busEndpoint)"
                case .heartbeat(let beat): "heartbeat \(beat.calls) \(beat.loadPermille) \(beat.media.packetsByXdp)/\(beat.media.packets)"
                case .recordingReport(let report): "recording \(report.milliseconds)"
                default: "another request"
                }
            case .allow(let peers):
                "allow " + peers.map { "\($0.worker)=\(hex($0.publicKey.prefix(1)))" }.joined(separator: ",")
            case .drain: "drain"
            case .refused(let reason): "refused: \(reason)"
            case .noted(let id): "noted \(id)"
            }
        }
    }

    mutating func after(_ duration: Duration) -> [String] {
        now = now + duration
        var figures = MediaFigures()
        figures.packets = 500
        figures.packetsByXdp = 400
        return input(.tick(sessions: 3, sessionsMax: 10, figures))
    }
}

private let helloText = #"hello media1 ["127.0.0.1"] tcp://127.0.0.1:7501"#

private func welcome(feed: UInt64 = 5) -> DeskReply {
    var reply = DeskReply()
    reply.welcome.feedNumber = feed
    reply.welcome.heartbeatMs = 1_000
    reply.welcome.roster = roster()
    return reply
}

private func roster() -> Roster {
    var roster = Roster()
    for (name, kind, key) in [
        ("signal1", WorkerKind.signal, [0xAA]), ("media2", .media, [0xBB]), ("signal2", .signal, []),
    ]
        as [(String, WorkerKind, [UInt8])]
    {
        var entry = RosterEntry()
        entry.worker = name
        entry.kind = kind
        entry.curvePublicKey = .init(key + Array(repeating: 0, count: key.isEmpty ? 0 : 31))
        roster.workers.append(entry)
    }
    return roster
}

private func heartbeatReply(feed: UInt64) -> DeskReply {
    var reply = DeskReply()
    reply.heartbeat.feedNumber = feed
    return reply
}

private func error(_ code: DeskErrorCode) -> DeskReply {
    var reply = DeskReply()
    reply.error.code = code
    return reply
}

@Test func helloIsRepeatedUntilItIsAnsweredThenComeHeartbeats() {
    var desk = Desk()
    #expect(desk.after(.zero) == [helloText])
    #expect(desk.after(.milliseconds(999)) == [])
    #expect(desk.after(.milliseconds(1)) == [helloText])
    #expect(desk.input(.reply(welcome())) == ["allow signal1=aa"])
    #expect(desk.after(.milliseconds(999)) == [])
    #expect(desk.after(.milliseconds(1)) == ["heartbeat 3 300 400/500"])
    #expect(desk.after(.seconds(1)) == ["heartbeat 3 300 400/500"])
}

@Test func aControlPlaneThatForgotIsGreetedAgain() {
    var desk = Desk()
    _ = desk.after(.zero)
    _ = desk.input(.reply(welcome()))
    #expect(desk.input(.reply(error(.sayHello))) == [helloText])
    #expect(desk.after(.seconds(1)) == [helloText])
}

@Test func aGapInTheFeedIsAnsweredWithHello() {
    var desk = Desk()
    var message = FeedMessage()
    message.number = 3
    #expect(desk.input(.feed(message)) == [])
    _ = desk.after(.zero)
    _ = desk.input(.reply(welcome(feed: 5)))
    for number in 4...6 as ClosedRange<UInt64> {
        message.number = number
        #expect(desk.input(.feed(message)) == [])
    }
    message.number = 8
    #expect(desk.input(.feed(message)) == [helloText])
}

@Test func aLostEndOfTheFeedIsNoticedByTheNumbersInHeartbeats() {
    var desk = Desk()
    _ = desk.after(.zero)
    _ = desk.input(.reply(welcome(feed: 5)))
    #expect(desk.input(.reply(heartbeatReply(feed: 6))) == [])  // it may still be on its way
    var message = FeedMessage()
    message.number = 6
    #expect(desk.input(.feed(message)) == [])
    #expect(desk.input(.reply(heartbeatReply(feed: 7))) == [])
    #expect(desk.input(.reply(heartbeatReply(feed: 7))) == [helloText])
}

@Test func aKeyOutlivesItsPlaceInTheRosterForAWhile() {
    var desk = Desk()
    _ = desk.after(.zero)
    _ = desk.input(.reply(welcome()))
    // However long it is listed, the time counts from the roster that lacks it.
    for _ in 0..<400 { #expect(desk.after(.seconds(1)) == ["heartbeat 3 300 400/500"]) }
    var message = FeedMessage()
    message.number = 6
    message.roster = Roster()
    #expect(desk.input(.feed(message)) == ["allow signal1=aa"])
    for _ in 0..<299 { #expect(desk.after(.seconds(1)) == ["heartbeat 3 300 400/500"]) }
    #expect(desk.after(.seconds(1)) == ["allow ", "heartbeat 3 300 400/500"])
    message.number = 7
    message.roster = roster()
    #expect(desk.input(.feed(message)) == ["allow signal1=aa"])
}

@Test func onlyTheWorkerThatIsNamedDrains() {
    var desk = Desk()
    var message = FeedMessage()
    _ = desk.after(.zero)
    _ = desk.input(.reply(welcome(feed: 5)))
    message.number = 6
    message.drain.worker = "media2"
    #expect(desk.input(.feed(message)) == [])
    message.number = 7
    message.drain.worker = "media1"
    #expect(desk.input(.feed(message)) == ["drain"])
}

@Test func aWorkerThatIsNotEnrolledSaysWhatToDoAndKeepsAsking() {
    var desk = Desk()
    _ = desk.after(.zero)
    #expect(
        desk.input(.reply(error(.notEnrolled))) == [
            "refused: the control plane does not know worker media1: enrol it again"
        ])
    #expect(desk.after(.seconds(1)) == [helloText])
    #expect(desk.input(.reply(error(.unavailable))) == [])
}

@Test func aRecordingIsToldUntilItIsNoted() {
    var desk = Desk()
    var report = RecordingReport()
    report.recordingID = Data(repeating: 1, count: 16)
    report.milliseconds = 700
    #expect(desk.input(.recorded(report)).isEmpty)
    _ = desk.input(.reply(welcome()))
    #expect(desk.after(.zero).contains("recording 700"))
    #expect(!desk.after(.milliseconds(500)).contains("recording 700"))
    #expect(desk.after(.seconds(2)).contains("recording 700"))
    var noted = DeskReply()
    noted.recordingNoted.recordingID = report.recordingID
    #expect(desk.input(.reply(noted)).first?.hasPrefix("noted") == true)
    #expect(!desk.after(.seconds(5)).contains("recording 700"))
}
