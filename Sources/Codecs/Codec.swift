internal import CCodecs

/// A way to carry speech in packets, as session descriptions name it. What both ends mean by a name is RFC 3551 §4.5, and for Opus RFC 7587.
package enum Codec: Sendable, CaseIterable, Hashable {
    case pcmu
    case pcma
    case g722
    case g726
    case gsm
    case g729
    case speex
    case speexWide
    case opus

    /// As `a=rtpmap` writes it.
    package var name: String {
        switch self {
        case .pcmu: "PCMU"
        case .pcma: "PCMA"
        case .g722: "G722"
        case .g726: "G726-32"
        case .gsm: "GSM"
        case .g729: "G729"
        case .speex, .speexWide: "speex"
        case .opus: "opus"
        }
    }

    /// Of RTP timestamps. That of G.722 is half of its samples, by an old mistake that is kept (RFC 3551 §4.5.2).
    package var clockRate: Int {
        switch self {
        case .pcmu, .pcma, .g722, .g726, .gsm, .g729, .speex: 8_000
        case .speexWide: 16_000
        case .opus: 48_000
        }
    }

    /// Samples a second of the speech that it carries.
    package var isWideBand: Bool {
        switch self {
        case .pcmu, .pcma, .g726, .gsm, .g729, .speex: false
        case .g722, .speexWide, .opus: true
        }
    }

    /// The number that means it without being agreed on (RFC 3551 §6); nil: each description says its own.
    package var fixedPayloadType: UInt8? {
        switch self {
        case .pcmu: 0
        case .gsm: 3
        case .pcma: 8
        case .g722: 9
        case .g729: 18
        case .g726, .speex, .speexWide, .opus: nil
        }
    }

    /// What a packet holds is a multiple of this.
    package var frameMilliseconds: Int {
        switch self {
        case .pcmu, .pcma, .g722, .g726, .g729: 10
        case .gsm, .speex, .speexWide, .opus: 20
        }
    }

    /// Encoders that look ahead, or keep a frame back, put this much between the ear and the wire.
    package var delayMilliseconds: Int {
        switch self {
        case .pcmu, .pcma, .g726, .gsm: 0
        case .g722: 2
        case .g729: 5
        case .speex, .speexWide: 10
        case .opus: 7
        }
    }

    /// The libraries that this machine has.
    package var isAvailable: Bool {
        switch self {
        case .pcmu, .pcma, .g722, .g726, .gsm, .speex, .speexWide, .opus: true
        case .g729: ll_g729_available() != 0
        }
    }

    /// Whether a payload can be of this codec, by what its library tells of a payload without decoding it. An empty one says nothing, in any.
    package func canBe(_ payload: RawSpan) -> Bool {
        guard payload.byteCount > 0 else { return true }
        switch self {
        case .pcmu, .pcma, .g722, .g726: return true
        // Frames of 33 bytes, and in RTP each with a mark (RFC 3551 §4.5.8).
        case .gsm:
            guard payload.byteCount.isMultiple(of: 33) else { return false }
            return stride(from: 0, to: payload.byteCount, by: 33).allSatisfy { unsafe payload.unsafeLoad(fromByteOffset: $0, as: UInt8.self) >> 4 == 0xD }
        // Frames of ten bytes, and at the end one of two that describes silence (§4.5.6).
        case .g729: return payload.byteCount % 10 == 0 || payload.byteCount % 10 == 2
        case .speex: return SpeexPayload.frames(payload, isWide: false) != nil
        case .speexWide: return SpeexPayload.frames(payload, isWide: true) != nil
        case .opus: return unsafe payload.withUnsafeBytes { bytes in unsafe ll_opus_is_packet(bytes.baseAddress, Int32(bytes.count)) != 0 }
        }
    }

    /// - Parameter name: of an encoding, in any case.
    package init?(name: String, clockRate: Int) {
        guard let codec = Codec.allCases.first(where: { $0.clockRate == clockRate && $0.isNamed(name) }) else { return nil }
        self = codec
    }

    private func isNamed(_ text: String) -> Bool {
        let (own, other) = (name.utf8.span, text.utf8.span)
        guard own.count == other.count else { return false }
        for index in own.indices where own[index] | 0x20 != other[index] | 0x20 { return false }
        return true
    }

    package init?(fixedPayloadType type: UInt8) {
        guard let codec = Codec.allCases.first(where: { $0.fixedPayloadType == type }) else { return nil }
        self = codec
    }
}
