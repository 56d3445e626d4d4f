/// Even ports, each standing for itself and the next. Handed out in the order in which they came back, so that
/// late packets of an ended call find nobody for as long as possible.
package struct PortPool: Equatable, Sendable {
    private var free: [UInt16]
    private var first = 0
    package let total: Int

    /// - Parameter ports: pairs that lie wholly inside are used.
    package init(ports: ClosedRange<UInt16>) {
        free = stride(from: ports.lowerBound + ports.lowerBound % 2, to: ports.upperBound, by: 2).map { $0 }
        total = free.count
    }

    package var count: Int { free.count - first }

    package mutating func take() -> UInt16? {
        guard first < free.count else { return nil }
        defer { first += 1 }
        return free[first]
    }

    package mutating func give(back port: UInt16) {
        // The used-up front is cut off when it is half of the array: each port then moves once per round.
        if first > 0, first * 2 >= free.count {
            free.removeFirst(first)
            first = 0
        }
        free.append(port)
    }
}
