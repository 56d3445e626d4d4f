import MediaWorker
import Model
import Primitives
import RTP

func rtpPacket(sequence: UInt16, ssrc: UInt32 = 0xA11CE, payload: [UInt8] = Array(repeating: 0xD5, count: 160))
    -> [UInt8]
{
    [0x80, 0, UInt8(sequence >> 8), UInt8(sequence & 0xFF)] + bigEndian(UInt32(sequence) * 160) + bigEndian(ssrc)
        + payload
}

func receiverReport(ssrc: UInt32 = 0xA11CE) -> [UInt8] { [0x80, 201, 0, 1] + bigEndian(ssrc) }

func bigEndian(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> UInt32(24 - $0 * 8)) } }

func sessionID(_ number: UInt64) -> MediaSessionID { MediaSessionID(UUIDv7(high: 0x7000, low: number)) }

func address(_ text: String) -> SocketAddress { SocketAddress(text)! }

func milliseconds(_ count: Int) -> Instant { Instant(nanoseconds: UInt64(count) * 1_000_000) }

/// A peer's end of SDES: the two keys, crossed over from ours.
struct PeerKeys {
    let suite: SRTPSuite
    let toUs: SRTPMasterKey
    let fromUs: SRTPMasterKey

    init(_ suite: SRTPSuite = .aesCounterMode128HMACSHA1With80Bits, seed: UInt64) {
        var random = RandomSource(seed: seed)
        self.suite = suite
        toUs = SRTPMasterKey(random: &random, for: suite)
        fromUs = SRTPMasterKey(random: &random, for: suite)
    }

    var protection: LegSetup.Protection { LegSetup.Protection(suite: suite, receiveKey: toUs, sendKey: fromUs) }
    func sender() throws -> SRTPSession { try SRTPSession(.outbound, suite: suite, key: toUs) }
    func receiver() throws -> SRTPSession { try SRTPSession(.inbound, suite: suite, key: fromUs) }
}

extension SRTPSession {
    mutating func protect(_ packet: [UInt8]) throws(SRTPError) -> [UInt8] {
        var buffer = packet + Array(repeating: 0, count: SRTPSession.spareByteCount)
        var bytes = buffer.mutableSpan
        var span = bytes.mutableBytes
        let count = try protect(&span, count: packet.count)
        return Array(buffer[..<count])
    }

    mutating func unprotect(_ packet: [UInt8]) throws(SRTPError) -> [UInt8] {
        var buffer = packet
        var bytes = buffer.mutableSpan
        var span = bytes.mutableBytes
        let count = try unprotect(&span, count: packet.count)
        return Array(buffer[..<count])
    }

    mutating func protectControl(_ packet: [UInt8]) throws(SRTPError) -> [UInt8] {
        var buffer = packet + Array(repeating: 0, count: SRTPSession.spareByteCount)
        var bytes = buffer.mutableSpan
        var span = bytes.mutableBytes
        let count = try protectControl(&span, count: packet.count)
        return Array(buffer[..<count])
    }

    mutating func unprotectControl(_ packet: [UInt8]) throws(SRTPError) -> [UInt8] {
        var buffer = packet
        var bytes = buffer.mutableSpan
        var span = bytes.mutableBytes
        let count = try unprotectControl(&span, count: packet.count)
        return Array(buffer[..<count])
    }
}

/// What became of a packet, with its bytes.
enum Passed: Equatable {
    case forward(from: UInt16, to: SocketAddress, [UInt8])
    case drop(DropReason)
    case consumed
    case convert
}

extension RelayCore {
    mutating func pass(_ packet: [UInt8], to port: UInt16, from source: SocketAddress, at now: Instant) -> Passed {
        var buffer = packet + Array(repeating: 0, count: SRTPSession.spareByteCount)
        var bytes = buffer.mutableSpan
        var span = bytes.mutableBytes
        switch handle(port: port, from: source, &span, count: packet.count, at: now) {
        case .forward(let port, let destination, let count):
            return .forward(from: port, to: destination, Array(buffer[..<count]))
        case .drop(let reason): return .drop(reason)
        case .consumed: return .consumed
        case .convert: return .convert
        }
    }

    /// All packets that came of one that was taken in.
    mutating func converted(to port: UInt16, at now: Instant) -> [Passed] {
        var all: [Passed] = []
        while true {
            var buffer: [UInt8] = Array(repeating: 0, count: 2_048)
            var bytes = buffer.mutableSpan
            var span = bytes.mutableBytes
            switch convertedPacket(port: port, at: now, &span) {
            case .forward(let port, let destination, let count): all.append(.forward(from: port, to: destination, Array(buffer[..<count])))
            case .drop(let reason): all.append(.drop(reason))
            case .consumed: all.append(.consumed)
            case .convert: all.append(.convert)
            case nil: return all
            }
        }
    }

    /// The next packet of a prompt that is due.
    mutating func prompt(at now: Instant) -> Passed? {
        var buffer: [UInt8] = Array(repeating: 0, count: 400)
        var bytes = buffer.mutableSpan
        var span = bytes.mutableBytes
        return switch promptPacket(at: now, &span) {
        case .forward(let port, let destination, let count): .forward(from: port, to: destination, Array(buffer[..<count]))
        case .drop(let reason): .drop(reason)
        case .consumed: .consumed
        case .convert: .convert
        case nil: nil
        }
    }
}
