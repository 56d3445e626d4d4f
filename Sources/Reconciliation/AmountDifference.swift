import Model
import Rating

/// Why an amount differs, as far as it can be seen from the two records.
struct AmountDifference {
    enum Cause: Hashable, Sendable {
        /// We have no price for the call: nobody answered, or the carrier has no cost deck.
        case noPrice
        /// The exact amount, rounded otherwise than our deck rounds.
        case decimals
        /// The amount is right for the carrier's own count of seconds, which lies within the tolerance.
        case seconds
        /// The amount is right if seconds are counted by other increments.
        case increments(Increments)
        /// Another price per minute, in micro-units, if the connection fee is ours.
        case perMinute(Int64)
    }

    let cause: Cause

    var isRounding: Bool {
        switch cause {
        case .decimals, .seconds: true
        case .noPrice, .increments, .perMinute: false
        }
    }

    /// Most usual first, because one figure may be right for several.
    static let usual: [Increments] = [
        Increments(first: 1, next: 1), Increments(first: 60, next: 60), Increments(first: 30, next: 6), Increments(first: 6, next: 6),
        Increments(first: 60, next: 1), Increments(first: 30, next: 30), Increments(first: 30, next: 1), Increments(first: 10, next: 10),
    ]

    /// - Parameter decimals: how many the statement writes.
    init(_ line: StatementLine, _ call: OwnCall, _ price: Price?, decimals: Int, _ settings: ReconciliationSettings) {
        guard let price, call.isAnswered else {
            cause = .noPrice
            return
        }
        let asked = Int128(line.micros)
        // One unit of the last decimal that the statement writes, from a hundredth downwards: rounding up, down or half-up of
        // the exact amount stays below it. And the other half of our own.
        var unit: Int128 = 1
        for _ in min(max(decimals, 2), 6)..<6 { unit *= 10 }
        if (asked * 60 - price.sixtieths(billedSeconds: call.billedSeconds)).magnitude < (unit * 60).magnitude {
            cause = .decimals
            return
        }
        func isRight(_ micros: Int64) -> Bool { (asked - Int128(micros)).magnitude <= Int128(settings.amountToleranceMicros).magnitude }
        let nearSeconds = [line.milliseconds, call.milliseconds - settings.durationToleranceMilliseconds, call.milliseconds + settings.durationToleranceMilliseconds]
        if abs(line.milliseconds - call.milliseconds) <= settings.durationToleranceMilliseconds,
            nearSeconds.contains(where: { isRight(price.micros(milliseconds: max(0, $0))) })
        {
            cause = .seconds
            return
        }
        if let increments = Self.usual.first(where: { $0 != price.increments && isRight(price.micros(milliseconds: call.milliseconds, by: $0)) }) {
            cause = .increments(increments)
            return
        }
        let rest = asked - Int128(price.connectionFeeMicros)
        cause = .perMinute(call.billedSeconds == 0 ? 0 : Int64(clamping: dividedHalfUp(rest * 60, by: Int128(call.billedSeconds))))
    }
}

extension Reconciliation {
    /// Why a line is in its class, for people.
    package func reason(of line: Int) -> String {
        let record = statement.lines[line]
        let call = call(of: line)
        switch classes[line] {
        case .agreed, .missingTheirs: return ""
        case .missingOurs: return "no call to this number within \(settings.timeToleranceMicroseconds / 1_000_000) s of this time"
        case .duplicate: return "the same as line \(original(of: line)?.line ?? 0)"
        case .duration:
            guard let call else { return "" }
            guard call.isAnswered else { return "nobody answered this call" }
            let seconds = Double(record.milliseconds - call.milliseconds) / 1_000
            let words = "\(abs(seconds)) s \(seconds > 0 ? "longer" : "shorter") than the call"
            guard let price = calls.price(of: call) else { return words }
            for other in AmountDifference.usual
            where other != price.increments
                && Int64(other.billed(used: UInt64(max(0, call.milliseconds + 999) / 1_000))) * 1_000 == record.milliseconds
            {
                return words + ", as \(other.first)/\(other.next) increments count it; agreed are \(price.increments.first)/\(price.increments.next)"
            }
            return words
        case .rate, .rounding:
            guard let call else { return "" }
            let price = calls.price(of: call)
            switch AmountDifference(record, call, price, decimals: statement.decimals, settings).cause {
            case .noPrice: return "our books have no price for this call"
            case .decimals: return "the exact amount, rounded otherwise"
            case .seconds: return "right for a count of seconds within the tolerance"
            case .increments(let increments):
                return "right for increments \(increments.first)/\(increments.next); agreed are \(price?.increments.first ?? 0)/\(price?.increments.next ?? 0)"
            case .perMinute(let micros):
                return "as at \(decimal(micros)) a minute; agreed is \(decimal(price?.perMinuteMicros ?? 0))"
            }
        }
    }

    private func decimal(_ micros: Int64) -> String { Money(micros: micros, currency).decimal }
}
