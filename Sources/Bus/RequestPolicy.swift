/// How long a request is asked for, and how often.
public struct RequestPolicy: Hashable, Sendable {
    /// From the first sending; nil: until it is answered.
    public var deadline: Duration?
    /// Until the first repetition; each further pause is twice the one before.
    public var resend: Duration
    public var resendMax: Duration

    public init(deadline: Duration?, resend: Duration, resendMax: Duration) {
        precondition(resend > .zero && resendMax >= resend)
        self.deadline = deadline
        self.resend = resend
        self.resendMax = resendMax
    }

    /// Somebody waits for the answer, and is told when none comes.
    public static let query = RequestPolicy(
        deadline: .seconds(3), resend: .milliseconds(400), resendMax: .milliseconds(1_600))

    /// Something has happened and must be known: repeated until acknowledged.
    public static let fact = RequestPolicy(deadline: nil, resend: .milliseconds(500), resendMax: .seconds(5))
}
