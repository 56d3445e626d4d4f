internal import Codecs
internal import Primitives

/// Those who talk together: every 20 ms each hears what all others say, of whom as many are heard at a time as can be understood.
///
/// Belongs to one thread.
final class ConferenceRoom {
    /// Mean of the samples from which on it is speech, some -50 dB.
    static let speechLevel = 100
    /// More at once is noise. Who was heard stays so before somebody who is as loud.
    static let speakersMax = 5

    let id: [UInt8]
    private(set) var members: [ConferenceMember] = []
    private(set) var rate = 8_000
    private var mix = ConferenceMix(sum: [])
    var nextAt: Instant
    /// A sound that all hear, and how much of it was heard.
    private var beep: (samples: [Int16], place: Int)?

    init(_ id: [UInt8], at now: Instant) {
        self.id = id
        nextAt = now
    }

    /// The first with a wide band makes the room's wide, and everybody another member.
    ///
    /// - Returns: nil: its codec is none that can be mixed.
    func join(_ id: MediaSessionID, _ formats: LegFormats, seed: UInt64, isSilent: Bool) -> ConferenceMember? {
        if rate == 8_000, formats.isWideBand {
            rate = 16_000
            members = members.compactMap { ConferenceMember(continuing: $0, rate: rate) }
            beep = nil
        }
        guard let member = ConferenceMember(id, formats, rate: rate, seed: seed) else { return nil }
        leave(id, isSilent: true)
        members.append(member)
        if !isSilent { sound([660, 880]) }
        return member
    }

    func leave(_ id: MediaSessionID, isSilent: Bool) {
        let before = members.count
        members.removeAll { $0.id == id }
        if members.count < before, !isSilent { sound([880, 660]) }
    }

    func member(_ id: MediaSessionID) -> ConferenceMember? { members.first { $0.id == id } }

    /// Two short tones: up for who comes, down for who goes.
    private func sound(_ tones: [Double]) {
        var samples: [Int16] = []
        for hertz in tones {
            var tone = Oscillator(hertz: hertz, sampleRate: rate, amplitude: 3_000)
            for _ in 0..<rate / 10 { samples.append(Int16(tone.next())) }
        }
        beep = (samples, 0)
    }

    /// Gathers what is said in the next 20 ms.
    ///
    /// - Parameter jitter: of a member's packets.
    func turn(at now: Instant, jitter: (MediaSessionID) -> Duration) {
        // A thread that was held up does not make up for all that it owes.
        nextAt = now - nextAt > .milliseconds(200) ? now + ConferenceMember.frame : nextAt + ConferenceMember.frame
        for member in members { member.listen(jitter: jitter(member.id)) }
        chooseSpeakers()
        let count = rate / 50
        mix.sum = Array(repeating: 0, count: count)
        mix.payloads.removeAll(keepingCapacity: true)
        mix.isSilent = true
        for member in members where member.isSpeaking {
            for index in 0..<count { mix.sum[index] += Int32(member.saying[index]) }
            mix.isSilent = false
        }
        if var beep {
            for index in 0..<min(count, beep.samples.count - beep.place) { mix.sum[index] += Int32(beep.samples[beep.place + index]) }
            beep.place += count
            mix.isSilent = false
            self.beep = beep.place < beep.samples.count ? beep : nil
        }
    }

    private func chooseSpeakers() {
        var loud = members.filter(\.isLoud)
        if loud.count > Self.speakersMax {
            loud.sort { ($0.isSpeaking ? 5 : 4) * $0.level > ($1.isSpeaking ? 5 : 4) * $1.level }
            loud.removeLast(loud.count - Self.speakersMax)
        }
        for member in members { member.isSpeaking = false }
        for member in loud { member.isSpeaking = true }
    }

    /// - Returns: bytes of the member's packet; 0: none is to be sent.
    func write(_ member: ConferenceMember, into packet: inout MutableRawSpan) -> Int { member.write(&mix, into: &packet) }
}
