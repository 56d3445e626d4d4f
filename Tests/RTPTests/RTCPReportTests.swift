import Primitives
import RTP
import Testing

@Suite struct RTCPReportTests {
    private static let block = RTCPReportBlock(
        source: 0xB0B, fractionLost: 12, lost: -3, highestSequence: 0x1_0020, jitter: 55, lastReport: 0x1234_5678, delay: 65_536)

    private func written(_ block: RTCPReportBlock?) -> [UInt8] {
        let report = RTCPSenderReport(ssrc: 0xA11CE, ntp: 0xAAAA_1234_5678_BBBB, timestamp: 160, packets: 7, bytes: 1_120, block: block)
        var room = [UInt8](repeating: 0, count: RTCPSenderReport.byteCountMax)
        var bytes = room.mutableSpan
        var span = bytes.mutableBytes
        let count = report.write(into: &span)
        return Array(room[..<count])
    }

    @Test(arguments: [nil, block]) func whatIsWrittenIsReadAgain(block: RTCPReportBlock?) throws {
        let packet = written(block)
        let compound = try RTCPCompound(parsing: packet.span.bytes)
        #expect(compound.senderSSRC == 0xA11CE)
        #expect(compound.packetCount == 2)
        var (sent, received) = ([RTCPSenderTime](), [RTCPReportBlock]())
        RTCPCompound.forEachReport(in: packet.span.bytes) { sent.append($0) } received: { received.append($0) }
        #expect(sent.map(\.middle) == [0x1234_5678])
        #expect(received == (block.map { [$0] } ?? []))
    }

    @Test func aReportThatClaimsMoreBlocksThanItHoldsIsReadAsFarAsItGoes() {
        var packet = written(Self.block)
        packet[0] |= 0x1F
        var received = 0
        RTCPCompound.forEachReport(in: packet.span.bytes) { _ in } received: { _ in received += 1 }
        #expect(received == 1)
        for length in 0..<packet.count {
            RTCPCompound.forEachReport(in: packet.span.bytes.extracting(first: length)) { _ in } received: { _ in }
        }
    }
}

@Suite struct StreamStatisticsTests {
    private func heard(_ packets: [(sequence: UInt16, milliseconds: Int)], step: UInt32 = 160) -> StreamStatistics {
        var statistics = StreamStatistics()
        statistics.setClock(8_000)
        for packet in packets {
            statistics.hear(
                ssrc: 1, sequence: packet.sequence, timestamp: UInt32(packet.sequence) &* step, at: Instant(nanoseconds: UInt64(packet.milliseconds) * 1_000_000))
        }
        return statistics
    }

    @Test func gapsAreLossAndWhatComesLateIsNone() {
        let numbers: [Int] = (0..<100).filter { $0 != 40 && $0 != 41 }
        let all: [(sequence: UInt16, milliseconds: Int)] = numbers.map { (UInt16($0), $0 * 20) }
        #expect(heard(all).lost == 2)
        #expect(heard(all).expected == 100)
        var late = all
        late.insert((40, 850), at: 45)
        #expect(heard(late).lost == 1)
        #expect(heard(all).jitterMax < 1_000_000)
    }

    @Test func numbersGoRoundAndSourcesChange() {
        let numbers: [Int] = Array(65_500..<65_546)
        var statistics = heard(numbers.map { number in (UInt16(truncatingIfNeeded: number), number * 20) })
        #expect(statistics.lost == 0)
        #expect(statistics.expected == 46)
        for sequence in [UInt16(7), 9] { statistics.hear(ssrc: 2, sequence: sequence, timestamp: 0, at: .zero) }
        #expect(statistics.lost == 1)
        #expect(statistics.expected == 49)
        #expect(statistics.ssrc == 2)
    }

    /// Packets alternate between 10 ms late and on time: the jitter of RFC 3550 tends to 10 ms.
    @Test func jitterIsThatOfTheStandard() {
        var packets: [(sequence: UInt16, milliseconds: Int)] = []
        for number in 0..<400 {
            let late: Int = number.isMultiple(of: 2) ? 0 : 10
            packets.append((UInt16(number), number * 20 + late))
        }
        let jitter = heard(packets).jitter
        #expect(jitter > 9_000_000 && jitter <= 10_000_000)
    }

    @Test func theClockOfThePayloadCounts() {
        var statistics = StreamStatistics()
        statistics.setClock(48_000)
        for step in UInt16(0)..<100 {
            let now = Instant(nanoseconds: UInt64(step) * 20_000_000)
            statistics.hear(ssrc: 1, sequence: step, timestamp: UInt32(step) * 960, at: now)
        }
        #expect(statistics.jitterMax < 100_000)
    }

    @Test func aPauseIsSilenceAndALeapOfTheTimestampsIsNone() {
        var statistics = heard([(1, 20), (2, 40)])
        statistics.hear(ssrc: 1, sequence: 3, timestamp: 320 + 16_160, at: Instant(nanoseconds: 2_063_000_000))
        #expect(statistics.silence == 2_020_000_000)
        // A minute by the timestamps, within 20 ms.
        statistics.hear(ssrc: 1, sequence: 4, timestamp: 320 + 16_160 + 480_000, at: Instant(nanoseconds: 2_083_000_000))
        #expect(statistics.silence == 2_020_000_000)
    }

    /// Of the slowest clock that there is, the fastest, and none.
    @Test(arguments: [Int.min, 1, 8_000, 48_000, .max], [UInt32.max / 2, .max / 2 + 1, 1, .max])
    func timestampsMayBeAnything(hertz: Int, step: UInt32) {
        var statistics = StreamStatistics()
        statistics.setClock(hertz)
        for number in 0..<40_000 {
            let now = Instant(nanoseconds: UInt64(number) * 20_000_000)
            statistics.hear(ssrc: 1, sequence: UInt16(truncatingIfNeeded: number), timestamp: UInt32(number) &* step, at: now)
        }
        #expect(statistics.silence >= 0 && statistics.silence <= 800_000_000_000)
        #expect(statistics.lost == 0 && statistics.next(at: .zero) != nil)
    }

    /// Packets that pass by the kernel are heard by its clock, which goes on after the worker's turn has begun.
    @Test func aPacketMayBeHeardBeforeTheOneBeforeIt() {
        var statistics = heard([(1, 20), (2, 40)])
        var position = statistics.position
        position.heardAt = Instant(nanoseconds: 40_002_000)
        position.silence = .max
        statistics.goOn(to: position, of: 1, packets: 1)
        statistics.hear(ssrc: 1, sequence: 3, timestamp: 319, at: Instant(nanoseconds: 40_000_000))
        #expect(statistics.jitter > 0 && statistics.jitter < 1_000_000)
        // A pause beside a count that is full.
        statistics.hear(ssrc: 1, sequence: 4, timestamp: 319 + 16_000, at: Instant(nanoseconds: 2_040_000_000))
        #expect(statistics.heard == 5)
    }
}
