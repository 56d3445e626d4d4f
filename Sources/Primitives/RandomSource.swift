/// Randomness that is handed in: the system's in production, a seeded sequence in a simulation.
package struct RandomSource: RandomNumberGenerator, Sendable {
    private enum Source: Sendable {
        case system
        case seeded(SplitMix64)
    }
    private var source: Source

    private init(_ source: Source) { self.source = source }

    /// The kernel's generator; fit for nonces, tags and tokens.
    package static var system: RandomSource { RandomSource(.system) }

    /// Repeats exactly for a seed; never for secrets.
    package init(seed: UInt64) { self.init(.seeded(SplitMix64(state: seed))) }

    package mutating func next() -> UInt64 {
        switch source {
        case .system:
            var generator = SystemRandomNumberGenerator()
            return generator.next()
        case .seeded(var generator):
            let value = generator.next()
            source = .seeded(generator)
            return value
        }
    }

    /// A source of its own for a part of the work: what that draws does not shift what is drawn here.
    package mutating func fork() -> RandomSource {
        switch source {
        case .system: .system
        case .seeded: RandomSource(seed: next())
        }
    }

    package mutating func bytes(_ count: Int) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(count)
        while result.count < count {
            var word = next()
            for _ in 0..<min(8, count - result.count) {
                result.append(UInt8(truncatingIfNeeded: word))
                word >>= 8
            }
        }
        return result
    }
}

private struct SplitMix64: Sendable {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
