import Foundation
import Primitives
import Testing

@testable import XDP

/// Whether this machine lets us load programs: what tests of them need.
enum Permission {
    static let reason: String? = {
        do throws(XDPError) {
            _ = try ForwardingProgram(flows: 8)
            return nil
        } catch {
            return error.description
        }
    }()
}

private func address(_ text: String) -> SocketAddress { SocketAddress(text)! }

private let flow4 = ForwardedFlow(
    local: address("10.0.0.1:30000"), remote: address("192.0.2.77:4000"), source: address("10.0.0.1:30002"), destination: address("203.0.113.250:65534"), ssrc: 0xA11CE,
    payloadType: 0)
private let flow6 = ForwardedFlow(
    local: address("[2001:db8::1]:30000"), remote: address("[2001:db8:ffff::7]:4000"), source: address("[2001:db8::1]:30002"), destination: address("[fe00:1:2:3:4:5:6:7]:6000"),
    ssrc: 0xA11CE, payloadType: 0)
private let hop = NextHop(interface: 1, source: [2, 0, 0, 0, 0, 10], destination: [2, 0, 0, 0, 0, 11], bytesMax: 1_500)

private func payload(_ count: Int, seed: UInt64) -> [UInt8] {
    var random = RandomSource(seed: seed)
    return (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
}

@Suite(.enabled(if: Permission.reason == nil, "programs cannot be loaded here: \(Permission.reason ?? "")")) struct ForwardingProgramTests {
    /// The kernel runs the program over each frame.
    @Test(arguments: [flow4, flow6]) func packetsLeaveWithNewAddressesAndRightChecksums(flow: ForwardedFlow) throws {
        let program = try ForwardingProgram(flows: 8)
        let slot = try #require(program.add(flow, by: hop, from: ForwardingProgram.Position()))
        for length in Array(0...70) + [160, 161, 1_000, 1_400] {
            let packet = rtp(UInt16(length), payload: payload(length, seed: UInt64(length) + 1))
            var frame = Frame(source: flow.remote, destination: flow.local, payload: packet).bytes
            let verdict = try program.run(&frame)
            #expect(verdict == .forward)
            var expected = Frame(source: flow.source, destination: flow.destination, payload: packet, timeToLive: 63)
            expected.ethernet = hop.destination + hop.source
            #expect(frame == expected.bytes, "\(length)")
        }
        #expect(program.counts(slot).packets == 75)
    }

    /// All 65,536 sums, among them those that look like what they are not.
    @Test func everyChecksumIsBroughtUpToDate() throws {
        let program = try ForwardingProgram(flows: 8)
        _ = try #require(program.add(flow4, by: hop, from: ForwardingProgram.Position()))
        var wrong = 0
        for value in 0...0xFFFF {
            let packet = rtp(1, payload: [UInt8(value >> 8), UInt8(value & 0xFF)])
            var frame = Frame(source: flow4.remote, destination: flow4.local, payload: packet).bytes
            guard try program.run(&frame) == .forward else {
                wrong += 1
                continue
            }
            var expected = Frame(source: flow4.source, destination: flow4.destination, payload: packet, timeToLive: 63)
            expected.ethernet = hop.destination + hop.source
            if frame != expected.bytes { wrong += 1 }
        }
        #expect(wrong == 0)
    }

    @Test func aSumThatIsLeftToADeviceIsKeptSoWhereTheStackKnowsOfIt() throws {
        let program = try ForwardingProgram(flows: 8)
        _ = try #require(program.add(flow4, by: hop, from: ForwardingProgram.Position()))
        let packet = rtp(1, payload: payload(160, seed: 1))
        var frame = Frame(source: flow4.remote, destination: flow4.local, payload: packet)
        frame.checksum = .partial
        var bytes = frame.bytes
        let verdict = try program.run(&bytes)
        #expect(verdict == .forward)
        var expected = Frame(source: flow4.source, destination: flow4.destination, payload: packet, timeToLive: 63)
        expected.ethernet = hop.destination + hop.source
        expected.checksum = .partial
        #expect(bytes == expected.bytes)
    }

    @Test func aPacketWithoutAChecksumStaysWithoutOne() throws {
        let program = try ForwardingProgram(flows: 8)
        _ = try #require(program.add(flow4, by: hop, from: ForwardingProgram.Position()))
        var frame = Frame(source: flow4.remote, destination: flow4.local, payload: rtp(1, payload: [1, 2, 3]))
        frame.checksum = .none
        var bytes = frame.bytes
        let verdict = try program.run(&bytes)
        #expect(verdict == .forward)
        #expect(Array(bytes[40..<42]) == [0, 0])
    }

    @Test func whatIsNotWhollyOrdinaryGoesToTheSocketsUntouched() throws {
        let program = try ForwardingProgram(flows: 8)
        let slots = [try #require(program.add(flow4, by: hop, from: ForwardingProgram.Position())), try #require(program.add(flow6, by: hop, from: ForwardingProgram.Position()))]
        let good = rtp(1, payload: payload(160, seed: 1))
        let plain = Frame(source: flow4.remote, destination: flow4.local, payload: good)
        func changed(_ change: (inout Frame) -> Void) -> [UInt8] {
            var frame = plain
            change(&frame)
            return frame.bytes
        }
        let six = Frame(source: flow6.remote, destination: flow6.local, payload: good)
        var frames: [(String, [UInt8])] = [
            ("another port", changed { $0.source.port += 1 }),
            ("another host", changed { $0.source = address("192.0.2.78:4000") }),
            ("to another port of ours", changed { $0.destination.port += 2 }),
            ("another source", changed { $0.payload = rtp(1, ssrc: 0xA11CF, payload: [1]) }),
            ("keys", changed { $0.payload = rtp(1, type: 101, payload: [5, 0x80, 0, 160]) }),
            ("a receiver report", changed { $0.payload = rtp(7, type: 201, payload: [0]) }),
            ("padding", changed { $0.payload = rtp(1, first: 0xA0, payload: [0, 0, 0, 4]) }),
            ("an extension", changed { $0.payload = rtp(1, first: 0x90, payload: [0, 0, 0, 0]) }),
            ("a contributor", changed { $0.payload = rtp(1, first: 0x81, payload: [0, 0, 0, 0]) }),
            ("a check of ICE", changed { $0.payload = [0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42] + [UInt8](repeating: 0, count: 12) }),
            ("a handshake", changed { $0.payload = [22, 0xFE, 0xFD] + [UInt8](repeating: 0, count: 22) }),
            ("too short", changed { $0.payload = Array(good.prefix(11)) }),
            ("options", changed { $0.options = [1, 1, 1, 0] }),
            ("a first fragment", changed { $0.fragment = 0x2000 }),
            ("a later fragment", changed { $0.fragment = 0x0010 }),
            ("at its end", changed { $0.timeToLive = 1 }),
            ("a number far away", changed { $0.payload = rtp(40_000, payload: [1]) }),
            ("longer than the way out takes", changed { $0.payload = rtp(1, payload: payload(1_461, seed: 1)) }),
            ("cut", Array(plain.bytes.dropLast())),
            ("at its end, IPv6", { var frame = six; frame.timeToLive = 1; return frame.bytes }()),
            ("without a sum, IPv6", { var frame = six; frame.checksum = .none; return frame.bytes }()),
        ]
        var tagged = plain.bytes
        tagged.insert(contentsOf: [0x81, 0, 0, 5], at: 12)
        frames.append(("of a VLAN", tagged))
        var wrong = plain.bytes
        wrong[38] ^= 0xFF
        frames.append(("of another length than it says", wrong))
        var stream = plain.bytes
        stream[23] = 6
        frames.append(("not UDP", stream))
        for (name, frame) in frames {
            var bytes = frame
            let verdict = try program.run(&bytes)
            #expect(verdict == .pass, "\(name)")
            #expect(bytes == frame, "\(name)")
        }
        #expect(slots.allSatisfy { program.counts($0).packets == 0 })
        var bytes = plain.bytes
        let before = try program.run(&bytes)
        program.remove(flow4)
        bytes = plain.bytes
        let after = try program.run(&bytes)
        #expect(before == .forward)
        #expect(after == .pass)
    }

    @Test func whatPassesIsCountedAsTheWorkerCounts() throws {
        let program = try ForwardingProgram(flows: 8)
        var start = ForwardingProgram.Position()
        start.highestSequence = 0x1_0000 | 99
        start.tick = 16_000_000_000 / 8_000
        start.timestamp = 99 * 160
        let slot = try #require(program.add(flow4, by: hop, from: start))
        for sequence in [100, 101, 103, 102, 110] as [UInt16] {
            var bytes = Frame(source: flow4.remote, destination: flow4.local, payload: rtp(sequence, payload: payload(160, seed: 1))).bytes
            let verdict = try program.run(&bytes)
            #expect(verdict == .forward)
        }
        let counts = program.counts(slot)
        #expect(counts.packets == 5)
        #expect(counts.bytes == 5 * 172)
        #expect(counts.position.highestSequence == 0x1_0000 | 110)
        #expect(counts.position.timestamp == 110 * 160)
        #expect(counts.lastHeard > 0 && counts.position.heardAt == counts.lastHeard)
        // They came at once, where 20 ms and more lay between them.
        #expect(counts.position.jitter > 1_000_000)
        #expect(counts.position.jitterMax >= counts.position.jitter)
    }

    /// Three days with each packet, by its timestamps.
    @Test func aLeapOfTheTimestampsIsNoSilence() throws {
        let program = try ForwardingProgram(flows: 8)
        var start = ForwardingProgram.Position()
        start.highestSequence = 0x1_0000 | 99
        start.tick = 16_000_000_000 / 8_000
        let slot = try #require(program.add(flow4, by: hop, from: start))
        for step in 1...20 as ClosedRange<UInt32> {
            var packet = rtp(UInt16(99 + step), payload: payload(160, seed: 1))
            packet.replaceSubrange(4..<8, with: (0..<4).map { UInt8(truncatingIfNeeded: (step &* 0x7FFF_FFFF) >> UInt32(24 - $0 * 8)) })
            var bytes = Frame(source: flow4.remote, destination: flow4.local, payload: packet).bytes
            let verdict = try program.run(&bytes)
            #expect(verdict == .forward)
        }
        let position = program.counts(slot).position
        #expect(position.highestSequence == 0x1_0000 | 119)
        // So long as the machine has been running, at most: what stands at the start is no time.
        #expect(position.silence >= 0 && position.silence <= Int64(position.heardAt))
    }

    /// What the worker has heard is told later than it was heard: packets may have passed since.
    @Test func aStreamIsMovedOnAndToANewBeginningButNotBack() throws {
        let program = try ForwardingProgram(flows: 8)
        func position(_ sequence: UInt32) -> ForwardingProgram.Position {
            var position = ForwardingProgram.Position()
            position.highestSequence = 0x1_0000 + sequence
            return position
        }
        let slot = try #require(program.add(flow4, by: hop, from: position(65_530)))
        for (told, stands) in [(65_531, 65_531), (65_531, 65_531), (65_520, 65_531), (65_537, 65_537), (65_531, 65_537), (62_600, 65_537), (62_537, 62_537), (7, 7)] as [(UInt32, UInt32)] {
            program.move(slot, to: position(told))
            #expect(program.counts(slot).position == position(stands), "told \(told)")
        }
    }

    @Test func numbersAreGivenOutAgainAndThereIsAnEnd() throws {
        let program = try ForwardingProgram(flows: 2)
        let flows = (0..<3).map { number in
            ForwardedFlow(
                local: SocketAddress(flow4.local.host, port: UInt16(30_000 + number * 2)), remote: flow4.remote, source: flow4.source, destination: flow4.destination, ssrc: 1, payloadType: 0)
        }
        let first = try #require(program.add(flows[0], by: hop, from: ForwardingProgram.Position()))
        _ = try #require(program.add(flows[1], by: hop, from: ForwardingProgram.Position()))
        #expect(program.add(flows[2], by: hop, from: ForwardingProgram.Position()) == nil)
        program.remove(flows[0])
        program.release(first)
        #expect(program.add(flows[2], by: hop, from: ForwardingProgram.Position()) == first)
    }
}

@Test func theCompiledProgramIsOfItsSource() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let check = Process()
    check.executableURL = root.appending(path: "tools/generate-bpf")
    check.arguments = ["--check"]
    try check.run()
    check.waitUntilExit()
    #expect(check.terminationStatus == 0)
}
