import Codecs
import Model
import SIP

/// Which codecs each side is offered and told, and when one is converted to another: only when the two sides share none.
///
/// The caller's own go first and as they are, so whoever can take one of them does; ours behind them are for those who cannot.
enum CodecChoice {
    struct Format: Equatable {
        enum Kind: Equatable {
            case speech(Codec)
            case keys
            case noise
            case other
        }
        /// As in `m=`.
        let number: String
        /// In lower case.
        let encoding: String
        let clockRate: Int
        let kind: Kind

        /// The same thing, whatever its number.
        func isSame(as other: Format) -> Bool {
            guard encoding == other.encoding, clockRate == other.clockRate else { return false }
            return !encoding.isEmpty || number == other.number
        }

        var codec: Codec? {
            switch kind {
            case .speech(let codec): codec
            case .keys, .noise, .other: nil
            }
        }
    }

    /// The formats of a stream, in their order.
    static func formats(of stream: SDP.Media) -> [Format] {
        let mappings = stream.mappings
        return stream.formats.map { number in
            let mapping = mappings.first { $0.format == number }
            if let mapping {
                let (encoding, clock) = (mapping.encoding.lowercased(), Int(mapping.clockRate))
                let codec = Codec(name: encoding, clockRate: clock).flatMap { $0.isAvailable ? $0 : nil }
                let kind: Format.Kind = codec.map { .speech($0) } ?? (encoding == "telephone-event" ? .keys : encoding == "cn" ? .noise : .other)
                return Format(number: number, encoding: encoding, clockRate: clock, kind: kind)
            }
            guard let type = UInt8(number) else { return Format(number: number, encoding: "", clockRate: 0, kind: .other) }
            if type == 13 { return Format(number: number, encoding: "cn", clockRate: 8_000, kind: .noise) }
            guard let codec = Codec(fixedPayloadType: type) else { return Format(number: number, encoding: "", clockRate: 0, kind: .other) }
            return Format(
                number: number, encoding: codec.name.lowercased(), clockRate: codec.clockRate, kind: codec.isAvailable ? .speech(codec) : .other)
        }
    }

    // MARK: - Offering

    /// Names as in settings, `PCMA` or `speex/16000`; what is not known is left out.
    static func codecs(named names: [String]) -> [Codec] {
        names.compactMap { name in
            let parts = name.split(separator: "/")
            guard let first = parts.first else { return nil }
            if parts.count == 2, let clock = Int(parts[1]) { return Codec(name: String(first), clockRate: clock) }
            return Codec.allCases.first { $0.name.lowercased() == first.lowercased() }
        }
    }

    /// Puts ours behind the caller's in an offer of ours.
    ///
    /// - Parameter allowed: that the line or gateway may be offered; empty: anything.
    static func extend(_ offer: inout SDP, _ index: Int, allowed names: [String] = []) {
        guard offer.media.indices.contains(index), offer.media[index].kind == "audio" else { return }
        var stream = offer.media[index]
        var known = formats(of: stream)
        let allowed = codecs(named: names)
        if !allowed.isEmpty {
            let gone = known.filter { format in format.codec.map { !allowed.contains($0) } ?? (format.kind == .other) }
            stream.remove(gone.map(\.number))
            known.removeAll { format in gone.contains { $0.number == format.number } }
        }
        let isWide = known.contains { $0.codec?.isWideBand == true }
        let ours = allowed.isEmpty ? (isWide ? wide : narrow) : allowed.filter(\.isAvailable)
        for codec in ours where !known.contains(where: { $0.codec == codec }) { stream.append(codec) }
        // A line that allows nothing that anybody here knows is offered what there was.
        if !stream.formats.isEmpty { offer.media[index] = stream }
    }

    /// For callers that have a wide band, which is kept where it can be, and for the others.
    private static let wide: [Codec] = [.g722, .opus, .pcma, .pcmu, .gsm, .g729].filter(\.isAvailable)
    private static let narrow: [Codec] = [.pcma, .pcmu, .gsm, .g729, .g722, .opus].filter(\.isAvailable)

    // MARK: - Answering

    /// The called side's answer as the caller is to hear it; nil: there is no speech in it that could be had for the caller.
    ///
    /// - Parameters:
    ///   - offer: the caller's; nil: the caller has offered nothing, and takes what there is.
    static func answer(_ answer: SDP, _ index: Int, to offer: SDP?, _ offered: Int) -> SDP? {
        guard let offer, offer.media.indices.contains(offered), answer.media.indices.contains(index), answer.media[index].kind == "audio" else { return answer }
        let (theirs, stream) = (offer.media[offered], answer.media[index])
        // Most answers: nothing of ours is in it. Numbers below 96 mean the same to everybody, the others what their lines say.
        let isTheirs = stream.formats.allSatisfy { number in
            guard theirs.formats.contains(number) else { return false }
            return (UInt8(number) ?? 255) < 96 || stream.lines.contains { $0.value.startsWith("rtpmap:\(number) ") && theirs.lines.contains($0) }
        }
        if isTheirs { return answer }
        let (wanted, taken) = (formats(of: theirs), formats(of: stream))
        let shared = taken.filter { format in wanted.contains { $0.isSame(as: format) } }
        let first = taken.first { $0.kind != .keys && $0.kind != .noise }
        if let first, shared.contains(first) {
            var copy = answer
            copy.media[index].remove(taken.filter { !shared.contains($0) }.map(\.number))
            return copy
        }
        guard let called = first?.codec, let speech = choice(of: wanted, for: called) else {
            // Not ours, and not understood here: it was the caller's, or it is nobody's.
            return shared.isEmpty ? nil : answer
        }
        let keys = wanted.filter { $0.kind == .keys }
        let key = keys.first { $0.clockRate == speech.clockRate } ?? keys.first
        var copy = answer
        copy.media[index].lines.removeAll { $0.type == "a" && ($0.value.startsWith("ptime:") || $0.value.startsWith("maxptime:")) }
        copy.media[index].remove(stream.formats)
        copy.media[index].formats = [speech.number] + (key.map { [$0.number] } ?? [])
        for number in copy.media[index].formats {
            copy.media[index].lines.append(contentsOf: theirs.lines.filter { $0.type == "a" && $0.value.startsWith("rtpmap:\(number) ") })
        }
        if let key { copy.media[index].lines.append(SDP.Line("a", "fmtp:\(key.number) 0-15")) }
        if let parameters = parameters(of: speech) { copy.media[index].lines.append(SDP.Line("a", "fmtp:\(speech.number) \(parameters)")) }
        if let packet = theirs.attribute("ptime") { copy.media[index].setAttribute("ptime", [packet]) }
        return copy
    }

    /// What we take of a stream where nobody else is there: the first codec that is understood here, keys by its clock, comfort noise.
    ///
    /// - Returns: numbers, as in `m=`; nil: nothing of it is understood.
    static func taken(of stream: SDP.Media) -> [String]? {
        let formats = formats(of: stream)
        guard let speech = formats.first(where: { $0.codec != nil }) else { return nil }
        let extras = [
            formats.first { $0.kind == .keys && $0.clockRate == speech.clockRate } ?? formats.first { $0.kind == .keys },
            formats.first { $0.kind == .noise && $0.clockRate == speech.clockRate },
        ]
        return [speech.number] + extras.compactMap { $0?.number }
    }

    /// That as an answer to an offer; nil: there is nothing.
    static func answer(of offer: SDP, _ index: Int) -> SDP? {
        guard offer.media.indices.contains(index), offer.media[index].kind == "audio", let numbers = taken(of: offer.media[index]) else { return nil }
        var answer = offer
        answer.media[index].remove(offer.media[index].formats.filter { !numbers.contains($0) })
        answer.media[index].formats = numbers
        answer.media[index].direction = offer.direction(of: index).reversed
        return answer
    }

    /// Of the caller's: the one that it wants most, of a wide band if the called side has one.
    private static func choice(of wanted: [Format], for called: Codec) -> Format? {
        let speech = wanted.filter { $0.codec != nil }
        return (called.isWideBand ? speech.first { $0.codec?.isWideBand == true } : nil) ?? speech.first
    }

    private static func parameters(of format: Format) -> String? {
        switch format.codec {
        // Silence is sent as speech (RFC 4856 §2.1.9).
        case .g729: "annexb=no"
        case .pcmu, .pcma, .g722, .g726, .gsm, .speex, .speexWide, .opus, nil: nil
        }
    }

    // MARK: - Converting

    /// What was agreed with a side: of its description what ours has too.
    static func agreed(_ media: LegMediaState) -> [(theirs: Format, ours: Format)] {
        guard let remote = media.remote, let local = media.local, remote.media.indices.contains(media.index), local.media.indices.contains(media.index)
        else { return [] }
        let ours = formats(of: local.media[media.index])
        return formats(of: remote.media[media.index]).compactMap { theirs in ours.first { $0.isSame(as: theirs) }.map { (theirs, $0) } }
    }

    /// Whether what one side says has to be converted for the other: the codecs that they use are not the same.
    static func converts(_ a: LegMediaState, _ b: LegMediaState) -> Bool {
        // The usual case, without reading anything: the same numbers, which mean the same to everybody, are first on both sides.
        if let first = a.usual, first == b.usual { return false }
        func speech(_ media: LegMediaState) -> [Format] { agreed(media).map(\.theirs).filter { $0.codec != nil } }
        let (ofA, ofB) = (speech(a), speech(b))
        guard let firstOfA = ofA.first, let firstOfB = ofB.first else { return false }
        return !ofB.contains { $0.isSame(as: firstOfA) } && !ofA.contains { $0.isSame(as: firstOfB) }
    }
}

extension LegMediaState {
    /// The number of the codec that the side wants most, if it is one that needs no explanation.
    fileprivate var usual: String? {
        guard let remote, remote.media.indices.contains(index), let first = remote.media[index].formats.first, (UInt8(first) ?? 255) < 96 else { return nil }
        return first
    }

    /// As the media worker is told: for packets that it has to convert, or has to know the clock of.
    var mediaFormats: [MediaFormat] {
        // Sound of ours is sent as G.711 to whom nothing else is known of.
        guard converts || hasConference || usual != "0" && usual != "8" else { return [] }
        return CodecChoice.agreed(self).compactMap { pair in
            guard let type = UInt32(pair.theirs.number), let heardAs = UInt32(pair.ours.number) else { return nil }
            var format = MediaFormat()
            format.payloadType = type
            format.heardAs = heardAs
            format.encoding = pair.theirs.encoding
            format.clockRate = UInt32(clamping: pair.theirs.clockRate)
            return format
        }
    }

    /// Speech that the side wants in a packet, in milliseconds.
    var packetMilliseconds: UInt32 {
        guard let remote, remote.media.indices.contains(index) else { return 0 }
        return remote.media[index].attribute("ptime").flatMap { UInt32($0) } ?? 0
    }
}

extension SDP.Media {
    /// Takes formats out, with all that is said of them.
    fileprivate mutating func remove(_ numbers: [String]) {
        guard !numbers.isEmpty else { return }
        formats.removeAll { numbers.contains($0) }
        lines.removeAll { line in
            guard line.type == "a" else { return false }
            for name in ["rtpmap:", "fmtp:", "rtcp-fb:"] where line.value.startsWith(name) {
                return numbers.contains(String(line.value.dropFirst(name.count).prefix { $0 != " " }))
            }
            return false
        }
    }

    fileprivate mutating func append(_ codec: Codec) {
        let number: String
        if let fixed = codec.fixedPayloadType {
            number = String(fixed)
            guard !formats.contains(number) else { return }
        } else {
            guard let free = (96...127).lazy.map(String.init).first(where: { !formats.contains($0) }) else { return }
            number = free
            lines.append(SDP.Line("a", "rtpmap:\(number) \(codec.name)/\(codec.clockRate)\(codec == .opus ? "/2" : "")"))
        }
        formats.append(number)
        if codec == .g729 { lines.append(SDP.Line("a", "fmtp:\(number) annexb=no")) }
    }
}
