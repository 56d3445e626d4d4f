extension SIPMessage {
    /// The answer to bytes that are no message, if they are at least a request that says where its answer goes: a 4xx
    /// with what could be read copied into it. nil for responses, for ACK, and for what says too little: silence.
    ///
    /// The top Via is not stamped; send the answer to the source.
    package static func rejection(of bytes: [UInt8], for error: ParseError) -> SIPMessage? {
        guard let status = error.status, bytes.count <= HeaderScanner.sizeMax, let scanned = try? HeaderScanner(bytes),
            !scanned.startLine.prefix(4).matches("SIP/"), !scanned.startLine.prefix(4).matches("ACK ")
        else { return nil }
        func values(_ name: HeaderName) -> [ArraySlice<UInt8>] { scanned.fields.filter { $0.name == name }.map(\.value) }
        let vias = values(.via).flatMap { $0.commaSeparated ?? [] }.compactMap { Via(parsing: $0) }
        guard !vias.isEmpty, let from = values(.from).first.flatMap({ NameAddress(parsing: $0) }),
            var to = values(.to).first.flatMap({ NameAddress(parsing: $0) }),
            let callID = values(.callID).first, !callID.isEmpty,
            let cseq = values(.cseq).first.flatMap({ CSeq(parsing: $0) }), cseq.method != .ack
        else { return nil }
        if to.tag == nil { to.tag = "malformed" }
        return SIPMessage(
            start: .response(status: status, reason: error.reason), vias: vias, from: from, to: to, callID: callID.text,
            cseq: cseq, headers: Headers(), body: [])
    }
}
