internal import Codecs
internal import Primitives
internal import RTP

/// What one side of a recorded call said, put where it belongs in time: by timestamps within a stream, by arrival where a stream begins or
/// has lost its way.
final class RecordingTrack {
    private let rate: Int
    private var order = PacketOrder()
    private var decoder: AudioDecoder?
    private var anchor: (ssrc: UInt32, timestamp: UInt32, position: Int)?

    /// - Parameter rate: samples a second of the recording.
    init(rate: Int) { self.rate = rate }

    /// - Parameters:
    ///   - arrival: in samples since the recording began.
    ///   - write: gets where speech belongs, in samples since then, and the speech.
    func take(_ packet: RawSpan, arrival: Int, _ formats: LegFormats, _ write: (Int, Span<Int16>) -> Void) {
        guard let header = try? RTPHeader(parsing: packet), let range = try? header.payload(of: packet), order.take(header, packet.extracting(range)) else {
            return
        }
        while let next = order.next() {
            let codec = formats.codec(heardAs: next.payloadType)
            guard let codec, hasDecoder(of: codec) else {
                // Keys, comfort noise, and what nobody here understands are pauses.
                order.withNext { _ in }
                continue
            }
            let position = position(of: next, codec, arrival: arrival)
            order.withNext { payload in decoder?.decode(payload) { write(position, $0) } }
        }
    }

    private func hasDecoder(of codec: Codec) -> Bool {
        if decoder == nil || decoder?.codec != codec {
            // Swapped, not assigned: see `SpeechConverter.hear`.
            var other = AudioDecoder(codec, sampleRate: rate)
            swap(&decoder, &other)
        }
        return decoder != nil
    }

    private func position(of header: RTPHeader, _ codec: Codec, arrival: Int) -> Int {
        if let anchor, anchor.ssrc == header.ssrc {
            let position = anchor.position + Int(Int32(bitPattern: header.timestamp &- anchor.timestamp)) * rate / codec.clockRate
            // A clock that was set anew, or that has drifted away.
            if abs(position - arrival) <= rate / 4 { return position }
        }
        anchor = (header.ssrc, header.timestamp, arrival)
        return arrival
    }
}
