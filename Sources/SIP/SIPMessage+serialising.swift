extension SIPMessage {
    /// The message as it is sent. Control bytes never reach a line: values were cleaned when they were set,
    /// and the typed fields cannot hold any.
    package var bytes: [UInt8] {
        var head = TextWriter(capacity: 1_024 + body.count)
        switch start {
        case .request(let method, let uri):
            head += method.description
            head += " "
            uri.write(to: &head)
            head += " SIP/2.0\r\n"
        case .response(let status, let reason):
            head += "SIP/2.0 "
            head += UInt(status)
            head += " "
            head += reason
            head += "\r\n"
        }
        for via in vias {
            head += "Via: "
            via.write(to: &head)
            head += "\r\n"
        }
        head += "From: "
        from.write(to: &head)
        head += "\r\nTo: "
        to.write(to: &head)
        head += "\r\nCall-ID: "
        head += callID
        head += "\r\nCSeq: "
        head += cseq.number
        head += " "
        head += cseq.method.description
        head += "\r\n"
        for field in headers.fields {
            head += field.name.text
            head += ": "
            head += field.value
            head += "\r\n"
        }
        let body = body
        head += "Content-Length: "
        head += UInt(body.count)
        head += "\r\n\r\n"
        head += body
        return head.bytes
    }
}
