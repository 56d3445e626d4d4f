import Expressions
public import Model
import Synchronization

/// The compiled expressions of decks, kept for as long as whoever asks for prices lives. A version has few.
public final class RowPatterns: Sendable {
    private static let compiledMax = 10_000
    private let compiled = Mutex<[String: RegularExpression]>([:])

    public init() {}

    /// - Parameter digits: an E.164 number without the `+`.
    public func matches(_ entry: RateEntry, digits: some StringProtocol) -> Bool {
        compiled.withLock { compiled in
            let expression: RegularExpression
            if let known = compiled[entry.pattern] {
                expression = known
            } else {
                guard let fresh = try? RegularExpression(entry.pattern) else { return false }
                if compiled.count >= Self.compiledMax { compiled.removeAll() }
                compiled[entry.pattern] = fresh
                expression = fresh
            }
            return expression.matches("+" + digits)
        }
    }
}
