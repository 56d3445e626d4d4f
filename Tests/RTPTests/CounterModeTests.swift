import CSRTPPrimitives
import Foundation
import Primitives
import RTP
import Testing

/// Which of the two counter modes: OpenSSL's, and the processor's where it has one.
private let ways: [Int32] = csrtp_has_aes_instructions() != 0 ? [0, 1] : [0]

private func apply(_ way: Int32, _ key: [UInt8], iv: [UInt8], _ bytes: [UInt8], piece: Int) -> [UInt8]? {
    var bytes = bytes
    let status = csrtp_counter_mode_apply(way, key, Int32(key.count), iv, &bytes, UInt32(bytes.count), UInt32(piece))
    return status == 0 ? bytes : nil
}

@Test(arguments: ways) func aPacketsWholeKeyStreamIsThatOfAppendixB2(way: Int32) throws {
    let key = bytes(hex: "2B7E151628AED2A6ABF7158809CF4F3C" + "F0F1F2F3F4F5F6F7F8F9FAFBFCFD")!
    let stream = try #require(apply(way, key, iv: Array(repeating: 0, count: 16), Array(repeating: 0, count: 0xFF02 * 16), piece: 1 << 20))
    let blocks = [0: "E03EAD0935C95E80E166B16DD92B4EB4", 1: "D23513162B02D0F72A43A2FE4A5F97AB", 0xFEFF: "EC8CDF7398607CB0F2D21675EA9EA1E4", 0xFF01: "6A2CC3787889374FBEB4C81B17BA6C44"]
    for (number, expected) in blocks { #expect(hex(Array(stream[number * 16..<number * 16 + 16])).uppercased() == expected) }
}

@Test(arguments: ways) func piecesOfAPacketAreEncryptedAsTheWhole(way: Int32) throws {
    var random = RandomSource(seed: 6)
    for keyBytes in [30, 46] {
        let key = random.bytes(keyBytes)
        let iv = random.bytes(14) + [0, 0]
        let packet = random.bytes(517)
        let whole = try #require(apply(0, key, iv: iv, packet, piece: packet.count))
        for piece in [1, 7, 15, 16, 17, 100, 128, 129, 517] { #expect(apply(way, key, iv: iv, packet, piece: piece) == whole) }
        for count in 0...64 { #expect(apply(way, key, iv: iv, Array(packet.prefix(count)), piece: 64) == Array(whole.prefix(count))) }
    }
}

@Test(.enabled(if: csrtp_has_aes_instructions() != 0, "this processor has no instructions for AES")) func noKeyStreamIsUsedTwice() {
    let key = Array(repeating: UInt8(1), count: 30)
    let iv = Array(repeating: UInt8(0), count: 16)
    #expect(apply(1, key, iv: iv, Array(repeating: 0, count: 1 << 20), piece: 1 << 20) != nil)
    #expect(apply(1, key, iv: iv, Array(repeating: 0, count: 1 << 20 + 1), piece: 1 << 20) == nil)
}

/// The state of the hash that a thread is at belongs to that thread.
@Test func sessionsOfTwoThreadsDoNotMeet() throws {
    let failures = Failures()
    DispatchQueue.concurrentPerform(iterations: 2) { thread in
        do {
            var random = RandomSource(seed: UInt64(thread))
            let key = SRTPMasterKey(random: &random)
            var sender = try SRTPSession(.outbound, suite: .aesCounterMode128HMACSHA1With80Bits, key: key)
            var receiver = try SRTPSession(.inbound, suite: .aesCounterMode128HMACSHA1With80Bits, key: key)
            for number in 0..<5_000 {
                let packet = [0x80, 8, UInt8(number >> 8), UInt8(number & 0xFF), 0, 0, 0, 0, 0, 0, 0, UInt8(thread)] + random.bytes(160)
                let protected = try sender.protect(packet)
                if try receiver.unprotect(protected) != packet { failures.add("packet \(number) of thread \(thread)") }
            }
        } catch { failures.add("\(error)") }
    }
    #expect(failures.all == [])
}

private final class Failures: @unchecked Sendable {
    private let lock = NSLock()
    private var found: [String] = []
    var all: [String] { lock.withLock { found } }
    func add(_ text: String) { lock.withLock { found.append(text) } }
}
