import Model
import Primitives
import SIP
import Testing

@testable import SignalWorker

/// A registrar by hand, on the other side of the machine.
@Suite struct RegistrationMachineTests {
    private struct Bench {
        static let contact = URI("sip:trunk@192.0.2.9:5060;trunk=00")!
        var machine: RegistrationMachine
        var now = Instant.zero
        var random = RandomSource(seed: 3)

        init(seconds: UInt32 = 3_600) {
            machine = RegistrationMachine(
                uri: "sip:carrier.example", contact: Self.contact, seconds: seconds, rules: RegistrationMachine.Rules(), now: .zero)
        }

        mutating func give(_ input: RegistrationMachine.Input) -> [RegistrationMachine.Effect] {
            var effects: [RegistrationMachine.Effect] = []
            machine.handle(input, now: now, random: &random, into: &effects)
            return effects
        }

        /// To the next moment at which something is to be done.
        mutating func wait() -> [RegistrationMachine.Effect] {
            now = machine.nextWake ?? now
            return give(.tick)
        }

        /// What a registrar says.
        mutating func answer(_ status: Int, _ fields: [(HeaderName, String)] = []) -> [RegistrationMachine.Effect] {
            let address = NameAddress(uri: URI("sip:trunk@carrier.example")!)
            let request = SIPMessage(
                .register, URI("sip:carrier.example")!, via: Via(host: "192.0.2.9", port: 5060, branch: "z9hG4bK1"), from: address, to: address, callID: "1", cseq: 1)
            var response = request.response(status)
            for (name, value) in fields { response.headers.append(name, value) }
            return give(.response(response))
        }

        mutating func challenge(_ algorithm: String, nonce: String, isStale: Bool = false) -> [RegistrationMachine.Effect] {
            answer(401, [(.wwwAuthenticate, "Digest realm=\"carrier\", nonce=\"\(nonce)\", algorithm=\(algorithm), qop=\"auth\"\(isStale ? ", stale=true" : "")")])
        }
    }

    private func order(_ effects: [RegistrationMachine.Effect]) -> RegistrationMachine.Order? {
        for case .send(let order) in effects { return order }
        return nil
    }

    @Test(arguments: ["MD5", "SHA-256"])
    func aChallengeIsAnsweredByItsOwnHash(name: String) throws {
        let algorithm = try #require(DigestAlgorithm(rawValue: name))
        var bench = Bench()
        let first = try #require(order(bench.wait()))
        #expect(first.seconds == 3_600 && first.cseq == 1 && first.credentials == nil)
        #expect(bench.challenge(name, nonce: "n1") == [.ask(realm: "carrier", isSHA256: algorithm == .sha256)])
        let ha1 = algorithm.ha1(username: "trunk", realm: "carrier", password: "secret")
        let second = try #require(order(bench.give(.credential(username: "trunk", ha1: ha1))))
        let said = try #require(second.credentials)
        #expect(second.cseq == 2 && said.status == 401 && said.value.uri == "sip:carrier.example" && said.value.count?.nc == "00000001")
        var right = said.value
        right.response = ""
        let expected = DigestCredentials(
            answering: DigestChallenge(realm: "carrier", nonce: "n1", algorithm: algorithm), username: "trunk", ha1: ha1, method: .register,
            uri: "sip:carrier.example", cnonce: said.value.count?.cnonce ?? "", nc: 1)
        #expect(said.value.response == expected.response)
        #expect(bench.answer(200, [(.contact, "<\(Bench.contact)>;expires=1800")]) == [.report])
        #expect(bench.machine.state == .registered && bench.machine.until == bench.now + .seconds(1_800))
        // The refresh answers the same nonce again, so that it takes one trip.
        let refresh = try #require(order(bench.wait()))
        #expect(bench.now == .zero + .seconds(1_620))
        #expect(refresh.credentials?.value.nonce == "n1" && refresh.credentials?.value.count?.nc == "00000002")
        // A nonce that is too old is no wrong password, and the control plane is not asked again.
        let again = try #require(order(bench.challenge(name, nonce: "n2", isStale: true)))
        #expect(again.credentials?.value.nonce == "n2" && again.credentials?.value.count?.nc == "00000001")
    }

    @Test func theGrantedTimeCountsAndNotTheWantedOne() {
        var bench = Bench()
        _ = bench.wait()
        // Another device's contact stands first.
        _ = bench.answer(200, [(.contact, "<sip:other@198.51.100.7>;expires=3600"), (.contact, "<\(Bench.contact)>;expires=120")])
        #expect(bench.machine.until == .zero + .seconds(120))
        #expect(bench.machine.nextWake == .zero + .seconds(80))
        _ = bench.wait()
        _ = bench.answer(200, [(.expires, "60")])
        #expect(bench.machine.until == bench.now + .seconds(60))
        #expect(bench.machine.nextWake == bench.now + .seconds(30))
    }

    @Test func tooBriefAnIntervalIsRaisedToWhatTheRegistrarWantsOnce() throws {
        var bench = Bench(seconds: 60)
        _ = bench.wait()
        let second = try #require(order(bench.answer(423, [(.minExpires, "300")])))
        #expect(second.seconds == 300)
        #expect(bench.answer(423, [(.minExpires, "900")]) == [.report])
        #expect(bench.machine.state == .failing && bench.machine.lastStatus == 423)
        // Nor is what no registration of ours lasts.
        var other = Bench(seconds: 60)
        _ = other.wait()
        #expect(other.answer(423, [(.minExpires, "9999999")]) == [.report])
    }

    @Test func pausesGrowWhileItFailsAndShrinkWithTheFirstSuccess() throws {
        var bench = Bench()
        _ = bench.wait()
        var pauses: [Duration] = []
        for _ in 0..<12 {
            let before = bench.now
            #expect(bench.answer(403) == [.report])
            #expect(bench.machine.state == .failing && bench.machine.lastStatus == 403)
            _ = bench.wait()
            pauses.append(bench.now - before)
        }
        for (index, pause) in pauses.enumerated() {
            let longest = min(Duration.seconds(600), .seconds(5) * (1 << index))
            #expect(pause >= longest / 2 && pause <= longest, "\(index): \(pause)")
        }
        _ = bench.answer(200, [(.expires, "3600")])
        _ = bench.wait()
        let before = bench.now
        _ = bench.answer(500)
        // It still holds, so it is not called failing before it has lapsed.
        #expect(bench.machine.state == .registered)
        #expect((bench.machine.nextWake ?? before) - before <= .seconds(5))
        while bench.machine.state == .registered {
            _ = bench.wait()
            if bench.machine.state == .registered { _ = bench.answer(500) }
        }
        #expect(bench.machine.state == .failing && bench.machine.until == nil)
    }

    @Test func theRegistrarsOwnPauseIsHeeded() {
        var bench = Bench()
        _ = bench.wait()
        _ = bench.answer(503, [(.retryAfter, "120 (busy)")])
        #expect(bench.machine.nextWake == .zero + .seconds(120))
    }

    @Test func aWrongPasswordIsNotTriedAgainAtOnce() throws {
        var bench = Bench()
        _ = bench.wait()
        _ = bench.challenge("MD5", nonce: "n1")
        _ = bench.give(.credential(username: "trunk", ha1: Array(repeating: 0, count: 16)))
        #expect(bench.challenge("MD5", nonce: "n2") == [.report])
        #expect(bench.machine.state == .failing && bench.machine.lastReason == "the password is not taken")
        // The next round begins without it.
        let next = try #require(order(bench.wait()))
        #expect(next.credentials == nil)
        _ = bench.challenge("MD5", nonce: "n3")
        #expect(bench.give(.noCredential) == [.report])
    }

    @Test func aRegistrarThatCallsEveryNonceOldIsGivenUp() {
        var bench = Bench()
        _ = bench.wait()
        _ = bench.challenge("MD5", nonce: "n1")
        var effects = bench.give(.credential(username: "trunk", ha1: Array(repeating: 0, count: 16)))
        var rounds = 0
        while order(effects) != nil, rounds < 10 {
            rounds += 1
            effects = bench.challenge("MD5", nonce: "m\(rounds)", isStale: true)
        }
        #expect(rounds == 3 && bench.machine.state == .failing)
    }

    @Test func itLeavesByExpiringItselfAndWithTheSameNonce() throws {
        var bench = Bench()
        _ = bench.wait()
        _ = bench.challenge("MD5", nonce: "n1")
        _ = bench.give(.credential(username: "trunk", ha1: Array(repeating: 0, count: 16)))
        _ = bench.answer(200, [(.expires, "3600")])
        let farewell = try #require(order(bench.give(.leave)))
        #expect(farewell.seconds == 0 && farewell.credentials?.value.count?.nc == "00000002")
        #expect(bench.answer(200) == [.report, .over])
        #expect(bench.machine.isOver && bench.machine.state == .none)
        // Nobody was told of one that never was.
        var other = Bench()
        _ = other.wait()
        #expect(other.give(.leave) == [.report, .over])
    }

    @Test func silenceIsAFailureAndAnotherServerIsTriedAtOnce() throws {
        var bench = Bench()
        _ = bench.wait()
        let next = try #require(order(bench.give(.failed(reason: "no answer", hasOther: true))))
        #expect(next.cseq == 2)
        #expect(bench.give(.failed(reason: "no answer", hasOther: false)) == [.report])
        #expect(bench.machine.state == .failing && bench.machine.lastStatus == 0 && bench.machine.lastReason == "no answer")
    }
}
