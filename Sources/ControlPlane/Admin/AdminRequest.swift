package import Subjects

/// An `AdminCommand` with who asks, and under which key a repetition is recognised.
package struct AdminRequest: Sendable {
    package var command: AdminCommand
    /// The token's name; it is stored as the actor of every event.
    package var actor: String
    /// The request id; stored as the cause.
    package var requestID: String
    /// From where it came, and for whom.
    package var origin: Origin
    /// nil: it comes from the platform itself.
    package var authority: Authority?
    /// The same key from the same actor gets the first outcome again.
    package var idempotencyKey: String?
    /// What was asked for under the key (a hash of method, path and body): another fingerprint under a
    /// used key is refused.
    package var fingerprint: [UInt8]

    package init(
        _ command: AdminCommand, actor: String, requestID: String, origin: Origin = Origin(),
        authority: Authority? = nil, idempotencyKey: String? = nil, fingerprint: [UInt8] = []
    ) {
        self.command = command
        self.actor = actor
        self.requestID = requestID
        self.origin = origin
        self.authority = authority
        self.idempotencyKey = idempotencyKey
        self.fingerprint = fingerprint
    }
}
