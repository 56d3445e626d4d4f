import Codecs
import Testing

@Suite struct VoiceQualityTests {
    /// G.107 table B.1: R of 93.2 is a MOS of 4.41.
    @Test func aCallWithoutFaultsIsGood() {
        let quality = VoiceQuality(loss: 0, delayMilliseconds: 0, codec: .pcma)
        #expect(quality.rating > 92.5)
        #expect(quality.mos > 4.38 && quality.mos < 4.42)
    }

    @Test func lossDelayAndCodecsCost() {
        func mos(_ loss: Double, _ delay: Double, _ codec: Codec) -> Double { VoiceQuality(loss: loss, delayMilliseconds: delay, codec: codec).mos }
        #expect(mos(0, 30, .gsm) < mos(0, 30, .g729) && mos(0, 30, .g729) < mos(0, 30, .pcmu))
        #expect(mos(0.01, 30, .pcmu) < mos(0, 30, .pcmu))
        #expect(mos(0.05, 30, .g729) < 3.6)
        #expect(mos(0, 400, .pcmu) < mos(0, 150, .pcmu) - 0.5)
        #expect(mos(1, 1_000, .gsm) == 1)
        #expect((0...100).map { mos(Double($0) / 100, 50, .opus) }.allSatisfy { $0 >= 1 && $0 <= 4.5 })
    }
}
