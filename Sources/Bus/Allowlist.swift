internal import Synchronization

/// Which CURVE keys may connect, and under which name. It may change while sockets use it, from any thread.
///
/// A name has one key at a time. Once a key is revoked or replaced, no connection made with it is heard any more.
public final class Allowlist: Sendable {
    /// A connection that was refused because its key is not enrolled.
    public struct Refusal: Hashable, Sendable {
        public let key: CurvePublicKey
        /// The address that it came from.
        public let address: String
    }

    private struct Entry {
        let name: String
        /// New for each enrolment, so that a connection of an earlier one is told apart.
        let enrolment: UInt64
    }

    private struct State {
        var entries: [CurvePublicKey: Entry] = [:]
        var keys: [String: CurvePublicKey] = [:]
        var enrolments: UInt64 = 0
        var refusals: UInt64 = 0
        var recentRefusals: [Refusal] = []

        mutating func enrol(_ key: CurvePublicKey, name: String) {
            if let entry = entries[key] {
                if entry.name == name { return }
                keys[entry.name] = nil
            }
            if let former = keys[name] { entries[former] = nil }
            enrolments += 1
            entries[key] = Entry(name: name, enrolment: enrolments)
            keys[name] = key
        }

        mutating func revoke(name: String) {
            guard let key = keys.removeValue(forKey: name) else { return }
            entries[key] = nil
        }
    }

    /// How many refusals are kept until they are taken; the counter goes on.
    private static let recentRefusalsMax = 64
    private let state = Mutex(State())

    public init() {}

    public convenience init(_ workers: [String: CurvePublicKey]) {
        self.init()
        replace(with: workers)
    }

    /// Lets `key` in under `name`; what the name or the key had before no longer counts.
    /// - Precondition: the name has 1 to 255 bytes (RFC 27 carries it as the User-Id).
    public func enrol(_ key: CurvePublicKey, name: String) {
        precondition((1...255).contains(name.utf8.count))
        state.withLock { $0.enrol(key, name: name) }
    }

    public func revoke(name: String) {
        state.withLock { $0.revoke(name: name) }
    }

    /// Makes the list exactly `workers`; unchanged entries keep their connections.
    public func replace(with workers: [String: CurvePublicKey]) {
        state.withLock { state in
            for name in Array(state.keys.keys) where workers[name] == nil { state.revoke(name: name) }
            for (name, key) in workers { state.enrol(key, name: name) }
        }
    }

    public func name(of key: CurvePublicKey) -> String? {
        state.withLock { $0.entries[key]?.name }
    }

    public func key(of name: String) -> CurvePublicKey? {
        state.withLock { $0.keys[name] }
    }

    /// Connections refused since the start, because their key was not enrolled.
    public var refusals: UInt64 { state.withLock { $0.refusals } }

    /// The latest refusals, for the log; taken once.
    public func takeRefusals() -> [Refusal] {
        state.withLock { state in
            defer { state.recentRefusals.removeAll() }
            return state.recentRefusals
        }
    }

    /// The answer to a handshake: nil refuses, and is counted.
    func admit(_ key: CurvePublicKey, address: String) -> (name: String, enrolment: UInt64)? {
        state.withLock { state in
            if let entry = state.entries[key] { return (entry.name, entry.enrolment) }
            state.refusals += 1
            if state.recentRefusals.count < Self.recentRefusalsMax {
                state.recentRefusals.append(Refusal(key: key, address: address))
            }
            return nil
        }
    }

    /// Whether a connection that was admitted under `name` may still speak.
    func holds(name: String, enrolment: UInt64) -> Bool {
        state.withLock { state in
            guard let key = state.keys[name] else { return false }
            return state.entries[key]?.enrolment == enrolment
        }
    }
}
