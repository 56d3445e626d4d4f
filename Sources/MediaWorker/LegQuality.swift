internal import Codecs
internal import Primitives
package import RTP

/// How well one leg's packets arrive: here, by their numbers and times, and at its peer, by what the peer reports (RFC 3550 §6.4).
package struct LegQuality: Sendable {
    /// What is heard from the peer.
    package internal(set) var heard = StreamStatistics()
    /// What the peer says of the packets that it was sent; nil: it has not reported.
    package private(set) var there: RTCPReportBlock?
    /// To the peer and back; nil: not known.
    package private(set) var roundTrip: Duration?
    /// The codec that is heard, as far as we know it by its number.
    package private(set) var codecName = ""
    private(set) var codec: Codec?
    private var payloadType: UInt8 = 0xFF
    /// The newest sender report that went to the peer, and the one that came from it.
    private var told: (middle: UInt32, at: Instant)?
    private var report: (time: RTCPSenderTime, at: Instant)?

    init() {}

    mutating func hear(_ header: RTPHeader, _ formats: LegFormats, at now: Instant) {
        if header.payloadType != payloadType { change(to: header.payloadType, formats) }
        heard.hear(ssrc: header.ssrc, sequence: header.sequence, timestamp: header.timestamp, at: now)
    }

    /// Packets of keys and of noise between those of speech change nothing.
    private mutating func change(to type: UInt8, _ formats: LegFormats) {
        guard let codec = formats.codec(heardAs: type) else { return }
        payloadType = type
        self.codec = codec
        codecName = codec.name
        heard.setClock(codec.clockRate)
    }

    /// - Parameter packet: RTCP of the peer, in clear and checked.
    mutating func read(_ packet: RawSpan, at now: Instant) {
        var (sent, received) = (RTCPSenderTime?.none, RTCPReportBlock?.none)
        RTCPCompound.forEachReport(in: packet) { sent = $0 } received: { received = $0 }
        if let sent { report = (sent, now) }
        guard let received else { return }
        there = received
        guard let told, received.lastReport == told.middle, told.middle != 0 else { return }
        let trip = now - told.at - .nanoseconds(Int64(received.delay) * 1_000_000_000 / 65_536)
        // Clocks that disagree by a little make it less than nothing.
        roundTrip = max(trip, .zero)
    }

    /// - Parameter packet: RTCP that goes to the peer, in clear.
    mutating func tell(_ packet: RawSpan, at now: Instant) {
        var sent: RTCPSenderTime?
        RTCPCompound.forEachReport(in: packet) { sent = $0 } received: { _ in }
        if let sent { told = (sent.middle, now) }
    }

    /// What we report to the peer of its packets; nil: none came.
    func block(at now: Instant) -> RTCPReportBlock? {
        guard heard.heard > 0 else { return nil }
        var (last, delay) = (UInt32(0), UInt32(0))
        if let report {
            last = report.time.middle
            // 65,536 seconds are as much as can be told; after 39 hours without a report of the peer's the product would not fit.
            delay = UInt32(clamping: min((now - report.at).nanoseconds, 65_536_000_000_000) * 65_536 / 1_000_000_000)
        }
        let jitter = UInt32(clamping: heard.jitter * Int64(codec?.clockRate ?? 8_000) / 1_000_000_000)
        return RTCPReportBlock(
            source: heard.ssrc, fractionLost: 0, lost: heard.lostOfThis, highestSequence: heard.highestSequence, jitter: jitter, lastReport: last, delay: delay)
    }

    private var clockRate: Int64 { Int64(codec?.clockRate ?? 8_000) }

    package var lostThere: UInt64 { UInt64(max(0, there?.lost ?? 0)) }
    package var jitterThere: Duration { .nanoseconds(Int64(there?.jitter ?? 0) * 1_000_000_000 / clockRate) }

    /// What is heard from the peer; nil: fewer packets than say anything.
    ///
    /// - Parameter trips: of both legs: the speech passes half of each.
    func mos(trips: Duration) -> Double? {
        guard heard.heard >= 50 else { return nil }
        return mos(loss: Double(heard.lost) / Double(heard.expected), jitter: .nanoseconds(heard.jitterMax), trips: trips, codec)
    }

    /// What the peer hears; nil: it does not say.
    func mosThere(of sent: UInt64, trips: Duration) -> Double? {
        guard there != nil, sent >= 50 else { return nil }
        return mos(loss: Double(lostThere) / Double(sent), jitter: jitterThere, trips: trips, codec)
    }

    /// A receiver waits about twice the jitter before it plays.
    private func mos(loss: Double, jitter: Duration, trips: Duration, _ codec: Codec?) -> Double {
        let delay = Double(trips.nanoseconds) / 2e6 + 2 * Double(jitter.nanoseconds) / 1e6
        return VoiceQuality(loss: loss, delayMilliseconds: delay, codec: codec).mos
    }
}
