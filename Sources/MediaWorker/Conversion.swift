internal import Primitives
internal import RTP

/// Both ways of a session whose sides share no codec.
final class Conversion {
    /// How often each side gets a report of ours (RFC 3550 §6.2).
    private static let reportInterval: Duration = .seconds(5)

    let toA: SpeechConverter?
    let toB: SpeechConverter?
    private var reportedA: Instant
    private var reportedB: Instant

    /// - Parameter seed: where numbers, timestamps and sources of our streams begin.
    init(a: LegFormats, b: LegFormats, seed: UInt64, at now: Instant) {
        toA = SpeechConverter(from: b, to: a, seed: seed)
        toB = SpeechConverter(from: a, to: b, seed: ~seed)
        reportedA = now
        reportedB = now
    }

    /// Towards the other side of `side`.
    func converter(from side: Side) -> SpeechConverter? {
        switch side {
        case .a: toB
        case .b: toA
        }
    }

    /// Whether a report is due to the other side of `side`; it is then taken as made.
    func takesReport(from side: Side, at now: Instant) -> Bool {
        switch side {
        case .a:
            guard now - reportedB >= Conversion.reportInterval else { return false }
            reportedB = now
        case .b:
            guard now - reportedA >= Conversion.reportInterval else { return false }
            reportedA = now
        }
        return true
    }
}
