/// What a client answers with: the value of Authorization or Proxy-Authorization (RFC 7616 §3.4).
package struct DigestCredentials: Hashable, Sendable {
    package var username: String
    package var realm: String
    package var nonce: String
    /// As the client wrote it; it is part of what is hashed.
    package var uri: String
    package var response: String
    package var algorithm: DigestAlgorithm
    package var opaque: String?
    /// Present when the client used qop=auth.
    package var count: Count?

    package struct Count: Hashable, Sendable {
        /// As written: eight hexadecimal digits.
        package var nc: String
        package var cnonce: String
    }

    /// Whether it may be the answer to the challenge that brought the nonce. Who does not count answers each challenge once.
    package var isFirstUse: Bool { count.map { $0.nc == "00000001" } ?? true }
}

extension DigestCredentials: CustomStringConvertible {
    package init?(_ text: String) {
        guard let fields = AuthenticationFields(scheme: "Digest", text), let username = fields["username"],
            let realm = fields["realm"], let nonce = fields["nonce"], let uri = fields["uri"],
            let response = fields["response"],
            let algorithm = DigestAlgorithm(named: fields["algorithm"])
        else { return nil }
        var count: Count?
        if let qop = fields["qop"] {
            guard qop.equalsIgnoringCase("auth"), let nc = fields["nc"], nc.utf8.count == 8,
                nc.utf8.allSatisfy(\.isHexDigit), let cnonce = fields["cnonce"]
            else { return nil }
            count = Count(nc: nc, cnonce: cnonce)
        }
        self.init(
            username: username, realm: realm, nonce: nonce, uri: uri, response: response.asciiLowered,
            algorithm: algorithm, opaque: fields["opaque"], count: count)
    }

    package var description: String {
        var text = "Digest username=\(username.quoted), realm=\(realm.quoted), nonce=\(nonce.quoted), uri=\(uri.quoted)"
        text += ", response=\"\(response)\", algorithm=\(algorithm.rawValue)"
        if let count { text += ", qop=auth, nc=\(count.nc), cnonce=\(count.cnonce.quoted)" }
        if let opaque { text += ", opaque=\(opaque.quoted)" }
        return text
    }

    /// Those of a request, for one realm.
    package static func all(in request: SIPMessage, _ name: HeaderName, realm: String) -> [DigestCredentials] {
        request.headers.all(name).compactMap { DigestCredentials($0) }.filter { $0.realm == realm }
    }

    /// Answers a challenge; the client's side.
    ///
    /// - Parameters:
    ///   - ha1: of the challenge's algorithm and realm.
    ///   - nc: how often this nonce has been used, this time included.
    package init(
        answering challenge: DigestChallenge, username: String, ha1: [UInt8], method: Method, uri: String,
        cnonce: String,
        nc: UInt32
    ) {
        let digits = String(nc, radix: 16)
        let count =
            challenge.offersQop
            ? Count(nc: String(repeating: "0", count: 8 - digits.utf8.count) + digits, cnonce: cnonce) : nil
        self.init(
            username: username, realm: challenge.realm, nonce: challenge.nonce, uri: uri, response: "",
            algorithm: challenge.algorithm, opaque: challenge.opaque, count: count)
        response = String(decoding: expectedResponse(ha1: ha1, method: method), as: UTF8.self)
    }

    func expectedResponse(ha1: [UInt8], method: Method) -> [UInt8] {
        algorithm.response(
            ha1: ha1, nonce: nonce, count: count.map { ($0.nc, $0.cnonce, "auth") }, method: method, uri: uri)
    }
}
