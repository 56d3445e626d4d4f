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

    @Test func keysComeAsTelephoneEvents() throws {
        var core = try openRelay()
        core.press(
            sessionID(1), to: .a, KeyStream([1, 2], payloadType: 101, clockRate: 8_000, milliseconds: 100, seed: 1, at: milliseconds(0)))
        var packets: [[UInt8]] = []
        for time in 0...1_000 {
            if case .forward(30_000, alice, let packet) = core.prompt(at: milliseconds(time)) { packets.append(packet) }
        }
        // Five packets of 20 ms, then the end three times; twice.
        #expect(packets.count == 16)
        #expect(packets.map { $0[12] } == Array(repeating: 1, count: 8) + Array(repeating: 2, count: 8))
        let ends: [Bool] = packets.map { $0[13] >= 0x80 }
        #expect(ends.prefix(8) == [false, false, false, false, false, true, true, true])
        let durations: [Int] = packets.map { Int($0[14]) * 256 + Int($0[15]) }
        #expect(durations.prefix(8) == [160, 320, 480, 640, 800, 800, 800, 800])
        #expect(packets.allSatisfy { $0[1] & 0x7F == 101 })
    }

    @Test(arguments: [0, 1, 192_000, 42_949_673, UInt32.max]) func aKeyIsToldByAnyClock(clockRate: UInt32) throws {
        var core = try openRelay()
        core.press(
            sessionID(1), to: .a, KeyStream([1, 2], payloadType: 101, clockRate: clockRate, milliseconds: 2_000, seed: 1, at: milliseconds(0)))
        var lengths: [Int] = []
        for time in 0...6_000 {
            if case .forward(30_000, alice, let packet) = core.prompt(at: milliseconds(time)) { lengths.append(Int(packet[14]) * 256 + Int(packet[15])) }
        }
        #expect(lengths.count == 206)
        #expect(lengths.last == min(Int(clockRate) * 2, 0xFFFF))
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
}
