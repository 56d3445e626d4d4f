import Bus
import Primitives
import Testing

struct FeedTests {
    /// Publishes numbers from `number` on until the subscriber has one, and returns what it got first.
    private func first(
        of subscriber: inout FeedSubscriber, from number: inout UInt8, by publisher: inout FeedPublisher
    ) throws -> UInt8 {
        let deadline = now() + patience
        while now() < deadline {
            number += 1
            _ = publisher.publish([number])
            linger()
            if let first = subscriber.receive()?.first { return first }
        }
        throw NothingCame()
    }

    @Test func subscriberThatWasAwaySeesTheGap() throws {
        let loopback = try Loopback()
        let keys = try loopback.enrolled("media-1")
        var publisher = try FeedPublisher(
            listeningOn: "tcp://127.0.0.1:*", as: loopback.control, allowing: loopback.allowlist,
            limits: loopback.limits, in: loopback.context)
        func subscribe(to endpoint: String) throws -> FeedSubscriber {
            try FeedSubscriber(
                to: endpoint, server: loopback.control.publicKey, as: keys, limits: loopback.limits,
                in: loopback.context)
        }
        var subscriber = try subscribe(to: publisher.endpoint)
        var detector = FeedGapDetector()
        var number: UInt8 = 0
        let start = try first(of: &subscriber, from: &number, by: &publisher)
        #expect(detector.accept(UInt64(start)) == .unsynchronised)
        detector.synchronise(at: UInt64(start))
        var last = start
        while last < number {
            guard let next = subscriber.receive()?.first else { continue }
            #expect(detector.accept(UInt64(next)) == .inOrder)
            last = next
        }

        subscriber = try subscribe(to: publisher.endpoint)
        number += 1
        #expect(publisher.publish([number]) == .sent)  // while away
        let after = try first(of: &subscriber, from: &number, by: &publisher)
        let missing = UInt64(last) + 1...UInt64(after) - 1
        #expect(detector.accept(UInt64(after)) == .gap(missing: missing))
        #expect(!detector.isSynchronised)
    }

    @Test func feedIsForEnrolledKeysOnly() throws {
        let loopback = try Loopback()
        var publisher = try FeedPublisher(
            listeningOn: "tcp://127.0.0.1:*", as: loopback.control, allowing: loopback.allowlist,
            limits: loopback.limits, in: loopback.context)
        var stranger = try FeedSubscriber(
            to: publisher.endpoint, server: loopback.control.publicKey, as: .generate(), limits: loopback.limits,
            in: loopback.context)
        #expect(eventually { stranger.link.state == .refused })
        #expect(publisher.publish([1]) == .sent)
        #expect(stranger.receive() == nil)
        #expect(loopback.allowlist.refusals > 0)
    }

    @Test func slowSubscriberLosesMessagesAndNothingWaits() throws {
        var loopback = try Loopback()
        loopback.limits.sendQueueMessages = 2
        loopback.limits.receiveQueueMessages = 2
        let keys = try loopback.enrolled("media-1")
        var publisher = try FeedPublisher(
            listeningOn: "tcp://127.0.0.1:*", as: loopback.control, allowing: loopback.allowlist,
            limits: loopback.limits, in: loopback.context)
        var subscriber = try FeedSubscriber(
            to: publisher.endpoint, server: loopback.control.publicKey, as: keys, limits: loopback.limits,
            in: loopback.context)
        var number: UInt8 = 0
        _ = try first(of: &subscriber, from: &number, by: &publisher)
        // More than TCP's buffers and the queues hold together.
        let block = [UInt8](repeating: 0, count: 1 << 20)
        for _ in 0..<64 { #expect(publisher.publish(block) == .sent) }
        var received = 0
        let deadline = now() + patience
        var poller = Poller()
        _ = poller.add(subscriber)
        while now() < deadline, poller.wait(for: .milliseconds(300)) > 0 {
            while subscriber.receive() != nil { received += 1 }
        }
        #expect(received < 64)
    }
}
