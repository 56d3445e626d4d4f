/// Why bytes are not a SIP message.
package enum ParseError: Error, Hashable, Sendable {
    /// Nothing but line ends: a keep-alive (RFC 5626 §4.4.1), to be ignored.
    case keepAlive
    case tooLarge(have: Int, limit: Int)
    case lineTooLong(have: Int, limit: Int)
    case tooManyHeaders(limit: Int)
    /// More commas and semicolons in the fields than any message needs.
    case tooManyValues(limit: Int)
    /// The empty line after the header fields is missing.
    case unfinished
    /// A control byte, NUL included, or a line end that is not CR LF, at this offset.
    case forbiddenByte(at: Int)
    case startLine
    case version
    /// The field of that number, counted from 1, has no name and colon.
    case notAHeader(number: Int)
    case missing(HeaderName)
    /// A field that may be there once is there again.
    case repeated(HeaderName)
    case malformed(HeaderName)
    /// The method of CSeq is not the request's (RFC 3261 §8.1.1.5).
    case methodMismatch
    /// A datagram ended before its Content-Length (RFC 3261 §18.3).
    case bodyTooShort(have: Int, need: Int)
    /// libosip2 does not read it, or reads it otherwise than we do.
    case refusedByParser

    /// The status to answer a request with; nil: stay silent.
    package var status: Int? {
        switch self {
        case .keepAlive: nil
        case .tooLarge: 513
        case .version: 505
        case .lineTooLong, .tooManyHeaders, .tooManyValues, .unfinished, .forbiddenByte, .startLine, .notAHeader, .missing, .repeated,
            .malformed, .methodMismatch, .bodyTooShort, .refusedByParser:
            400
        }
    }

    /// The phrase for the answer: says what is wrong, and repeats nothing that the peer sent.
    package var reason: String {
        switch self {
        case .keepAlive: "Keep-Alive"
        case .tooLarge: "Message Too Large"
        case .lineTooLong: "Line Too Long"
        case .tooManyHeaders: "Too Many Header Fields"
        case .tooManyValues: "Too Many Values And Parameters"
        case .unfinished: "Unfinished Header"
        case .forbiddenByte: "Forbidden Byte In Header"
        case .startLine: "Malformed Start Line"
        case .version: "Version Not Supported"
        case .notAHeader(let number): "Field \(number) Is No Header Field"
        case .missing(let name): "Missing \(name)"
        case .repeated(let name): "Repeated \(name)"
        case .malformed(let name): "Malformed \(name)"
        case .methodMismatch: "CSeq Method Does Not Match"
        case .bodyTooShort: "Body Shorter Than Content-Length"
        case .refusedByParser: "Malformed Message"
        }
    }
}
