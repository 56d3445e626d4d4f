package import Primitives

/// A binary heap of instants; equal ones leave in the order in which they came.
package struct DeadlineQueue<Element: Sendable>: Sendable {
    private struct Node {
        let time: Instant
        let number: UInt64
        let element: Element

        static func < (a: Node, b: Node) -> Bool { (a.time, a.number) < (b.time, b.number) }
    }

    private var nodes: [Node] = []
    private var numbers: UInt64 = 0

    package init() {}

    package var count: Int { nodes.count }
    package var first: Instant? { nodes.first?.time }

    package mutating func removeAll() { nodes.removeAll(keepingCapacity: true) }

    package mutating func insert(_ element: Element, at time: Instant) {
        numbers += 1
        nodes.append(Node(time: time, number: numbers, element: element))
        var index = nodes.count - 1
        while index > 0, nodes[index] < nodes[(index - 1) / 2] {
            nodes.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    package mutating func popFirst(dueBy time: Instant) -> Element? {
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
        return node.element
    }
}
