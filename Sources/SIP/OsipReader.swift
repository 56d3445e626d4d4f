internal import COSIP
internal import CShims

/// The ring around libosip2: a second reader of requests that begin something other than a registration (docs/decisions/0068-second-reader.md).
///
/// Our own types are filled from our own slices, because libosip2 decodes percent-escapes in place, so that
/// `%00` ends a user name early, and does not keep the order of fields. What it is asked is whether the
/// message is one, and whether both readers see the same: a message that two parsers read differently is refused.
/// It is the stricter of the two in places that no peer in use was seen to need: a host or number of one character
/// in brackets, a scheme with a digit, a Call-ID that starts with "@".
enum OsipReader {
    /// Bodies, their lengths and their types were judged by the guard; libosip2's MIME code never sees them.
    static func check(_ scanned: HeaderScanner, start: SIPMessage.Start, vias: Int, cseq: CSeq) throws(ParseError) {
        var text: [UInt8] = []
        text.reserveCapacity(scanned.bodyStart + 64)
        if case .request(let method, let uri) = start, !uri.isSIP {
            // libosip2 looks for a host in every URI with slashes; a scheme that nobody here understands has none.
            text += "\(method) sip:opaque.invalid SIP/2.0".utf8
        } else {
            text += scanned.bytes[scanned.startLine]
        }
        text += [ASCII.carriageReturn, ASCII.lineFeed]
        for field in scanned.fields {
            // An empty value is legal, carries nothing, and is not taken by libosip2 in every field.
            if field.value.isEmpty { continue }
            switch field.name {
            case .contentLength, .contentType, .contentEncoding, .mimeVersion: continue
            case .from, .to, .contact:
                text += scanned.bytes[field.line.lowerBound..<field.value.lowerBound]
                text += scanned.bytes[scanned.bytes.withoutLooseName(field.value)]
            default: text += scanned.bytes[field.line]
            }
            text += [ASCII.carriageReturn, ASCII.lineFeed]
        }
        text += [ASCII.carriageReturn, ASCII.lineFeed]
        guard isReady, agrees(text, start, vias, cseq) else { throw .refusedByParser }
    }

    /// libosip2 fills a table of its header parsers once per process, and prints to standard error unless told not to.
    private static let isReady: Bool = {
        unsafe osip_trace_initialize_func(END_TRACE_LEVEL) { _, _, _, _, _ in }
        // It makes a hundred small things of a message, all of which end with it.
        unsafe osip_set_allocators(shims_arena_allocate, shims_arena_resize, shims_arena_release)
        return parser_init() == 0
    }()

    private static func agrees(_ text: [UInt8], _ start: SIPMessage.Start, _ vias: Int, _ cseq: CSeq) -> Bool {
        guard shims_arena_open() == 0 else { return false }
        defer { shims_arena_close() }
        var created: UnsafeMutablePointer<osip_message_t>?
        guard unsafe osip_message_init(&created) == 0, let message = unsafe created else { return false }
        defer { unsafe osip_message_free(message) }
        let result = unsafe text.withUnsafeBytes { buffer in
            unsafe osip_message_parse(message, buffer.baseAddress?.assumingMemoryBound(to: CChar.self), buffer.count)
        }
        guard result == 0 else { return false }
        switch start {
        case .request(let method, _):
            guard unsafe message.pointee.status_code == 0, unsafe same(message.pointee.sip_method, method.description)
            else { return false }
        case .response(let status, _):
            guard unsafe Int(message.pointee.status_code) == status else { return false }
        }
        guard let read = unsafe message.pointee.cseq, let number = unsafe read.pointee.number,
            unsafe strtoul(number, nil, 10) == UInt(cseq.number),
            unsafe same(read.pointee.method, cseq.method.description)
        else { return false }
        return unsafe Int(osip_list_size(&message.pointee.vias)) == vias
    }

    private static func same(_ text: UnsafeMutablePointer<CChar>?, _ expected: String) -> Bool {
        guard let text = unsafe text else { return false }
        return unsafe expected.withCString { unsafe strcmp(text, $0) == 0 }
    }
}

extension [UInt8] {
    /// Phones write names without quotes that need them: `Müller <sip:…>`. Ours takes such a name, libosip2 does not,
    /// and nothing depends on it, so it is left out.
    fileprivate func withoutLooseName(_ value: Range<Int>) -> Range<Int> {
        guard self[value.lowerBound] != ASCII.quote, let open = index(of: ASCII.less, in: value),
            !all(value.lowerBound..<open, { $0.isToken || $0.isBlank })
        else { return value }
        return open..<value.upperBound
    }
}
