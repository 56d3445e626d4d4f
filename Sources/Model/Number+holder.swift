public import Primitives

/// What a number rings: whatever can be dialled. A new kind is a field of `Number` and a case here, and the compiler names
/// every place that has to say what it does with it.
public enum NumberHolder: Equatable, Sendable {
    case subscriber(SubscriberID)
}

/// Whether a number can be had, at a time.
public enum NumberState: String, CaseIterable, Sendable {
    case available
    case reserved
    case assigned
    case quarantined
}

extension Number {
    /// nil: nobody has it.
    public var holder: NumberHolder? { SubscriberID(subscriberID).map(NumberHolder.subscriber) }

    /// A hold ends by itself, so the answer depends on when it is asked.
    public func state(at time: WallTime) -> NumberState {
        if holder != nil { return .assigned }
        guard isHeld(at: time) else { return .available }
        switch hold {
        case .none, .UNRECOGNIZED: return .available
        case .reserved: return .reserved
        case .quarantined: return .quarantined
        }
    }

    /// Whether the reservation or the quarantine lasts, whoever has the number.
    public func isHeld(at time: WallTime) -> Bool {
        hold != .none && (holdUntil == 0 || time.microseconds < holdUntil)
    }
}
