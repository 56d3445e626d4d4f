/// The bits of a Speex payload (RFC 5574 §3) as far as they say where frames begin and end. libspeex writes a line to the process's standard
/// error for each frame that it cannot make sense of, so whatever a peer sends is walked over before it is decoded.
struct SpeexPayload {
    /// Bits of a narrow-band frame by its mode, the band's bit and the mode among them.
    private static let narrowBits: InlineArray<9, Int> = [5, 43, 119, 160, 220, 300, 364, 492, 79]
    /// Of the layer that makes it wide.
    private static let wideBits: InlineArray<5, Int> = [4, 36, 112, 192, 352]
    /// Of a request in band by its number.
    private static let requestBits: InlineArray<16, Int> = [1, 1, 4, 4, 4, 4, 4, 4, 8, 8, 16, 16, 32, 32, 64, 64]
    private static let (terminator, request, ownRequest) = (15, 14, 13)

    private let count: Int
    private var place = 0
    private var left: Int { count - place }

    private init(bits count: Int) { self.count = count }

    /// - Returns: the frames; nil: it is not Speex, or ends within a frame.
    static func frames(_ payload: RawSpan, isWide: Bool) -> Int? {
        var walk = SpeexPayload(bits: payload.byteCount * 8)
        var frames = 0
        // Fewer bits than the head of a frame are the rest of the last byte.
        while walk.left >= 5 {
            switch walk.frame(payload, isWide: isWide) {
            case .frame: frames += 1
            case .end: return frames
            case .wrong: return nil
            }
        }
        return frames
    }

    private enum Found {
        case frame
        case end
        case wrong
    }

    private mutating func frame(_ bytes: RawSpan, isWide: Bool) -> Found {
        while true {
            // Layers of bands that the decoder does not have stand before the next frame; there are two at most.
            for _ in 0..<2 where left > 0 && startsLayer(bytes) {
                guard let bits = layer(bytes), bits > 4, skip(bits - 4) else { return .wrong }
                if left < 5 { return left > 0 && startsLayer(bytes) ? .wrong : .end }
            }
            guard let isLayer = take(bytes, 1), isLayer == 0, let mode = take(bytes, 4) else { return .wrong }
            switch mode {
            case 0..<SpeexPayload.narrowBits.count:
                guard skip(SpeexPayload.narrowBits[mode] - 5) else { return .wrong }
                guard isWide, left > 0, startsLayer(bytes) else { return .frame }
                guard let bits = layer(bytes), skip(bits - 4) else { return .wrong }
                return .frame
            case SpeexPayload.terminator: return .end
            case SpeexPayload.request:
                guard let number = take(bytes, 4), skip(SpeexPayload.requestBits[number]) else { return .wrong }
            case SpeexPayload.ownRequest:
                // As libspeex reads it: a length of four bits, five more, and as many bytes.
                guard let length = take(bytes, 4), skip(5 + 8 * length) else { return .wrong }
            default: return .wrong
            }
            if left < 5 { return .end }
        }
    }

    /// The head of a layer, and how long that is with it.
    private mutating func layer(_ bytes: RawSpan) -> Int? {
        guard take(bytes, 1) != nil, let mode = take(bytes, 3), mode < SpeexPayload.wideBits.count else { return nil }
        return SpeexPayload.wideBits[mode]
    }

    private func startsLayer(_ bytes: RawSpan) -> Bool { bit(bytes, place) == 1 }

    private func bit(_ bytes: RawSpan, _ place: Int) -> Int { Int(unsafe bytes.unsafeLoad(fromByteOffset: place / 8, as: UInt8.self) >> UInt8(7 - place % 8)) & 1 }

    private mutating func take(_ bytes: RawSpan, _ count: Int) -> Int? {
        guard left >= count else { return nil }
        var value = 0
        for _ in 0..<count {
            value = value << 1 | bit(bytes, place)
            place += 1
        }
        return value
    }

    private mutating func skip(_ count: Int) -> Bool {
        guard left >= count else { return false }
        place += count
        return true
    }
}
