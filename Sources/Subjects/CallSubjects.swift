public import Model
public import Primitives

/// Whom the two sides of a call belong to.
public struct CallSubjects: Hashable, Sendable {
    public let caller: UUIDv7
    public let called: UUIDv7

    /// Numbers that one of ours dialled are his; numbers that call one of ours are his whom they called. A call that
    /// touches none of our subscribers belongs to the provider, whose key is never destroyed.
    public init(_ caller: CallParty, _ called: CallParty) {
        let callerID = UUIDv7(bytes: caller.subscriberID)
        let calledID = UUIDv7(bytes: called.subscriberID)
        let fallback = UUIDv7(bytes: called.providerID) ?? UUIDv7(bytes: caller.providerID) ?? UUIDv7(high: 0, low: 0)
        self.caller = callerID ?? calledID ?? fallback
        self.called = calledID ?? callerID ?? fallback
    }
}
