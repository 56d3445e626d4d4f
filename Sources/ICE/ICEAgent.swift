package import Primitives

/// Our side of ICE, lite (RFC 8445 §2.5): it has one address that everybody reaches, makes no checks, and answers the peer's. What it
/// learns is where the peer is: only an address from which a request under our password came, and sending only to the one that the peer
/// has nominated.
package struct ICEAgent: Sendable {
    /// RTP and RTCP; one that shares the port of the other does not occur.
    package enum Component: Int, Sendable {
        case media = 0
        case control = 1
    }

    /// As both descriptions have it.
    package struct Setup: Equatable, Sendable {
        package var local: ICECredentials
        /// The peer's fragment.
        package var remoteFragment: String

        package init(local: ICECredentials, remoteFragment: String) {
            self.local = local
            self.remoteFragment = remoteFragment
        }
    }

    package enum Outcome: Equatable, Sendable {
        /// Send this back to where the request came from.
        case answer([UInt8], isNominated: Bool)
        /// Nothing is to be done: an indication, or an answer to what we never ask.
        case nothing
        /// No message that the peer would send: not STUN, or without the fingerprint that RFC 8445 §7.1.1 wants.
        case malformed
        /// Made with another password, or for another user.
        case wrongPassword
    }

    /// Addresses that have been checked, of a component; more are only used by a peer that changes networks all the time.
    static let checkedMax = 8

    private struct Known: Sendable {
        var checked: [SocketAddress] = []
        var nominated: SocketAddress?
    }

    package private(set) var setup: Setup
    /// Of before a restart: good until the peer has nominated an address under the new ones (RFC 8445 §9).
    private var previous: Setup?
    private var media = Known()
    private var control = Known()

    package init(_ setup: Setup) { self.setup = setup }

    /// Other credentials are a restart: what is known stays in use until the checks have come anew.
    package mutating func change(to new: Setup) {
        guard new != setup else { return }
        if new.local != setup.local || new.remoteFragment != setup.remoteFragment { previous = setup }
        setup = new
    }

    /// Where to send to.
    package func destination(_ component: Component) -> SocketAddress? { component == .media ? media.nominated : control.nominated }

    /// Whether that address has shown that it is the peer's.
    package func isChecked(_ source: SocketAddress, _ component: Component) -> Bool {
        (component == .media ? media : control).checked.contains(source)
    }

    // MARK: - Checks

    private static let known: Set<UInt16> = [
        STUNAttribute.username, STUNAttribute.messageIntegrity, STUNAttribute.priority, STUNAttribute.useCandidate, STUNAttribute.xorMappedAddress,
    ]

    /// A datagram that looks like STUN.
    package mutating func receive(_ bytes: [UInt8], from source: SocketAddress, _ component: Component) -> Outcome {
        guard let message = STUNMessage(parsing: bytes) else { return .malformed }
        switch message.kind {
        case .bindingRequest: break
        // Keep-alives (RFC 8445 §11), and answers to nothing.
        case .bindingIndication, .bindingSuccess, .bindingError: return .nothing
        case .other: return .malformed
        }
        guard message.hasValidFingerprint else { return .malformed }
        let isCurrent = ICEAgent.isMade(message, for: setup)
        guard isCurrent || previous.map({ ICEAgent.isMade(message, for: $0) }) == true else { return .wrongPassword }
        let password = isCurrent ? setup.local.password : previous?.local.password ?? ""
        let unknown = message.unknown(to: ICEAgent.known)
        guard unknown.isEmpty else {
            var answer = STUNWriter(0x0111, transaction: message.transaction)
            answer.add(error: 420)
            answer.add(STUNAttribute.unknownAttributes, unknown.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] })
            return .answer(answer.finished(password: password), isNominated: false)
        }
        // A lite side is never in control (RFC 8445 §6.1.1): a peer that thinks so of us has to change its mind (§7.3.1.1).
        if message.holds(STUNAttribute.iceControlled) {
            var answer = STUNWriter(0x0111, transaction: message.transaction)
            answer.add(error: 487)
            return .answer(answer.finished(password: password), isNominated: false)
        }
        let isNominated = message.holds(STUNAttribute.useCandidate)
        learn(source, component, isNominated: isNominated, isCurrent: isCurrent)
        var answer = STUNWriter(0x0101, transaction: message.transaction)
        answer.add(mapped: source)
        return .answer(answer.finished(password: password), isNominated: isNominated)
    }

    /// `USERNAME` is our fragment, a colon, and the peer's (RFC 8445 §7.2.2).
    private static func isMade(_ message: STUNMessage, for setup: Setup) -> Bool {
        guard let user = message.text(STUNAttribute.username), user.hasPrefix(setup.local.fragment + ":"),
            setup.remoteFragment.isEmpty || user == setup.local.fragment + ":" + setup.remoteFragment
        else { return false }
        return message.hasValidIntegrity(password: setup.local.password)
    }

    private mutating func learn(_ source: SocketAddress, _ component: Component, isNominated: Bool, isCurrent: Bool) {
        var known = component == .media ? media : control
        if !known.checked.contains(source) {
            if known.checked.count >= ICEAgent.checkedMax, let oldest = known.checked.firstIndex(where: { $0 != known.nominated }) {
                known.checked.remove(at: oldest)
            }
            known.checked.append(source)
        }
        if isNominated, isCurrent || known.nominated == nil {
            // The newest choice holds: who is in control may move the call to another network.
            known.nominated = source
            if isCurrent, previous != nil {
                previous = nil
                known.checked = [source]
            }
        }
        switch component {
        case .media: media = known
        case .control: control = known
        }
    }
}
