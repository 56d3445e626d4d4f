import Foundation
import MediaWorker
import Model
import Primitives
import Testing

/// A machine with its sockets and its relay played by the test.
private struct Studio {
    var machine: StudioMachine
    var now = milliseconds(0)
    let wallStart = WallTime(microseconds: 1_000_000_000)
    /// What other programs hold.
    var taken: Set<UInt16> = []
    var relayed: Set<MediaSessionID> = []
    var lastHeard: [MediaSessionID: Instant] = [:]
    var openedAt: [MediaSessionID: Instant] = [:]
    var binds = 0
    var replies: [StudioMachine.Ticket: StudioReply] = [:]
    var notices: [(owner: String, notice: StudioNotice)] = []
    var drained = false
    var pressed: [(session: MediaSessionID, side: Side, keys: KeyPress)] = []
    var played: [(session: MediaSessionID, side: Side, recording: Recording, encoding: PromptEncoding)] = []
    var sounded: [(side: Side, name: String, loops: Bool)] = []
    var hushed: [(session: MediaSessionID, side: Side)] = []
    private var nextTicket: StudioMachine.Ticket = 0

    init(ports: ClosedRange<UInt16> = 30_000...30_015, configure: (inout StudioRules) -> Void = { _ in }) {
        var rules = StudioRules(worker: "media1", address: .v4(0x7F00_0001), ports: ports)
        configure(&rules)
        machine = StudioMachine(rules: rules, at: .zero)
    }

    mutating func input(_ input: StudioMachine.Input) {
        var pending = [input]
        while !pending.isEmpty {
            var effects: [StudioMachine.Effect] = []
            machine.handle(pending.removeFirst(), at: now, wall: wallStart + (now - .zero), into: &effects)
            for effect in effects {
                switch effect {
                case .reply(let ticket, let reply):
                    #expect(replies[ticket] == nil, "answered twice")
                    replies[ticket] = reply
                case .notice(let owner, let notice): notices.append((owner, notice))
                case .bind(let id, let portA, let portB, _, _):
                    binds += 1
                    if let port = [portA, portA + 1, portB, portB + 1].first(where: taken.contains) {
                        pending.append(.portTaken(id, port))
                    } else {
                        relayed.insert(id)
                        openedAt[id] = now
                        pending.append(.bound(id))
                    }
                case .change: break
                case .play(let id, let side, let recording, let encoding): played.append((id, side, recording, encoding))
                case .hush(let id, let side): hushed.append((id, side))
                case .sound(_, let side, let name, let loops, _): sounded.append((side, name, loops))
                case .record: break
                case .press(let id, let side, let keys): pressed.append((id, side, keys))
                case .query(let id): pending.append(.reported(report(id)))
                case .close(let id):
                    #expect(relayed.remove(id) != nil)
                    pending.append(.closed(report(id)))
                case .sweep(let since):
                    pending.append(.silent(relayed.sorted().map(report).filter { $0.lastHeard <= since }))
                case .drained: drained = true
                }
            }
        }
    }

    private func report(_ id: MediaSessionID) -> RelayReport {
        RelayReport(
            session: id, openedAt: max(openedAt[id] ?? .zero, lastHeard[id] ?? .zero), a: LegCounters(),
            b: LegCounters())
    }

    mutating func ask(_ request: StudioRequest, from worker: String = "signal1") -> StudioReply? {
        nextTicket += 1
        input(.request(request, nextTicket, from: worker))
        return replies[nextTicket]
    }

    mutating func pass(_ duration: Duration) {
        let end = now + duration
        while now < end {
            now = min(end, machine.nextWake)
            input(.tick)
        }
    }
}

extension StudioReply {
    fileprivate var isOpened: Bool { if case .opened = kind { true } else { false } }
    fileprivate var isClosed: Bool { if case .closed = kind { true } else { false } }
    fileprivate var isReport: Bool { if case .report = kind { true } else { false } }
}

private func open(_ number: UInt64, a: LegSpec? = nil, owner: String = "signal1") -> StudioRequest {
    var request = StudioRequest()
    request.open.sessionID = sessionID(number).data
    if let a { request.open.a = a }
    request.open.owner = owner
    return request
}

private func change(_ number: UInt64, owner: String = "", b: LegSpec? = nil) -> StudioRequest {
    var request = StudioRequest()
    request.change.sessionID = sessionID(number).data
    request.change.owner = owner
    if let b { request.change.b = b }
    return request
}

private func close(_ number: UInt64) -> StudioRequest {
    var request = StudioRequest()
    request.close.sessionID = sessionID(number).data
    return request
}

private func query(_ number: UInt64) -> StudioRequest {
    var request = StudioRequest()
    request.query.sessionID = sessionID(number).data
    return request
}

private func play(_ number: UInt64, _ prompt: Prompt = .creditUsedUp, language: String = "en", toB: Bool = false) -> StudioRequest {
    var request = StudioRequest()
    request.play.sessionID = sessionID(number).data
    request.play.prompt = prompt
    request.play.language = language
    request.play.toB = toB
    request.play.encoding = .pcma
    return request
}

private func leg(_ remote: String, suite: String = "", receive: Int = 0, send: Int = 0) -> LegSpec {
    var spec = LegSpec()
    spec.remote = remote
    spec.suite = suite
    spec.receiveKey = .init(repeating: 1, count: receive)
    spec.sendKey = .init(repeating: 2, count: send)
    return spec
}

@Test func openingAgainAnswersWithTheSamePorts() {
    var studio = Studio()
    let first = studio.ask(open(1))
    #expect(first?.opened.address == "127.0.0.1")
    #expect(first?.opened.portA == 30_000)
    #expect(first?.opened.portB == 30_002)
    #expect(studio.ask(open(1)) == first)
    #expect(studio.ask(open(1, owner: "signal2")) == first)
    #expect(studio.binds == 1)
    #expect(studio.machine.sessionCount == 1)
}

@Test func closingAgainAnswersWithTheSameFigures() {
    var studio = Studio()
    _ = studio.ask(open(1))
    let closed = studio.ask(close(1))
    #expect(closed?.closed.report.mediaWorker == "media1")
    #expect(studio.ask(close(1)) == closed)
    #expect(studio.machine.sessionCount == 0)
    // An open that was overtaken by its close opens nothing.
    #expect(studio.ask(open(1))?.error.code == .unknownSession)
    studio.pass(.seconds(601))
    #expect(studio.ask(close(1))?.error.code == .unknownSession)
}

@Test func figuresOfClosedSessionsAreBounded() {
    var studio = Studio { $0.closedMax = 2 }
    for number in 1...5 as ClosedRange<UInt64> {
        _ = studio.ask(open(number))
        _ = studio.ask(close(number))
    }
    studio.pass(.seconds(5))
    #expect(studio.ask(close(3))?.error.code == .unknownSession)
    #expect(studio.ask(close(4))?.closed.report.mediaWorker == "media1")
}

@Test func portsRunOutAndComeBack() {
    var studio = Studio(ports: 30_000...30_007)
    #expect(studio.ask(open(1)) != nil)
    #expect(studio.ask(open(2)) != nil)
    let refused = studio.ask(open(3))
    #expect(refused?.error.code == .noPorts)
    #expect(refused?.error.detail == "all 4 port pairs are in use")
    _ = studio.ask(close(1))
    #expect(studio.ask(open(3))?.opened.portA == 30_000)
    #expect(studio.machine.sessionCount == 2)
}

@Test func aPortThatAnotherProgramHoldsIsPassedOver() {
    var studio = Studio()
    studio.taken = [30_001, 30_004]
    let opened = studio.ask(open(1))?.opened
    #expect(opened?.portA == 30_006)
    #expect(opened?.portB == 30_002)
    studio.taken = []
    _ = studio.ask(open(2))
    _ = studio.ask(open(3))
    // Nothing was lost on the way: four sessions fill the range.
    #expect(studio.ask(open(4))?.isOpened == true)
    #expect(studio.ask(open(5))?.error.code == .noPorts)
}

@Test func whenOtherProgramsHoldEverythingTheRequestIsRefusedAndNothingKept() {
    var studio = Studio()
    studio.taken = Set(30_000...30_015)
    let refused = studio.ask(open(1))
    #expect(refused?.error.code == .noPorts)
    #expect(refused?.error.detail == "other programs hold the ports that are left")
    #expect(studio.machine.sessionCount == 0)
    studio.taken = []
    for number in 1...4 as ClosedRange<UInt64> { #expect(studio.ask(open(number))?.isOpened == true) }
}

@Test(arguments: [
    (leg("nonsense"), #"remote "nonsense" is not an address and port"#),
    (leg("[2001:db8::1]:4000"), "remote [2001:db8::1]:4000 is not of the family of this worker's address"),
    (leg("192.0.2.1:4000", suite: "AES_256", receive: 30, send: 30), #"suite "AES_256" is not spoken"#),
    (leg("192.0.2.1:4000", suite: "AES_CM_128_HMAC_SHA1_80", receive: 29, send: 30), "a key has 30 bytes, not 29"),
    (leg("192.0.2.1:4000", suite: "AES_CM_128_HMAC_SHA1_80", receive: 30, send: 31), "a key has 30 bytes, not 31"),
    (leg("192.0.2.1:4000", suite: "", receive: 30, send: 30), #"suite "" is not spoken"#),
    (leg("192.0.2.1:4000", suite: "AES_CM_128_HMAC_SHA1_80"), "a suite was given, and no key"),
])
func wordsThatMakeNoSenseAreRefused(spec: LegSpec, detail: String) {
    var studio = Studio()
    let reply = studio.ask(open(1, a: spec))
    #expect(reply?.error.code == .malformed)
    #expect(reply?.error.detail == detail)
    #expect(studio.binds == 0)
    _ = studio.ask(open(2))
    #expect(studio.ask(change(2, b: spec))?.error.code == .malformed)
}

@Test(arguments: [leg("0.0.0.0:4000"), leg("192.0.2.1:0")])
func aStreamOnHoldHasNowhereToGo(spec: LegSpec) throws {
    #expect(try LegSetup(checking: spec, family: .v4(0)).remote == nil)
}

@Test func aRequestWithoutAnIDOrAKindIsMalformed() {
    var studio = Studio()
    #expect(studio.ask(StudioRequest())?.error.code == .malformed)
    for request in [open(1), change(1), close(1), query(1), play(1)] {
        var short = request
        switch request.kind {
        case .open: short.open.sessionID = .init([1])
        case .change: short.change.sessionID = .init([1])
        case .close: short.close.sessionID = .init([1])
        case .play: short.play.sessionID = .init([1])
        case .keys: short.keys.sessionID = .init([1])
        case .record: short.record.sessionID = .init([1])
        case .query, nil: short.query.sessionID = .init([1])
        }
        #expect(studio.ask(short)?.error.code == .malformed)
    }
}

@Test func anUnknownSessionIsNamedAsSuch() {
    var studio = Studio()
    for request in [change(9), close(9), query(9), play(9)] { #expect(studio.ask(request)?.error.code == .unknownSession) }
}

private func keys(_ number: UInt64, _ keys: String, type: UInt32) -> StudioRequest {
    var request = StudioRequest()
    request.keys.sessionID = sessionID(number).data
    request.keys.toB = true
    request.keys.keys = keys
    request.keys.payloadType = type
    return request
}

@Test func keysAreToldOrSounded() throws {
    var studio = Studio()
    _ = studio.ask(open(1))
    #expect(studio.ask(keys(1, "5#", type: 101))?.playing.milliseconds == 200)
    let told = try #require(studio.pressed.last)
    #expect(told.keys.events == [5, 11])
    #expect(told.side == .b)
    _ = studio.ask(keys(1, "5", type: 0))
    let sound = try #require(studio.played.last)
    #expect(sound.recording.duration == .milliseconds(160))
    #expect(studio.ask(keys(1, "x", type: 101))?.error.code == .malformed)
    #expect(studio.ask(keys(9, "1", type: 101))?.error.code == .unknownSession)
}

/// What both descriptions of a call have agreed on, however absurd.
@Test(arguments: [192_001, 4_000_000_000, UInt32.max]) func aClockThatNoSoundHasIsNotTaken(clockRate: UInt32) throws {
    var studio = Studio()
    _ = studio.ask(open(1))
    var request = keys(1, "5#", type: 101)
    request.keys.clockRate = clockRate
    #expect(studio.ask(request)?.error.code == .malformed)
    var spec = leg("192.0.2.1:4000")
    for (encoding, type) in [("telephone-event", 101), ("CN", 13), ("PCMU", 0), ("opus", UInt32.max)] as [(String, UInt32)] {
        var format = MediaFormat()
        (format.encoding, format.clockRate, format.payloadType, format.heardAs) = (encoding, clockRate, type, type)
        spec.formats.append(format)
    }
    spec.packetMs = .max
    spec.payloadTypes = Data(0...255)
    let setup = try LegSetup(checking: spec, family: .v4(0))
    #expect(setup.formats.keys.isEmpty && setup.formats.noise.isEmpty && setup.formats.speech.isEmpty)
    #expect(setup.formats.packetMilliseconds == 200)
}

@Test(arguments: [(32, 0xFFFF, false), (32, 0x1_0000, true), (31, 80, true)]) func keysOfARecordingAreAsLongAsTheyMayBe(key: Int, sealed: Int, isRefused: Bool) {
    var studio = Studio()
    _ = studio.ask(open(1))
    var request = StudioRequest()
    request.record.sessionID = sessionID(1).data
    request.record.recordingID = Data(UUIDv7(high: 0x7000, low: 9).bytes)
    request.record.key = Data(count: key)
    request.record.sealedKey = Data(count: sealed)
    #expect((studio.ask(request)?.error.code == .malformed) == isRefused)
}

@Test func aQueryIsAnsweredWithFigures() {
    var studio = Studio()
    _ = studio.ask(open(1))
    #expect(studio.ask(query(1))?.report.report.mediaWorker == "media1")
}

@Test func aPromptIsPlayedInTheLanguageOrInEnglish() throws {
    var studio = Studio()
    _ = studio.ask(open(1))
    let prompts = PromptLibrary.carried
    let (german, english) = (prompts[.creditUsedUp, "de"], prompts[.creditUsedUp, "en"])
    for (language, expected) in [("de-AT", german), ("DE", german), ("tlh", english), ("", english)] {
        let answer = studio.ask(play(1, language: language, toB: language == "DE"))
        let reply = try #require(answer)
        let heard = try #require(studio.played.last)
        #expect(heard.recording == expected)
        #expect(heard.side == (language == "DE" ? .b : .a))
        #expect(heard.encoding == .pcma)
        #expect(Int64(reply.playing.milliseconds) == heard.recording.duration.milliseconds)
    }
    #expect(german != english)
    #expect(studio.ask(play(1, .unspecified))?.error.code == .unknownPrompt)
    #expect(studio.played.count == 4)
}

private func ringBack(_ number: UInt64, country: String, sound: String = "") -> StudioRequest {
    var request = StudioRequest()
    request.play.sessionID = sessionID(number).data
    request.play.rings = true
    request.play.countryCode = country
    request.play.sound = sound
    return request
}

@Test func ringBackIsTheCountrysToneOrASoundAndEndsWithItsOwner() throws {
    var studio = Studio()
    _ = studio.ask(open(1))
    guard case .playing? = studio.ask(ringBack(1, country: "44"))?.kind else {
        Issue.record("ring-back is refused")
        return
    }
    let tone = try #require(studio.played.last)
    #expect(tone.side == .a && tone.recording.loops && tone.recording.duration == .milliseconds(3_000))
    _ = studio.ask(ringBack(1, country: "44", sound: "harp"))
    #expect(studio.sounded.last?.name == "harp" && studio.sounded.last?.loops == true)
    #expect(studio.hushed.isEmpty)
    // Another signalling worker takes the call over, under whatever name: it knows of nobody who rings.
    _ = studio.ask(change(1, owner: "signal1"))
    #expect(studio.hushed.map(\.side) == [.a])
    _ = studio.ask(change(1, owner: "signal2"))
    #expect(studio.hushed.count == 1)
    // What is played after it is not ring-back.
    _ = studio.ask(ringBack(1, country: "1"))
    _ = studio.ask(play(1))
    _ = studio.ask(change(1, owner: "signal3"))
    #expect(studio.hushed.count == 1)
}

@Test func silenceIsToldToTheOwnerUntilItEndsOrIsForgotten() {
    var studio = Studio()
    _ = studio.ask(open(1, owner: "signal1"))
    studio.pass(.seconds(59))
    #expect(studio.notices.isEmpty)
    studio.pass(.seconds(6))
    #expect(studio.notices.map(\.owner) == ["signal1"])
    #expect(studio.notices.first?.notice.kind == .silent)
    #expect(studio.notices.first?.notice.sessionID == sessionID(1).data)
    studio.pass(.seconds(30))
    #expect(studio.notices.count == 2)
    // Heard again: quiet for a whole limit.
    studio.lastHeard[sessionID(1)] = studio.now
    studio.pass(.seconds(59))
    #expect(studio.notices.count == 2)
    studio.pass(.seconds(6))
    #expect(studio.notices.count == 3)
}

@Test func anAdoptingWorkerIsToldAtOnce() {
    var studio = Studio()
    _ = studio.ask(open(1, owner: "signal1"))
    studio.pass(.seconds(65))
    #expect(studio.ask(change(1, owner: "signal2"))?.isOpened == true)
    studio.pass(.seconds(5))
    #expect(studio.notices.map(\.owner) == ["signal1", "signal2"])
}

@Test func aForgottenSessionIsClosedAndItsPortsComeBack() {
    var studio = Studio(ports: 30_000...30_003)
    _ = studio.ask(open(1))
    studio.pass(.seconds(295))
    #expect(studio.machine.sessionCount == 1)
    studio.pass(.seconds(10))
    #expect(studio.machine.sessionCount == 0)
    #expect(studio.relayed.isEmpty)
    #expect(studio.ask(open(2))?.isOpened == true)
    #expect(studio.ask(close(1))?.isClosed == true)
}

@Test func aSilentSessionThatItsOwnerAsksAboutIsKept() {
    var studio = Studio()
    _ = studio.ask(open(1))
    for _ in 0..<10 {
        studio.pass(.seconds(250))
        #expect(studio.ask(query(1))?.isReport == true)
    }
    #expect(studio.machine.sessionCount == 1)
}

@Test func drainingRefusesTheNewAndWaitsForTheOld() {
    var studio = Studio()
    let opened = studio.ask(open(1))
    studio.input(.drain)
    #expect(!studio.drained)
    #expect(studio.ask(open(2))?.error.code == .draining)
    #expect(studio.ask(open(1)) == opened)
    let closed = studio.ask(close(1))
    #expect(closed?.isClosed == true)
    // The answer may be lost on its way: whoever asks again is answered.
    studio.pass(.seconds(1))
    #expect(!studio.drained)
    #expect(studio.ask(close(1)) == closed)
    studio.pass(.milliseconds(2_499))
    #expect(!studio.drained)
    studio.pass(.milliseconds(1))
    #expect(studio.drained)
}

@Test func drainingAnIdleWorkerIsDoneAtOnce() {
    var studio = Studio()
    studio.input(.drain)
    #expect(studio.drained)
}

@Test(arguments: 1...8 as ClosedRange<UInt64>)
func everyRequestIsAnsweredOnceAndPortsAreNeverLost(seed: UInt64) {
    var random = RandomSource(seed: seed)
    var studio = Studio(ports: 30_000...30_031)
    for _ in 0..<3_000 {
        let number = random.next() % 24
        switch random.next() % 12 {
        case 0...3: _ = studio.ask(open(number))
        case 4, 5: _ = studio.ask(close(number))
        case 6: _ = studio.ask(query(number))
        case 7: _ = studio.ask(change(number, owner: "signal2"))
        case 8: studio.taken = Set((0..<3).map { _ in UInt16(30_000 + random.next() % 32) })
        case 9: studio.lastHeard[sessionID(number)] = studio.now
        default: studio.pass(.seconds(Int64(random.next() % 100)))
        }
        #expect(studio.machine.sessionCount == studio.relayed.count)
    }
    studio.taken = []
    for number in 0..<24 as Range<UInt64> { _ = studio.ask(close(number)) }
    #expect(studio.machine.sessionCount == 0)
    for number in 100..<108 as Range<UInt64> { #expect(studio.ask(open(number))?.isOpened == true) }
}
