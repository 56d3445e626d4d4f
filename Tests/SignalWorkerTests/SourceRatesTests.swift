import Foundation
import Model
import Primitives
import SIP
import SwiftProtobuf
import Testing

@testable import SignalWorker

/// How much one address may ask.
@Suite struct SourceRatesTests {
    private let here = SocketAddress.loopback(5_060)
    private let there = SocketAddress(.v4(0xC000_0201), port: 5_060)

    private func rates() -> SourceRates {
        var configuration = SignalConfiguration(
            worker: "w1", listeners: [.loopback(5_061)], cluster: nil, busEndpoint: "", incarnation: 1)
        configuration.sourceRate = 10
        configuration.sourceBurst = 20
        configuration.lineRate = 4
        configuration.lineBurst = 8
        configuration.wrongPasswordsMax = 3
        configuration.banTime = .seconds(300)
        return SourceRates(configuration)
    }

    private func expect(_ wanted: Bool, _ found: Bool, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(found == wanted, sourceLocation: sourceLocation)
    }

    private func at(_ milliseconds: Int) -> Instant { Instant.zero + .milliseconds(milliseconds) }

    @Test func theAddressesOfOneLinkAreOne() {
        var rates = rates()
        let admitted = (0..<30).count { rates.admits(SocketAddress(.v6(0x2001_0DB8_0000_0001, UInt64($0)), port: 5_060), now: at(0)) }
        #expect(admitted == 20)
        expect(true, rates.admits(SocketAddress(.v6(0x2001_0DB8_0000_0002, 0), port: 5_060), now: at(0)))
    }

    @Test func aBurstThenARate() {
        var rates = rates()
        let burst = (0..<30).count { _ in rates.admits(here, now: at(0)) }
        #expect(burst == 20)
        expect(false, rates.admits(here, now: at(99)))
        expect(true, rates.admits(here, now: at(100)))
        expect(false, rates.admits(here, now: at(100)))
        expect(true, rates.admits(there, now: at(100)))
    }

    @Test func wrongPasswordsWithinTheWindowBan() {
        var rates = rates()
        expect(false, rates.wrongPassword(here, now: at(1_000)))
        expect(false, rates.wrongPassword(here, now: at(2_000)))
        expect(true, rates.wrongPassword(here, now: at(3_000)))
        #expect(rates.isBanned(here, now: at(3_001)))
        #expect(!rates.isBanned(there, now: at(3_001)))
        #expect(!rates.isBanned(here, now: at(303_000)))
    }

    @Test func mistakesOverADayDoNot() {
        var rates = rates()
        for hour in 0..<24 { expect(false, rates.wrongPassword(here, now: at(hour * 3_600_000))) }
    }

    @Test func theRightPasswordForgives() {
        var rates = rates()
        _ = rates.wrongPassword(here, now: at(1_000))
        _ = rates.wrongPassword(here, now: at(1_100))
        rates.rightPassword(here)
        expect(false, rates.wrongPassword(here, now: at(1_200)))
    }

    @Test func whatIsVouchedForIsGivenBackAndNoMore() {
        var rates = rates()
        for _ in 0..<100 {
            expect(true, rates.admits(here, now: at(0)))
            expect(true, rates.admits(here, now: at(0)))
            rates.vouched(here, requests: 2)
        }
        rates.vouched(here, requests: 1_000)
        let burst = (0..<30).count { _ in rates.admits(here, now: at(0)) }
        #expect(burst == 20)
    }

    @Test func aLineIsHeldBackByItself() {
        var rates = rates()
        var random = RandomSource(seed: 3)
        let (one, other) = (SubscriberID(at: WallTime(microseconds: 1), random: &random), SubscriberID(at: WallTime(microseconds: 1), random: &random))
        let burst = (0..<30).count { _ in rates.admits(line: one, now: at(0)) }
        #expect(burst == 8)
        expect(true, rates.admits(line: other, now: at(0)))
        expect(false, rates.admits(line: one, now: at(249)))
        expect(true, rates.admits(line: one, now: at(250)))
        expect(true, rates.admits(here, now: at(250)))
    }

    /// A proxy or an office: many lines behind one address, far more requests than a stranger may send.
    @Test func passwordsVouchForAnAddressAndEachLineForItselfAlone() throws {
        var configuration = SignalConfiguration(worker: "w1", listeners: [.loopback(5_061)], cluster: nil, busEndpoint: "", incarnation: 1)
        (configuration.sourceRate, configuration.sourceBurst, configuration.lineRate, configuration.lineBurst) = (10, 20, 4, 8)
        var machine = SignalMachine(configuration, random: RandomSource(seed: 1))
        var random = RandomSource(seed: 2)
        let (now, wall) = (Instant(nanoseconds: 1_000_000_000), WallTime(microseconds: 1_800_000_000_000_000))
        let ha1 = [UInt8](repeating: 7, count: 16)
        for line in 0..<50 {
            let reply = CredentialReply.with {
                $0.found = true
                $0.subscriberID = SubscriberID(at: wall, random: &random).data
                $0.tenantID = TenantID(at: wall, random: &random).data
                $0.credential.ha1Md5 = Data(ha1)
                $0.credential.ha1Sha256 = Data(repeating: 7, count: 32)
            }
            _ = machine.access.take(reply, for: CredentialKey(domain: "acme.example", username: "line\(line)"), now: now)
        }
        var sent = 0
        /// The answer, if there is one at once.
        func register(_ line: Int, _ credentials: DigestCredentials?, from source: SocketAddress) throws -> SIPMessage? {
            sent += 1
            let text = """
                REGISTER sip:acme.example SIP/2.0\r\nVia: SIP/2.0/UDP \(source);branch=z9hG4bK\(sent)\r\nMax-Forwards: 70\r\n\
                From: <sip:line\(line)@acme.example>;tag=1\r\nTo: <sip:line\(line)@acme.example>\r\nCall-ID: c\(sent)\r\nCSeq: 1 REGISTER\r\n\
                Contact: <sip:line\(line)@\(source)>\r\n\(credentials.map { "Authorization: \($0)\r\n" } ?? "")Content-Length: 0\r\n\r\n
                """
            var effects: [SignalMachine.Effect] = []
            machine.handle(.datagram(Array(text.utf8), listener: .loopback(5_061), from: source), now: now, wall: wall, into: &effects)
            for case .send(let bytes, _, _) in effects { return try SIPMessage(parsing: bytes) }
            return nil
        }
        func registerWithPassword(_ line: Int) throws -> SIPMessage? {
            let challenged = try #require(try register(line, nil, from: here))
            #expect(challenged.status == 401, "\(challenged.status) for line \(line)")
            let challenge = try #require(DigestChallenge.all(in: challenged).first { $0.algorithm == .md5 })
            let credentials = DigestCredentials(
                answering: challenge, username: "line\(line)", ha1: ha1, method: .register, uri: "sip:acme.example", cnonce: "c", nc: 1)
            return try register(line, credentials, from: here)
        }
        for line in 0..<50 {
            for _ in 0..<4 { #expect(try registerWithPassword(line)?.status != 503) }
        }
        for _ in 0..<4 { #expect(try registerWithPassword(3)?.status != 503) }
        let held = try #require(try registerWithPassword(3))
        #expect(held.status == 503 && held.headers["Retry-After"] == "2")
        #expect(try registerWithPassword(4)?.status != 503)
        // Who shows no password is a stranger still.
        let strangers = try (0..<30).count { _ in try register(1, nil, from: there)?.status == 401 }
        #expect(strangers == 20)
    }

    /// A carrier brings its calls from one address, without passwords.
    @Test func theAddressOfAGatewayVouchesForItself() throws {
        var configuration = SignalConfiguration(worker: "w1", listeners: [.loopback(5_061)], cluster: nil, busEndpoint: "", incarnation: 1)
        (configuration.sourceRate, configuration.sourceBurst) = (10, 20)
        var machine = SignalMachine(configuration, random: RandomSource(seed: 1))
        var random = RandomSource(seed: 2)
        let (now, wall) = (Instant(nanoseconds: 1_000_000_000), WallTime(microseconds: 1_800_000_000_000_000))
        let gateway = SourceReply.with {
            $0.found = true
            $0.gatewayID = GatewayID(at: wall, random: &random).data
        }
        _ = machine.access.take(gateway, for: here, now: now)
        _ = machine.access.take(SourceReply(), for: there, now: now)
        func invite(_ number: Int, from source: SocketAddress) throws -> Int? {
            let text = """
                INVITE sip:1001@acme.example SIP/2.0\r\nVia: SIP/2.0/UDP \(source);branch=z9hG4bK\(number)\r\nMax-Forwards: 70\r\n\
                From: <sip:+4930123@\(source)>;tag=\(number)\r\nTo: <sip:1001@acme.example>\r\nCall-ID: c\(number)\r\nCSeq: 1 INVITE\r\n\
                Contact: <sip:\(source)>\r\nContent-Length: 0\r\n\r\n
                """
            var effects: [SignalMachine.Effect] = []
            machine.handle(.datagram(Array(text.utf8), listener: .loopback(5_061), from: source), now: now, wall: wall, into: &effects)
            for case .send(let bytes, _, _) in effects { return try SIPMessage(parsing: bytes).status }
            return nil
        }
        for number in 0..<200 { #expect(try invite(number, from: here) == 100) }
        #expect(machine.callCount == 200)
        let strangers = try (200..<300).count { try invite($0, from: there) == 407 }
        #expect(strangers == 20)
    }
}
