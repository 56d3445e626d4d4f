import ArgumentParser
import Codecs
import MediaWorker
import Model
import Primitives
import RTP

struct TranscodeGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "transcode", abstract: "Calls converted from one codec to another on one core.", discussion: "Example: ledgerline-bench transcode")

    private static let pairs: [(Codec, Codec)] = [
        (.pcmu, .pcma), (.pcmu, .g722), (.pcmu, .g726), (.pcmu, .gsm), (.pcmu, .g729), (.pcmu, .speex), (.pcmu, .opus), (.g722, .opus),
    ]

    mutating func run() throws {
        for (a, b) in Self.pairs where a.isAvailable && b.isAvailable {
            let there = try cost(from: a, to: b)
            let back = try cost(from: b, to: a)
            // Each side says fifty packets a second.
            let calls = 1 / (50 * (there / .seconds(1) + back / .seconds(1)))
            Figure(name: "transcode.\(name(a))_\(name(b)).calls_per_core", value: calls.rounded(), unit: "calls").print()
            Figure(name: "transcode.\(name(a))_\(name(b)).packet", value: (there + back).inMicroseconds / 2, unit: "µs").print()
        }
    }

    private func name(_ codec: Codec) -> String { codec.name.lowercased().filter { $0 != "-" } }

    /// Of one packet of 20 ms: received, decoded, encoded, made ready to be sent; without the kernel. A hundred sessions in turn, each with
    /// state of its own.
    private func cost(from: Codec, to: Codec) throws -> Duration {
        let sessions = 100
        var core = RelayCore(ports: 30_000...30_399)
        for index in 0..<sessions {
            let port = UInt16(30_000 + index * 4)
            try core.open(
                MediaSessionID(UUIDv7(high: 0x7000, low: UInt64(index))), portA: port, portB: port + 2,
                a: LegSetup(remote: .loopback(port + 10_000), formats: formats(from)), b: LegSetup(remote: .loopback(port + 10_002), formats: formats(to)),
                at: .zero)
        }
        let speech = try BenchSpeech.packets(from)
        var buffer = [UInt8](repeating: 0, count: 2_048)
        var (step, sent) = (0, 0)
        let time = timePerRun(round: sessions) {
            let (round, index) = step.quotientAndRemainder(dividingBy: sessions)
            step += 1
            let port = UInt16(30_000 + index * 4)
            let payload = speech[round % speech.count]
            let now = Instant(nanoseconds: UInt64(round) * 20_000_000)
            var bytes = buffer.mutableSpan
            var span = unsafe bytes.mutableBytes
            RTPHeader(
                marker: false, payloadType: 100, sequence: UInt16(truncatingIfNeeded: round), timestamp: UInt32(truncatingIfNeeded: round * from.clockRate / 50),
                ssrc: UInt32(index)
            ).write(into: &span)
            for place in 0..<payload.count { span.storeBytes(of: payload[place], toByteOffset: 12 + place, as: UInt8.self) }
            let verdict = core.handle(port: port, from: .loopback(port + 10_000), &span, count: 12 + payload.count, at: now)
            guard case .convert = verdict else { preconditionFailure("\(verdict)") }
            while core.convertedPacket(port: port, at: now, &span) != nil { sent += 1 }
        }
        precondition(sent >= step)
        return time
    }

    private func formats(_ codec: Codec) -> LegFormats {
        var formats = LegFormats()
        formats.speech = [LegFormats.Speech(codec: codec, payloadType: 100, heardAs: 100)]
        formats.converts = true
        return formats
    }
}
