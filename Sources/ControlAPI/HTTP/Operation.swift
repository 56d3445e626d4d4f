import ControlPlane
import Hummingbird
import Model

/// One method of one resource: what is dispatched, and what the API's document says, in one value.
struct Operation: Sendable {
    enum Method: String, Sendable {
        case get, post, patch, delete

        var http: HTTPRequest.Method {
            switch self {
            case .get: .get
            case .post: .post
            case .patch: .patch
            case .delete: .delete
            }
        }
    }

    /// Who may call it at all. What of the tree is then seen and changed is a matter of the token's reach.
    enum Access: Sendable, Equatable {
        case open
        /// Whoever holds the right; `Right.rule` says who that is.
        case needs(Right)

        var right: Right? {
            switch self {
            case .open: nil
            case .needs(let right): right
            }
        }
    }

    struct Body: Sendable {
        var schema: JSON
        var mediaTypes = [ContentNegotiation.json]
        var bytesMax = 1 << 20
        /// It is a file, which is handed on as it is.
        var isFile = false
    }

    /// Whether it can be asked as of an earlier time.
    enum Past: Sendable, Equatable {
        /// If it reads, and needs a token.
        case asUsual
        /// It is about what is not in the log, or about the log itself.
        case never
        /// It is a question, though it is posted.
        case always
    }

    struct Success: Sendable {
        var status: HTTPResponse.Status
        var about: String
        /// nil: there is no body.
        var schema: JSON?
        var mediaType = ContentNegotiation.json
        var hasVersion = false
        /// What else it can be, when the query asks for it.
        var otherMediaTypes: [String] = []
    }

    let method: Method
    /// With parameters in braces, as OpenAPI writes them.
    let path: String
    /// Unique; generated clients name their functions after it.
    let name: String
    let tag: String
    let summary: String
    let access: Access
    var query: [QueryParameter] = []
    var body: Body?
    let success: Success
    /// Beyond those that every operation of its kind has.
    var problems: [Problem.Kind] = []
    /// Whether If-Match is obeyed.
    var isConditional = false
    /// Whether a repetition could do harm, so that an idempotency key must come with the request.
    var needsIdempotencyKey = false
    var past = Past.asUsual
    /// What of calls and people it shows: each answer is an event in the log, which is durable before it leaves.
    var reading: String?
    let handle: @Sendable (Exchange) async throws -> Reply
}

extension Operation {
    /// Names of the parameters in the path, from the left.
    var pathParameters: [String] {
        path.split(separator: "/").filter { $0.hasPrefix("{") }.map { String($0.dropFirst().dropLast()) }
    }

    var takesIdempotencyKey: Bool { method != .get }

    var takesAsOf: Bool {
        switch past {
        case .asUsual: method == .get && access != .open
        case .never: false
        case .always: true
        }
    }

    /// Those of its own, and `as_of`.
    var allQuery: [QueryParameter] { takesAsOf ? query + [.asOf] : query }

    /// Every problem that can come of it, for the document.
    var allProblems: [Problem.Kind] {
        var all: Set<Problem.Kind> = Set(problems)
        all.formUnion([.badRequest, .notAcceptable, .internalError, .unavailable])
        if access != .open { all.formUnion([.unauthenticated, .forbidden]) }
        if !pathParameters.isEmpty { all.insert(.notFound) }
        if body != nil { all.formUnion([.malformedJSON, .invalidFields, .unsupportedMediaType, .tooLarge]) }
        if method != .get { all.formUnion([.conflict, .idempotencyKeyReused]) }
        if isConditional { all.insert(.versionMismatch) }
        return Problem.Kind.allCases.filter(all.contains)
    }
}
