import Primitives
import Testing

@testable import SIP

private let start = WallTime(microseconds: 1_700_000_000_000_000)

private let here = SocketAddress.Host.v4(0xC633_6407)

private func verifier(lifetime: Duration = .seconds(300), noncesMax: Int = 1_000) -> DigestVerifier {
    DigestVerifier(secret: Array("a secret of thirty-two bytes ...".utf8), lifetime: lifetime, noncesMax: noncesMax)
}

private func answer(
    _ challenge: DigestChallenge, password: String = "secret", nc: UInt32 = 1, method: SIP.Method = .register
) -> DigestCredentials {
    DigestCredentials(
        answering: challenge, username: "alice",
        ha1: challenge.algorithm.ha1(username: "alice", realm: challenge.realm, password: password), method: method,
        uri: "sip:example.com", cnonce: "0a4f113b", nc: nc)
}

private func ha1(_ algorithm: DigestAlgorithm) -> [UInt8] {
    algorithm.ha1(username: "alice", realm: "example.com", password: "secret")
}

/// RFC 7616 §3.9.1.
@Test(arguments: [
    (DigestAlgorithm.md5, "8ca523f5e9506fed4657c9700eebdbec"),
    (.sha256, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
])
func digestIsThatOfRFC7616(algorithm: DigestAlgorithm, response: String) {
    let challenge = DigestChallenge(
        realm: "http-auth@example.org", nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", algorithm: algorithm,
        opaque: "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS")
    let credentials = DigestCredentials(
        answering: challenge, username: "Mufasa",
        ha1: algorithm.ha1(username: "Mufasa", realm: "http-auth@example.org", password: "Circle of Life"),
        method: .other("GET"), uri: "/dir/index.html", cnonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", nc: 1)
    #expect(credentials.response == response)
    #expect(DigestCredentials(credentials.description) == credentials)
}

/// RFC 2617 §3.5.
@Test func digestIsThatOfRFC2617() throws {
    let text = """
        Digest username="Mufasa", realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", \
        uri="/dir/index.html", qop=auth, nc=00000001, cnonce="0a4f113b", \
        response="6629fae49393a05397450978507c4ef1", opaque="5ccc069c403ebaf9f0171e9517f40e41"
        """
    let credentials = try #require(DigestCredentials(text))
    let ha1 = DigestAlgorithm.md5.ha1(username: "Mufasa", realm: "testrealm@host.com", password: "Circle Of Life")
    #expect(hex(ha1) == "939e7578ed9e3c518a452acee763bce9")
    #expect(credentials.expectedResponse(ha1: ha1, method: .other("GET")) == Array(credentials.response.utf8))
}

@Test func challengesOfferTheStrongerAlgorithmFirst() {
    var verifier = verifier()
    let challenges = verifier.challenges(realm: "example.com", to: here, now: start)
    #expect(challenges.map(\.algorithm) == [.sha256, .md5])
    #expect(DigestChallenge(challenges[0].description) == challenges[0])
    let next = verifier.challenges(realm: "example.com", to: here, now: start)
    #expect(next[0].nonce != challenges[0].nonce, "two nonces of one instant differ")
}

@Test(arguments: DigestAlgorithm.allCases)
func rightPasswordIsAcceptedAndAWrongOneIsNot(algorithm: DigestAlgorithm) throws {
    var verifier = verifier()
    let challenge = try #require(verifier.challenges(realm: "example.com", algorithms: [algorithm], to: here, now: start).first)
    #expect(
        verifier.verify(answer(challenge, password: "wrong"), from: here, method: .register, ha1: ha1(algorithm), now: start)
            == .wrong)
    #expect(verifier.verify(answer(challenge), from: here, method: .invite, ha1: ha1(algorithm), now: start) == .wrong)
    #expect(verifier.verify(answer(challenge), from: here, method: .register, ha1: ha1(algorithm), now: start) == .accepted)
}

@Test func eachCountIsAcceptedOnce() throws {
    var verifier = verifier()
    let challenge = try #require(verifier.challenges(realm: "example.com", to: here, now: start).first)
    func verdict(_ nc: UInt32, _ verifier: inout DigestVerifier) -> DigestVerifier.Verdict {
        verifier.verify(answer(challenge, nc: nc), from: here, method: .register, ha1: ha1(.sha256), now: start)
    }
    #expect(verdict(1, &verifier) == .accepted)
    #expect(verdict(1, &verifier) == .stale)
    #expect(verdict(3, &verifier) == .accepted)
    #expect(verdict(2, &verifier) == .accepted, "overtaken on the way")
    #expect(verdict(2, &verifier) == .stale)
    #expect(verdict(3, &verifier) == .stale)
    #expect(verdict(100, &verifier) == .accepted)
    #expect(verdict(37, &verifier) == .accepted, "63 behind")
    #expect(verdict(36, &verifier) == .stale, "64 behind: not remembered, so not accepted")
    #expect(verdict(0, &verifier) == .stale)
}

@Test func nonceIsStaleAfterItsLifetime() throws {
    var verifier = verifier(lifetime: .seconds(60))
    let challenge = try #require(verifier.challenges(realm: "example.com", to: here, now: start).first)
    func verdict(_ now: WallTime, nc: UInt32) -> DigestVerifier.Verdict {
        verifier.verify(answer(challenge, nc: nc), from: here, method: .register, ha1: ha1(.sha256), now: now)
    }
    #expect(verdict(start + .seconds(60), nc: 1) == .accepted)
    #expect(verdict(start + .seconds(60) + .microseconds(1), nc: 2) == .stale)
    #expect(verdict(start + .seconds(-1), nc: 3) == .stale, "from the future: not ours to trust")
}

@Test func foreignAndChangedNoncesAreStale() throws {
    var verifier = verifier()
    let challenge = try #require(verifier.challenges(realm: "example.com", to: here, now: start).first)
    var nonces = ["", "x", String(repeating: "0", count: 56), challenge.nonce + "00", challenge.nonce.uppercased()]
    for index in 0..<56 {
        var characters = Array(challenge.nonce)
        characters[index] = characters[index] == "0" ? "1" : "0"
        nonces.append(String(characters))
    }
    for nonce in nonces where nonce != challenge.nonce {
        var changed = challenge
        changed.nonce = nonce
        #expect(
            verifier.verify(answer(changed), from: here, method: .register, ha1: ha1(.sha256), now: start) == .stale, "\(nonce)")
    }
    var other = DigestVerifier(secret: Array("another secret".utf8))
    #expect(other.verify(answer(challenge), from: here, method: .register, ha1: ha1(.sha256), now: start) == .stale)
}

/// Who only forges an address has not heard what it was asked, so its answers are not held against the address; nor do they tell whether the
/// password was right.
@Test func onlyAnAnswerFromWhereTheChallengeWentIsJudged() throws {
    var verifier = verifier()
    let challenge = try #require(verifier.challenges(realm: "example.com", to: here, now: start).first)
    let elsewhere = SocketAddress.Host.v4(0xC633_6408)
    for password in ["secret", "wrong"] {
        #expect(verifier.verify(answer(challenge, password: password), from: elsewhere, method: .register, ha1: ha1(.sha256), now: start) == .stale)
    }
    #expect(verifier.verify(answer(challenge), from: here, method: .register, ha1: ha1(.sha256), now: start) == .accepted)
}

@Test func replayTableIsBoundedAndForgetsNothingItWouldAcceptAgain() throws {
    var verifier = verifier(noncesMax: 10)
    var used: [DigestChallenge] = []
    for index in 0..<50 {
        let now = start + .milliseconds(index)
        let challenge = try #require(verifier.challenges(realm: "example.com", to: here, now: now).first)
        #expect(verifier.verify(answer(challenge), from: here, method: .register, ha1: ha1(.sha256), now: now) == .accepted)
        used.append(challenge)
    }
    for challenge in used {
        #expect(
            verifier.verify(answer(challenge), from: here, method: .register, ha1: ha1(.sha256), now: start + .seconds(1)) == .stale
        )
    }
}

/// The form of RFC 2069 has no count: one use of a nonce is all there is.
@Test func credentialsWithoutQopServeOnce() throws {
    var verifier = verifier()
    var challenge = try #require(verifier.challenges(realm: "example.com", algorithms: [.md5], to: here, now: start).first)
    challenge.offersQop = false
    let credentials = answer(challenge)
    #expect(credentials.count == nil)
    #expect(verifier.verify(credentials, from: here, method: .register, ha1: ha1(.md5), now: start) == .accepted)
    #expect(verifier.verify(credentials, from: here, method: .register, ha1: ha1(.md5), now: start) == .stale)
}

@Test(arguments: [
    "", "Digest", "Basic dXNlcjpwYXNz", "Digest username=\"a\"", "Digest username=\"a, realm=\"b\"",
    "Digest username=\"a\", realm=\"r\", nonce=\"n\", uri=\"u\", response=\"x\", algorithm=SHA-1",
    "Digest username=\"a\", realm=\"r\", nonce=\"n\", uri=\"u\", response=\"x\", qop=auth, nc=1, cnonce=\"c\"",
    "Digest username=\"a\", realm=\"r\", nonce=\"n\", uri=\"u\", response=\"x\", qop=auth-int, nc=00000001, cnonce=\"c\"",
    "Digest username=\"a\", username=\"b\", realm=\"r\", nonce=\"n\", uri=\"u\", response=\"x\"",
])
func brokenCredentialsAreNone(text: String) {
    #expect(DigestCredentials(text) == nil)
}

@Test func quotedFieldsMayHoldCommasQuotesAndEquals() throws {
    let credentials = try #require(
        DigestCredentials(#"digest USERNAME="a,\"b=c", realm="r", nonce="n==", uri="sip:x;y=z", response="ABCDEF""#))
    #expect(credentials.username == "a,\"b=c")
    #expect(credentials.nonce == "n==")
    #expect(credentials.response == "abcdef")
    #expect(credentials.algorithm == .md5)
}

@Test func credentialsOfARequestAreFoundByRealm() {
    let request = Samples.request(
        "REGISTER",
        extra: """
            Authorization: Basic eHh4\r
            Authorization: Digest username="a", realm="one", nonce="n", uri="u", response="x"\r
            Authorization: Digest username="b", realm="two", nonce="n", uri="u", response="x"\r

            """)
    #expect(DigestCredentials.all(in: request, .authorization, realm: "two").map(\.username) == ["b"])
}

/// What nobody writes is not read to its end.
@Test func fieldsBeyondMeasureAreNoCredentials() {
    let usual = #"Digest username="a", realm="r", nonce="n", uri="sip:x", response="00""#
    func with(_ count: Int) -> String { usual + (0..<count).map { ", x\($0)=1" }.joined() }
    #expect(DigestCredentials(with(59)) != nil)
    #expect(DigestCredentials(with(60)) == nil)
    #expect(DigestCredentials(with(5_000)) == nil)
    #expect(DigestCredentials(usual + #", realm="r""#) == nil)
}
