extension SIPMessage {
    /// A response to this request (RFC 3261 §8.2.6): Via, From, To, Call-ID and CSeq are copied,
    /// Timestamp into a 100, Record-Route into what can make a dialog (§12.1.1).
    ///
    /// - Parameter toTag: ours; put in unless the request already has one or the status is 100.
    package func response(_ status: Int, reason: String? = nil, toTag: String? = nil) -> SIPMessage {
        var response = SIPMessage(
            start: .response(status: status, reason: clean(reason ?? reasonPhrase(for: status))), vias: vias,
            from: from, to: to,
            callID: callID, cseq: cseq, headers: Headers(capacity: status == 100 ? 1 : 8), body: [])
        if status == 100 {
            if let timestamp = headers[.timestamp] { response.headers.append(.timestamp, timestamp) }
        } else if let toTag, to.tag == nil {
            response.to.tag = toTag
        }
        if status > 100, status < 300 {
            for route in headers.all(.recordRoute) { response.headers.append(.recordRoute, route) }
        }
        return response
    }

    /// The CANCEL for this request (§9.1): same Request-URI, top Via, From, To, Call-ID, Route and number.
    package func cancellation(reason: String? = nil) -> SIPMessage {
        var cancel = sameTransaction(.cancel)
        cancel.headers.set(.reason, reason.map { [$0] } ?? headers.all(.reason))
        return cancel
    }

    /// The ACK for a final response other than 2xx (§17.1.1.3): in the INVITE's transaction, To from the response.
    package func acknowledgement(of response: SIPMessage) -> SIPMessage {
        var ack = sameTransaction(.ack)
        ack.to = response.to
        return ack
    }

    private func sameTransaction(_ method: Method) -> SIPMessage {
        var request = self
        if let uri = requestURI { request.start = .request(method, uri) }
        request.vias = Array(vias.prefix(1))
        request.cseq.method = method
        request.headers = Headers()
        request.headers.append(.maxForwards, "70")
        for route in headers.all(.route) { request.headers.append(.route, route) }
        request.body = []
        return request
    }
}

/// The usual phrase for people (RFC 3261 §21 and extensions).
package func reasonPhrase(for status: Int) -> String {
    switch status {
    case 100: "Trying"
    case 180: "Ringing"
    case 181: "Call Is Being Forwarded"
    case 182: "Queued"
    case 183: "Session Progress"
    case 199: "Early Dialog Terminated"
    case 200: "OK"
    case 202: "Accepted"
    case 204: "No Notification"
    case 300: "Multiple Choices"
    case 301: "Moved Permanently"
    case 302: "Moved Temporarily"
    case 305: "Use Proxy"
    case 380: "Alternative Service"
    case 400: "Bad Request"
    case 401: "Unauthorized"
    case 402: "Payment Required"
    case 403: "Forbidden"
    case 404: "Not Found"
    case 405: "Method Not Allowed"
    case 406: "Not Acceptable"
    case 407: "Proxy Authentication Required"
    case 408: "Request Timeout"
    case 410: "Gone"
    case 412: "Conditional Request Failed"
    case 413: "Request Entity Too Large"
    case 414: "Request-URI Too Long"
    case 415: "Unsupported Media Type"
    case 416: "Unsupported URI Scheme"
    case 420: "Bad Extension"
    case 421: "Extension Required"
    case 422: "Session Interval Too Small"
    case 423: "Interval Too Brief"
    case 480: "Temporarily Unavailable"
    case 481: "Call/Transaction Does Not Exist"
    case 482: "Loop Detected"
    case 483: "Too Many Hops"
    case 484: "Address Incomplete"
    case 485: "Ambiguous"
    case 486: "Busy Here"
    case 487: "Request Terminated"
    case 488: "Not Acceptable Here"
    case 489: "Bad Event"
    case 491: "Request Pending"
    case 493: "Undecipherable"
    case 500: "Server Internal Error"
    case 501: "Not Implemented"
    case 502: "Bad Gateway"
    case 503: "Service Unavailable"
    case 504: "Server Time-out"
    case 505: "Version Not Supported"
    case 513: "Message Too Large"
    case 600: "Busy Everywhere"
    case 603: "Decline"
    case 604: "Does Not Exist Anywhere"
    case 606: "Not Acceptable"
    case 100..<200: "Progress"
    case 200..<300: "Success"
    case 300..<400: "Redirection"
    case 400..<500: "Request Failure"
    case 500..<600: "Server Failure"
    default: "Global Failure"
    }
}
