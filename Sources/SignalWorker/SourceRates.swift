import Model
import Primitives

/// How much each source address may ask of us before anybody vouches for it, how much each line in its own name, and which
/// addresses are not listened to for a while. The addresses of one IPv6 link count as one. Bounded in memory.
///
/// A proxy, a carrier or an office with a thousand phones is one address: what a password or the address of a gateway vouches for
/// is given back to it, and a line that asks too much is held back by itself.
struct SourceRates: Sendable {
    private struct Bucket: Sendable {
        var tokens: TokenBucket
        var wrong = 0
        /// When the first of `wrong` was counted.
        var wrongSince = Instant.zero
        var bannedUntil: Instant?
    }

    private static let sourcesMax = 50_000
    private static let linesMax = 50_000
    private let strangers: TokenRate
    private let line: TokenRate
    private let wrongMax: Int
    private let wrongWindow: Duration
    private let banTime: Duration
    private var buckets: [SocketAddress.Host: Bucket] = [:]
    private var lines: [SubscriberID: TokenBucket] = [:]

    init(_ configuration: SignalConfiguration) {
        strangers = TokenRate(perSecond: configuration.sourceRate, burst: configuration.sourceBurst)
        line = TokenRate(perSecond: configuration.lineRate, burst: configuration.lineBurst)
        wrongMax = configuration.wrongPasswordsMax
        wrongWindow = configuration.wrongPasswordsWindow
        banTime = configuration.banTime
    }

    func isBanned(_ source: SocketAddress, now: Instant) -> Bool {
        guard let until = buckets[source.host.source]?.bannedUntil else { return false }
        return now < until
    }

    mutating func admits(_ source: SocketAddress, now: Instant) -> Bool {
        var bucket = bucket(source, now)
        defer { buckets[source.host.source] = bucket }
        return bucket.tokens.take(strangers, now: now)
    }

    /// These requests of the source turned out to be of somebody whom we know.
    mutating func vouched(_ source: SocketAddress, requests: Int) { buckets[source.host.source]?.tokens.giveBack(requests, strangers) }

    mutating func admits(line subscriber: SubscriberID, now: Instant) -> Bool {
        if lines.count >= SourceRates.linesMax { lines.removeAll() }
        return lines[subscriber, default: TokenBucket(line, now: now)].take(line, now: now)
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
        buckets[source.host.source] = bucket
        return bucket.bannedUntil.map { now < $0 } ?? false
    }

    mutating func rightPassword(_ source: SocketAddress) { buckets[source.host.source]?.wrong = 0 }

    private mutating func bucket(_ source: SocketAddress, _ now: Instant) -> Bucket {
        if let bucket = buckets[source.host.source] { return bucket }
        if buckets.count >= SourceRates.sourcesMax {
            // Those that have nothing against them start anew as if they had been silent.
            buckets = buckets.filter { $0.value.bannedUntil.map { now < $0 } ?? false }
            if buckets.count >= SourceRates.sourcesMax { buckets.removeAll() }
        }
        return Bucket(tokens: TokenBucket(strangers, now: now))
    }
}

/// So many a second on average, so many at once after a silence.
struct TokenRate: Sendable {
    let perSecond: Double
    let burst: Double

    init(perSecond: Int, burst: Int) {
        self.perSecond = Double(perSecond)
        self.burst = Double(burst)
    }
}

struct TokenBucket: Sendable {
    private var tokens: Double
    private var at: Instant

    init(_ rate: TokenRate, now: Instant) {
        tokens = rate.burst
        at = now
    }

    mutating func take(_ rate: TokenRate, now: Instant) -> Bool {
        tokens = min(rate.burst, tokens + Double((now - at).nanoseconds) / 1e9 * rate.perSecond)
        at = now
        guard tokens >= 1 else { return false }
        tokens -= 1
        return true
    }

    mutating func giveBack(_ count: Int, _ rate: TokenRate) { tokens = min(rate.burst, tokens + Double(count)) }
}
