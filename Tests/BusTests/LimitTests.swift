import Primitives
import Testing

@testable import Bus

struct LimitTests {
    @Test func bodyAtTheLimitPassesAndOneMoreIsRefusedByTheSender() throws {
        var loopback = try Loopback()
        loopback.limits.bodyBytesMax = 1_000
        var router = try loopback.router()
        var dealer = try loopback.dealer(to: router.endpoint, as: loopback.enrolled("signal-1"))
        let id = RequestID(high: 1, low: 1)
        #expect(deliver(BusMessage(id: id, body: Array(repeating: 1, count: 1_000)), over: &dealer) == .sent)
        let delivery = try next(&router)
        #expect(delivery.message.body.count == 1_000)
        #expect(dealer.send(BusMessage(id: id, body: Array(repeating: 1, count: 1_001))) == .tooLarge)
        #expect(
            router.send(BusMessage(id: id, body: Array(repeating: 1, count: 1_001)), to: delivery.peer) == .tooLarge)
    }

    @Test func peerThatSendsMoreIsDisconnectedAndTheRouterGoesOn() throws {
        var loopback = try Loopback()
        var sender = loopback
        loopback.limits.bodyBytesMax = 1_000
        sender.limits.bodyBytesMax = 100_000
        var router = try loopback.router()
        var dealer = try sender.dealer(to: router.endpoint, as: loopback.enrolled("signal-1"))
        #expect(deliver(.notice(Array(repeating: 1, count: 5_000)), over: &dealer) == .sent)
        #expect(eventually { router.link.lost > 0 })
        #expect(router.receive() == nil)
        // It connects again, and is heard. What it sends before it has noticed is lost.
        var message: BusMessage?
        let deadline = now() + patience
        while message == nil, now() < deadline {
            _ = dealer.send(.notice([2]))
            linger()
            message = router.receive()?.message
        }
        #expect(message == .notice([2]))
    }

    @Test func messagesWithOtherFramesAreCountedAndDropped() throws {
        let loopback = try Loopback()
        var router = try loopback.router()
        var dealer = try loopback.dealer(to: router.endpoint, as: loopback.enrolled("signal-1"))
        let request = [UInt8](repeating: 1, count: 17)
        #expect(deliver(.notice([0]), over: &dealer) == .sent)
        let malformed: [[[UInt8]]] = [
            [[]], [[1]], [[2]], [[0xFF]], [Array(request.dropLast())], [[2] + request],
            [[0], [1]], [request, [1]], [[], [0]], [request, [], []],
        ]
        for frames in malformed { #expect(dealer.handle.send(frames: frames) == .sent) }
        #expect(dealer.send(.notice([9])) == .sent)
        #expect(try next(&router).message == .notice([0]))
        #expect(try next(&router).message == .notice([9]))
        #expect(router.malformed == UInt64(malformed.count))
        #expect(router.receive() == nil)
    }

    @Test func dealerAndSubscriberDropOtherFramesToo() throws {
        let loopback = try Loopback()
        let keys = try loopback.enrolled("signal-1")
        var router = try loopback.router()
        var dealer = try loopback.dealer(to: router.endpoint, as: keys)
        #expect(deliver(.notice([1]), over: &dealer) == .sent)
        let route = try next(&router).peer.route
        let routeFrame = (0..<5).map { UInt8(truncatingIfNeeded: route >> UInt64(32 - 8 * $0)) }
        #expect(router.handle.send(frames: [routeFrame, [0], [4]]) == .sent)
        #expect(router.handle.send(frames: [routeFrame, [9, 9]]) == .sent)
        #expect(router.handle.send(frames: [routeFrame, [0, 5]]) == .sent)
        #expect(try next(&dealer) == .notice([5]))
        #expect(dealer.malformed == 2)

        var publisher = try FeedPublisher(
            listeningOn: "tcp://127.0.0.1:*", as: loopback.control, allowing: loopback.allowlist, in: loopback.context)
        var subscriber = try FeedSubscriber(
            to: publisher.endpoint, server: loopback.control.publicKey, as: keys, in: loopback.context)
        let deadline = now() + patience
        while subscriber.malformed == 0, now() < deadline {
            #expect(publisher.handle.send(frames: [[1], [2]]) == .sent)
            linger()
            #expect(subscriber.receive() == nil)
        }
        #expect(subscriber.malformed > 0)
        #expect(publisher.publish([3]) == .sent)
        #expect(eventually { subscriber.receive() == [3] })
    }

    @Test func peerThatReadsNothingMakesSendingFullNotSlow() throws {
        var loopback = try Loopback()
        loopback.limits.sendQueueMessages = 4
        loopback.limits.receiveQueueMessages = 4
        var router = try loopback.router()
        var dealer = try loopback.dealer(to: router.endpoint, as: loopback.enrolled("signal-1"))
        let block = [UInt8](repeating: 1, count: 1 << 20)
        #expect(deliver(.notice(block), over: &dealer) == .sent)
        var sent = 1
        let deadline = now() + patience
        var outcome = SendOutcome.sent
        while outcome == .sent, now() < deadline {
            outcome = dealer.send(.notice(block))
            if outcome == .sent { sent += 1 }
        }
        #expect(outcome == .full)
        for _ in 0..<sent { #expect(try next(&router).message.body.count == 1 << 20) }
        #expect(deliver(.notice([1]), over: &dealer) == .sent)
    }

    @Test func takenPortIsNamed() throws {
        let loopback = try Loopback()
        let router = try loopback.router()
        let endpoint = router.endpoint
        #expect(throws: BusError.addressInUse(endpoint: endpoint)) { _ = try loopback.router(on: endpoint) }
        #expect("\(BusError.addressInUse(endpoint: endpoint))".hasPrefix("\(endpoint) is in use"))
    }

    @Test(arguments: [
        "", "tcp://", "tcp://127.0.0.1", "tcp://127.0.0.1:x", "127.0.0.1:7401", "foo://127.0.0.1:1",
        "tcp://127.0.0.1:99999",
    ])
    func malformedEndpointIsNamed(_ endpoint: String) throws {
        let loopback = try Loopback()
        #expect(throws: BusError.malformedEndpoint(endpoint)) { _ = try loopback.router(on: endpoint) }
        #expect(throws: BusError.malformedEndpoint(endpoint)) {
            _ = try loopback.dealer(to: endpoint, as: loopback.control)
        }
    }

    @Test func addressOfAnotherMachineIsNamed() throws {
        let loopback = try Loopback()
        #expect(throws: BusError.addressNotLocal(endpoint: "tcp://192.0.2.1:7401")) {
            _ = try loopback.router(on: "tcp://192.0.2.1:7401")
        }
    }
}
