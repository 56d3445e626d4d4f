internal import OpenSSL
package import Primitives

/// Makes nonces and judges credentials; the server's side (RFC 7616 §5.4).
///
/// A nonce carries its own time and a proof that we made it for that address, so nothing is kept for those who only ask, and a password
/// is judged wrong only of somebody who has heard our challenge: who forges addresses has not. What is
/// kept is which counts of a nonce were used: every use is accepted once. That table is bounded: when
/// it is full the oldest nonce is forgotten, and from then on every nonce as old that is not in the table is stale.
package struct DigestVerifier: Sendable {
    package enum Verdict: Hashable, Sendable {
        case accepted
        /// The nonce is not ours, was another address's, is old, or used up: challenge again with `stale=true`. Says nothing of the password.
        case stale
        /// Wrong password.
        case wrong
    }

    /// A nonce of ours is known by when and as the how-manieth it was made.
    private struct Nonce: Hashable {
        let time: WallTime
        let serial: UInt32
    }

    private let secret: Hash.HMACKey
    private let lifetime: Duration
    private let noncesMax: Int
    private var issued: UInt32 = 0
    private var uses: [Nonce: Uses] = [:]
    /// Nonces of `uses` in the order of their time, oldest first, from `oldest` on.
    private var order: [Nonce] = []
    private var oldest = 0
    private var forgottenUntil = WallTime(microseconds: .min)

    /// The highest count used, and which of the 64 below it were.
    private struct Uses {
        var highest: UInt32
        var window: UInt64
    }

    /// - Parameter secret: 32 random bytes, not shared with anyone who is not to make nonces.
    package init(secret: [UInt8], lifetime: Duration = .seconds(300), noncesMax: Int = 100_000) {
        self.secret = Hash.HMACKey(secret)
        self.lifetime = lifetime
        self.noncesMax = noncesMax
    }

    /// One challenge for each algorithm, the stronger first (RFC 8760 §2.3), all with the same nonce.
    /// - Parameter peer: who is challenged.
    package mutating func challenges(
        realm: String, algorithms: [DigestAlgorithm] = DigestAlgorithm.allCases, isStale: Bool = false, to peer: SocketAddress.Host, now: WallTime
    ) -> [DigestChallenge] {
        issued &+= 1
        let nonce = makeNonce(now, issued, peer)
        return algorithms.map { DigestChallenge(realm: realm, nonce: nonce, algorithm: $0, isStale: isStale) }
    }

    /// - Parameters:
    ///   - peer: where the credentials came from.
    ///   - method: of the request that carried them.
    ///   - ha1: of `credentials.username` in the realm, made with `credentials.algorithm`.
    ///
    /// The URI in the credentials is hashed as it stands and not compared with the Request-URI: clients in use
    /// write the registrar's there, and a count that works once leaves nothing to be replayed elsewhere.
    package mutating func verify(
        _ credentials: DigestCredentials, from peer: SocketAddress.Host, method: Method, ha1: [UInt8], now: WallTime
    ) -> Verdict {
        guard let nonce = ownNonce(credentials.nonce, peer), nonce.time <= now, now - nonce.time <= lifetime else { return .stale }
        let expected = credentials.expectedResponse(ha1: ha1, method: method)
        guard constantTimeEquals(expected, Array(credentials.response.utf8)) else { return .wrong }
        // Without qop there is no count, and the nonce serves once.
        let count = credentials.count.map { UInt32($0.nc, radix: 16) ?? 0 } ?? 1
        guard count > 0 else { return .stale }
        return use(nonce, count: count, now: now) ? .accepted : .stale
    }

    private mutating func use(_ nonce: Nonce, count: UInt32, now: WallTime) -> Bool {
        if var known = uses[nonce] {
            if count > known.highest {
                let shift = count - known.highest
                known.window = shift >= 64 ? 0 : known.window << UInt64(shift)
                known.window |= 1
                known.highest = count
            } else {
                let age = known.highest - count
                guard age < 64, known.window >> UInt64(age) & 1 == 0 else { return false }
                known.window |= 1 << UInt64(age)
            }
            uses[nonce] = known
            return true
        }
        guard nonce.time > forgottenUntil else { return false }
        forget(now)
        uses[nonce] = Uses(highest: count, window: 1)
        // Nonces are first used nearly in the order of their making: the place is at or near the end.
        var place = order.count
        while place > oldest, order[place - 1].time > nonce.time { place -= 1 }
        order.insert(nonce, at: place)
        return true
    }

    /// Drops what has expired, and the oldest while there are too many.
    private mutating func forget(_ now: WallTime) {
        while oldest < order.count {
            let nonce = order[oldest]
            let isExpired = now - nonce.time > lifetime
            guard isExpired || uses.count >= noncesMax else { break }
            if !isExpired { forgottenUntil = max(forgottenUntil, nonce.time) }
            uses[nonce] = nil
            oldest += 1
        }
        if oldest > 1_024, oldest * 2 > order.count {
            order.removeFirst(oldest)
            order.shrinkIfSparse()
            uses.shrinkIfSparse()
            oldest = 0
        }
    }

    /// Hexadecimal of: microseconds (8 bytes), serial (4 bytes), the first 16 bytes of the proof.
    private func makeNonce(_ time: WallTime, _ serial: UInt32, _ peer: SocketAddress.Host) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(28)
        for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: time.microseconds >> Int64(shift))) }
        for shift in stride(from: 24, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: serial >> UInt32(shift))) }
        bytes += proof(bytes, peer).prefix(16)
        return String(decoding: hexadecimal(bytes), as: UTF8.self)
    }

    /// nil for a nonce that we have not made for that address.
    private func ownNonce(_ nonce: String, _ peer: SocketAddress.Host) -> Nonce? {
        guard nonce.utf8.count == 56, nonce == nonce.asciiLowered, let bytes = bytes(hex: nonce),
            constantTimeEquals(Array(bytes[12...]), Array(proof(Array(bytes[..<12]), peer).prefix(16)))
        else { return nil }
        let time = bytes[..<8].reduce(0) { $0 << 8 | UInt64($1) }
        return Nonce(
            time: WallTime(microseconds: Int64(bitPattern: time)), serial: bytes[8..<12].reduce(0) { $0 << 8 | UInt32($1) })
    }

    private func proof(_ message: [UInt8], _ peer: SocketAddress.Host) -> [UInt8] { secret.sign(message + peer.description.utf8) }
}
