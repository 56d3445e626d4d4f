import Primitives

/// How much each source address may ask of us, and which are not listened to for a while. Bounded in memory.
struct SourceRates: Sendable {
    private struct Bucket: Sendable {
        var tokens: Double
        var at: Instant
        var wrong = 0
        /// When the first of `wrong` was counted.
        var wrongSince = Instant.zero
        var bannedUntil: Instant?
    }

    private static let sourcesMax = 50_000
    private let rate: Double
    private let burst: Double
    private let wrongMax: Int
    private let wrongWindow: Duration
    private let banTime: Duration
    private var buckets: [SocketAddress.Host: Bucket] = [:]

    init(_ configuration: SignalConfiguration) {
        rate = Double(configuration.sourceRate)
        burst = Double(configuration.sourceBurst)
        wrongMax = configuration.wrongPasswordsMax
        wrongWindow = configuration.wrongPasswordsWindow
        banTime = configuration.banTime
    }

    func isBanned(_ source: SocketAddress, now: Instant) -> Bool {
        guard let until = buckets[source.host]?.bannedUntil else { return false }
        return now < until
    }

    mutating func admits(_ source: SocketAddress, now: Instant) -> Bool {
        var bucket = bucket(source, now)
        bucket.tokens = min(burst, bucket.tokens + Double((now - bucket.at).nanoseconds) / 1e9 * rate)
        bucket.at = now
        defer { buckets[source.host] = bucket }
        guard bucket.tokens >= 1 else { return false }
        bucket.tokens -= 1
        return true
    }

    /// - Returns: whether the source is banned from now on.
    mutating func wrongPassword(_ source: SocketAddress, now: Instant) -> Bool {
        var bucket = bucket(source, now)
        if now - bucket.wrongSince > wrongWindow { (bucket.wrong, bucket.wrongSince) = (0, now) }
        bucket.wrong += 1
        if bucket.wrong >= wrongMax {
            bucket.wrong = 0
            bucket.bannedUntil = now + banTime
        }
        buckets[source.host] = bucket
        return bucket.bannedUntil.map { now < $0 } ?? false
    }

    mutating func rightPassword(_ source: SocketAddress) { buckets[source.host]?.wrong = 0 }

    private mutating func bucket(_ source: SocketAddress, _ now: Instant) -> Bucket {
        if let bucket = buckets[source.host] { return bucket }
        if buckets.count >= SourceRates.sourcesMax {
            // Those that have nothing against them start anew as if they had been silent.
            buckets = buckets.filter { $0.value.bannedUntil.map { now < $0 } ?? false }
            if buckets.count >= SourceRates.sourcesMax { buckets.removeAll() }
        }
        return Bucket(tokens: burst, at: now)
    }
}
