/// What a party's status lets happen. The table is also `docs/status.md`, and a test walks through it.
public enum PartyActivity: String, CaseIterable, Sendable {
    case register, callOut = "call out", emergency = "call for help", callIn = "be called", read = "read by its own tokens",
        write = "change by its own tokens", fixedItems = "be charged monthly"
}

extension Status {
    /// A status that this binary does not know lets nothing happen.
    public func allows(_ activity: PartyActivity) -> Bool {
        switch self {
        case .active: true
        // Being set up: nothing rings yet, and nothing is charged.
        case .pending: activity == .read || activity == .write
        // The contract goes on, and so do its monthly charges; the party sees why. Phones stay registered, so that they let people call for help.
        case .locked: activity == .read || activity == .fixedItems || activity == .register || activity == .emergency
        case .terminated, .UNRECOGNIZED: false
        }
    }

    /// Of a party and one above it the graver counts.
    public func worse(_ other: Status) -> Status { gravity >= other.gravity ? self : other }

    /// Whether a party may go from this status to another. Terminated is for good.
    public func mayBecome(_ next: Status) -> Bool {
        switch (self, next) {
        case (.pending, .pending), (.active, .active), (.locked, .locked), (.terminated, .terminated): true
        case (.pending, .active), (.pending, .locked), (.pending, .terminated): true
        case (.active, .locked), (.active, .terminated): true
        case (.locked, .active), (.locked, .terminated): true
        case (.active, .pending), (.locked, .pending), (.terminated, _), (.UNRECOGNIZED, _), (_, .UNRECOGNIZED): false
        }
    }

    private var gravity: Int {
        switch self {
        case .active: 0
        case .pending: 1
        case .locked: 2
        case .terminated: 3
        case .UNRECOGNIZED: 4
        }
    }
}
