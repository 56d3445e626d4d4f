internal import Codecs
internal import Primitives
internal import RTP

/// Somebody who sits in a conference: packets come in and are evened out, frames go out.
///
/// Here alone is a jitter buffer: what is mixed has to be there at the same time. Belongs to one thread.
final class ConferenceMember {
    static let frame: Duration = .milliseconds(20)
    /// Speech is gathered before it is played, by how unevenly it comes.
    private static let gathered = 40...120
    /// What waits longer than this makes it late for good, and is skipped.
    private static let latenessMax = 200
    /// Frames that are made up for in a row.
    private static let concealedMax = 3

    let id: MediaSessionID
    private let formats: LegFormats
    private let rate: Int
    private let spoken: LegFormats.Speech
    private var order = PacketOrder()
    private var decoder: AudioDecoder?
    private var encoder: AudioEncoder
    private var waiting: [Int16] = []
    private var isGathering = true
    private var concealed = 0

    /// What it says in this frame, and how loud.
    private(set) var saying: [Int16]
    private(set) var level = 0
    /// It is one of those who are heard.
    var isSpeaking = false
    /// Frames since it was loud.
    private var quiet = ConferenceMember.pause
    /// Frames between words.
    private static let pause = 25

    let ssrc: UInt32
    private var sequence: UInt16
    private var timestamp: UInt32
    private var isMarked = true
    /// Silent frames in a row, where the side takes comfort noise instead of them.
    private var silentFrames = 0
    private var linear: [Int16]
    private var payload: [UInt8]

    /// nil: it speaks nothing that can be mixed here.
    ///
    /// - Parameter rate: samples a second of the room, 8,000 or 16,000.
    init?(_ id: MediaSessionID, _ formats: LegFormats, rate: Int, seed: UInt64, going: (ssrc: UInt32, sequence: UInt16, timestamp: UInt32)? = nil) {
        let spoken = formats.spoken ?? LegFormats.Speech(codec: .pcmu, payloadType: 0, heardAs: 0)
        guard let encoder = AudioEncoder(spoken.codec, sampleRate: rate) else { return nil }
        self.id = id
        self.formats = formats
        self.rate = rate
        self.spoken = spoken
        self.encoder = encoder
        saying = Array(repeating: 0, count: rate / 50)
        linear = saying
        payload = Array(repeating: 0, count: 1_400)
        var random = RandomSource(seed: seed)
        ssrc = going?.ssrc ?? UInt32(truncatingIfNeeded: random.next())
        timestamp = going?.timestamp ?? UInt32(truncatingIfNeeded: random.next())
        sequence = going?.sequence ?? UInt16(truncatingIfNeeded: random.next())
    }

    /// The same at another rate: its stream goes on.
    convenience init?(continuing other: ConferenceMember, rate: Int) {
        self.init(other.id, other.formats, rate: rate, seed: 0, going: (other.ssrc, other.sequence, other.timestamp))
    }

    var codec: Codec { spoken.codec }

    // MARK: - In

    /// - Returns: why it was not taken; nil: it was.
    func take(_ packet: RawSpan) -> DropReason? {
        guard let header = try? RTPHeader(parsing: packet), let range = try? header.payload(of: packet) else { return .malformed }
        let payload = packet.extracting(range)
        guard formats.codec(heardAs: header.payloadType)?.canBe(payload) != false else { return .wrongCodec }
        guard order.take(header, payload) else { return .replayed }
        while let next = order.next() {
            guard let codec = formats.codec(heardAs: next.payloadType), hasDecoder(of: codec) else {
                // Keys are not for the others to hear. Comfort noise stands for a pause, which is one here too.
                order.withNext { _ in }
                continue
            }
            order.withNext { payload in decoder?.decode(payload) { for index in 0..<$0.count { waiting.append($0[index]) } } }
        }
        let most = rate / 1_000 * Self.latenessMax
        if waiting.count > most { waiting.removeFirst(waiting.count - most / 2) }
        return nil
    }

    private func hasDecoder(of codec: Codec) -> Bool {
        if decoder == nil || decoder?.codec != codec {
            // Swapped, not assigned: see `SpeechConverter.hear`.
            var other = AudioDecoder(codec, sampleRate: rate)
            swap(&decoder, &other)
        }
        return decoder != nil
    }

    /// The next 20 ms of what it says.
    ///
    /// - Parameter jitter: of its packets.
    func listen(jitter: Duration) {
        let count = rate / 50
        level = 0
        if isGathering {
            let wanted = min(max(Int(2 * jitter.nanoseconds / 1_000_000), Self.gathered.lowerBound), Self.gathered.upperBound)
            guard waiting.count >= rate / 1_000 * wanted else { return hush() }
            isGathering = false
        }
        if waiting.count >= count {
            for index in 0..<count { saying[index] = waiting[index] }
            waiting.removeFirst(count)
            concealed = 0
        } else {
            guard concealed < Self.concealedMax, decoder != nil else {
                isGathering = true
                waiting.removeAll(keepingCapacity: true)
                return hush()
            }
            concealed += 1
            let made: [Int16] = decoder?.conceal(count) { samples in (0..<count).map { $0 < samples.count ? samples[$0] : 0 } } ?? saying
            saying = made
        }
        var sum = 0
        for sample in saying { sum += Int(sample.magnitude) }
        level = sum / count
        quiet = level >= ConferenceRoom.speechLevel ? 0 : quiet + 1
    }

    private func hush() {
        for index in saying.indices { saying[index] = 0 }
        quiet += 1
    }

    /// Between words one is still speaking.
    var isLoud: Bool { quiet < Self.pause }

    // MARK: - Out

    /// Writes the packet of a frame.
    ///
    /// - Parameter mix: what all who are heard say together.
    /// - Returns: its bytes; 0: nothing is to be sent.
    func write(_ mix: inout ConferenceMix, into packet: inout MutableRawSpan) -> Int {
        defer { timestamp &+= UInt32(spoken.codec.clockRate / 50) }
        // A session that has been sent to another room is mixed by this one until it is closed, and may be of that one's rate.
        guard mix.sum.count == linear.count else { return 0 }
        // Whoever is not heard hears what all who are not heard hear; G.711 has no memory, so that one payload is for all of them.
        let isShared = !isSpeaking && spoken.codec.isStateless && rate == 8_000
        var isSilent = mix.isSilent && !isSpeaking
        var count = 0
        if isShared, let made = mix.payloads[spoken.codec] {
            payload.replaceSubrange(0..<made.count, with: made)
            count = made.count
        } else {
            isSilent = true
            for index in linear.indices {
                linear[index] = Int16(clamping: Int(mix.sum[index]) - (isSpeaking ? Int(saying[index]) : 0))
                if linear[index] != 0 { isSilent = false }
            }
            count = Self.encode(&encoder, linear, into: &payload)
            if isShared { mix.payloads[spoken.codec] = Array(payload[0..<count]) }
        }
        if let noise = formats.noise.first(where: { $0.clockRate == spoken.codec.clockRate }), isSilent {
            silentFrames += 1
            // Five silent frames, then noise is told of each second, and nothing else is sent (RFC 3389 §4).
            if silentFrames >= 5 {
                guard (silentFrames - 5) % 50 == 0 else { return 0 }
                return write(noise.payloadType, marker: false, [Self.noiseLevel], 1, into: &packet)
            }
        } else {
            if silentFrames >= 5 { isMarked = true }
            silentFrames = 0
        }
        guard count > 0, RTPHeader.fixedByteCount + count <= packet.byteCount else { return 0 }
        defer { isMarked = false }
        return write(spoken.payloadType, marker: isMarked, payload, count, into: &packet)
    }

    /// -70 dBov, a quiet room.
    private static let noiseLevel: UInt8 = 70

    private func write(_ type: UInt8, marker: Bool, _ bytes: [UInt8], _ count: Int, into packet: inout MutableRawSpan) -> Int {
        RTPHeader(marker: marker, payloadType: type, sequence: sequence, timestamp: timestamp, ssrc: ssrc).write(into: &packet)
        for index in 0..<count { packet.storeBytes(of: bytes[index], toByteOffset: RTPHeader.fixedByteCount + index, as: UInt8.self) }
        sequence &+= 1
        return RTPHeader.fixedByteCount + count
    }

    // Spans end with the function that makes them, so this one is given the arrays.
    private static func encode(_ encoder: inout AudioEncoder, _ linear: [Int16], into payload: inout [UInt8]) -> Int {
        var bytes = payload.mutableSpan
        var room = unsafe bytes.mutableBytes
        return encoder.encode(linear.span, into: &room)
    }
}

/// Telephone events of one source, each key once (RFC 4733 §2.5.1.2).
struct EventKeys {
    private var heard: UInt32?

    mutating func read(_ packet: RawSpan, _ formats: LegFormats) -> UInt8? {
        guard let header = try? RTPHeader(parsing: packet), formats.keys.contains(where: { $0.heardAs == header.payloadType }),
            let range = try? header.payload(of: packet), range.count >= 4, heard != header.timestamp
        else { return nil }
        heard = header.timestamp
        let event = unsafe packet.unsafeLoad(fromByteOffset: range.lowerBound, as: UInt8.self)
        return event < 16 ? event : nil
    }
}

/// One frame of a room.
struct ConferenceMix {
    var sum: [Int32]
    var isSilent = true
    /// Of those who are not heard themselves.
    var payloads: [Codec: [UInt8]] = [:]
}

extension Codec {
    fileprivate var isStateless: Bool { self == .pcmu || self == .pcma }
}
