/// The name of a header field. Names are compared without regard to case, and a compact form (RFC 3261
/// §7.3.3 and the extensions that add one) is the same name as the long form.
package struct HeaderName: Hashable, Sendable {
    /// The form that is written: the long form of a known name; each word of another capitalised.
    package let text: String

    private init(known text: String) { self.text = text }

    package static let accept = HeaderName(known: "Accept")
    package static let acceptContact = HeaderName(known: "Accept-Contact")
    package static let acceptEncoding = HeaderName(known: "Accept-Encoding")
    package static let acceptLanguage = HeaderName(known: "Accept-Language")
    package static let alertInfo = HeaderName(known: "Alert-Info")
    package static let allow = HeaderName(known: "Allow")
    package static let allowEvents = HeaderName(known: "Allow-Events")
    package static let authenticationInfo = HeaderName(known: "Authentication-Info")
    package static let authorization = HeaderName(known: "Authorization")
    package static let callID = HeaderName(known: "Call-ID")
    package static let callInfo = HeaderName(known: "Call-Info")
    package static let contact = HeaderName(known: "Contact")
    package static let contentDisposition = HeaderName(known: "Content-Disposition")
    package static let contentEncoding = HeaderName(known: "Content-Encoding")
    package static let contentLanguage = HeaderName(known: "Content-Language")
    package static let contentLength = HeaderName(known: "Content-Length")
    package static let contentType = HeaderName(known: "Content-Type")
    package static let cseq = HeaderName(known: "CSeq")
    package static let date = HeaderName(known: "Date")
    package static let diversion = HeaderName(known: "Diversion")
    package static let errorInfo = HeaderName(known: "Error-Info")
    package static let event = HeaderName(known: "Event")
    package static let expires = HeaderName(known: "Expires")
    package static let from = HeaderName(known: "From")
    package static let historyInfo = HeaderName(known: "History-Info")
    package static let inReplyTo = HeaderName(known: "In-Reply-To")
    package static let maxForwards = HeaderName(known: "Max-Forwards")
    package static let mimeVersion = HeaderName(known: "MIME-Version")
    package static let minExpires = HeaderName(known: "Min-Expires")
    package static let minSE = HeaderName(known: "Min-SE")
    package static let organization = HeaderName(known: "Organization")
    package static let assertedIdentity = HeaderName(known: "P-Asserted-Identity")
    package static let preferredIdentity = HeaderName(known: "P-Preferred-Identity")
    package static let path = HeaderName(known: "Path")
    package static let priority = HeaderName(known: "Priority")
    package static let privacy = HeaderName(known: "Privacy")
    package static let proxyAuthenticate = HeaderName(known: "Proxy-Authenticate")
    package static let proxyAuthorization = HeaderName(known: "Proxy-Authorization")
    package static let proxyRequire = HeaderName(known: "Proxy-Require")
    package static let rack = HeaderName(known: "RAck")
    package static let reason = HeaderName(known: "Reason")
    package static let recordRoute = HeaderName(known: "Record-Route")
    package static let referTo = HeaderName(known: "Refer-To")
    package static let referredBy = HeaderName(known: "Referred-By")
    package static let replaces = HeaderName(known: "Replaces")
    package static let replyTo = HeaderName(known: "Reply-To")
    package static let require = HeaderName(known: "Require")
    package static let retryAfter = HeaderName(known: "Retry-After")
    package static let route = HeaderName(known: "Route")
    package static let rseq = HeaderName(known: "RSeq")
    package static let server = HeaderName(known: "Server")
    package static let serviceRoute = HeaderName(known: "Service-Route")
    package static let sessionExpires = HeaderName(known: "Session-Expires")
    package static let sipETag = HeaderName(known: "SIP-ETag")
    package static let sipIfMatch = HeaderName(known: "SIP-If-Match")
    package static let subject = HeaderName(known: "Subject")
    package static let subscriptionState = HeaderName(known: "Subscription-State")
    package static let supported = HeaderName(known: "Supported")
    package static let timestamp = HeaderName(known: "Timestamp")
    package static let to = HeaderName(known: "To")
    package static let unsupported = HeaderName(known: "Unsupported")
    package static let userAgent = HeaderName(known: "User-Agent")
    package static let via = HeaderName(known: "Via")
    package static let warning = HeaderName(known: "Warning")
    package static let wwwAuthenticate = HeaderName(known: "WWW-Authenticate")
}

extension HeaderName: CustomStringConvertible, ExpressibleByStringLiteral {
    package init(_ name: String) { self.init(parsing: name.slice) }
    package init(stringLiteral value: String) { self.init(value) }
    package var description: String { text }

    /// - Parameter bytes: a token; the caller has checked.
    init(parsing bytes: ArraySlice<UInt8>) {
        if bytes.count == 1, let letter = bytes.first, let long = HeaderName.compact(letter.lowered) {
            self = long
            return
        }
        if bytes.count < HeaderName.knownByLength.count {
            for known in HeaderName.knownByLength[bytes.count] where known.matches(bytes) {
                self = known.name
                return
            }
        }
        var startsWord = true
        let capitalised = bytes.map { byte in
            defer { startsWord = byte == 0x2D }
            return startsWord && byte.isLetter ? byte & ~0x20 : byte.lowered
        }
        self.init(known: String(decoding: capitalised, as: UTF8.self))
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
        let lowered: [UInt8]
        let name: HeaderName

        func matches(_ bytes: ArraySlice<UInt8>) -> Bool {
            var index = bytes.startIndex
            for byte in lowered {
                guard bytes[index].lowered == byte else { return false }
                index += 1
            }
            return true
        }
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
            let lowered = name.text.utf8.map(\.lowered)
            while table.count <= lowered.count { table.append([]) }
            table[lowered.count].append(Known(lowered: lowered, name: name))
        }
        return table
    }()
}
