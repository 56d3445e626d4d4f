import HTTPTypes

extension HTTPField.Name {
    /// Of the request, given back in the response; the cause of every event that the request leads to.
    static let requestID = literal("X-Request-Id")
    static let idempotencyKey = literal("Idempotency-Key")
    /// Present when the response repeats what an earlier request with the same key led to.
    static let idempotencyReplayed = literal("Idempotency-Replayed")
    /// The sequence that a question about the past was answered as of.
    static let asOf = literal("Ledgerline-As-Of")
    /// Who is behind the token, as the program with the token says.
    static let onBehalfOf = literal("Ledgerline-On-Behalf-Of")
    /// A party below the token's scope that the request is made for: `tenant/ID`.
    static let actAs = literal("Act-As")
    static let acceptPatch = literal("Accept-Patch")

    private static func literal(_ name: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(name) else { preconditionFailure("\(name) is a field name") }
        return name
    }
}
