/// A client transaction of one layer; never used again for another.
package struct ClientTransactionID: Hashable, Sendable {
    package let number: UInt64
}

/// A server transaction of one layer; never used again for another.
package struct ServerTransactionID: Hashable, Sendable {
    package let number: UInt64
}

/// What a response is matched by (RFC 3261 §17.1.3).
struct ClientKey: Hashable, Sendable {
    let branch: String
    let method: Method
}

/// What a request is matched by (§17.2.3). An ACK is matched as INVITE.
enum ServerKey: Hashable, Sendable {
    case branch(String, host: String, port: UInt16?, method: Method)
    /// From a client of RFC 2543, whose branch says nothing. They are few, and would make all keys three times as large.
    indirect case fields(uri: URI, from: NameAddress, callID: String, sequence: UInt32, via: Via, method: Method)

    /// - Parameter method: instead of the request's own; INVITE for an ACK or for what a CANCEL is aimed at.
    init?(_ request: SIPMessage, via: Via, as method: Method) {
        if let branch = via.branch, branch.startsWith(Via.magicCookie), branch.utf8.count > Via.magicCookie.utf8.count {
            self = .branch(branch, host: via.host, port: via.port, method: method)
        } else {
            guard let uri = request.requestURI else { return nil }
            self = .fields(
                uri: uri, from: request.from, callID: request.callID, sequence: request.cseq.number, via: via,
                method: method)
        }
    }
}

/// One request that arrived by two paths (§8.2.2.2): same request, another branch.
struct MergeKey: Hashable, Sendable {
    let callID: String
    let fromTag: String?
    let cseq: CSeq
}

/// The dialog and number that an ACK for a 2xx belongs to (§13.2.2.4).
struct AnswerKey: Hashable, Sendable {
    let callID: String
    let localTag: String
    let sequence: UInt32
}
