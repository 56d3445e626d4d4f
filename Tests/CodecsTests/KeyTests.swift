import Codecs
import Testing

@Suite struct KeyTests {
    private func tone(_ event: UInt8, _ count: Int, _ rate: Int) throws -> [Int16] {
        var tone = try #require(KeyTone(event: event, sampleRate: rate))
        return (0..<count).map { _ in tone.next() }
    }

    @Test(arguments: 0..<16, [8_000, 16_000])
    func everyKeyIsHeardAsItself(event: Int, rate: Int) throws {
        var detector = try madeDetector()
        let (key, silence) = (try tone(UInt8(event), rate / 10, rate), [Int16](repeating: 0, count: rate / 10))
        let size = rate / 50
        var heard: [UInt8?] = []
        for samples in [silence, key, silence] {
            for start in stride(from: 0, to: samples.count, by: size) {
                heard.append(detector.hear(samples.span.extracting(start..<start + size), sampleRate: rate))
            }
        }
        #expect(heard.prefix(5).allSatisfy { $0 == nil })
        #expect(heard.filter { $0 == UInt8(event) }.count >= 3)
        #expect(heard.allSatisfy { $0 == nil || $0 == UInt8(event) })
        #expect(heard.last == .some(nil))
    }

    @Test func speechIsNoKey() throws {
        var detector = try madeDetector()
        let speech = try Speech.samples("speech.s16")
        for start in stride(from: 0, to: speech.count - 159, by: 160) {
            #expect(detector.hear(speech.span.extracting(start..<start + 160), sampleRate: 8_000) == nil)
        }
    }

    @Test func aKeySoundsOfItsTwoTones() throws {
        let samples = try tone(5, 1_600, 8_000)
        #expect(Speech.share(of: 770, in: samples, sampleRate: 8_000) > 0.35)
        #expect(Speech.share(of: 1_336, in: samples, sampleRate: 8_000) > 0.5)
        #expect(KeyTone(event: 16, sampleRate: 8_000) == nil)
    }
}
