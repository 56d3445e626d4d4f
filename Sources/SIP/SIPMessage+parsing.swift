extension SIPMessage {
    package enum Framing: Sendable {
        /// The body is at most the rest of the datagram; what is beyond Content-Length is dropped (RFC 3261 §18.3).
        case datagram
        /// The bytes are one message cut from a stream: Content-Length is required and exact.
        case stream
    }

    /// - Parameter bytes: a whole datagram, or one message cut from a stream. Size, line ends, control
    ///   bytes, counts and Content-Length are checked before libosip2 sees anything; then both read it.
    package init(parsing bytes: [UInt8], framing: Framing = .datagram) throws(ParseError) {
        let scanned = try HeaderScanner(bytes)
        let start = try Start(parsing: scanned.startLine)
        var essentials = Essentials()
        var others: [Headers.Field] = []
        others.reserveCapacity(scanned.fields.count)
        for field in scanned.fields { try essentials.take(field, others: &others) }

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
        try OsipReader.check(scanned, start: start, vias: essentials.vias.count, cseq: cseq)
        self.init(
            start: start, vias: essentials.vias, from: from, to: to, callID: callID, cseq: cseq,
            headers: Headers(fields: others), body: Array(bytes[scanned.bodyStart..<(scanned.bodyStart + length)]))
    }
}

extension SIPMessage.Start {
    /// Request-Line or Status-Line (RFC 3261 §7.1, §7.2): single spaces, nothing around.
    init(parsing line: ArraySlice<UInt8>) throws(ParseError) {
        guard let first = line.firstIndex(of: ASCII.space), first > line.startIndex else { throw .startLine }
        let rest = line[(first + 1)...]
        if line[..<first].prefix(4).matches("SIP/") {
            guard line[..<first].matches("SIP/2.0") else { throw .version }
            // Many peers leave out the space before an empty reason.
            let codeEnd = rest.firstIndex(of: ASCII.space) ?? rest.endIndex
            guard rest[..<codeEnd].count == 3, let code = rest[..<codeEnd].decimal(limit: 699), code >= 100 else {
                throw .startLine
            }
            self = .response(status: Int(code), reason: rest[codeEnd...].dropFirst().text)
            return
        }
        guard let last = rest.lastIndex(of: ASCII.space), let method = Method(parsing: line[..<first]) else {
            throw .startLine
        }
        let version = rest[(last + 1)...]
        guard version.matches("SIP/2.0") else {
            throw version.prefix(4).matches("SIP/") ? .version : .startLine
        }
        // A Request-URI has no headers part (§19.1.1, table 1).
        guard let uri = URI(parsing: rest[..<last]), uri.headers == nil else { throw .startLine }
        self = .request(method, uri)
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

    mutating func take(_ field: HeaderScanner.Field, others: inout [Headers.Field]) throws(ParseError) {
        let value = field.value
        switch field.name {
        case .via:
            guard let values = value.commaSeparated else { throw .malformed(.via) }
            for value in values {
                guard value.isUTF8, let via = Via(parsing: value) else { throw .malformed(.via) }
                vias.append(via)
            }
        case .from:
            guard from == nil else { throw .repeated(.from) }
            guard let address = NameAddress(parsing: value) else { throw .malformed(.from) }
            from = address
        case .to:
            guard to == nil else { throw .repeated(.to) }
            guard let address = NameAddress(parsing: value) else { throw .malformed(.to) }
            to = address
        case .callID:
            guard callID == nil else { throw .repeated(.callID) }
            guard !value.isEmpty, value.isUTF8, !value.contains(where: \.isBlank) else { throw .malformed(.callID) }
            callID = value.text
        case .cseq:
            guard cseq == nil else { throw .repeated(.cseq) }
            guard let number = CSeq(parsing: value) else { throw .malformed(.cseq) }
            cseq = number
        case .contentLength:
            guard contentLength == nil else { throw .repeated(.contentLength) }
            guard let length = value.decimal(limit: UInt64(Int32.max)) else { throw .malformed(.contentLength) }
            contentLength = Int(length)
        case .maxForwards:
            guard !hasMaxForwards else { throw .repeated(.maxForwards) }
            guard value.decimal(limit: 255) != nil else { throw .malformed(.maxForwards) }
            hasMaxForwards = true
            others.append(Headers.Field(.maxForwards, value.text))
        case .contentType:
            guard !hasContentType else { throw .repeated(.contentType) }
            hasContentType = true
            others.append(Headers.Field(.contentType, value.text))
        case .contact, .route, .recordRoute:
            guard value == [0x2A] && field.name == .contact || value.isAddressList else { throw .malformed(field.name) }
            others.append(Headers.Field(field.name, value.text))
        default:
            others.append(Headers.Field(field.name, value.text))
        }
    }
}

extension ArraySlice<UInt8> {
    /// What is compared byte by byte later, and copied into answers, must survive as text.
    fileprivate var isUTF8: Bool {
        allSatisfy { $0 < 0x80 } || String(validating: self, as: UTF8.self) != nil
    }

    fileprivate var isAddressList: Bool { commaSeparated?.allSatisfy { NameAddress(parsing: $0) != nil } ?? false }
}
