package import Model
import Primitives

/// Numbers that follow one another, with as many digits each: `+12092488700` to `+12092488799`.
package struct NumberBlock: Equatable, Sendable {
    /// So that a typing error does not fill the log, and a commit stays short.
    package static let countMax: UInt64 = 10_000

    package let first: PhoneNumber
    package let last: PhoneNumber
    package let count: UInt64
    private let start: UInt64

    package enum Malformed: Error, Equatable {
        case first
        case last(reason: String)
        case count(reason: String)
    }

    package init(first: String, last: String) throws(Malformed) {
        guard let low = PhoneNumber(first), isE164(first) else { throw .first }
        guard let high = PhoneNumber(last), isE164(last) else {
            throw .last(reason: "must be + and 3 to 15 digits, such as +12092488799")
        }
        guard low.digits.utf8.count == high.digits.utf8.count else {
            throw .last(reason: "must have as many digits as the first")
        }
        guard let from = UInt64(low.digits), let to = UInt64(high.digits), from <= to else {
            throw .last(reason: "must not be below the first")
        }
        guard to - from < Self.countMax else {
            throw .last(reason: "a range has at most \(Self.countMax) numbers, this one has \(to - from + 1)")
        }
        (self.first, self.last, start, count) = (low, high, from, to - from + 1)
    }

    package init(first: String, count: UInt64) throws(Malformed) {
        guard let low = PhoneNumber(first), isE164(first), let from = UInt64(low.digits) else { throw .first }
        guard (1...Self.countMax).contains(count) else {
            throw .count(reason: "must be 1 to \(Self.countMax)")
        }
        let digits = String(from + count - 1)
        guard digits.utf8.count == low.digits.utf8.count, let high = PhoneNumber(digits: digits) else {
            throw .count(reason: "leads to numbers with more digits than the first")
        }
        (self.first, self.last, start, self.count) = (low, high, from, count)
    }

    package var numbers: some Sequence<PhoneNumber> {
        (0..<count).lazy.compactMap { [start] in PhoneNumber(digits: String(start + $0)) }
    }
}
