import Testing

@testable import Codecs

// Spans cannot be handed to macros.
private func frames(_ payload: [UInt8], isWide: Bool) -> Int? { SpeexPayload.frames(payload.span.bytes, isWide: isWide) }

extension Codec {
    fileprivate func canBe(_ payload: [UInt8]) -> Bool { canBe(payload.span.bytes) }
}

@Suite struct SpeexPayloadTests {
    /// A frame of each mode (RFC 5574 §3, the Speex manual's table of bit rates), alone in its bytes and padded as RFC 5574 §3.3 wants it.
    @Test(arguments: zip(0...8, [5, 43, 119, 160, 220, 300, 364, 492, 79]))
    func aFrameIsAsLongAsItsModeSays(mode: Int, bits: Int) {
        let head: [UInt8] = [0] + Self.bits(mode, 4) + Array(repeating: 0, count: bits - 5)
        let whole = padded(head, upTo: bits)
        #expect(frames(whole, isWide: false) == 1)
        #expect(frames(whole, isWide: true) == 1)
        let cut = Array(whole.dropLast((whole.count * 8 - bits) / 8 + 1))
        #expect(frames(cut, isWide: false) == (cut.isEmpty ? 0 : nil))
        // Its layer of the wide band: five of the eight numbers mean one.
        for (layer, layerBits) in [4, 36, 112, 192, 352].enumerated() {
            let wide = padded(head + [1] + Self.bits(layer, 3), upTo: bits + layerBits)
            #expect(frames(wide, isWide: true) == 1)
        }
        for layer in 5...7 {
            let wrong = padded(head + [1] + Self.bits(layer, 3), upTo: bits + 400)
            #expect(frames(wrong, isWide: true) == nil)
            #expect(frames(wrong, isWide: false) == nil)
        }
    }

    @Test func requestsStandBeforeAFrameAndOtherModesMeanNothing() {
        let silence: [UInt8] = [0, 0, 0, 0, 0]
        for (number, bits) in [1, 1, 4, 4, 4, 4, 4, 4, 8, 8, 16, 16, 32, 32, 64, 64].enumerated() {
            let head: [UInt8] = [0] + Self.bits(14, 4) + Self.bits(number, 4)
            let request = padded(head + Self.ones(bits) + silence, upTo: 0)
            #expect(frames(request, isWide: false) == 1, "\(number)")
        }
        let ownHead: [UInt8] = [0] + Self.bits(13, 4) + Self.bits(2, 4)
        let own = padded(ownHead + Self.ones(5 + 16) + silence, upTo: 0)
        #expect(frames(own, isWide: false) == 1)
        for mode in 9...12 {
            let wrong = padded([0] + Self.bits(mode, 4), upTo: 200)
            #expect(frames(wrong, isWide: false) == nil)
        }
        #expect(frames([0x7F], isWide: false) == 0)
    }

    @Test(arguments: [Codec.speex, .speexWide]) func whatAnEncoderMakesIsSpeex(codec: Codec) throws {
        let rate = codec == .speexWide ? 16_000 : 8_000
        guard var encoder = AudioEncoder(codec, sampleRate: rate) else { throw Missing() }
        let tone = Speech.tone(hertz: 700, seconds: 1, sampleRate: rate)
        for number in 1...3 {
            var room = [UInt8](repeating: 0, count: 4_000)
            var bytes = room.mutableSpan
            var span = bytes.mutableBytes
            let count = encoder.encode(tone.span.extracting(first: number * rate / 50), into: &span)
            #expect(frames(Array(room[..<count]), isWide: codec == .speexWide) == number)
        }
    }

    /// libspeex tells of what it cannot read on standard error: of random bytes, and of an encoder's that were changed, it hears none.
    @Test func nothingThatAPeerSendsIsWrittenToStandardError() async throws {
        let result = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
            var state: UInt64 = 7
            func random(_ bound: Int) -> Int {
                state = state &* 6_364_136_223_846_793_005 &+ 1
                return Int((state >> 33) % UInt64(bound))
            }
            for codec in [Codec.speex, .speexWide] {
                let rate = codec == .speexWide ? 16_000 : 8_000
                var encoder = AudioEncoder(codec, sampleRate: rate)!
                var decoder = AudioDecoder(codec, sampleRate: rate)!
                let spoken = encoder.packets(Speech.tone(hertz: 400, seconds: 1, sampleRate: rate))
                var (taken, refused) = (0, 0)
                for round in 0..<60_000 {
                    var payload: [UInt8]
                    if round.isMultiple(of: 2) {
                        payload = (0..<random(90)).map { _ in UInt8(random(256)) }
                    } else {
                        payload = spoken[random(spoken.count)] + (random(3) == 0 ? spoken[random(spoken.count)] : [])
                        for _ in 0..<random(3) { payload[random(payload.count)] ^= UInt8(1 << random(8)) }
                        if random(4) == 0 { payload.removeLast(random(payload.count)) }
                    }
                    let found = frames(payload, isWide: codec == .speexWide)
                    let samples = decoder.samples(payload).count
                    // What is taken is decoded to its end: the walk and the library agree.
                    precondition(samples == min(found ?? 0, AudioDecoder.samplesMax / (rate / 50)) * rate / 50, "\(payload)")
                    if found == nil { refused += 1 } else { taken += 1 }
                }
                precondition(taken > 10_000 && refused > 10_000, "\(taken) \(refused)")
            }
        }
        #expect(String(decoding: try #require(result).standardErrorContent, as: UTF8.self) == "")
    }

    @Test func aPayloadIsOfItsCodecOrNot() {
        let no: [(Codec, [UInt8])] = [
            (.gsm, Array(repeating: 0xD0, count: 32)), (.gsm, Array(repeating: 0x00, count: 33)), (.g729, Array(repeating: 1, count: 9)), (.opus, [0x0B]), (.opus, [0x03, 0x00]),
            (.speex, [0x48]), (.speexWide, [0x4F]),
        ]
        for (codec, payload) in no { #expect(!codec.canBe(payload), "\(codec) \(payload)") }
        for codec in Codec.allCases { #expect(codec.canBe([])) }
        for codec in Codec.allCases where codec.isAvailable {
            guard var encoder = AudioEncoder(codec, sampleRate: codec.isWideBand ? 16_000 : 8_000) else { continue }
            let packets = encoder.packets(Speech.tone(hertz: 900, seconds: 0.2, sampleRate: encoder.sampleRate))
            #expect(packets.count == 10)
            for packet in packets { #expect(codec.canBe(packet), "\(codec)") }
        }
    }

    private struct Missing: Error {}

    private static func ones(_ count: Int) -> [UInt8] { Array(repeating: 1, count: count) }

    private static func bits(_ value: Int, _ count: Int) -> [UInt8] { (0..<count).map { UInt8(value >> (count - 1 - $0) & 1) } }

    /// Zeros up to a length, then a zero and ones to the end of the byte.
    private func padded(_ bits: [UInt8], upTo count: Int) -> [UInt8] {
        var all = bits + Array(repeating: 0, count: max(0, count - bits.count))
        if !all.count.isMultiple(of: 8) { all.append(0) }
        while !all.count.isMultiple(of: 8) { all.append(1) }
        return stride(from: 0, to: all.count, by: 8).map { start in all[start..<start + 8].reduce(0) { $0 << 1 | $1 } }
    }
}
