package import Primitives

/// What came of a command that was accepted. It is durable when the asker sees it.
package struct AdminOutcome: Equatable, Sendable {
    /// The entity; for a worker its stream, for a top-up its journal.
    package var id: UUIDv7
    /// The version of the entity's stream: the next `expectedVersion`. 0 if nothing was recorded.
    package var version: UInt64
    /// The sequence of the last event in the log; for a command that records nothing the current head.
    package var sequence: UInt64
    /// The first outcome again, because its idempotency key was used before.
    package var repeated: Bool

    package init(id: UUIDv7, version: UInt64, sequence: UInt64, repeated: Bool = false) {
        self.id = id
        self.version = version
        self.sequence = sequence
        self.repeated = repeated
    }
}
