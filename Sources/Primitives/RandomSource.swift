internal import Glibc
internal import Synchronization

/// Randomness that is handed in: the system's in production, a seeded sequence in a simulation.
public struct RandomSource: RandomNumberGenerator, Sendable {
    private enum Source: Sendable {
        case system
        case pool(RandomPool)
        case seeded(SplitMix64)
    }
    private var source: Source

    private init(_ source: Source) { self.source = source }

    /// The kernel's generator; fit for nonces, tags and tokens.
    public static var system: RandomSource { RandomSource(.system) }

    /// The same, asked for many words at a time: for who draws often. Copies and forks draw from one pool.
    public static func pooled() -> RandomSource { RandomSource(.pool(RandomPool())) }

    /// Repeats exactly for a seed; never for secrets.
    public init(seed: UInt64) { self.init(.seeded(SplitMix64(state: seed))) }

    public mutating func next() -> UInt64 {
        switch source {
        case .system:
            var generator = SystemRandomNumberGenerator()
            return generator.next()
        case .pool(let pool): return pool.next()
        case .seeded(var generator):
            let value = generator.next()
            source = .seeded(generator)
            return value
        }
    }

    /// A source of its own for a part of the work: what that draws does not shift what is drawn here.
    public mutating func fork() -> RandomSource {
        switch source {
        case .system, .pool: self
        case .seeded: RandomSource(seed: next())
        }
    }

    public mutating func bytes(_ count: Int) -> [UInt8] {
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

/// Words of the kernel's generator, as many as it gives at a time (getentropy(3)). None is handed out twice, and none stays here after it was.
private final class RandomPool: Sendable {
    private static let wordsMax = 32
    private let words = Mutex<[UInt64]>([])

    func next() -> UInt64 {
        words.withLock { words in
            if words.isEmpty {
                words = [UInt64](repeating: 0, count: Self.wordsMax)
                let status = unsafe words.withUnsafeMutableBytes { unsafe getentropy($0.baseAddress, $0.count) }
                precondition(status == 0, "getentropy: \(errno)")
            }
            let last = words.count - 1
            let word = words[last]
            words[last] = 0
            words.removeLast()
            return word
        }
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
