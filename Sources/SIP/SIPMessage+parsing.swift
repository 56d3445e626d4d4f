extension SIPMessage {
    package enum Framing: Sendable {
        /// The body is at most the rest of the datagram; what is beyond Content-Length is dropped (RFC 3261 §18.3).
        case datagram
        /// The bytes are one message cut from a stream: Content-Length is required and exact.
        case stream
    }

    /// - Parameter bytes: a whole datagram, or one message cut from a stream. Size, line ends, control
    ///   bytes, counts and Content-Length are checked before libosip2 sees anything; a request that begins something, other than REGISTER, is read by both.
    package init(parsing bytes: [UInt8], framing: Framing = .datagram) throws(ParseError) {
        let scanned = try HeaderScanner(bytes)
        let start = try Start(parsing: scanned.bytes, scanned.startLine)
        var essentials = Essentials()
        var others: [Headers.Field] = []
        others.reserveCapacity(scanned.fields.count)
        for field in scanned.fields { try essentials.take(field, of: scanned.bytes, others: &others) }

        guard !essentials.vias.isEmpty else { throw .missing(.via) }
        guard let from = essentials.from else { throw .missing(.from) }
        guard let to = essentials.to else { throw .missing(.to) }
        guard let callID = essentials.callID else { throw .missing(.callID) }
        guard let cseq = essentials.cseq else { throw .missing(.cseq) }
        if case .request(let method, _) = start, method != cseq.method { throw .methodMismatch }

        let rest = bytes.count - scanned.bodyStart
        let length = essentials.contentLength ?? rest
        guard length <= rest else { throw .bodyTooShort(have: rest, need: length) }
        if framing == .stream {
            guard essentials.contentLength != nil else { throw .missing(.contentLength) }
            guard length == rest else { throw .malformed(.contentLength) }
        }
        // What begins something may be anybody's and goes on to others; what follows is found by tags and branches that we have made, and a
        // REGISTER ends here.
        if case .request(let method, _) = start, to.tag == nil, method != .register { try OsipReader.check(scanned, start: start, vias: essentials.vias.count, cseq: cseq) }
        self.init(
            start: start, vias: essentials.vias, from: from, to: to, callID: callID, cseq: cseq,
            headers: Headers(fields: others), body: Array(bytes[scanned.bodyStart..<(scanned.bodyStart + length)]))
        guard !body.isEmpty, [.invite, .ack, .prack, .update].contains(cseq.method), let description = descriptionOfParts else { return }
        setBody(description, type: "application/sdp")
    }
}

extension SIPMessage.Start {
    /// Request-Line or Status-Line (RFC 3261 §7.1, §7.2): single spaces, nothing around.
    init(parsing bytes: [UInt8], _ line: Range<Int>) throws(ParseError) {
        guard let first = bytes.index(of: ASCII.space, in: line), first > line.lowerBound else { throw .startLine }
        let rest = first + 1..<line.upperBound
        if bytes.isVersion(line.lowerBound..<first) {
            guard bytes.matches(line.lowerBound..<first, "SIP/2.0") else { throw .version }
            // Many peers leave out the space before an empty reason.
            let codeEnd = bytes.index(of: ASCII.space, in: rest) ?? rest.upperBound
            guard codeEnd - rest.lowerBound == 3, let code = bytes.decimal(rest.lowerBound..<codeEnd, limit: 699),
                code >= 100
            else { throw .startLine }
            let reason = min(codeEnd + 1, rest.upperBound)..<rest.upperBound
            self = .response(status: Int(code), reason: bytes.text(reason))
            return
        }
        guard let second = bytes.index(of: ASCII.space, in: rest),
            let method = Method(parsing: bytes, line.lowerBound..<first)
        else { throw .startLine }
        let version = second + 1..<rest.upperBound
        guard bytes.matches(version, "SIP/2.0") else {
            throw bytes.isVersion(version) && bytes.index(of: ASCII.space, in: version) == nil ? .version : .startLine
        }
        // A Request-URI has no headers part (§19.1.1, table 1).
        guard let uri = URI(parsing: bytes, rest.lowerBound..<second), uri.headers == nil else { throw .startLine }
        self = .request(method, uri)
    }
}

extension [UInt8] {
    fileprivate func isVersion(_ range: Range<Int>) -> Bool {
        range.count > 4 && matches(range.lowerBound..<range.lowerBound + 4, "SIP/")
    }

    fileprivate func isAddressList(_ range: Range<Int>) -> Bool {
        eachValue(range) { NameAddress(parsing: self, $0) != nil }
    }
}

/// The fields that every message has, as they are collected.
private struct Essentials {
    var vias: [Via] = []
    var from: NameAddress?
    var to: NameAddress?
    var callID: String?
    var cseq: CSeq?
    var contentLength: Int?
    var hasMaxForwards = false
    var hasContentType = false

    mutating func take(
        _ field: HeaderScanner.Field, of bytes: [UInt8], others: inout [Headers.Field]
    ) throws(ParseError) {
        let value = field.value
        switch field.name {
        case .via:
            let isWhole = bytes.eachValue(value) { range in
                guard bytes.isUTF8(range), let via = Via(parsing: bytes, range) else { return false }
                vias.append(via)
                return true
            }
            guard isWhole else { throw .malformed(.via) }
        case .from:
            guard from == nil else { throw .repeated(.from) }
            guard let address = NameAddress(parsing: bytes, value) else { throw .malformed(.from) }
            from = address
        case .to:
            guard to == nil else { throw .repeated(.to) }
            guard let address = NameAddress(parsing: bytes, value) else { throw .malformed(.to) }
            to = address
        case .callID:
            guard callID == nil else { throw .repeated(.callID) }
            guard !value.isEmpty, bytes.isUTF8(value), bytes.all(value, { !$0.isBlank }) else {
                throw .malformed(.callID)
            }
            callID = bytes.text(value)
        case .cseq:
            guard cseq == nil else { throw .repeated(.cseq) }
            guard let number = CSeq(parsing: bytes, value) else { throw .malformed(.cseq) }
            cseq = number
        case .contentLength:
            guard contentLength == nil else { throw .repeated(.contentLength) }
            guard let length = bytes.decimal(value, limit: UInt64(Int32.max)) else { throw .malformed(.contentLength) }
            contentLength = Int(length)
        case .maxForwards:
            guard !hasMaxForwards else { throw .repeated(.maxForwards) }
            guard bytes.decimal(value, limit: 255) != nil else { throw .malformed(.maxForwards) }
            hasMaxForwards = true
            others.append(Headers.Field(.maxForwards, bytes.text(value)))
        case .contentType:
            guard !hasContentType else { throw .repeated(.contentType) }
            hasContentType = true
            others.append(Headers.Field(.contentType, bytes.text(value)))
        case .contact, .route, .recordRoute:
            let isWildcard = field.name == .contact && value.count == 1 && bytes[value.lowerBound] == 0x2A
            guard isWildcard || bytes.isAddressList(value) else { throw .malformed(field.name) }
            others.append(Headers.Field(field.name, bytes.text(value)))
        default:
            others.append(Headers.Field(field.name, bytes.text(value)))
        }
    }
}
