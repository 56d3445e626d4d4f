import ArgumentParser
import Codecs
import Glibc
import MediaWorker
import Model
import Primitives
import RTP

struct ConferenceGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "conference", abstract: "Participants of conferences on one core.", discussion: "Example: ledgerline-bench conference")

    private static let kinds: [(String, Codec)] = [("pcmu", .pcmu), ("g722", .g722), ("opus", .opus)]

    mutating func run() throws {
        for (name, codec) in Self.kinds where codec.isAvailable {
            for size in [3, 30] {
                let time = try cost(of: codec, size: size)
                Figure(name: "conference.\(name).of_\(size).participants_per_core", value: (0.02 / (time / .seconds(1))).rounded(), unit: "participants").print()
            }
        }
    }

    /// Of one participant for 20 ms: its packet received and decoded, its share of the mix, its own packet encoded and made ready to be sent; without the kernel.
    /// All speak, in as many rooms of that size as make about a hundred participants.
    private func cost(of codec: Codec, size: Int) throws -> Duration {
        let rooms = 90 / size
        let count = rooms * size
        var core = RelayCore(ports: 30_000...30_399)
        var formats = LegFormats()
        formats.speech = [LegFormats.Speech(codec: codec, payloadType: 100, heardAs: 100)]
        for index in 0..<count {
            let port = UInt16(30_000 + index * 4)
            var seat = LegSetup()
            seat.seat = ConferencePlace(room: [UInt8](repeating: UInt8(index / size), count: 16))
            seat.seat?.isSilent = true
            seat.seat?.participantsMax = size
            try core.open(
                MediaSessionID(UUIDv7(high: 0x7000, low: UInt64(index))), portA: port, portB: port + 2,
                a: LegSetup(remote: .loopback(port + 10_000), formats: formats), b: seat, at: .zero)
        }
        let speech = try packets(codec)
        var buffer = [UInt8](repeating: 0, count: 2_048)
        var (round, sent) = (0, 0)
        let time = timePerRun(round: 1) {
            round += 1
            let now = Instant(nanoseconds: UInt64(round) * 20_000_000)
            var bytes = buffer.mutableSpan
            var span = unsafe bytes.mutableBytes
            for index in 0..<count {
                let port = UInt16(30_000 + index * 4)
                let payload = speech[(round + index) % speech.count]
                RTPHeader(
                    marker: false, payloadType: 100, sequence: UInt16(truncatingIfNeeded: round), timestamp: UInt32(truncatingIfNeeded: round * codec.clockRate / 50),
                    ssrc: UInt32(index)
                ).write(into: &span)
                for place in 0..<payload.count { span.storeBytes(of: payload[place], toByteOffset: 12 + place, as: UInt8.self) }
                _ = core.handle(port: port, from: .loopback(port + 10_000), &span, count: 12 + payload.count, at: now)
            }
            while core.promptPacket(at: now, &span) != nil { sent += 1 }
        }
        precondition(sent >= (round - 20) * count)
        return time / count
    }

    /// Two seconds of three tones that come and go.
    private func packets(_ codec: Codec) throws -> [[UInt8]] {
        let rate = codec.isWideBand ? 16_000 : 8_000
        guard var encoder = AudioEncoder(codec, sampleRate: rate) else { return [] }
        return (0..<100).map { index in
            var samples = [Int16](repeating: 0, count: rate / 50)
            for place in samples.indices {
                let time = Double(index * samples.count + place) / Double(rate)
                let level = 6_000 * (1 + sin(time * 9))
                samples[place] = Int16(level * (sin(time * 1_700) + 0.5 * sin(time * 4_900)) / 2)
            }
            var payload = [UInt8](repeating: 0, count: samples.count * 2 + 256)
            var bytes = payload.mutableSpan
            var room = unsafe bytes.mutableBytes
            let count = encoder.encode(samples.span, into: &room)
            return Array(payload[..<count])
        }
    }
}
