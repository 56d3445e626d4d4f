internal import Codecs

/// What a caller hears while the other side rings, as the country of that side has it (ITU-T E.180, supplement 2).
struct RingBackTone: Equatable, Sendable {
    /// Heard together.
    private let hertz: [Double]
    /// Tone, pause, tone, pause, over again.
    private let milliseconds: [Int]

    private init(_ hertz: [Double], _ milliseconds: [Int]) {
        self.hertz = hertz
        self.milliseconds = milliseconds
    }

    /// - Parameter countryCode: digits; a country that is not known has what E.180 §5 asks of everybody.
    init(countryCode: String) { self = RingBackTone.countries[countryCode] ?? RingBackTone([425], [1_000, 4_000]) }

    /// Both tones of a pair, and the one where there is one, come to -13 dBm0, in the middle of what E.180 §9 allows.
    private static let amplitude = 5_000.0

    /// One round of it.
    var sound: Recording {
        var samples: [UInt8] = []
        for (place, length) in milliseconds.enumerated() {
            let count = length * Recording.samplesPerSecond / 1_000
            guard place.isMultiple(of: 2) else {
                samples.append(contentsOf: repeatElement(0xFF, count: count))
                continue
            }
            var tones = hertz.map { Oscillator(hertz: $0, sampleRate: Recording.samplesPerSecond, amplitude: RingBackTone.amplitude / Double(hertz.count).squareRoot()) }
            for _ in 0..<count {
                var level = 0.0
                for index in tones.indices { level += tones[index].next() }
                samples.append(G711.muLaw(Int16(level)))
            }
        }
        return Recording(samples: samples, loops: true)
    }

    /// By calling codes. What one tone modulates another with is written as the pair that it sounds like.
    private static let countries: [String: RingBackTone] = {
        let double = [400, 200, 400, 2_000]
        var table: [String: RingBackTone] = [
            "1": RingBackTone([440, 480], [2_000, 4_000]),
            "7": RingBackTone([425], [800, 3_200]),
            "27": RingBackTone([383, 417], double),
            "32": RingBackTone([425], [1_000, 3_000]),
            "33": RingBackTone([440], [1_500, 3_500]),
            "34": RingBackTone([425], [1_500, 3_000]),
            "36": RingBackTone([425], [1_250, 3_750]),
            "43": RingBackTone([420], [1_000, 5_000]),
            "44": RingBackTone([400, 450], double),
            "46": RingBackTone([425], [1_000, 5_000]),
            "54": RingBackTone([425], [1_000, 4_500]),
            "56": RingBackTone([400], [1_000, 3_000]),
            "61": RingBackTone([413, 438], double),
            "64": RingBackTone([400, 450], double),
            "65": RingBackTone([401, 449], double),
            "81": RingBackTone([384, 416], [1_000, 2_000]),
            "82": RingBackTone([440, 480], [1_000, 2_000]),
            "86": RingBackTone([450], [1_000, 4_000]),
            "90": RingBackTone([450], [2_000, 4_000]),
            "91": RingBackTone([375, 425], double),
            "351": RingBackTone([425], [1_000, 5_000]),
            "353": RingBackTone([400, 450], double),
            "852": RingBackTone([440, 480], [400, 200, 400, 3_000]),
            "886": RingBackTone([440, 480], [1_000, 2_000]),
            "972": RingBackTone([400], [1_000, 3_000]),
        ]
        for code in ["30", "31", "39", "41", "45", "47", "48", "49", "52", "55", "57", "358", "420"] { table[code] = RingBackTone([425], [1_000, 4_000]) }
        return table
    }()
}
