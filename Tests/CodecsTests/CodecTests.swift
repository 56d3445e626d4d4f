import AllocationCounter
import Testing

@testable import Codecs

private let available = Codec.allCases.filter(\.isAvailable)

@Suite struct CodecTests {
    /// ITU-T G.711, by another implementation, and every byte by way of its value.
    @Test func bothLawsAreThoseOfTheStandard() throws {
        let speech = try Speech.samples("speech.s16")
        #expect(speech.map { G711.muLaw($0) } == (try Speech.bytes("speech.PCMU")))
        // Where a sample is as far from one level as from the next, FFmpeg takes the other.
        for (sample, theirs) in zip(speech, try Speech.bytes("speech.PCMA")) {
            let (ours, other) = (Int(G711.linear(aLaw: G711.aLaw(sample))), Int(G711.linear(aLaw: theirs)))
            #expect(abs(ours - Int(sample)) <= abs(other - Int(sample)))
        }
        #expect(try Speech.bytes("speech.PCMU").map { G711.linear(muLaw: $0) } == (try Speech.samples("PCMU.s16")))
        #expect(try Speech.bytes("speech.PCMA").map { G711.linear(aLaw: $0) } == (try Speech.samples("PCMA.s16")))
        for byte in UInt8.min...UInt8.max {
            #expect(G711.aLaw(G711.linear(aLaw: byte)) == byte)
            // µ-law has two zeros.
            #expect(byte == 0x7F || G711.muLaw(G711.linear(muLaw: byte)) == byte)
        }
        #expect(G711.linear(muLaw: 0x00) == -32_124)
        #expect(G711.aLaw(.max) == 0xAA)
        #expect(G711.aLaw(.min) == 0x2A)
        #expect(G711.muLaw(.min) == 0x00)
    }

    /// To the bit what FFmpeg makes of the same speech.
    @Test(arguments: [(Codec.gsm, 8_000, "speech.s16"), (.g722, 16_000, "speech16.s16")])
    func encodersAgreeWithAnotherImplementation(codec: Codec, rate: Int, file: String) throws {
        var encoder = try made(encoder: codec, rate)
        let encoded = encoder.packets(try Speech.samples(file)).flatMap(\.self)
        #expect(encoded == (try Speech.bytes("speech.\(codec.name)")))
    }

    @Test(arguments: [(Codec.gsm, 8_000, 33), (.g722, 16_000, 160), (.pcmu, 8_000, 160), (.pcma, 8_000, 160)])
    func decodersAgreeWithAnotherImplementation(codec: Codec, rate: Int, size: Int) throws {
        var decoder = try made(decoder: codec, rate)
        let bytes = try Speech.bytes("speech.\(codec.name)")
        var samples: [Int16] = []
        for start in stride(from: 0, to: bytes.count - size + 1, by: size) { samples += decoder.samples(Array(bytes[start..<start + size])) }
        #expect(samples == (try Speech.samples("\(codec.name).s16")))
    }

    /// FFmpeg's arithmetic differs in the last bits, so agreement is that of levels.
    @Test func theSamplesOfG726StandInTheOrderOfRFC3551() throws {
        var decoder = try made(decoder: .g726, 8_000)
        let samples = try Speech.bytes("speech.G726").chunks(of: 80).flatMap { decoder.samples($0) }
        #expect(Speech.signalToNoise(try Speech.samples("G726.s16"), samples) > 40)
    }

    /// A tone comes out as that tone, as loud, in as many samples.
    @Test(arguments: available, [8_000, 16_000])
    func aToneSurvives(codec: Codec, rate: Int) throws {
        var encoder = try made(encoder: codec, rate)
        var decoder = try made(decoder: codec, rate)
        let tone = Speech.tone(hertz: 1_000, seconds: 1, sampleRate: rate)
        var heard: [Int16] = []
        for packet in encoder.packets(tone) {
            let samples = decoder.samples(packet)
            #expect(samples.count == rate / 50)
            heard += samples
        }
        #expect(heard.count == rate)
        let steady = heard[(rate / 5)...]
        #expect(Speech.share(of: 1_000, in: steady, sampleRate: rate) > 0.9, "\(codec) at \(rate)")
        let ratio = Speech.level(steady) / Speech.level(tone)
        #expect(ratio > 0.8 && ratio < 1.25, "\(codec) at \(rate): \(ratio)")
    }

    @Test(arguments: available.filter(\.isWideBand))
    func wideBandKeepsWhatTelephonesCutOff(codec: Codec) throws {
        var encoder = try made(encoder: codec, 16_000)
        var decoder = try made(decoder: codec, 16_000)
        let heard = encoder.packets(Speech.tone(hertz: 5_500, seconds: 0.6, sampleRate: 16_000)).flatMap { decoder.samples($0) }
        #expect(Speech.share(of: 5_500, in: heard[3_200...], sampleRate: 16_000) > 0.8, "\(codec)")
    }

    @Test(arguments: available)
    func aLostPacketIsFilledWithWhatWentBefore(codec: Codec) throws {
        var encoder = try made(encoder: codec, 8_000)
        var decoder = try made(decoder: codec, 8_000)
        let packets = encoder.packets(Speech.tone(hertz: 500, seconds: 0.5, sampleRate: 8_000))
        for packet in packets[..<15] { _ = decoder.samples(packet) }
        let filled = decoder.concealed(160)
        #expect(filled.count == 160)
        #expect(Speech.level(filled) > 1_500, "\(codec): \(Speech.level(filled))")
        // And goes on with what comes next.
        let next = packets[16...].flatMap { decoder.samples($0) }
        #expect(Speech.share(of: 500, in: next[320...], sampleRate: 8_000) > 0.7, "\(codec)")
    }

    @Test(arguments: available)
    func bytesThatAreNoSpeechDoNoHarm(codec: Codec) throws {
        var decoder = try made(decoder: codec, 16_000)
        var state: UInt64 = 1
        for size in Array(0..<200) + [1_000, 1_500] {
            let packet = (0..<size).map { _ in
                state = state &* 6_364_136_223_846_793_005 &+ 1
                return UInt8(truncatingIfNeeded: state >> 33)
            }
            #expect(decoder.samples(packet).count <= AudioDecoder.samplesMax * 2)
        }
    }

    @Test(arguments: available)
    func nothingIsAllocatedForAPacket(codec: Codec) throws {
        var encoder = try made(encoder: codec, 8_000)
        var decoder = try made(decoder: codec, 8_000)
        let tone = Speech.tone(hertz: 800, seconds: 0.02, sampleRate: 8_000)
        var room = [UInt8](repeating: 0, count: 400)
        var bytes = room.mutableSpan
        var span = bytes.mutableBytes
        var (start, sum) = (UInt64(0), 0)
        for round in 0..<300 {
            if round == 100 { start = allocations_of_this_thread() }
            let count = encoder.encode(tone.span, into: &span)
            sum += decoder.decode(span.bytes.extracting(first: count)) { $0.count }
            if round % 10 == 0 { sum += decoder.conceal(160) { $0.count } }
        }
        #expect(allocations_of_this_thread() == start)
        #expect(sum == 300 * 160 + 30 * 160)
    }

    @Test func namesAndNumbersAreThoseOfRFC3551() {
        #expect(Codec(name: "pcma", clockRate: 8_000) == .pcma)
        #expect(Codec(name: "OPUS", clockRate: 48_000) == .opus)
        #expect(Codec(name: "opus", clockRate: 8_000) == nil)
        #expect(Codec(name: "speex", clockRate: 16_000) == .speexWide)
        #expect([0, 3, 8, 9, 18].map { Codec(fixedPayloadType: $0) } == [.pcmu, .gsm, .pcma, .g722, .g729])
        #expect(Codec(fixedPayloadType: 96) == nil)
    }
}

extension [UInt8] {
    fileprivate func chunks(of size: Int) -> [[UInt8]] { stride(from: 0, to: count, by: size).map { Array(self[$0..<Swift.min($0 + size, count)]) } }
}
