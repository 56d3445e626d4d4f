import Foundation
import Model
import Primitives
import SIP
import SwiftProtobuf

/// Which line is asked about: the user of a domain.
struct CredentialKey: Hashable, Sendable {
    var domain: String
    var username: String
}

/// Who may do what: credentials and gateways as the control plane told them, and requests that wait for it to tell.
struct Access: Sendable {
    /// A request that waits to learn who sent it.
    struct Waiting: Sendable {
        let transaction: ServerTransactionID
        let request: SIPMessage
        let hop: Hop
    }

    private struct Cached<Value: Sendable>: Sendable {
        let value: Value
        let until: Instant
    }

    /// What a `CredentialReply` says, in a fifth of its memory: there is one for each phone. Nothing of it stands by itself: one small thing
    /// that stays among those of many transactions that go would keep their pages.
    private struct Line: Sendable {
        let subscriber: SubscriberID?
        let tenant: TenantID?
        /// MD5's 16 bytes, then SHA-256's; of no meaning for a line that does not exist.
        let hashes: InlineArray<48, UInt8>

        var isFound: Bool { subscriber != nil }

        init(_ reply: CredentialReply) {
            let bytes = Array(reply.credential.ha1Md5 + reply.credential.ha1Sha256)
            // No password is right for a line whose hashes are not whole.
            let isWhole = reply.credential.ha1Md5.count == 16 && bytes.count == 48
            subscriber = reply.found && isWhole ? SubscriberID(reply.subscriberID) : nil
            tenant = TenantID(reply.tenantID)
            hashes = InlineArray { isWhole ? bytes[$0] : 0 }
        }

        func ha1(_ algorithm: DigestAlgorithm) -> [UInt8] {
            let range = algorithm == .md5 ? 0..<16 : 16..<48
            return range.map { hashes[$0] }
        }

        /// Who it is, without what its password is judged by.
        var name: CredentialReply {
            .with {
                $0.found = isFound
                $0.subscriberID = subscriber?.data ?? Data()
                $0.tenantID = tenant?.data ?? Data()
            }
        }
    }

    private static let entriesMax = 200_000
    /// Subscribers are invalidated by the feed; what does not exist yet may exist soon.
    private static let credentialTime = Duration.seconds(600)
    private static let absentTime = Duration.seconds(5)
    private static let sourceTime = Duration.seconds(30)
    private static let overtakenTime = Duration.milliseconds(500)

    var verifier: DigestVerifier
    private var credentials: [CredentialKey: Cached<Line>] = [:]
    /// Of the keys: many lines, few domains, each kept once.
    private var domains: Set<String> = []
    private var sources: [SocketAddress: Cached<SourceReply>] = [:]
    private var waitingCredentials: [CredentialKey: [Waiting]] = [:]
    /// Asked about when an invalidation came by another way than their answers will.
    private var overtaken: Set<CredentialKey> = []
    private var waitingSources: [SocketAddress: [Waiting]] = [:]
    private var gone: Set<ServerTransactionID> = []

    init(secret: [UInt8], _ configuration: SignalConfiguration) { verifier = DigestVerifier(secret: secret) }

    // MARK: Credentials

    /// Which line it is, and what a password is judged by; nil: the control plane is to be asked.
    func line(_ key: CredentialKey, by algorithm: DigestAlgorithm, now: Instant) -> (name: CredentialReply, ha1: [UInt8])? {
        guard let cached = credentials[key], now < cached.until else { return nil }
        return (cached.value.name, cached.value.ha1(algorithm))
    }

    /// - Returns: whether the question is still to be asked.
    mutating func wait(_ waiting: Waiting, for key: CredentialKey) -> Bool {
        waitingCredentials[key, default: []].append(waiting)
        return waitingCredentials[key]?.count == 1
    }

    mutating func take(_ reply: CredentialReply, for key: CredentialKey, now: Instant) -> [Waiting] {
        if credentials.count >= Access.entriesMax { forgetCredentials() }
        // An answer that was under way when something changed may be the older of the two: it serves those who wait, no longer.
        let isSuspect = overtaken.remove(key) != nil
        let time = isSuspect ? Access.overtakenTime : reply.found ? Access.credentialTime : Access.absentTime
        let domain = domains.insert(key.domain).memberAfterInsert
        credentials[CredentialKey(domain: domain, username: key.username)] = Cached(value: Line(reply), until: now + time)
        return giveUp(key)
    }

    mutating func giveUp(_ key: CredentialKey) -> [Waiting] {
        overtaken.remove(key)
        return waitingCredentials.removeValue(forKey: key) ?? []
    }

    // MARK: Gateways

    func source(_ address: SocketAddress, now: Instant) -> SourceReply? {
        guard let cached = sources[address], now < cached.until else { return nil }
        return cached.value
    }

    mutating func wait(_ waiting: Waiting, for address: SocketAddress) -> Bool {
        waitingSources[address, default: []].append(waiting)
        return waitingSources[address]?.count == 1
    }

    mutating func take(_ reply: SourceReply, for address: SocketAddress, now: Instant) -> [Waiting] {
        if sources.count >= Access.entriesMax { sources.removeAll() }
        sources[address] = Cached(value: reply, until: now + Access.sourceTime)
        return giveUp(address)
    }

    mutating func giveUp(_ address: SocketAddress) -> [Waiting] { waitingSources.removeValue(forKey: address) ?? [] }

    // MARK: Forgetting

    mutating func invalidate(_ invalidate: Invalidate) {
        overtaken.formUnion(waitingCredentials.keys)
        if invalidate.everything {
            forget()
        } else {
            let subscriber = SubscriberID(invalidate.subscriberID)
            let changed = credentials.filter { !$0.value.value.isFound || $0.value.value.subscriber == subscriber }
            for key in changed.keys { credentials[key] = nil }
        }
    }

    mutating func forget() {
        forgetCredentials()
        sources.removeAll()
    }

    private mutating func forgetCredentials() {
        credentials.removeAll()
        domains.removeAll()
    }

    /// The sender of a waiting request has taken it back.
    mutating func cancelled(_ id: ServerTransactionID) {
        let isWaiting = waitingCredentials.values.contains { $0.contains { $0.transaction == id } }
            || waitingSources.values.contains { $0.contains { $0.transaction == id } }
        if isWaiting { gone.insert(id) }
    }

    mutating func isGone(_ id: ServerTransactionID) -> Bool { gone.remove(id) != nil }
}
