/// What a phone dials to take a call that rings elsewhere in its tenant.
enum PickupCode: Equatable {
    /// `*8`: the oldest call that rings in the line's pickup group.
    case group
    /// `*86` and an extension or user name: the call that rings there.
    case line(String)
    /// `*87`: the oldest call that rings anywhere in the tenant.
    case anywhere

    init?(_ dialled: String) {
        switch dialled {
        case "*8": self = .group
        case "*87": self = .anywhere
        default:
            guard dialled.hasPrefix("*86"), dialled.utf8.count > 3 else { return nil }
            self = .line(String(dialled.dropFirst(3)))
        }
    }
}
