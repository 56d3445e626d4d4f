package import Hummingbird

/// An error response (RFC 9457, `application/problem+json`). Its texts are for people; programs read `kind` and `status`.
package struct Problem: Error, Sendable {
    package let kind: Kind
    package var detail: String
    package var faults: [FieldFault]
    /// Fields that go with the status: `Allow`, `WWW-Authenticate`, `Retry-After`, `Accept-Patch`.
    package var headers: HTTPFields

    package init(_ kind: Kind, _ detail: String, faults: [FieldFault] = [], headers: HTTPFields = [:]) {
        self.kind = kind
        self.detail = detail
        self.faults = faults
        self.headers = headers
    }

    /// One per meaning; the raw value is the end of the problem's type URI and never changes.
    package enum Kind: String, CaseIterable, Sendable {
        case badRequest = "bad-request"
        case malformedJSON = "malformed-json"
        case invalidFields = "invalid-fields"
        case unauthenticated
        case forbidden
        case notFound = "not-found"
        case methodNotAllowed = "method-not-allowed"
        case notAcceptable = "not-acceptable"
        case conflict
        case versionMismatch = "version-mismatch"
        case tooLarge = "too-large"
        case unsupportedMediaType = "unsupported-media-type"
        case idempotencyKeyReused = "idempotency-key-reused"
        case tooManyRequests = "too-many-requests"
        case internalError = "internal-error"
        case unavailable

        package var status: HTTPResponse.Status {
            switch self {
            case .badRequest, .malformedJSON: .badRequest
            case .invalidFields, .idempotencyKeyReused: .unprocessableContent
            case .unauthenticated: .unauthorized
            case .forbidden: .forbidden
            case .notFound: .notFound
            case .methodNotAllowed: .methodNotAllowed
            case .notAcceptable: .notAcceptable
            case .conflict: .conflict
            case .versionMismatch: .preconditionFailed
            case .tooLarge: .contentTooLarge
            case .unsupportedMediaType: .unsupportedMediaType
            case .tooManyRequests: .tooManyRequests
            case .internalError: .internalServerError
            case .unavailable: .serviceUnavailable
            }
        }

        package var title: String {
            switch self {
            case .badRequest: "The request cannot be understood"
            case .malformedJSON: "The body is not JSON"
            case .invalidFields: "Some values cannot be accepted"
            case .unauthenticated: "A valid bearer token is needed"
            case .forbidden: "The token does not allow this"
            case .notFound: "There is nothing here"
            case .methodNotAllowed: "The method is not one of this resource"
            case .notAcceptable: "None of the accepted media types can be produced"
            case .conflict: "The state does not allow this"
            case .versionMismatch: "It has changed since it was read"
            case .tooLarge: "The body is too large"
            case .unsupportedMediaType: "The body's media type is not understood"
            case .idempotencyKeyReused: "The idempotency key belongs to another request"
            case .tooManyRequests: "This is asked too often"
            case .internalError: "Something went wrong on our side"
            case .unavailable: "It cannot be done now"
            }
        }

        /// Relative to the API's address (RFC 9457 §3.1.1); described in the documentation under this name.
        package var type: String { "/problems/" + rawValue }
    }
}

extension Problem {
    func body(requestID: String) -> JSON {
        .object([
            "type": .string(kind.type),
            "title": .string(kind.title),
            "status": .integer(kind.status.code),
            "detail": .string(detail),
            "request_id": .string(requestID),
            "errors": faults.isEmpty ? nil : .array(faults.map(\.json)),
        ])
    }

    func response(requestID: String) -> Response {
        var headers = headers
        headers[.contentType] = "application/problem+json"
        headers[.requestID] = requestID
        headers[.cacheControl] = "no-store"
        let body = ByteBuffer(bytes: body(requestID: requestID).bytes)
        return Response(status: kind.status, headers: headers, body: ResponseBody(byteBuffer: body))
    }
}

extension Problem {
    /// Of the body, for the document.
    static let schema = Schema.object(
        [
            ("type", ["type": "string", "format": "uri-reference"]), ("title", ["type": "string"]),
            ("status", ["type": "integer"]), ("detail", ["type": "string"]), ("request_id", ["type": "string"]),
            (
                "errors",
                Schema.list(
                    Schema.object(
                        [
                            ("pointer", ["type": "string", "description": "JSON pointer into the body (RFC 6901)."]),
                            ("parameter", ["type": "string", "description": "Name of a query parameter."]),
                            ("header", ["type": "string", "description": "Name of a header field."]),
                            ("line", ["type": "integer", "description": "Line of a file that was sent, from 1."]),
                            ("column", ["type": "string", "description": "Of the line, as the file's header names it."]),
                            ("detail", ["type": "string"]),
                        ], required: ["detail"]))
            ),
        ], required: ["type", "title", "status", "detail", "request_id"])
}
