import Primitives
import Testing

@testable import SignalWorker

/// Words for fellows whose connection is not up.
@Suite struct RelayQueueTests {
    private func time(_ milliseconds: UInt64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

    @Test func wordsArriveInTheirOrderAsSoonAsTheyCan() {
        var queue = RelayQueue()
        for number in 0..<3 as Range<UInt8> { _ = queue.hold([number], for: "w2", now: time(0)) }
        _ = queue.hold([9], for: "w3", now: time(0))
        #expect(queue.count == 4 && queue.holds("w2") && !queue.holds("w4"))
        var sent: [UInt8] = []
        // w2 takes one and is full again, w3 takes all.
        var lost = queue.retry(now: time(50)) { body, worker in
            guard worker == "w3" || sent.isEmpty else { return false }
            sent += body
            return true
        }
        #expect(lost == 0 && sent == [0, 9] && queue.count == 2)
        lost = queue.retry(now: time(60)) { _, _ in true }
        #expect(lost == 0 && queue.count == 2, "not before the pause is over")
        lost = queue.retry(now: time(100)) { body, _ in
            sent += body
            return true
        }
        #expect(lost == 0 && sent == [0, 9, 1, 2] && queue.count == 0 && queue.nextTry == nil)
    }

    @Test func nothingWaitsForEverAndThereIsAnEndToIt() {
        var queue = RelayQueue()
        var held = 0
        while held < 10_000, queue.hold([1], for: "w2", now: time(0)) { held += 1 }
        #expect(held == 4_096)
        var lost = queue.retry(now: time(9_999)) { _, _ in false }
        #expect(lost == 0)
        lost = queue.retry(now: time(10_050)) { _, _ in false }
        #expect(lost == 4_096 && queue.nextTry == nil)
    }
}
