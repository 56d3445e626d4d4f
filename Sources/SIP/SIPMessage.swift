/// A SIP request or response as a value (RFC 3261 §7).
///
/// What every message must have is typed and always there; all else is in `headers`. `Content-Length` is
/// never among them: it is written from `body`.
package struct SIPMessage: Hashable, Sendable {
    package enum Start: Hashable, Sendable {
        case request(Method, URI)
        /// 100 to 699, and the phrase for people.
        case response(status: Int, reason: String)
    }
    private struct Fields: Hashable, Sendable {
        var start: Start
        var vias: [Via]
        var from: NameAddress
        var to: NameAddress
        var callID: String
        var cseq: CSeq
        var headers: Headers
        var body: [UInt8]
    }
    /// One element: a message goes through many hands, and its copies share it until one of them is changed.
    private var shared: [Fields]

    // Read where they are: to copy an address for its tag counts a dozen references.
    package var start: Start {
        _read { yield shared[0].start }
        _modify { yield &shared[0].start }
    }
    /// Topmost first; a parsed message has at least one.
    package var vias: [Via] {
        _read { yield shared[0].vias }
        _modify { yield &shared[0].vias }
    }
    package var from: NameAddress {
        _read { yield shared[0].from }
        _modify { yield &shared[0].from }
    }
    package var to: NameAddress {
        _read { yield shared[0].to }
        _modify { yield &shared[0].to }
    }
    package var callID: String {
        _read { yield shared[0].callID }
        _modify { yield &shared[0].callID }
    }
    package var cseq: CSeq {
        _read { yield shared[0].cseq }
        _modify { yield &shared[0].cseq }
    }
    package var headers: Headers {
        _read { yield shared[0].headers }
        _modify { yield &shared[0].headers }
    }
    package var body: [UInt8] {
        _read { yield shared[0].body }
        _modify { yield &shared[0].body }
    }

    /// A request; `Max-Forwards: 70` is set.
    package init(
        _ method: Method, _ uri: URI, via: Via, from: NameAddress, to: NameAddress, callID: String, cseq: UInt32,
        body: [UInt8] = []
    ) {
        var headers = Headers()
        headers.append(.maxForwards, "70")
        self.init(
            start: .request(method, uri), vias: [via], from: from, to: to, callID: callID, cseq: CSeq(cseq, method), headers: headers, body: body)
    }

    init(
        start: Start, vias: [Via], from: NameAddress, to: NameAddress, callID: String, cseq: CSeq, headers: Headers,
        body: [UInt8]
    ) {
        shared = [Fields(start: start, vias: vias, from: from, to: to, callID: callID, cseq: cseq, headers: headers, body: body)]
    }
}

extension SIPMessage {
    package var isRequest: Bool { method != nil }
    /// Of a request; a response's is in `cseq.method`.
    package var method: Method? {
        guard case .request(let method, _) = start else { return nil }
        return method
    }
    package var requestURI: URI? {
        get {
            guard case .request(_, let uri) = start else { return nil }
            return uri
        }
        set {
            guard case .request(let method, _) = start, let newValue else { return }
            start = .request(method, newValue)
        }
    }
    /// Of a response; 0 for a request.
    package var status: Int {
        guard case .response(let status, _) = start else { return 0 }
        return status
    }
    package var reason: String {
        guard case .response(_, let reason) = start else { return "" }
        return reason
    }
    package var isProvisional: Bool { (100..<200).contains(status) }
    package var isSuccess: Bool { (200..<300).contains(status) }
    package var isFinal: Bool { status >= 200 }

    package var topVia: Via? { vias.first }
    package var branch: String? { vias.first?.branch }

    /// The values of Contact that are addresses; see `isContactWildcard` for `*`.
    package var contacts: [NameAddress] { addresses(.contact) }
    package var contact: NameAddress? { contacts.first }
    package var isContactWildcard: Bool { headers.all(.contact) == ["*"] }
    package var routes: [NameAddress] { addresses(.route) }
    package var recordRoutes: [NameAddress] { addresses(.recordRoute) }
    package var maxForwards: Int? { headers[.maxForwards].flatMap { Int($0) } }
    /// The Expires field in seconds; nil when absent or no number of at most 32 bits.
    package var expires: UInt32? { headers[.expires].flatMap { UInt32($0) } }
    /// The media type without parameters, in lower case: `application/sdp`.
    package var contentType: String? {
        headers[.contentType].map { value in
            String(decoding: value.utf8.prefix { $0 != ASCII.semicolon }.filter { !$0.isBlank }, as: UTF8.self).asciiLowered
        }
    }
    package var hasSDP: Bool {
        guard !body.isEmpty, let type = headers[.contentType] else { return false }
        return type == "application/sdp" || contentType == "application/sdp"
    }
    /// Option tags that the sender insists on, lower case (RFC 3261 §20.32).
    package var required: [String] { headers.list(.require).map(\.asciiLowered) }
    package var supported: [String] { headers.list(.supported).map(\.asciiLowered) }

    /// Every value of a header that holds addresses; values that are none are left out.
    package func addresses(_ name: HeaderName) -> [NameAddress] { headers.list(name).compactMap { NameAddress($0) } }

    /// Sets the body and its type together; an empty body removes the type.
    package mutating func setBody(_ bytes: [UInt8], type: String) {
        body = bytes
        headers[.contentType] = bytes.isEmpty ? nil : type
    }
}
