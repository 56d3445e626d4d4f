import Bus
import Testing

struct FeedGapDetectorTests {
    @Test func numbersInOrderAreApplied() {
        var detector = FeedGapDetector()
        #expect(detector.accept(1) == .unsynchronised)
        detector.synchronise(at: 4)
        #expect(
            [3, 4, 5, 6, 6, 7].map { detector.accept($0) } == [
                .duplicate, .duplicate, .inOrder, .inOrder, .duplicate, .inOrder,
            ])
    }

    @Test func gapNeedsTheStateAnew() {
        var detector = FeedGapDetector()
        detector.synchronise(at: 4)
        #expect(detector.accept(7) == .gap(missing: 5...6))
        #expect(detector.accept(8) == .unsynchronised)
        detector.synchronise(at: 8)
        #expect(detector.accept(9) == .inOrder)
    }

    @Test func lostEndIsNoticedAtTheSecondHeartbeat() {
        var detector = FeedGapDetector()
        detector.synchronise(at: 4)
        #expect(detector.observe(head: 6) == false)
        #expect(detector.accept(5) == .inOrder)
        #expect(detector.observe(head: 6) == true)
        #expect(!detector.isSynchronised)
        #expect(detector.observe(head: 6) == false)
    }

    @Test func messageThatWasOnItsWayIsNoGap() {
        var detector = FeedGapDetector()
        detector.synchronise(at: 4)
        #expect(detector.observe(head: 5) == false)
        #expect(detector.accept(5) == .inOrder)
        #expect(detector.observe(head: 6) == false)
        #expect(detector.accept(6) == .inOrder)
        #expect(detector.accept(7) == .inOrder)
        #expect(detector.observe(head: 6) == false)
        #expect(detector.observe(head: 7) == false)
    }

    @Test func feedThatCountsAnewIsFollowedAfterTheState() {
        var detector = FeedGapDetector()
        detector.synchronise(at: 400)
        #expect(detector.accept(1) == .duplicate)
        detector.synchronise(at: 1)
        #expect(detector.accept(2) == .inOrder)
    }
}
