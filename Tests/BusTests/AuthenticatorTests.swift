import Testing

@testable import Bus

/// ZAP (RFC 27) without a socket.
struct AuthenticatorTests {
    let authenticator = Authenticator()
    let key = [UInt8](repeating: 9, count: 32)

    func request(domain: String, mechanism: String = "CURVE", credentials: [UInt8]) -> [[UInt8]] {
        ["1.0", "7", domain, "127.0.0.1", "", mechanism].map { Array($0.utf8) } + [credentials]
    }

    func status(_ reply: [[UInt8]]) -> String { String(decoding: reply[2], as: UTF8.self) }

    @Test func enrolledKeyIsNamed() throws {
        let allowlist = Allowlist(["signal-1": try #require(CurvePublicKey(bytes: key))])
        let domain = authenticator.register(allowlist)
        let reply = authenticator.answer(request(domain: domain, credentials: key))
        #expect(reply.count == 6)
        #expect(status(reply) == "200")
        #expect(reply[1] == Array("7".utf8))
        #expect(reply[4] == Array("signal-1".utf8))
        #expect(reply[5] == [11] + Array("X-Enrolment".utf8) + [0, 0, 0, 1] + Array("1".utf8))
    }

    @Test func unknownKeyIsRefused() {
        let domain = authenticator.register(Allowlist())
        #expect(status(authenticator.answer(request(domain: domain, credentials: key))) == "400")
    }

    @Test func anythingElseIsAnErrorAndNeverAdmits() throws {
        let domain = authenticator.register(Allowlist(["a": try #require(CurvePublicKey(bytes: key))]))
        #expect(status(authenticator.answer([])) == "500")
        #expect(status(authenticator.answer([[], []])) == "500")
        #expect(status(authenticator.answer(request(domain: "other", credentials: key))) == "500")
        #expect(status(authenticator.answer(request(domain: domain, mechanism: "PLAIN", credentials: key))) == "500")
        #expect(status(authenticator.answer(request(domain: domain, credentials: Array(key.dropLast())))) == "500")
        #expect(status(authenticator.answer(request(domain: domain, credentials: key) + [[]])) == "500")
        authenticator.unregister(domain: domain)
        #expect(status(authenticator.answer(request(domain: domain, credentials: key))) == "500")
    }

    @Test func refusalsAreCountedWithoutEndAndKeptUpToALimit() {
        let allowlist = Allowlist()
        let domain = authenticator.register(allowlist)
        for _ in 0..<100 { _ = authenticator.answer(request(domain: domain, credentials: key)) }
        #expect(allowlist.refusals == 100)
        #expect(allowlist.takeRefusals().count == 64)
        #expect(allowlist.takeRefusals().isEmpty)
    }

    @Test func replacingKeepsWhatIsUnchanged() throws {
        let first = try #require(CurvePublicKey(bytes: key))
        let second = try #require(CurvePublicKey(bytes: Array(repeating: 8, count: 32)))
        let allowlist = Allowlist(["a": first, "b": second])
        let before = try #require(allowlist.admit(first, address: ""))
        allowlist.replace(with: ["a": first])
        #expect(allowlist.holds(name: "a", enrolment: before.enrolment))
        #expect(allowlist.name(of: second) == nil)
        allowlist.replace(with: ["a": second])
        #expect(!allowlist.holds(name: "a", enrolment: before.enrolment))
        #expect(allowlist.name(of: first) == nil)
        #expect(allowlist.key(of: "a") == second)
    }

    @Test func aKeyThatIsGivenAnotherNameLosesTheFirst() throws {
        let key = try #require(CurvePublicKey(bytes: key))
        let allowlist = Allowlist(["a": key])
        allowlist.enrol(key, name: "b")
        #expect(allowlist.name(of: key) == "b")
        #expect(allowlist.key(of: "a") == nil)
    }
}
