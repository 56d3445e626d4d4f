import HTTPTypes
import OpenSSL
package import Primitives
import Subjects
import Synchronization

/// How often one address may ask for what costs somebody something: a mail to a stranger, a password to be hashed. In memory
/// alone: a restart forgets it.
package final class Throttle: Sendable {
    package enum Kind: UInt8, Sendable {
        /// By the peer's address.
        case mail, password, link
        /// By the e-mail address that the mail would go to.
        case recipient
    }

    /// So many within an hour, at once if need be.
    package let perHour: @Sendable (Kind) -> Double
    private let buckets = Mutex<[[UInt8]: Bucket]>([:])
    private static let bucketsMax = 100_000

    private struct Bucket {
        var left: Double
        var at: WallTime
    }

    package static let standard: @Sendable (Kind) -> Double = { kind in
        switch kind {
        case .mail: 20
        case .password: 120
        case .link: 60
        case .recipient: 4
        }
    }

    package init(perHour: @escaping @Sendable (Kind) -> Double = Throttle.standard) { self.perHour = perHour }

    /// nil: go on. Else the seconds after which it may be asked again.
    package func wait(_ kind: Kind, _ who: String, at now: WallTime) -> Int? {
        let limit = perHour(kind)
        let key = [kind.rawValue] + Hash.sha256(Array(Self.network(who).utf8)).prefix(16)
        return buckets.withLock { buckets in
            if buckets.count >= Self.bucketsMax {
                // Those that are full again say nothing.
                buckets = buckets.filter { _, bucket in Self.hours(from: bucket.at, to: now) * limit + bucket.left < limit }
                if buckets.count >= Self.bucketsMax { return 60 }
            }
            var bucket = buckets[key] ?? Bucket(left: limit, at: now)
            bucket.left = min(limit, bucket.left + Self.hours(from: bucket.at, to: now) * limit)
            bucket.at = now
            let isAllowed = bucket.left >= 1
            if isAllowed { bucket.left -= 1 }
            buckets[key] = bucket
            return isAllowed ? nil : max(1, Int((1 - bucket.left) * 3_600 / limit))
        }
    }

    /// A clock that was set back gives nothing, and takes nothing.
    private static func hours(from earlier: WallTime, to later: WallTime) -> Double {
        Double(max(0, later.microseconds - earlier.microseconds)) / 3.6e9
    }

    /// Of IPv6, the half that one customer of a network has.
    private static func network(_ address: String) -> String {
        guard let host = SocketAddress.Host(address), case .v6(let network, _) = host else { return address }
        return "v6 \(network)"
    }
}

extension Exchange {
    /// Throws 429 with the time to wait.
    func throttle(_ kind: Throttle.Kind, _ who: String? = nil) throws {
        guard let seconds = platform.throttle.wait(kind, who ?? origin.address, at: .now) else { return }
        throw Problem(
            .tooManyRequests, "Too often from here, or for this address. Wait \(seconds) seconds.",
            headers: [.retryAfter: String(seconds)])
    }
}
