import Codecs
import Model
import Primitives
import RTP
import Testing

@testable import MediaWorker

private let alice = address("198.51.100.7:4000")
private let bob = address("203.0.113.9:6000")

/// The production core and what carries out its orders, over a kernel that is not one.
private struct Worker: ~Copyable {
    var core: RelayCore
    var driver: ShortcutDriver
    let kernel = KernelTwin()
    private(set) var byWorker = 0
    private(set) var byKernel = 0

    init(hasKernel: Bool = true) {
        core = RelayCore(ports: 30_000...30_015, shortcuts: hasKernel ? ShortcutRules() : nil)
        driver = ShortcutDriver(hasKernel ? kernel : nil, ports: 30_000...30_015)
    }

    /// As `RelayShard` does.
    mutating func take(_ packet: [UInt8], to port: UInt16, from source: SocketAddress, at now: Int) -> Passed {
        if let (from, to) = kernel.pass(packet, to: port, from: source, at: milliseconds(now)) {
            byKernel += 1
            return .forward(from: from, to: to, packet)
        }
        byWorker += 1
        driver.catchUp(&core, port: port)
        let passed = core.pass(packet, to: port, from: source, at: milliseconds(now))
        tend(at: now)
        return passed
    }

    mutating func tend(at now: Int) {
        core.tick(at: milliseconds(now))
        driver.tend(&core, at: milliseconds(now))
    }

    mutating func open(a: LegSetup = LegSetup(remote: alice), b: LegSetup = LegSetup(remote: bob)) throws {
        try core.open(sessionID(1), portA: 30_000, portB: 30_002, a: a, b: b, at: milliseconds(0))
    }

    mutating func change(a: LegSetup? = nil, b: LegSetup? = nil, at now: Int) throws {
        catchUp()
        try core.change(sessionID(1), a: a, b: b, at: milliseconds(now))
        tend(at: now)
    }

    mutating func catchUp() { driver.catchUpAll(&core) }

    /// Both sides talk; every packet comes out at the other.
    mutating func talk(_ sequences: ClosedRange<Int>, from a: SocketAddress = alice, to b: SocketAddress = bob, start: Int = 0, ssrc: UInt32 = 0xA11CE) {
        for sequence in sequences {
            let packet = rtpPacket(sequence: UInt16(sequence), ssrc: ssrc)
            let back = rtpPacket(sequence: UInt16(sequence), ssrc: 0xB0B)
            let passed12 = take(packet, to: 30_000, from: a, at: start + sequence * 20)
            #expect(passed12 == .forward(from: 30_002, to: b, packet))
            let passed13 = take(back, to: 30_002, from: b, at: start + sequence * 20 + 1)
            #expect(passed13 == .forward(from: 30_000, to: a, back))
        }
    }

    mutating func report() throws -> RelayReport {
        catchUp()
        let report = core.report(sessionID(1))
        return try #require(report)
    }
}

@Test func packetsPassByTheKernelOnceBothSidesAreSettled() throws {
    var worker = Worker()
    try worker.open()
    worker.talk(1...100)
    #expect(
        worker.kernel.openFlows == [
            ShortcutFlow(port: 30_000, source: alice, outPort: 30_002, destination: bob, ssrc: 0xA11CE, payloadType: 0),
            ShortcutFlow(port: 30_002, source: bob, outPort: 30_000, destination: alice, ssrc: 0xB0B, payloadType: 0),
        ])
    #expect(worker.byWorker < 40)
    #expect(worker.byWorker + worker.byKernel == 200)
    let report = try worker.report()
    for leg in [report.a, report.b] {
        #expect(leg.packetsIn == 100)
        #expect(leg.bytesIn == 17_200)
        #expect(leg.packetsOut == 100)
        #expect(leg.bytesOut == 17_200)
        #expect(leg.packetsPassed > 80)
        #expect(leg.dropped == 0)
    }
    #expect(report.a.lastHeard == milliseconds(2_000))
}

/// The socket that ports are steered to has one of its own, which strangers find.
@Test(arguments: [0, 1_024, 29_999, 30_016, 30_017, 60_999, UInt16.max]) func packetsToAPortThatIsNoneOfOursAreNobodys(port: UInt16) throws {
    var worker = Worker()
    try worker.open()
    worker.talk(1...40)
    let mallory = address("192.0.2.66:666")
    let passed = worker.take(rtpPacket(sequence: 41), to: port, from: mallory, at: 900)
    #expect(passed == .drop(.noSession))
    worker.talk(42...50)
}

@Test func theRecordSaysTheSameWhicheverWayThePacketsWent() throws {
    func quality(hasKernel: Bool) throws -> (LegQuality, byKernel: Int) {
        var worker = Worker(hasKernel: hasKernel)
        var formats = LegFormats()
        formats.speech = [LegFormats.Speech(codec: .pcmu, payloadType: 0, heardAs: 0)]
        try worker.open(a: LegSetup(remote: alice, formats: formats))
        var random = RandomSource(seed: 7)
        for number in 1...2_000 {
            _ = worker.take(rtpPacket(sequence: UInt16(number), ssrc: 0xB0B), to: 30_002, from: bob, at: number * 20)
            // One in fifty is lost, some are late, a pause, keys, and a jump that is a new beginning.
            if random.next() % 50 == 0 { continue }
            let sequence = UInt16(truncatingIfNeeded: number > 1_500 ? number + 20_000 : number)
            var packet = rtpPacket(sequence: sequence)
            let pause = number > 700 ? 8_000 : 0
            packet.replaceSubrange(4..<8, with: bigEndian(UInt32(number * 160 + pause)))
            if (900...905).contains(number) { packet[1] = 101 }
            let late = Int(random.next() % 15)
            _ = worker.take(packet, to: 30_000, from: alice, at: number * 20 + pause / 8 + late)
        }
        return (try worker.report().a.quality, worker.byKernel)
    }
    let (with, without) = (try quality(hasKernel: true), try quality(hasKernel: false))
    #expect(with.byKernel > 3_000)
    #expect(without.byKernel == 0)
    #expect(with.0.heard.heard == without.0.heard.heard)
    #expect(with.0.heard.lost == without.0.heard.lost)
    #expect(with.0.heard.lost > 10)
    #expect(with.0.heard.position == without.0.heard.position)
    #expect(with.0.heard.silence > 0)
    #expect(with.0.heard.jitterMax > 0)
}

@Test(arguments: ["protected", "unread", "one way", "converted"])
func packetsThatTheWorkerMustSeeDoNotPass(kind: String) throws {
    var worker = Worker()
    let keys = PeerKeys(seed: 1)
    var (a, b) = (LegSetup(remote: alice), LegSetup(remote: bob))
    switch kind {
    case "protected": b.protection = keys.protection
    case "unread": (a.isOpaque, b.isOpaque) = (true, true)
    case "converted":
        a.formats.speech = [LegFormats.Speech(codec: .pcmu, payloadType: 0, heardAs: 0)]
        b.formats.speech = [LegFormats.Speech(codec: .pcma, payloadType: 8, heardAs: 8)]
        (a.formats.converts, b.formats.converts) = (true, true)
    default: break
    }
    try worker.open(a: a, b: b)
    for sequence in 1...100 {
        _ = worker.take(rtpPacket(sequence: UInt16(sequence)), to: 30_000, from: alice, at: sequence * 20)
        if kind != "one way" { _ = worker.take(rtpPacket(sequence: UInt16(sequence)), to: 30_002, from: bob, at: sequence * 20) }
    }
    #expect(worker.kernel.asked == 0)
    let report1 = try worker.report()
    #expect(report1.a.packetsIn == 100)
}

@Test func keysBetweenTheSpeechGoByTheWorkerAndTheSpeechGoesOnPassing() throws {
    var worker = Worker()
    try worker.open()
    worker.talk(1...50)
    let before = worker.byWorker
    for sequence in 51...60 {
        var key = rtpPacket(sequence: UInt16(sequence), payload: [5, 0x80, 0, 160])
        key[1] = 101
        let passed7 = worker.take(key, to: 30_000, from: alice, at: sequence * 20)
        #expect(passed7 == .forward(from: 30_002, to: bob, key))
    }
    #expect(worker.byWorker == before + 10)
    worker.talk(61...80)
    #expect(worker.byWorker == before + 10)
    let report2 = try worker.report()
    #expect(report2.a.packetsIn == 80)
    let report3 = try worker.report()
    #expect(report3.a.quality.heard.lost == 0)
}

@Test(arguments: ["another source", "another codec"])
func aStreamThatChangesIsTakenBackAndSettlesAgain(kind: String) throws {
    var worker = Worker()
    try worker.open()
    worker.talk(1...50)
    for sequence in 51...100 {
        var packet = rtpPacket(sequence: UInt16(sequence), ssrc: kind == "another source" ? 0xCAFE : 0xA11CE)
        if kind == "another codec" { packet[1] = 8 }
        let passed8 = worker.take(packet, to: 30_000, from: alice, at: sequence * 20)
        #expect(passed8 == .forward(from: 30_002, to: bob, packet))
    }
    let flow = try #require(worker.kernel.openFlows.first)
    #expect(flow.ssrc == (kind == "another source" ? 0xCAFE : 0xA11CE))
    #expect(flow.payloadType == (kind == "another codec" ? 8 : 0))
    let report = try worker.report()
    #expect(report.a.packetsIn == 100)
    #expect(report.a.quality.heard.lost == 0)
    #expect(report.a.packetsPassed > 50)
}

@Test func aRecordingAndAnAnnouncementTakeThePacketsBack() throws {
    var worker = Worker()
    try worker.open()
    worker.talk(1...50)
    worker.catchUp()
    let tap = RecordingTap()
    worker.core.record(sessionID(1), into: tap, at: milliseconds(1_002))
    worker.tend(at: 1_002)
    #expect(worker.kernel.openFlows == [])
    worker.talk(51...100)
    #expect(worker.kernel.openFlows == [])
    var copied = 0
    tap.takeAll([]).forEach { _, _, _ in copied += 1 }
    #expect(copied == 100)
    worker.core.record(sessionID(1), into: nil, at: milliseconds(2_002))
    worker.talk(101...150)
    #expect(worker.kernel.openFlows.count == 2)
    worker.catchUp()
    worker.core.play(sessionID(1), to: .b, PromptStream(Recording(samples: [UInt8](repeating: 0xFF, count: 1_600)), .pcmu, seed: 1, at: milliseconds(3_002)))
    worker.tend(at: 3_002)
    // Who plays nothing is still heard past the worker.
    #expect(worker.kernel.openFlows.map(\.port) == [30_002])
    let report4 = try worker.report()
    #expect(report4.a.packetsIn == 150)
}

@Test func aPeerThatMovesTakesThePacketsBackWithoutLosingOne() throws {
    var worker = Worker()
    try worker.open()
    worker.talk(1...50)
    let moved = address("192.0.2.44:7000")
    try worker.change(b: LegSetup(remote: moved), at: 1_010)
    // What is sent to a place that nobody has been heard from goes by the worker.
    #expect(worker.kernel.openFlows == [])
    worker.talk(51...100, to: moved)
    #expect(worker.kernel.openFlows.map(\.destination) == [moved, alice])
    let report = try worker.report()
    #expect(report.a.packetsIn == 100)
    #expect(report.b.packetsIn == 100)
    #expect(report.b.packetsOut == 100)
    #expect(report.a.dropped + report.b.dropped == 0)
}

@Test func aChangeThatChangesNothingLeavesThePacketsAlone() throws {
    var worker = Worker()
    try worker.open()
    worker.talk(1...50)
    let before = worker.byWorker
    try worker.change(a: LegSetup(remote: alice), b: LegSetup(remote: bob), at: 1_010)
    worker.talk(51...100)
    #expect(worker.byWorker == before)
}

@Test func aStrangerIsNotTakenForAPeerWhosePacketsPass() throws {
    var worker = Worker()
    try worker.open()
    worker.talk(1...100)
    // Longer than the silence after which a peer may go on from another port, if the worker had only its own packets to go by.
    let stranger = SocketAddress(alice.host, port: 4_444)
    let passed9 = worker.take(rtpPacket(sequence: 101), to: 30_000, from: stranger, at: 2_010)
    #expect(passed9 == .drop(.stranger))
    let passed10 = worker.take(rtpPacket(sequence: 101), to: 30_000, from: address("192.0.2.66:4000"), at: 2_011)
    #expect(passed10 == .drop(.stranger))
    worker.talk(101...110)
    let report = try worker.report()
    #expect(report.a[.stranger] == 2)
    #expect(report.a.packetsIn == 110)
    // After a silence, its own stream from another port is.
    for sequence in 111...140 as ClosedRange<UInt16> {
        let packet = rtpPacket(sequence: sequence)
        let passed11 = worker.take(packet, to: 30_000, from: stranger, at: 1_000 + Int(sequence) * 20)
        #expect(passed11 == .forward(from: 30_002, to: bob, packet))
        _ = worker.take(rtpPacket(sequence: sequence, ssrc: 0xB0B), to: 30_002, from: bob, at: 1_000 + Int(sequence) * 20)
    }
    #expect(worker.kernel.openFlows.map(\.source) == [stranger, bob])
    #expect(worker.kernel.openFlows.map(\.destination) == [bob, stranger])
}

@Test func sessionsThatAreHeardPastTheWorkerAreNotSilent() throws {
    var worker = Worker()
    try worker.open()
    worker.talk(1...500)
    worker.catchUp()
    let (silent, later) = (worker.core.sessions(silentSince: milliseconds(9_000)).count, worker.core.sessions(silentSince: milliseconds(10_002)).count)
    #expect(silent == 0)
    #expect(later == 1)
}

@Test func whoIsRefusedAsksAgainLaterAndLater() throws {
    var worker = Worker()
    worker.kernel.isWilling = false
    try worker.open()
    worker.talk(1...1_000)
    // Of both sides: at once, after 1, 2, 4 and 8 seconds and the settling in between.
    #expect((8...10).contains(worker.kernel.asked))
    worker.kernel.isWilling = true
    worker.talk(1_001...2_000)
    #expect(worker.kernel.openFlows.count == 2)
    let report5 = try worker.report()
    #expect(report5.a.packetsIn == 2_000)
}

@Test func aWayThatIsLostIsTakenBack() throws {
    var worker = Worker()
    try worker.open()
    worker.talk(1...50)
    worker.kernel.lost = [30_000]
    worker.kernel.nextCheck = milliseconds(1_005)
    worker.tend(at: 1_005)
    #expect(worker.kernel.openFlows.map(\.port) == [30_002])
    worker.talk(51...150)
    #expect(worker.kernel.openFlows.count == 2)
    let report6 = try worker.report()
    #expect(report6.a.packetsIn == 150)
}

@Test func aSessionIsClosedWhenItsLastPacketsHaveBeenCounted() throws {
    var worker = Worker()
    try worker.open()
    worker.talk(1...50)
    let early = worker.core.prepareClose(sessionID(1), at: milliseconds(1_005))
    #expect(!early)
    worker.driver.tend(&worker.core, at: milliseconds(1_005))
    #expect(worker.kernel.openFlows == [])
    // Meanwhile nothing is lost.
    worker.talk(51...51)
    let wake = worker.core.nextWake
    #expect(wake == milliseconds(1_025))
    worker.tend(at: 1_025)
    let isCounted = worker.core.prepareClose(sessionID(1), at: milliseconds(1_025))
    #expect(isCounted)
    let closed = worker.core.close(sessionID(1))
    let report = try #require(closed)
    #expect(report.a.packetsIn == 51)
    #expect(report.b.packetsIn == 51)
}

/// The call ends in the turn in which its packets were to pass by themselves: nothing of it may stay in the kernel, where it would pass on what comes to
/// a port that is somebody else's by then.
@Test func aSessionThatIsClosedWhileItsShortcutIsAskedForLeavesNothingBehind() throws {
    var worker = Worker()
    try worker.open()
    var sequence = 0
    while !worker.core.hasShortcutOrders {
        sequence += 1
        try #require(sequence < 100)
        for (port, source, ssrc) in [(30_000, alice, 0xA11CE), (30_002, bob, 0xB0B)] as [(UInt16, SocketAddress, UInt32)] {
            _ = worker.core.pass(rtpPacket(sequence: UInt16(sequence), ssrc: ssrc), to: port, from: source, at: milliseconds(sequence * 20))
        }
    }
    let (first, end) = (worker.core.prepareClose(sessionID(1), at: milliseconds(2_000)), milliseconds(2_100))
    #expect(!first)
    worker.tend(at: 2_000)
    #expect(worker.kernel.asked > 0)
    _ = worker.core.prepareClose(sessionID(1), at: milliseconds(2_001))
    worker.tend(at: 2_001)
    worker.tend(at: 2_100)
    let isOver = worker.core.prepareClose(sessionID(1), at: end)
    #expect(isOver)
    #expect(worker.kernel.held == 0)
}
