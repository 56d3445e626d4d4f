/// Payload types of RTP (7 bits) that may come from a side, one bit for each.
package struct PayloadTypes: Equatable, Sendable {
    /// Nothing is known: all are taken.
    package static let any = PayloadTypes(low: .max, high: .max)
    /// Comfort noise, now and of old (RFC 3551 §6): phones send it without a word about it.
    private static let noise: [UInt8] = [13, 19]

    private var low: UInt64
    private var high: UInt64

    private init(low: UInt64, high: UInt64) {
        self.low = low
        self.high = high
    }

    /// - Parameter numbers: that descriptions name, 0 to 127; none: nothing is known.
    package init(_ numbers: some Collection<UInt8>) {
        guard !numbers.isEmpty else {
            self = .any
            return
        }
        self.init(low: 0, high: 0)
        for number in numbers { insert(number) }
        for number in PayloadTypes.noise { insert(number) }
    }

    private mutating func insert(_ number: UInt8) {
        if number < 64 { low |= 1 << UInt64(number) } else { high |= 1 << UInt64(number & 63) }
    }

    package func contains(_ number: UInt8) -> Bool {
        (number < 64 ? low >> UInt64(number) : high >> UInt64(number & 63)) & 1 == 1
    }

    /// After a change of descriptions what was named before goes on: packets are on their way, and some phones keep to their first numbers.
    mutating func change(to new: PayloadTypes) {
        guard self != .any, new != .any else { return self = new }
        low |= new.low
        high |= new.high
    }
}
