internal import Synchronization

/// Answers ZAP requests (RFC 27) from the allowlist of the socket that asks. No I/O: frames in, frames out.
final class Authenticator: Sendable {
    /// Under which property of a message its connection's enrolment is found.
    static let enrolmentProperty = "X-Enrolment"

    private struct State {
        var allowlists: [String: Allowlist] = [:]
        var domains: UInt64 = 0
    }
    private let state = Mutex(State())

    /// A ZAP domain of its own for a socket that listens.
    func register(_ allowlist: Allowlist) -> String {
        state.withLock { state in
            state.domains += 1
            let domain = "ledgerline-\(state.domains)"
            state.allowlists[domain] = allowlist
            return domain
        }
    }

    func unregister(domain: String) {
        state.withLock { $0.allowlists[domain] = nil }
    }

    /// - Parameter request: version, request id, domain, address, identity, mechanism, credentials (RFC 27 §4.1).
    func answer(_ request: [[UInt8]]) -> [[UInt8]] {
        let id = request.count > 1 ? request[1] : []
        guard request.count == 7, request[0] == version, request[5] == Array("CURVE".utf8),
            let key = CurvePublicKey(bytes: request[6])
        else { return reply(id, "500", "not a CURVE request") }
        let domain = String(decoding: request[2], as: UTF8.self)
        let address = String(decoding: request[3], as: UTF8.self)
        guard let allowlist = state.withLock({ $0.allowlists[domain] }) else {
            return reply(id, "500", "no such socket")
        }
        guard let worker = allowlist.admit(key, address: address) else { return reply(id, "400", "key not enrolled") }
        let metadata = property(Self.enrolmentProperty, String(worker.enrolment))
        return reply(id, "200", "", user: worker.name, metadata: metadata)
    }
}

private let version = Array("1.0".utf8)

/// Version, request id, status code, status text, user id, metadata (RFC 27 §4.2).
private func reply(
    _ id: [UInt8], _ status: String, _ text: String, user: String = "", metadata: [UInt8] = []
) -> [[UInt8]] {
    [version, id, Array(status.utf8), Array(text.utf8), Array(user.utf8), metadata]
}

/// A ZMTP property: length byte and name, then the value after its length in four bytes (RFC 23).
private func property(_ name: String, _ value: String) -> [UInt8] {
    var bytes = [UInt8(name.utf8.count)] + Array(name.utf8)
    let count = UInt32(value.utf8.count)
    for shift in [24, 16, 8, 0] { bytes.append(UInt8(truncatingIfNeeded: count >> UInt32(shift))) }
    return bytes + Array(value.utf8)
}
