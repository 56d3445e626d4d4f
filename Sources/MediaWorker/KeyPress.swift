internal import Codecs
package import Model

/// Keys that one side is to get, checked.
package struct KeyPress: Equatable, Sendable {
    /// More than a person presses at once.
    private static let keysMax = 32
    /// A tone that is no shorter is taken for a key everywhere (ITU-T Q.24).
    private static let millisecondsRange = 60...2_000
    private static let pauseMilliseconds = 60

    /// Numbers of RFC 4733 §3.2.
    package let events: [UInt8]
    package let payloadType: UInt8
    package let clockRate: UInt32
    /// Each.
    package let milliseconds: Int

    /// nil: there are none, or others than `0` to `9`, `*`, `#` and `A` to `D`, or by a clock that no sound has.
    package init?(_ keys: SendKeys) {
        var events: [UInt8] = []
        for key in keys.keys.uppercased() {
            guard let event = KeyTone.keys.firstIndex(of: key) else { return nil }
            events.append(UInt8(event))
        }
        guard !events.isEmpty, events.count <= KeyPress.keysMax, keys.payloadType <= 127 else { return nil }
        self.events = events
        payloadType = UInt8(keys.payloadType)
        clockRate = keys.clockRate == 0 ? 8_000 : keys.clockRate
        guard LegFormats.clockRates.contains(Int(clockRate)) else { return nil }
        let wanted = keys.milliseconds == 0 ? 100 : Int(min(keys.milliseconds, 10_000))
        milliseconds = min(max(wanted, KeyPress.millisecondsRange.lowerBound), KeyPress.millisecondsRange.upperBound)
    }

    /// As tones, for a side that takes no telephone events.
    var sound: Recording {
        var samples: [UInt8] = []
        for event in events {
            guard var tone = KeyTone(event: event, sampleRate: Recording.samplesPerSecond) else { continue }
            for _ in 0..<milliseconds * Recording.samplesPerSecond / 1_000 { samples.append(G711.muLaw(tone.next())) }
            samples.append(contentsOf: repeatElement(0xFF, count: KeyPress.pauseMilliseconds * Recording.samplesPerSecond / 1_000))
        }
        return Recording(samples: samples)
    }
}
