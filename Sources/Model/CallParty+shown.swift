extension CallParty {
    /// What is shown instead of a number whose owner does not show it: the user of the URI that stands for nobody (RFC 3323 §4.1.1.3).
    public static let withheldNumber = "anonymous"

    /// A side of a call as whoever sees the other side alone is shown it: by its number, and not even by that where it is withheld.
    package func shownToOthers(isWithheld: Bool) -> CallParty {
        var shown = CallParty()
        shown.number = isWithheld && !number.isEmpty ? Self.withheldNumber : number
        return shown
    }
}

extension Cdr {
    /// The caller's number on a bill: one that is withheld is no part of the called customer's.
    package func callerNumber(onBillOf account: AccountRef) -> String {
        guard account.kind == .customer, account.ownerID != caller.customerID else { return caller.number }
        return caller.shownToOthers(isWithheld: isAnonymous).number
    }
}
