internal import Codecs
internal import Primitives
internal import RTP

/// What one side says, in the formats of the other: decoded, brought to another rate if it must be, encoded, in packets of a stream of
/// our own.
///
/// It runs on the packets that come and on no clock, so it adds no delay but that of the codecs and of packets that are longer than those
/// that come; whoever hears it evens out their arrival, as with packets that are only passed on.
final class SpeechConverter {
    private let source: LegFormats
    private let target: LegFormats
    private let spoken: LegFormats.Speech
    /// Samples a second between decoder and encoder: wide-band where both sides are.
    private let rate: Int

    private var order = PacketOrder()
    private var heard: LegFormats.Speech
    private var decoder: AudioDecoder
    private var encoder: AudioEncoder
    /// Speech that is waiting for its packet to be full.
    private var waiting: [Int16]
    private var waitingCount = 0
    private let samplesOfPacket: Int
    private var payload: [UInt8]

    /// The source's timestamp that would go on without a gap; nil: nothing was heard.
    private var expected: UInt32?
    let ssrc: UInt32
    private var sequence: UInt16
    private var timestamp: UInt32
    private var isMarked = true
    private var sent = (packets: UInt32(0), bytes: UInt32(0))

    /// Comfort noise that is to be told on.
    private var noise: [UInt8] = []
    private var incoming: IncomingKey?
    private var outgoing: OutgoingKey?
    private var detector: KeyDetector?
    private var detected: (event: UInt8, duration: Int)?

    /// A key as the source holds it.
    private struct IncomingKey {
        let timestamp: UInt32
        /// Of our stream, for all packets of the key.
        let told: UInt32
        var tone: KeyTone?
        var made = 0
    }

    /// A packet of a key that is to be sent.
    private struct OutgoingKey {
        let bytes: (UInt8, UInt8, UInt16)
        let timestamp: UInt32
        var isMarked: Bool
        var times: Int
    }

    /// nil: nothing of theirs can be converted here.
    init?(from source: LegFormats, to target: LegFormats, seed: UInt64) {
        guard let spoken = target.spoken, let heard = source.speech.first else { return nil }
        rate = spoken.codec.isWideBand && heard.codec.isWideBand ? 16_000 : 8_000
        guard let decoder = AudioDecoder(heard.codec, sampleRate: rate), let encoder = AudioEncoder(spoken.codec, sampleRate: rate) else {
            return nil
        }
        self.source = source
        self.target = target
        self.spoken = spoken
        self.heard = heard
        self.decoder = decoder
        self.encoder = encoder
        samplesOfPacket = rate / 1_000 * SpeechConverter.packetMilliseconds(target.packetMilliseconds, spoken.codec)
        waiting = Array(repeating: 0, count: AudioDecoder.samplesMax * 3)
        payload = Array(repeating: 0, count: samplesOfPacket * 2 + 256)
        var random = RandomSource(seed: seed)
        ssrc = UInt32(truncatingIfNeeded: random.next())
        timestamp = UInt32(truncatingIfNeeded: random.next())
        sequence = UInt16(truncatingIfNeeded: random.next())
        // Keys in speech are looked for where they could not be told in any other way, and can be on the other side.
        detector = source.keys.isEmpty && !target.keys.isEmpty ? KeyDetector() : nil
    }

    /// What is wanted, as far as the codec can.
    private static func packetMilliseconds(_ wanted: Int, _ codec: Codec) -> Int {
        let frame = codec.frameMilliseconds
        switch codec {
        case .opus: return [20, 40, 60].last { $0 <= wanted } ?? 20
        case .pcmu, .pcma, .g722, .g726, .gsm, .g729, .speex, .speexWide: return max(1, min(wanted, 60) / frame) * frame
        }
    }

    // MARK: - In

    /// - Returns: why it was not taken; nil: it was.
    func take(_ packet: RawSpan, _ header: RTPHeader) -> DropReason? {
        guard let range = try? header.payload(of: packet) else { return .malformed }
        let payload = packet.extracting(range)
        switch kind(of: header) {
        case nil: return .notNegotiated
        case .speech(let speech) where !speech.codec.canBe(payload): return .wrongCodec
        case .speech, .key, .noise: return order.take(header, payload) ? nil : .replayed
        }
    }

    private enum Kind {
        case speech(LegFormats.Speech)
        case key(LegFormats.Extra)
        case noise
    }

    private func kind(of header: RTPHeader) -> Kind? {
        if let speech = source.speech.first(where: { $0.heardAs == header.payloadType }) { return .speech(speech) }
        if let key = source.keys.first(where: { $0.heardAs == header.payloadType }) { return .key(key) }
        return source.noise.contains { $0.heardAs == header.payloadType } ? .noise : nil
    }

    // MARK: - Out

    /// The next packet that can be made of what was taken; room for 1,500 bytes.
    ///
    /// - Returns: its bytes; nil: more is needed first.
    func next(into packet: inout MutableRawSpan) -> Int? {
        while true {
            if let count = writeKey(into: &packet) ?? writeNoise(into: &packet) { return count }
            if waitingCount >= samplesOfPacket {
                let count = writeSpeech(into: &packet)
                if count > 0 { return count }
                continue
            }
            guard let header = order.next(), let kind = kind(of: header) else { return nil }
            if isHeldBack(by: header, kind) { continue }
            switch kind {
            case .speech(let speech): hear(speech, header)
            case .key(let key): hear(key, header)
            case .noise: hearNoise()
            }
        }
    }

    /// Before a pause, what waits is filled up to a packet and sent; then the pause is told by the timestamp.
    private func isHeldBack(by header: RTPHeader, _ kind: Kind) -> Bool {
        if order.isNewSource { expected = nil }
        // Packets of a key that is held have the time of its beginning.
        if case .key = kind, incoming?.timestamp == header.timestamp { return false }
        guard let expected else {
            self.expected = header.timestamp
            isMarked = true
            return false
        }
        let gap = Int(Int32(bitPattern: header.timestamp &- expected))
        let clock = heard.codec.clockRate
        // Less than 10 ms is the rounding of a rate, and a clock that was set back by more than a second begins anew.
        guard gap >= clock / 100 else {
            if gap > -clock / 100 || gap < -clock { self.expected = header.timestamp }
            return false
        }
        if order.isAfterLoss, gap <= clock * 60 / 1_000 {
            fill(gap * rate / clock)
            self.expected = header.timestamp
            return waitingCount >= samplesOfPacket
        }
        if waitingCount > 0 {
            // The rest of the packet is silence that the pause begins with.
            let missing = samplesOfPacket - waitingCount
            for index in waitingCount..<samplesOfPacket { waiting[index] = 0 }
            waitingCount = samplesOfPacket
            self.expected = expected &+ UInt32(min(gap, missing * clock / rate))
            return true
        }
        timestamp &+= UInt32(truncatingIfNeeded: gap * spoken.codec.clockRate / clock)
        self.expected = header.timestamp
        isMarked = true
        return false
    }

    // MARK: - Speech

    private func hear(_ speech: LegFormats.Speech, _ header: RTPHeader) {
        if speech != heard {
            heard = speech
            // Not assigned: without checks of exclusivity Swift 6.3 forgets to end what a property of a class held before, if it is of another module.
            if var other = AudioDecoder(speech.codec, sampleRate: rate) { swap(&decoder, &other) }
        }
        let start = waitingCount
        let isOver = Int32(bitPattern: header.timestamp &- (expected ?? header.timestamp)) < 0
        let room = waiting.count
        var count = 0
        order.withNext { payload in
            // What was said while a key sounded, or was made up already, is not said again.
            guard !isOver else { return }
            count = decoder.decode(payload) { samples in
                let count = min(samples.count, room - start)
                for index in 0..<count { waiting[start + index] = samples[index] }
                return count
            }
        }
        guard count > 0 else { return }
        waitingCount += count
        expected = header.timestamp &+ UInt32(count * speech.codec.clockRate / rate)
        if detector != nil { listen(start, count) }
    }

    private func fill(_ samples: Int) {
        let start = waitingCount
        let room = waiting.count
        waitingCount += decoder.conceal(samples) { made in
            let count = min(made.count, room - start)
            for index in 0..<count { waiting[start + index] = made[index] }
            return count
        }
    }

    private func writeSpeech(into packet: inout MutableRawSpan) -> Int {
        let count = Self.encode(&encoder, waiting, samplesOfPacket, into: &payload)
        waitingCount -= samplesOfPacket
        for index in 0..<waitingCount { waiting[index] = waiting[samplesOfPacket + index] }
        defer { timestamp &+= UInt32(samplesOfPacket * spoken.codec.clockRate / rate) }
        guard count > 0, RTPHeader.fixedByteCount + count <= packet.byteCount else { return 0 }
        write(RTPHeader(marker: isMarked, payloadType: spoken.payloadType, sequence: sequence, timestamp: timestamp, ssrc: ssrc), into: &packet, count)
        for index in 0..<count { packet.storeBytes(of: payload[index], toByteOffset: RTPHeader.fixedByteCount + index, as: UInt8.self) }
        isMarked = false
        return RTPHeader.fixedByteCount + count
    }

    // Spans end with the function that makes them, so these are given the arrays, and not the object that has them.

    private static func encode(_ encoder: inout AudioEncoder, _ speech: [Int16], _ count: Int, into payload: inout [UInt8]) -> Int {
        var bytes = payload.mutableSpan
        var room = unsafe bytes.mutableBytes
        return encoder.encode(speech.span.extracting(first: count), into: &room)
    }

    private static func hear(_ detector: inout KeyDetector?, _ speech: [Int16], _ range: Range<Int>, rate: Int) -> UInt8? {
        detector?.hear(speech.span.extracting(range), sampleRate: rate) ?? nil
    }

    private func write(_ header: RTPHeader, into packet: inout MutableRawSpan, _ payloadBytes: Int) {
        header.write(into: &packet)
        sequence &+= 1
        sent.packets &+= 1
        sent.bytes &+= UInt32(payloadBytes)
    }

    // MARK: - Comfort noise (RFC 3389)

    /// The pause that it stands in is told by the timestamps; how it sounds, where the other side takes that.
    private func hearNoise() {
        let described = order.withNext { payload in (0..<min(payload.byteCount, 12)).map { unsafe payload.unsafeLoad(fromByteOffset: $0, as: UInt8.self) } }
        if !described.isEmpty, target.noise.contains(where: { $0.clockRate == spoken.codec.clockRate }) { noise = described }
    }

    private func writeNoise(into packet: inout MutableRawSpan) -> Int? {
        guard !noise.isEmpty, let format = target.noise.first(where: { $0.clockRate == spoken.codec.clockRate }) else { return nil }
        defer { noise = [] }
        write(RTPHeader(marker: false, payloadType: format.payloadType, sequence: sequence, timestamp: timestamp, ssrc: ssrc), into: &packet, noise.count)
        for index in noise.indices { packet.storeBytes(of: noise[index], toByteOffset: RTPHeader.fixedByteCount + index, as: UInt8.self) }
        isMarked = true
        return RTPHeader.fixedByteCount + noise.count
    }

    // MARK: - Keys (RFC 4733)

    /// A packet of a key that the source holds: told on, or sounded where the other side takes no such packets.
    private func hear(_ format: LegFormats.Extra, _ header: RTPHeader) {
        let event = order.withNext { payload -> (UInt8, UInt8, Int)? in
            guard payload.byteCount >= 4 else { return nil }
            func byte(_ offset: Int) -> UInt8 { unsafe payload.unsafeLoad(fromByteOffset: offset, as: UInt8.self) }
            return (byte(0), byte(1), Int(byte(2)) << 8 | Int(byte(3)))
        }
        guard let (number, flags, duration) = event else { return }
        let isFirst = incoming?.timestamp != header.timestamp
        if isFirst { incoming = IncomingKey(timestamp: header.timestamp, told: timestamp, tone: KeyTone(event: number, sampleRate: rate)) }
        if let told = target.spokenKeys {
            let length = UInt16(clamping: duration * told.clockRate / format.clockRate)
            outgoing = OutgoingKey(bytes: (number, flags, length), timestamp: incoming?.told ?? timestamp, isMarked: isFirst, times: 1)
            return
        }
        // Packets of a key come every 20 or 50 ms; one that claims more is made up for by those that follow.
        let wanted = min(duration * rate / format.clockRate, (incoming?.made ?? 0) + rate / 10)
        while let made = incoming?.made, made < wanted, waitingCount < waiting.count, let sample = incoming?.tone?.next() {
            waiting[waitingCount] = sample
            waitingCount += 1
            incoming?.made = made + 1
        }
        let end = header.timestamp &+ Self.ticks(duration, by: format.clockRate, as: heard.codec.clockRate)
        if let expected, Int32(bitPattern: end &- expected) > 0 { self.expected = end }
    }

    /// A key in the speech of a source that tells keys in no other way: the speech gives way to packets of the key while it sounds.
    private func listen(_ start: Int, _ count: Int) {
        let event = Self.hear(&detector, waiting, start..<start + count, rate: rate)
        guard let format = target.spokenKeys else { return }
        let length = count * format.clockRate / rate
        if let event, detected == nil || detected?.event == event {
            let isFirst = detected == nil
            detected = (event, (detected?.duration ?? 0) + length)
            waitingCount = 0
            outgoing = OutgoingKey(bytes: (event, 10, UInt16(clamping: detected?.duration ?? 0)), timestamp: timestamp, isMarked: isFirst, times: 1)
        } else if let past = detected {
            // The end is told three times (§2.5.1.4).
            outgoing = OutgoingKey(bytes: (past.event, 0x80 | 10, UInt16(clamping: past.duration)), timestamp: timestamp, isMarked: false, times: 3)
            timestamp &+= Self.ticks(past.duration, by: format.clockRate, as: spoken.codec.clockRate)
            isMarked = true
            detected = nil
        }
    }

    /// The same time by another clock. A tone may last longer than a round of timestamps.
    static func ticks(_ duration: Int, by clock: Int, as other: Int) -> UInt32 { UInt32(truncatingIfNeeded: duration * other / clock) }

    private func writeKey(into packet: inout MutableRawSpan) -> Int? {
        guard let key = outgoing, let format = target.spokenKeys else { return nil }
        let header = RTPHeader(
            marker: key.isMarked, payloadType: format.payloadType, sequence: sequence, timestamp: key.timestamp, ssrc: ssrc)
        write(header, into: &packet, 4)
        packet.storeBytes(of: key.bytes.0, toByteOffset: 12, as: UInt8.self)
        packet.storeBytes(of: key.bytes.1, toByteOffset: 13, as: UInt8.self)
        packet.storeBytes(of: key.bytes.2.bigEndian, toByteOffset: 14, as: UInt16.self)
        outgoing = key.times > 1 ? OutgoingKey(bytes: key.bytes, timestamp: key.timestamp, isMarked: false, times: key.times - 1) : nil
        return RTPHeader.fixedByteCount + 4
    }

    /// What would be sent next.
    var upcoming: (sequence: UInt16, timestamp: UInt32) { (sequence, timestamp) }

    /// For a report of ours: what was sent so far.
    func report(at now: Instant, _ block: RTCPReportBlock?) -> RTCPSenderReport {
        RTCPSenderReport(ssrc: ssrc, ntp: now.reportTime, timestamp: timestamp, packets: sent.packets, bytes: sent.bytes, block: block)
    }
}

extension Instant {
    /// In seconds and fractions of 2^32, as reports tell the time. Ours is not that of day: only differences are made of it (RFC 3550 §4).
    var reportTime: UInt64 {
        let (seconds, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        return seconds << 32 | (rest << 32) / 1_000_000_000
    }
}
