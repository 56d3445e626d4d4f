import Codecs
import Model
import Primitives
import RTP
import Testing

@testable import MediaWorker

/// Callers of a room on ports 30000, 30004 and so on, each from an address of its own.
private struct Meeting: ~Copyable {
    var core = RelayCore(ports: 30_000...30_063)
    var now = 0
    private var sequences: [Int: UInt16] = [:]
    /// What each has heard last, as the byte that a payload is full of; nil: nothing.
    private(set) var heard: [Int: [UInt8]] = [:]
    private(set) var types: [Int: UInt8] = [:]

    init() {}

    static func phone(_ number: Int) -> SocketAddress { address("198.51.100.\(number):4000") }

    mutating func join(_ number: Int, pin: String = "", max: Int = 32, silent: Bool = true, noise: Bool = false) throws {
        var formats = LegFormats()
        formats.speech = [LegFormats.Speech(codec: .pcmu, payloadType: 0, heardAs: 0)]
        formats.keys = [LegFormats.Extra(clockRate: 8_000, payloadType: 101, heardAs: 101)]
        if noise { formats.noise = [LegFormats.Extra(clockRate: 8_000, payloadType: 13, heardAs: 13)] }
        var seat = LegSetup()
        seat.seat = ConferencePlace(room: [UInt8](repeating: 7, count: 16))
        seat.seat?.pin = pin.utf8.map { $0 - 48 }
        seat.seat?.participantsMax = max
        seat.seat?.isSilent = silent
        let port = UInt16(30_000 + number * 4)
        try core.open(
            sessionID(UInt64(number)), portA: port, portB: port + 2, a: LegSetup(remote: Self.phone(number), formats: formats), b: seat, at: milliseconds(now))
    }

    mutating func say(_ number: Int, _ byte: UInt8) {
        let sequence = sequences[number, default: 0]
        sequences[number] = sequence &+ 1
        let packet = rtpPacket(sequence: sequence, ssrc: UInt32(number), payload: [UInt8](repeating: byte, count: 160))
        _ = core.pass(packet, to: UInt16(30_000 + number * 4), from: Self.phone(number), at: milliseconds(now))
    }

    mutating func press(_ number: Int, _ event: UInt8) {
        let sequence = sequences[number, default: 0]
        sequences[number] = sequence &+ 1
        var packet = rtpPacket(sequence: sequence, ssrc: UInt32(number), payload: [event, 10, 0, 160])
        packet[1] = 101
        _ = core.pass(packet, to: UInt16(30_000 + number * 4), from: Self.phone(number), at: milliseconds(now))
    }

    /// 20 ms later: what everybody is sent.
    mutating func pass() {
        now += 20
        heard = [:]
        while case .forward(let port, _, let packet)? = core.prompt(at: milliseconds(now)) {
            let number = (Int(port) - 30_000) / 4
            heard[number] = Array(packet[12...])
            types[number] = packet[1] & 0x7F
        }
        core.tick(at: milliseconds(now))
    }
}

@Suite struct ConferenceTests {
    @Test func eachHearsTheSumOfTheOthers() throws {
        var meeting = Meeting()
        for number in 0..<3 { try meeting.join(number) }
        let levels: [Int16] = [1_000, 3_000, 8_000]
        for _ in 0..<20 {
            for number in 0..<3 { meeting.say(number, G711.muLaw(levels[number])) }
            meeting.pass()
        }
        for number in 0..<3 {
            let others = levels.indices.filter { $0 != number }.reduce(0) { $0 + Int(G711.linear(muLaw: G711.muLaw(levels[$1]))) }
            let heard = try #require(meeting.heard[number])
            #expect(heard.count == 160)
            #expect(heard.allSatisfy { $0 == G711.muLaw(Int16(others)) })
        }
    }

    @Test func whoLeavesIsNotHeardAnyMore() throws {
        var meeting = Meeting()
        for number in 0..<3 { try meeting.join(number) }
        for _ in 0..<10 {
            for number in 0..<3 { meeting.say(number, G711.muLaw(4_000)) }
            meeting.pass()
        }
        _ = meeting.core.close(sessionID(2))
        for _ in 0..<5 {
            for number in 0..<2 { meeting.say(number, G711.muLaw(4_000)) }
            meeting.pass()
        }
        #expect(meeting.heard[2] == nil)
        #expect(meeting.heard[0]?.allSatisfy { $0 == G711.muLaw(4_000) } == true)
    }

    @Test func whoIsSentToAnotherRoomIsNotMixedByBoth() throws {
        var meeting = Meeting()
        for number in 0..<3 { try meeting.join(number) }
        var formats = LegFormats()
        formats.speech = [LegFormats.Speech(codec: .g722, payloadType: 9, heardAs: 9)]
        var seat = LegSetup()
        seat.seat = ConferencePlace(room: [UInt8](repeating: 8, count: 16))
        try meeting.core.change(sessionID(1), a: LegSetup(remote: Meeting.phone(1), formats: formats), b: seat, at: milliseconds(0))
        for _ in 0..<10 {
            for number in [0, 2] { meeting.say(number, G711.muLaw(4_000)) }
            meeting.pass()
        }
        #expect(meeting.heard[0] != nil && meeting.heard[2] != nil)
        #expect(meeting.types[1] == 9)
    }

    /// Also where it speaks as before.
    @Test func whoIsSentToAnotherRoomIsInTheFirstNoLonger() throws {
        var meeting = Meeting()
        for number in 0..<3 { try meeting.join(number) }
        for _ in 0..<10 {
            for number in 0..<3 { meeting.say(number, G711.muLaw(4_000)) }
            meeting.pass()
        }
        var seat = LegSetup()
        seat.seat = ConferencePlace(room: [UInt8](repeating: 8, count: 16))
        try meeting.core.change(sessionID(1), a: nil, b: seat, at: milliseconds(meeting.now))
        for _ in 0..<10 {
            for number in 0..<3 { meeting.say(number, G711.muLaw(4_000)) }
            meeting.pass()
        }
        // One other each; alone in the room, silence.
        #expect(meeting.heard[0]?.allSatisfy { $0 == G711.muLaw(4_000) } == true)
        #expect(meeting.heard[1]?.contains(G711.muLaw(4_000)) != true)
        _ = meeting.core.close(sessionID(0))
        _ = meeting.core.close(sessionID(2))
        _ = meeting.core.close(sessionID(1))
        #expect(meeting.core.conferences.rooms.isEmpty)
    }

    @Test func whatIsNotOfTheCodecThatItsNumberNamesIsDroppedAndCounted() throws {
        var core = RelayCore(ports: 30_000...30_003)
        var formats = LegFormats()
        formats.speech = [LegFormats.Speech(codec: .speex, payloadType: 110, heardAs: 110)]
        var seat = LegSetup()
        seat.seat = ConferencePlace(room: [UInt8](repeating: 7, count: 16))
        try core.open(sessionID(1), portA: 30_000, portB: 30_002, a: LegSetup(remote: Meeting.phone(1), formats: formats), b: seat, at: milliseconds(0))
        var packet = rtpPacket(sequence: 1, payload: Array(repeating: 0x48, count: 38))
        packet[1] = 110
        #expect(core.pass(packet, to: 30_000, from: Meeting.phone(1), at: milliseconds(1)) == .drop(.wrongCodec))
        #expect(core.report(sessionID(1))?.a[.wrongCodec] == 1)
    }

    @Test func onlyTheLoudestAreMixed() throws {
        var meeting = Meeting()
        for number in 0..<8 { try meeting.join(number) }
        for _ in 0..<20 {
            for number in 0..<8 { meeting.say(number, G711.muLaw(Int16(500 + number * 300))) }
            meeting.pass()
        }
        // The quietest hears the five loudest.
        let wanted = (3..<8).reduce(0) { $0 + Int(G711.linear(muLaw: G711.muLaw(Int16(500 + $1 * 300)))) }
        #expect(meeting.heard[0]?.first == G711.muLaw(Int16(wanted)))
    }

    @Test func unevenPacketsAndLostOnesAreEvenedOut() throws {
        var meeting = Meeting()
        for number in 0..<2 { try meeting.join(number) }
        var silent = 0
        for round in 0..<60 {
            // Two packets every 40 ms, and one that never comes.
            if round % 2 == 1 {
                meeting.say(0, G711.muLaw(5_000))
                if round != 31 { meeting.say(0, G711.muLaw(5_000)) } else { meeting.press(0, 15) }
            }
            meeting.pass()
            if round > 10, meeting.heard[1]?.allSatisfy({ abs(Int(G711.linear(muLaw: $0))) < 200 }) == true { silent += 1 }
        }
        #expect(silent <= 1)
    }

    @Test func theRightPINLetsInAndThreeWrongOnesDoNot() throws {
        var meeting = Meeting()
        try meeting.join(0)
        try meeting.join(1, pin: "42")
        try meeting.join(2, pin: "42")
        for key in [4, 2] as [UInt8] {
            meeting.pass()
            meeting.press(1, key)
            meeting.say(1, 0xFF)  // the next event has another time
        }
        for _ in 0..<3 {
            for key in [1, 1] as [UInt8] {
                meeting.pass()
                meeting.press(2, key)
                meeting.say(2, 0xFF)
            }
        }
        for _ in 0..<20 {
            meeting.say(0, G711.muLaw(4_000))
            meeting.pass()
        }
        #expect(meeting.heard[1]?.first == G711.muLaw(4_000))
        #expect(meeting.heard[2] == nil)
        #expect(meeting.core.takeRefused() == [sessionID(2)])
    }

    @Test func aFullRoomRefuses() throws {
        var meeting = Meeting()
        for number in 0..<3 { try meeting.join(number, max: 2) }
        for _ in 0..<20 { meeting.pass() }
        #expect(meeting.core.takeRefused() == [sessionID(2)])
    }

    @Test func whoTakesComfortNoiseGetsItInsteadOfSilence() throws {
        var meeting = Meeting()
        try meeting.join(0)
        try meeting.join(1, noise: true)
        var packets = 0
        for _ in 0..<60 {
            meeting.pass()
            if meeting.heard[1] != nil { packets += 1 }
        }
        // Some frames of silence, then a packet a second.
        #expect(packets <= 8)
        #expect(meeting.types[1] == 13)
        for _ in 0..<10 {
            meeting.say(0, G711.muLaw(4_000))
            meeting.pass()
        }
        #expect(meeting.types[1] == 0 && meeting.heard[1]?.first == G711.muLaw(4_000))
    }

    @Test func whoComesAndGoesIsHeard() throws {
        var meeting = Meeting()
        try meeting.join(0, silent: false)
        for _ in 0..<20 { meeting.pass() }
        try meeting.join(1, silent: false)
        meeting.pass()
        meeting.pass()
        #expect(meeting.heard[0].map { Set($0).count > 5 } == true)
    }
}
