import Codecs
import Foundation
import Testing

@testable import MediaWorker

/// Energy at a frequency (Goertzel) as a level against 0 dBm0, of which a sine has a peak of 22,306 here (ITU-T G.711).
private func decibels(_ hertz: Double, in samples: ArraySlice<Int16>) -> Double {
    let factor = 2 * cos(2 * .pi * hertz / 8_000)
    var (s1, s2) = (0.0, 0.0)
    for sample in samples { (s1, s2) = (Double(sample) + factor * s1 - s2, s1) }
    let amplitude = 2 * (s1 * s1 + s2 * s2 - factor * s1 * s2).squareRoot() / Double(samples.count)
    return 20 * log10(max(amplitude, 1) / 22_306)
}

@Suite struct RingBackTests {
    @Test(arguments: [
        ("1", [440.0, 480], [2_000, 4_000]), ("44", [400, 450], [400, 200, 400, 2_000]), ("49", [425], [1_000, 4_000]), ("33", [440], [1_500, 3_500]),
        ("81", [384, 416], [1_000, 2_000]), ("", [425], [1_000, 4_000]), ("999", [425], [1_000, 4_000]),
    ])
    func theToneIsThatOfTheCountry(code: String, hertz: [Double], milliseconds: [Int]) {
        let sound = RingBackTone(countryCode: code).sound
        let samples = sound.samples.map { G711.linear(muLaw: $0) }
        #expect(sound.loops)
        #expect(samples.count == milliseconds.reduce(0, +) * 8)
        var place = 0
        for (index, length) in milliseconds.enumerated() {
            let part = samples[place..<place + length * 8]
            place += length * 8
            guard index.isMultiple(of: 2) else {
                #expect(part.allSatisfy { $0 == 0 })
                continue
            }
            // 200 ms from within: a whole number of periods of each of these.
            let middle = part.dropFirst(800).prefix(1_600)
            for tone in hertz {
                let level = decibels(tone, in: middle)
                #expect(abs(level - (hertz.count == 1 ? -13 : -16)) < 1, "\(tone) Hz at \(level) dBm0")
            }
            #expect(decibels(1_000, in: middle) < -45)
        }
    }
}
