import Codecs
import Foundation
import Primitives
import RTP
import Testing

@testable import MediaWorker

private let alice = address("198.51.100.7:4000")
private let bob = address("203.0.113.9:6000")

private func formats(_ codecs: [(Codec, UInt8)], keys: UInt8? = nil, clock: Int = 8_000, ptime: Int = 20) -> LegFormats {
    var formats = LegFormats()
    formats.speech = codecs.map { LegFormats.Speech(codec: $0.0, payloadType: $0.1, heardAs: $0.1) }
    if let keys { formats.keys = [LegFormats.Extra(clockRate: clock, payloadType: keys, heardAs: keys)] }
    formats.packetMilliseconds = ptime
    formats.converts = true
    return formats
}

/// Packets of 20 ms of a tone, in a codec.
private func tone(_ codec: Codec, hertz: Double = 1_000, packets: Int, type: UInt8) throws -> [[UInt8]] {
    let rate = codec.isWideBand ? 16_000 : 8_000
    guard var encoder = AudioEncoder(codec, sampleRate: rate) else { throw Missing() }
    let size = rate / 50
    return (0..<packets).map { index in
        let samples = (0..<size).map { Int16(8_000 * sin(2 * .pi * hertz * Double(index * size + $0) / Double(rate))) }
        var room = [UInt8](repeating: 0, count: 1_280)
        var bytes = room.mutableSpan
        var span = bytes.mutableBytes
        let count = encoder.encode(samples.span, into: &span)
        let sequence = UInt16(100 + index)
        let head: [UInt8] = [0x80, type, UInt8(sequence >> 8), UInt8(sequence & 0xFF)]
        return head + bigEndian(UInt32(7_000 + index * codec.clockRate / 50)) + bigEndian(0xA11CE) + Array(room[..<count])
    }
}

private struct Missing: Error {}

private func event(_ number: UInt8, _ duration: UInt16, end: Bool, sequence: UInt16, timestamp: UInt32, type: UInt8) -> [UInt8] {
    let head: [UInt8] = [0x80, type, UInt8(sequence >> 8), UInt8(sequence & 0xFF)]
    let payload: [UInt8] = [number, end ? 0x8A : 0x0A, UInt8(duration >> 8), UInt8(duration & 0xFF)]
    return head + bigEndian(timestamp) + bigEndian(0xA11CE) + payload
}

/// A key that is held for `lasting` packets of 20 ms, then told to have ended.
private func held(_ number: UInt8, packets: Int, lasting: Int, sequence: UInt16, timestamp: UInt32) -> [[UInt8]] {
    var all: [[UInt8]] = []
    for step in 0..<packets {
        let duration = UInt16(min(step + 1, lasting) * 160)
        all.append(event(number, duration, end: step >= lasting, sequence: sequence + UInt16(step), timestamp: timestamp, type: 101))
    }
    return all
}

private typealias Heard = (header: RTPHeader, payload: [UInt8])

extension SpeechConverter {
    /// What comes of packets.
    fileprivate func convert(_ packets: [[UInt8]]) throws -> [Heard] {
        var out: [Heard] = []
        for packet in packets {
            _ = take(packet.span.bytes, try RTPHeader(parsing: packet.span.bytes))
            while true {
                var room = [UInt8](repeating: 0, count: 2_048)
                var bytes = room.mutableSpan
                var span = bytes.mutableBytes
                guard let count = next(into: &span) else { break }
                out.append((try RTPHeader(parsing: room.span.bytes), Array(room[12..<count])))
            }
        }
        return out
    }
}

private func heard(_ packets: [Heard], _ codec: Codec) throws -> [Int16] {
    guard var decoder = AudioDecoder(codec, sampleRate: 8_000) else { throw Missing() }
    return packets.flatMap { packet in decoder.decode(packet.payload.span.bytes) { span in span.indices.map { span[$0] } } }
}

private func share(of hertz: Double, in samples: some Collection<Int16>, rate: Int = 8_000) -> Double {
    let factor = 2 * cos(2 * .pi * hertz / Double(rate))
    var (s1, s2, energy) = (0.0, 0.0, 0.0)
    for sample in samples {
        (s1, s2) = (Double(sample) + factor * s1 - s2, s1)
        energy += Double(sample) * Double(sample)
    }
    return energy == 0 ? 0 : 2 * (s1 * s1 + s2 * s2 - factor * s1 * s2) / (Double(samples.count) * energy)
}

private let pairs: [(Codec, Codec)] = [
    (.opus, .pcmu), (.pcmu, .opus), (.g722, .pcma), (.pcma, .g722), (.opus, .g722), (.gsm, .pcmu), (.pcmu, .g726), (.speexWide, .pcmu), (.pcmu, .g729),
].filter { $0.0.isAvailable && $0.1.isAvailable }

@Suite struct ConverterTests {
    @Test(arguments: pairs) func aToneIsHeardInTheOtherCodec(from: Codec, to: Codec) throws {
        let converter = try #require(SpeechConverter(from: formats([(from, 100)]), to: formats([(to, 101)]), seed: 1))
        let packets: [Heard] = try converter.convert(try tone(from, packets: 50, type: 100))
        // A rate is changed with a few samples of delay: a packet may be missing at the end.
        #expect(packets.count == 50 || packets.count == 49)
        #expect(Set(packets.map(\.header.payloadType)) == [101])
        #expect(packets.map(\.header.marker) == [true] + Array(repeating: false, count: packets.count - 1))
        for (before, after) in zip(packets, packets.dropFirst()) {
            #expect(after.header.sequence == before.header.sequence &+ 1)
            #expect(after.header.timestamp == before.header.timestamp &+ UInt32(to.clockRate / 50))
            #expect(after.header.ssrc == before.header.ssrc)
        }
        let samples = try heard(packets, to)
        #expect(share(of: 1_000, in: samples[2_000...]) > 0.9, "\(from) to \(to)")
    }

    @Test func packetsAreAsLongAsTheOtherSideWants() throws {
        let longer = try #require(SpeechConverter(from: formats([(.gsm, 3)]), to: formats([(.pcmu, 0)], ptime: 60), seed: 1))
        #expect(try longer.convert(try tone(.gsm, packets: 9, type: 3)).map(\.payload.count) == [480, 480, 480])
        let shorter = try #require(SpeechConverter(from: formats([(.gsm, 3)]), to: formats([(.pcmu, 0)], ptime: 10), seed: 1))
        #expect(try shorter.convert(try tone(.gsm, packets: 3, type: 3)).map(\.payload.count) == Array(repeating: 80, count: 6))
    }

    @Test func whatIsLostIsFilledAndWhatComesLateIsPutInItsPlace() throws {
        var packets = try tone(.gsm, packets: 50, type: 3)
        packets.swapAt(10, 11)
        packets.remove(at: 30)
        packets.insert(packets[5], at: 8)
        let converter = try #require(SpeechConverter(from: formats([(.gsm, 3)]), to: formats([(.pcmu, 0)]), seed: 1))
        let out: [Heard] = try converter.convert(packets)
        #expect(out.count == 50)
        let last = try #require(out.last)
        #expect(last.header.timestamp &- out[0].header.timestamp == 49 * 160)
        #expect(out.filter(\.header.marker).count == 1)
        #expect(share(of: 1_000, in: try heard(out, .pcmu)[1_000...]) > 0.9)
    }

    @Test func aPauseIsOneOnTheOtherSideToo() throws {
        let all = try tone(.pcma, packets: 40, type: 8)
        // The sender stops counting while nobody speaks: numbers go on, timestamps jump.
        var after = Array(all[30...])
        for index in after.indices { after[index][3] = UInt8(110 + index) }
        let converter = try #require(SpeechConverter(from: formats([(.pcma, 8)]), to: formats([(.opus, 111)]), seed: 1))
        let out: [Heard] = try converter.convert(Array(all[..<10]) + after)
        #expect(out.count == 20)
        #expect(out[10].header.marker)
        #expect(out[10].header.timestamp &- out[9].header.timestamp == 21 * 960)
    }

    @Test func keysKeepTheirNumberAndGetTheOtherClock() throws {
        let converter = try #require(
            SpeechConverter(from: formats([(.pcmu, 0)], keys: 101), to: formats([(.opus, 111)], keys: 110, clock: 48_000), seed: 1))
        let speech = try tone(.pcmu, packets: 3, type: 0)
        let keys = held(5, packets: 6, lasting: 4, sequence: 103, timestamp: 7_480)
        let out: [Heard] = try converter.convert(speech + keys)
        let told: [Heard] = Array(out.dropFirst(3))
        #expect(told.count == 6)
        #expect(told.allSatisfy { $0.header.payloadType == 110 })
        let durations: [Int] = told.map { packet in Int(packet.payload[2]) * 256 + Int(packet.payload[3]) }
        let ends: [Bool] = told.map { packet in packet.payload[1] >= 0x80 }
        #expect(durations == [960, 1_920, 2_880, 3_840, 3_840, 3_840])
        #expect(ends == [false, false, false, false, true, true])
        #expect(Set(told.map(\.header.timestamp)).count == 1)
        #expect(told.first?.header.marker == true)
    }

    @Test func keysAreSoundedWhereTheOtherSideTakesNoEvents() throws {
        let converter = try #require(SpeechConverter(from: formats([(.opus, 111)], keys: 101), to: formats([(.pcmu, 0)]), seed: 1))
        // 100 ms, and the end of it three times.
        let out: [Heard] = try converter.convert(held(9, packets: 8, lasting: 5, sequence: 100, timestamp: 7_000))
        #expect(out.count == 5)
        let samples = try heard(out, .pcmu)
        #expect(share(of: 852, in: samples) + share(of: 1_477, in: samples) > 0.9)
    }

    @Test func keysInSpeechAreToldWhereTheOtherSideTakesEvents() throws {
        let converter = try #require(SpeechConverter(from: formats([(.pcmu, 0)]), to: formats([(.gsm, 3)], keys: 101), seed: 1))
        var key = try #require(KeyTone(event: 7, sampleRate: 8_000))
        var packets: [[UInt8]] = []
        for index in 0..<20 {
            var payload = [UInt8](repeating: 0xFF, count: 160)
            if (5..<11).contains(index) { for place in 0..<160 { payload[place] = G711.muLaw(key.next()) } }
            let head: [UInt8] = [0x80, 0, 0, UInt8(index)]
            packets.append(head + bigEndian(UInt32(index * 160)) + bigEndian(9) + payload)
        }
        let out: [Heard] = try converter.convert(packets)
        let told: [Heard] = out.filter { $0.header.payloadType == 101 }
        #expect(told.count >= 6)
        #expect(told.allSatisfy { $0.payload[0] == 7 })
        #expect(told.suffix(3).allSatisfy { $0.payload[1] & 0x80 != 0 })
        let length: Int = told.last.map { packet in Int(packet.payload[2]) * 256 + Int(packet.payload[3]) } ?? 0
        #expect(length >= 480 && length <= 1_120)
        #expect(out.last?.header.payloadType == 3)
    }

    /// A day of a tone is more than a round of Opus's timestamps.
    @Test(arguments: [(160, 8_000, 48_000, 960), (0xFFFF, 1, 48_000, 3_145_680_000), (800_000_000, 8_000, 48_000, 505_032_704)] as [(Int, Int, Int, UInt32)])
    func timeByAnotherClockGoesRound(duration: Int, clock: Int, other: Int, ticks: UInt32) {
        #expect(SpeechConverter.ticks(duration, by: clock, as: other) == ticks)
    }

    @Test func whatIsNoSpeechOfTheSourceIsNotTaken() throws {
        let converter = try #require(SpeechConverter(from: formats([(.gsm, 3)]), to: formats([(.pcmu, 0)]), seed: 1))
        let packet = try tone(.pcmu, packets: 1, type: 0)[0]
        #expect(converter.take(packet.span.bytes, try RTPHeader(parsing: packet.span.bytes)) == .notNegotiated)
        #expect(SpeechConverter(from: formats([]), to: formats([(.pcmu, 0)]), seed: 1) == nil)
    }
}

@Suite struct ConvertingSessionTests {
    private func open() throws -> RelayCore {
        var core = RelayCore(ports: 30_000...30_015)
        try core.open(
            sessionID(1), portA: 30_000, portB: 30_002, a: LegSetup(remote: alice, formats: formats([(.gsm, 3)])),
            b: LegSetup(remote: bob, formats: formats([(.pcmu, 0)])), at: milliseconds(0))
        return core
    }

    @Test func whatOneSaysTheOtherHearsInItsOwnCodec() throws {
        var core = try open()
        var sent = 0
        for (index, packet) in try tone(.gsm, packets: 20, type: 3).enumerated() {
            #expect(core.pass(packet, to: 30_000, from: alice, at: milliseconds(index * 20)) == .convert)
            for passed in core.converted(to: 30_000, at: milliseconds(index * 20)) {
                guard case .forward(30_002, bob, let bytes) = passed else {
                    Issue.record("\(passed)")
                    continue
                }
                #expect(bytes.count == 172)
                sent += 1
            }
        }
        #expect(sent == 20)
        let report = try #require({ core.report(sessionID(1)) }())
        #expect(report.isConverted)
        #expect(report.a.packetsIn == 20 && report.b.packetsOut == 20)
        #expect(report.a.quality.codecName == "GSM")
    }

    /// A peer that announces one codec and sends another, under the number of the one.
    @Test func whatIsNotOfTheCodecThatItsNumberNamesIsDroppedAndCounted() throws {
        var core = try open()
        var other = rtpPacket(sequence: 1)
        other[1] = 3
        #expect(core.pass(other, to: 30_000, from: alice, at: milliseconds(0)) == .drop(.wrongCodec))
        #expect(core.pass(rtpPacket(sequence: 2), to: 30_000, from: alice, at: milliseconds(20)) == .drop(.notNegotiated))
        let spoken = try tone(.gsm, packets: 2, type: 3)
        #expect(core.pass(spoken[0], to: 30_000, from: alice, at: milliseconds(40)) == .convert)
        #expect(core.converted(to: 30_000, at: milliseconds(40)).count == 1)
        #expect(core.pass(spoken[0], to: 30_000, from: alice, at: milliseconds(60)) == .drop(.replayed))
        let leg = try #require({ core.report(sessionID(1)) }()).a
        #expect(leg[.wrongCodec] == 1 && leg[.notNegotiated] == 1 && leg[.replayed] == 1 && leg.dropped == 3)
    }

    @Test func reportsOfOneSideEndHereAndOursGoOut() throws {
        var core = try open()
        #expect(core.pass(receiverReport(), to: 30_001, from: address("198.51.100.7:4001"), at: milliseconds(1)) == .drop(.converted))
        var reports = 0
        for (index, packet) in try tone(.gsm, packets: 300, type: 3).enumerated() {
            _ = core.pass(packet, to: 30_000, from: alice, at: milliseconds(index * 20))
            for passed in core.converted(to: 30_000, at: milliseconds(index * 20)) {
                guard case .forward(30_003, _, let bytes) = passed else { continue }
                #expect(try RTCPCompound(parsing: bytes.span.bytes).packetCount == 2)
                reports += 1
            }
        }
        #expect(reports == 1)
        #expect(core.report(sessionID(1))?.a.dropped == 0)
    }

    /// A peer that has reported once, and is asked for nothing for days.
    @Test(arguments: [1, 65_536, 39 * 3_600, 40 * 3_600, 365 * 86_400] as [UInt64]) func aReportOfOursTellsTheDelayAsFarAsItGoes(seconds: UInt64) throws {
        var quality = LegQuality()
        quality.hear(try RTPHeader(parsing: rtpPacket(sequence: 1).span.bytes), LegFormats(), at: .zero)
        let report = RTCPSenderReport(ssrc: 0xA11CE, ntp: 7 << 16, timestamp: 0, packets: 1, bytes: 160, block: nil)
        var room = [UInt8](repeating: 0, count: RTCPSenderReport.byteCountMax)
        var bytes = room.mutableSpan
        var span = bytes.mutableBytes
        let count = report.write(into: &span)
        quality.read(span.bytes.extracting(first: count), at: .zero)
        let block = try #require(quality.block(at: Instant(nanoseconds: seconds * 1_000_000_000)))
        #expect(block.lastReport == 7)
        #expect(block.delay == UInt32(clamping: seconds * 65_536))
    }

    /// All that a peer's report can say of what it hears, and what it makes of a record.
    @Test(arguments: [0, 1, UInt32.max / 2, .max]) func aReportOfThePeersMaySayAnything(word: UInt32) throws {
        var quality = LegQuality()
        for number in 0..<60 as Range<UInt16> {
            quality.hear(try RTPHeader(parsing: rtpPacket(sequence: number, ssrc: word).span.bytes), LegFormats(), at: milliseconds(Int(number) * 20))
        }
        let block = RTCPReportBlock(
            source: word, fractionLost: .max, lost: Int32(bitPattern: word), highestSequence: word, jitter: word, lastReport: word, delay: word)
        let report = RTCPSenderReport(ssrc: word, ntp: UInt64(word) << 16, timestamp: word, packets: word, bytes: word, block: block)
        var room = [UInt8](repeating: 0, count: RTCPSenderReport.byteCountMax)
        var bytes = room.mutableSpan
        var span = bytes.mutableBytes
        let count = report.write(into: &span)
        quality.tell(span.bytes.extracting(first: count), at: .zero)
        quality.read(span.bytes.extracting(first: count), at: milliseconds(1_200))
        #expect(quality.there?.jitter == word)
        let marks = [quality.mos(trips: quality.roundTrip ?? .zero), quality.mosThere(of: 60, trips: quality.roundTrip ?? .zero)]
        #expect(marks.allSatisfy { $0.map { (1...4.5).contains($0) } == true })
    }

    @Test func whenTheSidesComeToShareACodecPacketsPassAsTheyAre() throws {
        var core = try open()
        try core.change(
            sessionID(1), a: LegSetup(remote: alice, formats: LegFormats()), b: LegSetup(remote: bob, formats: LegFormats()), at: milliseconds(5))
        let packet = rtpPacket(sequence: 1)
        #expect(core.pass(packet, to: 30_000, from: alice, at: milliseconds(20)) == .forward(from: 30_002, to: bob, packet))
    }
}

@Suite struct ComfortNoiseTests {
    @Test func comfortNoiseIsToldToASideThatTakesItAndIsAPauseForOthers() throws {
        let noise: [UInt8] = [0x80, 13, 0, 110] + bigEndian(UInt32(7_000 + 10 * 160)) + bigEndian(0xA11CE) + [70]
        func packets() throws -> [[UInt8]] {
            var packets = try tone(.pcmu, packets: 10, type: 0) + [noise]
            // Half a second later speech goes on.
            for (index, packet) in try tone(.pcmu, packets: 2, type: 0).enumerated() {
                var later = packet
                later.replaceSubrange(2..<8, with: [0, UInt8(111 + index)] + bigEndian(UInt32(7_000 + 10 * 160 + 4_000 + index * 160)))
                packets.append(later)
            }
            return packets
        }
        var (from, to) = (formats([(.pcmu, 0)]), formats([(.pcma, 8)]))
        from.noise = [LegFormats.Extra(clockRate: 8_000, payloadType: 13, heardAs: 13)]
        let silent = try #require(SpeechConverter(from: from, to: to, seed: 1)).convert(packets())
        #expect(silent.map(\.header.payloadType) == [UInt8](repeating: 8, count: 12))
        to.noise = [LegFormats.Extra(clockRate: 8_000, payloadType: 13, heardAs: 13)]
        let told = try #require(SpeechConverter(from: from, to: to, seed: 1)).convert(packets())
        #expect(told.map(\.header.payloadType) == [UInt8](repeating: 8, count: 10) + [13, 8, 8])
        #expect(told[10].payload == [70])
        // The pause is in the timestamps, and speech after it is marked.
        #expect(told[11].header.timestamp &- told[9].header.timestamp == 160 + 4_000)
        #expect(told[11].header.marker)
        for (before, after) in zip(told, told.dropFirst()) { #expect(after.header.sequence == before.header.sequence &+ 1) }
    }
}
