import MediaWorker
import Model
import Primitives
import RTP
import Testing

@testable import MediaWorker

private let alice = address("198.51.100.7:4000")
private let bob = address("203.0.113.9:6000")

/// Alice on 30000, Bob on 30002.
private func openRelay(a: LegSetup = LegSetup(remote: alice)) throws -> RelayCore {
    var core = RelayCore(ports: 30_000...30_015)
    try core.open(sessionID(1), portA: 30_000, portB: 30_002, a: a, b: LegSetup(remote: bob), at: milliseconds(0))
    return core
}

/// 50 ms, each sample another level: two packets and a half.
private let short = Recording(samples: (0..<400).map { UInt8($0 % 251) })

@Suite struct PromptTests {
    @Test func oneSideHearsThePromptInsteadOfTheOther() throws {
        var core = try openRelay()
        core.play(sessionID(1), to: .a, PromptStream(short, .pcmu, seed: 1, at: milliseconds(100)))
        var heard: [(header: RTPHeader, payload: [UInt8])] = []
        for time in [100, 120, 140] {
            #expect(core.nextPrompt == milliseconds(time))
            #expect(core.prompt(at: milliseconds(time - 1)) == nil)
            // Bob is not heard, Alice is.
            #expect(core.pass(rtpPacket(sequence: UInt16(time)), to: 30_002, from: bob, at: milliseconds(time)) == .drop(.announcing))
            let fromAlice = rtpPacket(sequence: UInt16(time), ssrc: 0xA)
            #expect(core.pass(fromAlice, to: 30_000, from: alice, at: milliseconds(time)) == .forward(from: 30_002, to: bob, fromAlice))
            guard case .forward(from: 30_000, to: alice, let packet) = core.prompt(at: milliseconds(time)) else {
                Issue.record("no packet for Alice at \(time)")
                return
            }
            heard.append((try RTPHeader(parsing: packet.span.bytes), Array(packet[12...])))
        }
        #expect(core.nextPrompt == nil)
        #expect(heard.flatMap(\.payload) == short.samples + Array(repeating: 0xFF, count: 80))
        #expect(heard.map(\.header.marker) == [true, false, false])
        for (before, after) in zip(heard, heard.dropFirst()) {
            #expect(after.header.sequence == before.header.sequence &+ 1)
            #expect(after.header.timestamp == before.header.timestamp &+ 160)
            #expect(after.header.ssrc == before.header.ssrc)
        }
        #expect(Set(heard.map(\.header.payloadType)) == [0])
        // Then Bob is heard again.
        let after = rtpPacket(sequence: 200)
        #expect(core.pass(after, to: 30_002, from: bob, at: milliseconds(200)) == .forward(from: 30_000, to: alice, after))
        let report = try #require({ core.report(sessionID(1)) }())
        #expect(report.b[.announcing] == 3)
        #expect(report.a.packetsOut == 4)
    }

    @Test func aSecondPromptReplacesTheFirstAndAClosedSessionHasNone() throws {
        var core = try openRelay()
        core.play(sessionID(1), to: .a, PromptStream(short, .pcmu, seed: 1, at: milliseconds(0)))
        #expect(core.prompt(at: milliseconds(0)) != nil)
        core.play(sessionID(1), to: .a, PromptStream(short, .pcma, seed: 2, at: milliseconds(5)))
        var types: [UInt8] = []
        for time in 1...200 {
            if case .forward(_, _, let packet) = core.prompt(at: milliseconds(time)) { types.append(packet[1] & 0x7F) }
        }
        #expect(types == [8, 8, 8])
        core.play(sessionID(1), to: .a, PromptStream(short, .pcmu, seed: 3, at: milliseconds(300)))
        _ = core.close(sessionID(1))
        #expect(core.prompt(at: milliseconds(400)) == nil)
        #expect(core.nextPrompt == nil)
        core.play(sessionID(9), to: .a, PromptStream(short, .pcmu, seed: 4, at: milliseconds(500)))
        #expect(core.nextPrompt == nil)
    }

    @Test func aPhoneThatSpeaksSRTPHearsItProtected() throws {
        let keys = PeerKeys(seed: 5)
        var core = try openRelay(a: LegSetup(remote: alice, protection: keys.protection))
        var peer = try keys.receiver()
        core.play(sessionID(1), to: .a, PromptStream(short, .pcmu, seed: 1, at: milliseconds(0)))
        guard case .forward(_, _, let packet) = core.prompt(at: milliseconds(0)) else {
            Issue.record("nothing was sent")
            return
        }
        #expect(packet.count > 172)
        #expect(Array(try peer.unprotect(packet)[12...]) == Array(short.samples[..<160]))
    }

    @Test func aThreadThatWasHeldUpDoesNotSendAllAtOnce() throws {
        var core = try openRelay()
        let long = Recording(samples: Array(repeating: 1, count: 8_000))
        core.play(sessionID(1), to: .a, PromptStream(long, .pcmu, seed: 1, at: milliseconds(0)))
        var sent = 0
        while core.prompt(at: milliseconds(900)) != nil { sent += 1 }
        #expect(sent == 1)
        #expect(core.nextPrompt == milliseconds(920))
    }

    @Test func everyLanguageHasItsPromptAndNoneIsLongerThanThePaidTime() {
        let prompts = PromptLibrary.carried
        #expect(prompts.languages(of: .creditUsedUp) == ["de", "en", "es", "fr", "it", "nl", "pt"])
        for language in prompts.languages(of: .creditUsedUp) {
            let duration = prompts[.creditUsedUp, language]?.duration ?? .zero
            #expect(duration > .seconds(2) && duration < .seconds(5), "\(language): \(duration)")
        }
    }

    @Test(arguments: [
        ([], Recording.FileError.notWave), (Array("RIFFxxxxWAVE".utf8), .noSamples), (Array("RIFFxxxxWAVEdata".utf8) + [9, 0, 0, 0], .notWave),
        (Array("RIFFxxxxWAVEdata".utf8) + [0, 0, 0, 0], .otherFormat),
        (Array("RIFFxxxxWAVEfmt ".utf8) + [16, 0, 0, 0, 1, 0, 1, 0] + Array(repeating: 0, count: 12), .otherFormat),
        (Array("RIFFxxxxWAVEfmt ".utf8) + [16, 0, 0, 0, 7, 0, 1, 0, 0x40, 0x1F] + Array(repeating: 0, count: 10) + Array("data".utf8) + [0, 0, 0, 0], .noSamples),
    ] as [([UInt8], Recording.FileError)])
    func aFileThatCannotBePlayedIsRefused(file: [UInt8], error: Recording.FileError) {
        #expect(throws: error) { try Recording(wave: file.span.bytes) }
    }

    /// ITU-T G.711, table 3 and 4 by way of the decision values: both laws agree on sign and, to a step, on level.
    @Test func aLawIsTheSameLevel() {
        #expect(G711.aLaw(0) == 0xD5)
        #expect(G711.aLaw(-1) == 0x55)
        #expect(G711.aLaw(32_767) == 0xAA)
        #expect(G711.aLaw(-32_768) == 0x2A)
        #expect(G711.linear(0xFF) == 0)
        #expect(G711.linear(0x80) == 32_124)
        #expect(G711.linear(0x00) == -32_124)
        for byte in UInt8.min...UInt8.max {
            let (level, back) = (G711.linear(byte), expanded(G711.aLaw(of: byte)))
            #expect(abs(level - back) <= max(16, abs(level) / 16), "\(byte): \(level) and \(back)")
        }
    }

    /// The level of an A-law byte, by the rule of the standard's table: the middle of its interval.
    private func expanded(_ byte: UInt8) -> Int {
        let bits = byte ^ 0x55
        let (segment, step) = (Int(bits >> 4 & 7), Int(bits & 0x0F))
        let level = segment == 0 ? step * 16 + 8 : (step * 16 + 0x108) << (segment - 1)
        return bits & 0x80 != 0 ? level : -level
    }
}
