/// What a server asks with: the value of WWW-Authenticate or Proxy-Authenticate (RFC 7616 §3.3).
package struct DigestChallenge: Hashable, Sendable {
    package var realm: String
    package var nonce: String
    package var algorithm: DigestAlgorithm
    /// Whether `auth` is among the qualities of protection offered; false: the form of RFC 2069.
    package var offersQop: Bool
    /// The credentials were right, only the nonce was too old: no need to ask a person again.
    package var isStale: Bool
    package var opaque: String?

    package init(
        realm: String, nonce: String, algorithm: DigestAlgorithm, offersQop: Bool = true, isStale: Bool = false,
        opaque: String? = nil
    ) {
        self.realm = realm
        self.nonce = nonce
        self.algorithm = algorithm
        self.offersQop = offersQop
        self.isStale = isStale
        self.opaque = opaque
    }
}

extension DigestChallenge: CustomStringConvertible {
    /// nil for another scheme, an algorithm that we do not have, or a missing realm or nonce.
    package init?(_ text: String) {
        guard let fields = AuthenticationFields(scheme: "Digest", text), let realm = fields["realm"],
            let nonce = fields["nonce"],
            let algorithm = DigestAlgorithm(named: fields["algorithm"])
        else { return nil }
        let qualities = fields["qop"]?.split(separator: ",").map { $0.filter { $0 != " " }.lowercased() }
        if let qualities, !qualities.contains("auth") { return nil }
        self.init(
            realm: realm, nonce: nonce, algorithm: algorithm, offersQop: qualities != nil,
            isStale: fields["stale"]?.lowercased() == "true", opaque: fields["opaque"])
    }

    package var description: String {
        TextWriter.text(capacity: 256) { text in
            text += "Digest realm="
            text += realm.quoted
            text += ", nonce="
            text += nonce.quoted
            text += ", algorithm="
            text += algorithm.rawValue
            if offersQop { text += ", qop=\"auth\"" }
            if isStale { text += ", stale=true" }
            if let opaque {
                text += ", opaque="
                text += opaque.quoted
            }
        }
    }

    /// Every challenge of a 401 or 407 that we could answer, in the order the server prefers.
    package static func all(in response: SIPMessage) -> [DigestChallenge] {
        let name: HeaderName = response.status == 407 ? .proxyAuthenticate : .wwwAuthenticate
        return response.headers.all(name).compactMap { DigestChallenge($0) }
    }
}
