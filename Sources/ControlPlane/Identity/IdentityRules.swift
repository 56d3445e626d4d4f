import Primitives

/// Times and limits of users, all printed here.
package struct IdentityRules: Sendable {
    /// Who may become a provider by signing up. Customers may where a provider offers a plan.
    package enum SignUp: String, CaseIterable, Sendable {
        case closed
        /// The new provider is pending: it sets itself up, and nothing rings before somebody activates it.
        case pending
        case open
    }

    package var providers = SignUp.closed
    package var signUpLink: Duration = .seconds(24 * 3_600)
    package var resetLink: Duration = .seconds(3_600)
    package var invitationLink: Duration = .seconds(7 * 24 * 3_600)
    package var session: Duration = .seconds(12 * 3_600)
    package var sessionsMax = 20
    /// So many wrong passwords or codes in a row lock a user out; each further such row for twice as long.
    package var failuresMax: UInt32 = 5
    package var lockOut: Duration = .seconds(15 * 60)
    package var lockOutMax: Duration = .seconds(24 * 3_600)

    package init() {}

    func lockedUntil(afterFailures failures: UInt32, at time: WallTime) -> Int64 {
        guard failures > 0, failures % failuresMax == 0 else { return 0 }
        let rows = min(failures / failuresMax - 1, 10)
        return (time + min(lockOut * (1 << Int(rows)), lockOutMax)).microseconds
    }
}
