internal import Codecs
internal import Primitives
internal import Recordings

/// One recording while it is made: packets in, chunks of the file out. Belongs to the recorder's thread.
final class RecordingJob {
    /// What comes later than this is not recorded where it belonged, but lost.
    private static let lateness: Duration = .milliseconds(400)

    let setup: RecordingSetup
    let tap: RecordingTap
    private let file: RecordingFile
    private let rate: Int
    private let beganAt: Instant
    private let a: RecordingTrack
    private let b: RecordingTrack
    /// Samples of each channel that are in the file.
    private var written = 0
    /// Speech of each side behind them.
    private var waiting: (a: [Int16], b: [Int16]) = ([], [])
    private(set) var lost: UInt64 = 0
    private var spare: [UInt8] = []
    private(set) var hasEnded = false

    /// - Parameter path: of the file, which is made.
    init(_ setup: RecordingSetup, _ tap: RecordingTap, path: String, at now: Instant) throws(RecordingError) {
        self.setup = setup
        self.tap = tap
        rate = setup.rate
        beganAt = setup.beganAt
        file = try RecordingFile(
            path, RecordingFormat(id: setup.id, channels: setup.isMixed ? 1 : 2, rate: setup.rate, sealedKey: setup.sealedKey), key: setup.key)
        a = RecordingTrack(rate: setup.rate)
        b = RecordingTrack(rate: setup.rate)
    }

    /// Takes in what came, and writes what is old enough to be complete.
    func turn(at now: Instant) throws(RecordingError) {
        let contents = tap.takeAll(spare)
        contents.forEach { side, time, packet in
            let arrival = samples(until: time)
            switch side {
            case .a: a.take(packet, arrival: arrival, contents.formats.a) { add($1, at: $0, to: &waiting.a) }
            case .b: b.take(packet, arrival: arrival, contents.formats.b) { add($1, at: $0, to: &waiting.b) }
            }
        }
        spare = contents.bytes
        lost = contents.lost
        hasEnded = contents.hasEnded
        let end = hasEnded ? max(samples(until: now), written + max(waiting.a.count, waiting.b.count)) : samples(until: now + (.zero - Self.lateness))
        // Half a second makes a chunk: so much is lost at most when the process is killed, beside what waits for late packets.
        if hasEnded || end - written >= rate / 2 { try write(until: end) }
    }

    func finish() throws(RecordingError) -> RecordingFile.Seal { try file.finish() }

    private func samples(until time: Instant) -> Int { Int(max(0, (time - beganAt).nanoseconds) / 1_000 * Int64(rate) / 1_000_000) }

    private func add(_ speech: Span<Int16>, at position: Int, to channel: inout [Int16]) {
        let start = position - written
        // What claims to be from the far future is not believed.
        guard start > -speech.count, start < rate * 10 else { return }
        let skipped = max(0, -start)
        let end = start + speech.count
        if channel.count < end { channel.append(contentsOf: repeatElement(0, count: end - channel.count)) }
        for index in skipped..<speech.count { channel[start + index] = speech[index] }
    }

    private func write(until end: Int) throws(RecordingError) {
        let count = end - written
        guard count > 0 else { return }
        var speech: [UInt8] = []
        speech.reserveCapacity(count * 2)
        for index in 0..<count {
            let left = index < waiting.a.count ? waiting.a[index] : 0
            let right = index < waiting.b.count ? waiting.b[index] : 0
            if setup.isMixed {
                speech.append(G711.muLaw(Int16(clamping: Int(left) + Int(right))))
            } else {
                speech.append(G711.muLaw(left))
                speech.append(G711.muLaw(right))
            }
        }
        waiting.a.removeFirst(min(count, waiting.a.count))
        waiting.b.removeFirst(min(count, waiting.b.count))
        written = end
        try file.append(speech[...])
    }
}
