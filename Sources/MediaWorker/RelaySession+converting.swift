internal import Model
internal import Primitives
internal import RTP

/// A session whose sides share no codec: packets are taken in, and others come out.
extension RelaySession {
    /// After the legs were changed. A conversion whose formats stay goes on.
    mutating func convertAsAgreed(at now: Instant) {
        let agreed = (a.setup.formats, b.setup.formats)
        // What is passed on unread cannot be converted, whatever formats it is said to have.
        guard agreed.0.converts || agreed.1.converts, !agreed.0.speech.isEmpty, !agreed.1.speech.isEmpty, !a.setup.isOpaque, !b.setup.isOpaque else {
            conversion = nil
            converts = false
            return
        }
        guard conversion == nil || agreed.0 != converted?.a || agreed.1 != converted?.b else { return }
        conversions += 1
        conversion = Conversion(a: agreed.0, b: agreed.1, seed: id.value.low &+ conversions, at: now)
        converted = (agreed.0, agreed.1)
        converts = true
    }

    mutating func convert(
        _ side: Side, _ channel: Channel, from source: SocketAddress, _ buffer: inout MutableRawSpan, count: Int, at now: Instant,
        rules: SourceRules
    ) -> RelayVerdict {
        guard let converter = conversion?.converter(from: side) else { return .drop(.notNegotiated) }
        switch side {
        case .a: return RelaySession.convert(&a, b.prompt != nil, converter, .a, tap, channel, from: source, &buffer, count: count, at: now, rules: rules)
        case .b: return RelaySession.convert(&b, a.prompt != nil, converter, .b, tap, channel, from: source, &buffer, count: count, at: now, rules: rules)
        }
    }

    private static func convert(
        _ near: inout RelayLeg, _ isAnnouncing: Bool, _ converter: SpeechConverter, _ side: Side, _ tap: RecordingTap?, _ channel: Channel, from source: SocketAddress,
        _ buffer: inout MutableRawSpan, count: Int, at now: Instant, rules: SourceRules
    ) -> RelayVerdict {
        let reason: DropReason
        switch near.receive(on: channel, from: source, &buffer, count: count, at: now, rules: rules) {
        case .dropped(let reason): return .drop(reason)
        case .consumed: return .consumed
        case .accepted(.control, let count):
            near.counters.quality.read(buffer.bytes.extracting(first: count), at: now)
            reason = .converted
        case .accepted(.media, let count):
            let packet = buffer.bytes.extracting(first: count)
            if let tap { tap.take(side, packet, at: now) }
            guard !isAnnouncing else {
                reason = .announcing
                break
            }
            guard let header = try? RTPHeader(parsing: packet) else { preconditionFailure("a leg accepts what it has read") }
            guard let refusal = converter.take(packet, header) else { return .convert }
            reason = refusal
        }
        near.counters.count(reason)
        return .drop(reason)
    }

    /// The next packet of what `convert` took in.
    mutating func convertedPacket(from side: Side, _ buffer: inout MutableRawSpan, at now: Instant) -> RelayVerdict? {
        guard let conversion, let converter = conversion.converter(from: side) else { return nil }
        switch side {
        case .a: return RelaySession.converted(&b, converter, conversion, side, &buffer, at: now)
        case .b: return RelaySession.converted(&a, converter, conversion, side, &buffer, at: now)
        }
    }

    private static func converted(
        _ far: inout RelayLeg, _ converter: SpeechConverter, _ conversion: Conversion, _ side: Side, _ buffer: inout MutableRawSpan, at now: Instant
    ) -> RelayVerdict? {
        let departure: RelayLeg.Departure
        if let count = converter.next(into: &buffer) {
            departure = far.dispatch(.media, &buffer, count: count)
        } else if conversion.takesReport(from: side, at: now) {
            let count = converter.report(at: now, far.counters.quality.block(at: now)).write(into: &buffer)
            far.counters.quality.tell(buffer.bytes.extracting(first: count), at: now)
            departure = far.dispatch(.control, &buffer, count: count)
        } else {
            return nil
        }
        switch departure {
        case .ready(let port, let destination, let count): return .forward(from: port, to: destination, count: count)
        case .dropped(let reason):
            far.counters.count(reason)
            return .drop(reason)
        }
    }
}
