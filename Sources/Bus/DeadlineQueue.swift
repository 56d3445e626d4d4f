public import Primitives

/// A binary heap of instants; equal ones leave in the order in which they came. Open to the modules that use it, so that it is compiled for
/// their elements: asking what a generic type is took a twentieth of a signal worker's time.
public struct DeadlineQueue<Element: Sendable>: Sendable {
    @usableFromInline struct Node: Sendable {
        @usableFromInline let time: Instant
        @usableFromInline let number: UInt64
        @usableFromInline let element: Element

        @inlinable init(time: Instant, number: UInt64, element: Element) {
            self.time = time
            self.number = number
            self.element = element
        }

        @inlinable static func < (a: Node, b: Node) -> Bool { (a.time, a.number) < (b.time, b.number) }
    }

    @usableFromInline var nodes: [Node] = []
    @usableFromInline var numbers: UInt64 = 0

    @inlinable public init() {}

    @inlinable public var count: Int { nodes.count }
    /// Kept beside the nodes: who looks whether anything is due, at each packet, is not to look into a generic type for it.
    public var first: Instant?

    @inlinable public mutating func removeAll() {
        nodes.removeAll(keepingCapacity: true)
        first = nil
    }

    @inlinable public mutating func insert(_ element: Element, at time: Instant) {
        numbers += 1
        nodes.append(Node(time: time, number: numbers, element: element))
        var index = nodes.count - 1
        while index > 0, nodes[index] < nodes[(index - 1) / 2] {
            nodes.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
        first = nodes[0].time
    }

    @inlinable public mutating func popFirst(dueBy time: Instant) -> Element? {
        guard let node = nodes.first, node.time <= time else { return nil }
        nodes.swapAt(0, nodes.count - 1)
        nodes.removeLast()
        var index = 0
        while true {
            let left = 2 * index + 1
            guard left < nodes.count else { break }
            let child = left + 1 < nodes.count && nodes[left + 1] < nodes[left] ? left + 1 : left
            guard nodes[child] < nodes[index] else { break }
            nodes.swapAt(child, index)
            index = child
        }
        first = nodes.first?.time
        nodes.shrinkIfSparse()
        return node.element
    }
}
