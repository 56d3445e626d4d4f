import Bus
import Primitives
import Testing

@Test func theFirstDeadlineIsKnownWhateverComesAndGoes() {
    var random = RandomSource(seed: 9)
    var queue = DeadlineQueue<Int>()
    var left: [(time: Instant, number: Int)] = []
    #expect(queue.first == nil)
    for number in 0..<2_000 {
        if left.isEmpty || random.next() % 3 != 0 {
            let time = Instant(nanoseconds: random.next() % 50)
            queue.insert(number, at: time)
            left.append((time, number))
        } else {
            // Of equal ones that which came first.
            let least = left.indices.min { (left[$0].time, $0) < (left[$1].time, $1) }!
            #expect(queue.popFirst(dueBy: .zero) == (left[least].time == .zero ? left[least].number : nil))
            if left[least].time != .zero { #expect(queue.popFirst(dueBy: left[least].time) == left[least].number) }
            left.remove(at: least)
        }
        #expect(queue.first == left.map { $0.time }.min())
        #expect(queue.count == left.count)
    }
    queue.removeAll()
    #expect(queue.first == nil && queue.count == 0)
}
