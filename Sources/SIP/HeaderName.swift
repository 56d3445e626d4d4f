/// The name of a header field. Names are compared without regard to case, and a compact form (RFC 3261
/// §7.3.3 and the extensions that add one) is the same name as the long form.
package struct HeaderName: Sendable {
    /// The form that is written: the long form of a known name; each word of another capitalised.
    package let text: String
    /// Tells known names apart without looking at the text; 0 for all others.
    private let number: UInt8

    private init(_ number: UInt8, known text: String) {
        self.number = number
        self.text = text
    }

    package static let accept = HeaderName(1, known: "Accept")
    package static let acceptContact = HeaderName(2, known: "Accept-Contact")
    package static let acceptEncoding = HeaderName(3, known: "Accept-Encoding")
    package static let acceptLanguage = HeaderName(4, known: "Accept-Language")
    package static let alertInfo = HeaderName(5, known: "Alert-Info")
    package static let allow = HeaderName(6, known: "Allow")
    package static let allowEvents = HeaderName(7, known: "Allow-Events")
    package static let authenticationInfo = HeaderName(8, known: "Authentication-Info")
    package static let authorization = HeaderName(9, known: "Authorization")
    package static let callID = HeaderName(10, known: "Call-ID")
    package static let callInfo = HeaderName(11, known: "Call-Info")
    package static let contact = HeaderName(12, known: "Contact")
    package static let contentDisposition = HeaderName(13, known: "Content-Disposition")
    package static let contentEncoding = HeaderName(14, known: "Content-Encoding")
    package static let contentLanguage = HeaderName(15, known: "Content-Language")
    package static let contentLength = HeaderName(16, known: "Content-Length")
    package static let contentType = HeaderName(17, known: "Content-Type")
    package static let cseq = HeaderName(18, known: "CSeq")
    package static let date = HeaderName(19, known: "Date")
    package static let diversion = HeaderName(20, known: "Diversion")
    package static let errorInfo = HeaderName(21, known: "Error-Info")
    package static let event = HeaderName(22, known: "Event")
    package static let expires = HeaderName(23, known: "Expires")
    package static let from = HeaderName(24, known: "From")
    package static let historyInfo = HeaderName(25, known: "History-Info")
    package static let inReplyTo = HeaderName(26, known: "In-Reply-To")
    package static let maxForwards = HeaderName(27, known: "Max-Forwards")
    package static let mimeVersion = HeaderName(28, known: "MIME-Version")
    package static let minExpires = HeaderName(29, known: "Min-Expires")
    package static let minSE = HeaderName(30, known: "Min-SE")
    package static let organization = HeaderName(31, known: "Organization")
    package static let assertedIdentity = HeaderName(32, known: "P-Asserted-Identity")
    package static let preferredIdentity = HeaderName(33, known: "P-Preferred-Identity")
    package static let path = HeaderName(34, known: "Path")
    package static let priority = HeaderName(35, known: "Priority")
    package static let privacy = HeaderName(36, known: "Privacy")
    package static let proxyAuthenticate = HeaderName(37, known: "Proxy-Authenticate")
    package static let proxyAuthorization = HeaderName(38, known: "Proxy-Authorization")
    package static let proxyRequire = HeaderName(39, known: "Proxy-Require")
    package static let rack = HeaderName(40, known: "RAck")
    package static let reason = HeaderName(41, known: "Reason")
    package static let recordRoute = HeaderName(42, known: "Record-Route")
    package static let referTo = HeaderName(43, known: "Refer-To")
    package static let referredBy = HeaderName(44, known: "Referred-By")
    package static let replaces = HeaderName(45, known: "Replaces")
    package static let replyTo = HeaderName(46, known: "Reply-To")
    package static let require = HeaderName(47, known: "Require")
    package static let retryAfter = HeaderName(48, known: "Retry-After")
    package static let route = HeaderName(49, known: "Route")
    package static let rseq = HeaderName(50, known: "RSeq")
    package static let server = HeaderName(51, known: "Server")
    package static let serviceRoute = HeaderName(52, known: "Service-Route")
    package static let sessionExpires = HeaderName(53, known: "Session-Expires")
    package static let sipETag = HeaderName(54, known: "SIP-ETag")
    package static let sipIfMatch = HeaderName(55, known: "SIP-If-Match")
    package static let subject = HeaderName(56, known: "Subject")
    package static let subscriptionState = HeaderName(57, known: "Subscription-State")
    package static let supported = HeaderName(58, known: "Supported")
    package static let timestamp = HeaderName(59, known: "Timestamp")
    package static let to = HeaderName(60, known: "To")
    package static let unsupported = HeaderName(61, known: "Unsupported")
    package static let userAgent = HeaderName(62, known: "User-Agent")
    package static let via = HeaderName(63, known: "Via")
    package static let warning = HeaderName(64, known: "Warning")
    package static let wwwAuthenticate = HeaderName(65, known: "WWW-Authenticate")
}

extension HeaderName: Hashable {
    package static func == (a: HeaderName, b: HeaderName) -> Bool {
        a.number == b.number && (a.number != 0 || a.text == b.text)
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(number)
        if number == 0 { hasher.combine(text) }
    }
}

extension HeaderName: CustomStringConvertible, ExpressibleByStringLiteral {
    package init(_ name: String) {
        let bytes = Array(name.utf8)
        self = HeaderName(parsing: bytes, bytes.indices) ?? HeaderName(unknown: bytes, bytes.indices)
    }
    package init(stringLiteral value: String) { self.init(value) }
    package var description: String { text }

    /// nil when it is no token.
    init?(parsing bytes: [UInt8], _ range: Range<Int>) {
        if range.count == 1, let long = HeaderName.compact(bytes[range.lowerBound].lowered) {
            self = long
            return
        }
        if range.count < HeaderName.knownByLength.count {
            let letters = CaselessLetters(bytes, range)
            for known in HeaderName.knownByLength[range.count] where known.letters == letters {
                self = known.name
                return
            }
        }
        guard bytes.isToken(range) else { return nil }
        self.init(unknown: bytes, range)
    }

    private init(unknown bytes: [UInt8], _ range: Range<Int>) {
        var startsWord = true
        let capitalised = bytes[range].map { byte in
            defer { startsWord = byte == 0x2D }
            return startsWord && byte.isLetter ? byte & ~0x20 : byte.lowered
        }
        self.init(0, known: String(decoding: capitalised, as: UTF8.self))
    }

    private static func compact(_ letter: UInt8) -> HeaderName? {
        switch letter {
        case 0x61: .acceptContact
        case 0x62: .referredBy
        case 0x63: .contentType
        case 0x65: .contentEncoding
        case 0x66: .from
        case 0x69: .callID
        case 0x6B: .supported
        case 0x6C: .contentLength
        case 0x6D: .contact
        case 0x6F: .event
        case 0x72: .referTo
        case 0x73: .subject
        case 0x74: .to
        case 0x75: .allowEvents
        case 0x76: .via
        case 0x78: .sessionExpires
        default: nil
        }
    }

    private struct Known: Sendable {
        let letters: CaselessLetters
        let name: HeaderName
    }

    /// The known names by their length: a name is found after a comparison or two.
    private static let knownByLength: [[Known]] = {
        let all: [HeaderName] = [
            .accept, .acceptContact, .acceptEncoding, .acceptLanguage, .alertInfo, .allow, .allowEvents,
            .authenticationInfo, .authorization, .callID, .callInfo, .contact, .contentDisposition, .contentEncoding,
            .contentLanguage, .contentLength, .contentType, .cseq, .date, .diversion, .errorInfo, .event, .expires,
            .from, .historyInfo, .inReplyTo, .maxForwards, .mimeVersion, .minExpires, .minSE, .organization,
            .assertedIdentity, .preferredIdentity, .path, .priority, .privacy, .proxyAuthenticate,
            .proxyAuthorization, .proxyRequire, .rack, .reason, .recordRoute, .referTo, .referredBy, .replaces,
            .replyTo, .require, .retryAfter, .route, .rseq, .server, .serviceRoute, .sessionExpires, .sipETag,
            .sipIfMatch, .subject, .subscriptionState, .supported, .timestamp, .to, .unsupported, .userAgent, .via,
            .warning, .wwwAuthenticate,
        ]
        var table: [[Known]] = []
        for name in all {
            let bytes = Array(name.text.utf8)
            while table.count <= bytes.count { table.append([]) }
            table[bytes.count].append(Known(letters: CaselessLetters(bytes, bytes.indices), name: name))
        }
        return table
    }()
}

/// Up to 24 bytes of a line in three words, which are compared at once. The bit that tells upper from lower case is set in all of them: besides
/// letters that makes a hyphen and a carriage return equal, which is in no line.
private struct CaselessLetters: Equatable {
    private var first: UInt64 = 0
    private var second: UInt64 = 0
    private var third: UInt64 = 0

    init(_ bytes: [UInt8], _ range: Range<Int>) {
        for index in range {
            let letter = UInt64(bytes[index] | 0x20)
            switch index &- range.lowerBound {
            case 0..<8: first = first << 8 | letter
            case 8..<16: second = second << 8 | letter
            default: third = third << 8 | letter
            }
        }
    }
}
