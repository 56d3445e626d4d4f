import Bus
import Primitives
import Testing

/// Sockets of one context that joins inside: what holds over TCP holds in a process.
struct InsideTests {
    private let loopback: Loopback

    init() throws { loopback = try Loopback(joinsInside: true) }

    @Test func requestAndReplyGoBothWaysUnderTheEnrolledName() throws {
        var router = try loopback.router()
        var dealer = try loopback.dealer(to: router.endpoint, as: loopback.enrolled("signal-1"))
        // Nothing has to be waited for.
        let id = RequestID(high: 1, low: 2)
        #expect(dealer.send(BusMessage(id: id, body: [1, 2])) == .sent)
        let delivery = try next(&router)
        #expect(delivery.peer.worker == "signal-1" && delivery.message == BusMessage(id: id, body: [1, 2]))
        #expect(router.send(BusMessage(id: id, body: [3]), to: delivery.peer) == .sent)
        #expect(try next(&dealer) == BusMessage(id: id, body: [3]))
        #expect(router.send(.notice([4]), to: "signal-1") == .sent)
        #expect(try next(&dealer) == .notice([4]))
        #expect(router.link.established == 1 && dealer.link.established == 1)
        #expect(router.link.state == .connected && dealer.link.state == .connected)
    }

    @Test func anUnknownKeyIsRefusedAndComesInWhenItIsEnrolled() throws {
        var router = try loopback.router()
        let keys = try CurveKeyPair.generate()
        var dealer = try loopback.dealer(to: router.endpoint, as: keys)
        #expect(dealer.link.state == .refused && router.link.refused == 1)
        #expect(dealer.send(.notice([1])) == .full)
        #expect(loopback.allowlist.takeRefusals().map(\.address) == ["this process"])
        loopback.allowlist.enrol(keys.publicKey, name: "media-1")
        #expect(deliver(.notice([2]), over: &dealer) == .sent)
        let delivery = try next(&router)
        #expect(delivery.peer.worker == "media-1" && delivery.message == .notice([2]))
        #expect(dealer.link.established == 1)
    }

    @Test func whoIsRevokedIsNotHeard() throws {
        var router = try loopback.router()
        var dealer = try loopback.dealer(to: router.endpoint, as: loopback.enrolled("signal-1"))
        var other = try loopback.dealer(to: router.endpoint, as: loopback.enrolled("signal-2"))
        #expect(dealer.send(.notice([1])) == .sent)
        #expect(try next(&router).peer.worker == "signal-1")
        loopback.allowlist.revoke(name: "signal-1")
        #expect(dealer.send(.notice([2])) == .sent)
        #expect(other.send(.notice([3])) == .sent)
        #expect(try next(&router).message == .notice([3]))
        // Enrolled again by another key, the name is not the former guest's.
        _ = try loopback.enrolled("signal-1")
        #expect(dealer.send(.notice([4])) == .sent)
        #expect(other.send(.notice([5])) == .sent)
        #expect(try next(&router).message == .notice([5]))
        // Of two guests either may be read first.
        #expect(eventually { router.receive() == nil && router.fromRevoked == 2 })
    }

    @Test func whoExpectsAnotherServerDoesNotComeIn() throws {
        let router = try loopback.router()
        let keys = try loopback.enrolled("signal-1")
        var dealer = try Dealer(
            to: router.endpoint, server: CurveKeyPair.generate().publicKey, as: keys, limits: loopback.limits, in: loopback.context)
        #expect(dealer.link.state == .failed && router.link.failed == 1 && router.link.established == 0)
        #expect(dealer.send(.notice([1])) == .full)
    }

    @Test func aRouterThatIsOpenedAgainIsFoundAgain() throws {
        var dealer: Dealer
        let endpoint: String
        do {
            var router = try loopback.router()
            endpoint = router.endpoint
            dealer = try loopback.dealer(to: endpoint, as: loopback.enrolled("signal-1"))
            #expect(dealer.send(.notice([1])) == .sent)
            #expect(try next(&router).message == .notice([1]))
        }
        #expect(dealer.link.lost == 1 && dealer.link.state == .connecting)
        var again = try loopback.routerAgain(on: endpoint)
        // What is sent while libzmq closes the former may be lost with it, as over TCP.
        let deadline = now() + patience
        var delivery: Router.Delivery?
        while delivery == nil, now() < deadline {
            _ = deliver(.notice([2]), over: &dealer)
            linger()
            delivery = again.receive()
        }
        #expect(delivery?.peer.worker == "signal-1" && delivery?.message == .notice([2]))
        #expect(eventually { dealer.link.established == 2 })
    }

    /// The router comes later, or in another process: then it is TCP.
    @Test func aRouterOfAnotherContextIsReachedByTCP() throws {
        let other = try BusContext(joinsInside: true)
        var router = try Router(
            listeningOn: "tcp://127.0.0.1:*", as: loopback.control, allowing: loopback.allowlist, limits: loopback.limits, in: other)
        var dealer = try loopback.dealer(to: router.endpoint, as: loopback.enrolled("signal-1"))
        #expect(deliver(.notice([1]), over: &dealer) == .sent)
        #expect(try next(&router).peer.worker == "signal-1")
        #expect(router.send(.notice([2]), to: "signal-1") == .sent)
        #expect(try next(&dealer) == .notice([2]))
    }

    @Test func guestsAndPeersByTCPShareARouter() throws {
        var router = try loopback.router()
        let (near, far) = (try loopback.enrolled("near"), try loopback.enrolled("far"))
        var guest = try loopback.dealer(to: router.endpoint, as: near)
        var peer = try Dealer(
            to: router.endpoint, server: loopback.control.publicKey, as: far, limits: loopback.limits, in: BusContext())
        #expect(deliver(.notice([1]), over: &peer) == .sent)
        #expect(try next(&router).peer.worker == "far")
        #expect(guest.send(.notice([2])) == .sent)
        #expect(try next(&router).peer.worker == "near")
        for (name, byte) in [("near", UInt8(3)), ("far", 4)] { #expect(router.send(.notice([byte]), to: name) == .sent) }
        #expect(try next(&guest) == .notice([3]))
        #expect(try next(&peer) == .notice([4]))
    }

    @Test func whoHasLeftIsUnreachableAndComesBackAsAnother() throws {
        var router = try loopback.router()
        let keys = try loopback.enrolled("signal-1")
        let former: Router.Peer
        do {
            var dealer = try loopback.dealer(to: router.endpoint, as: keys)
            #expect(dealer.send(.notice([1])) == .sent)
            former = try next(&router).peer
        }
        #expect(router.link.lost == 1)
        #expect(eventually { router.send(.notice([2]), to: former) == .unreachable })
        var dealer = try loopback.dealer(to: router.endpoint, as: keys)
        #expect(dealer.send(.notice([3])) == .sent)
        let peer = try next(&router).peer
        #expect(peer.worker == "signal-1" && peer != former)
        #expect(router.send(.notice([4]), to: peer) == .sent)
        #expect(try next(&dealer) == .notice([4]))
    }

    @Test func aPollerWakesForGuestsAndForTheirRouter() throws {
        var router = try loopback.router()
        var poller = Poller()
        let token = poller.add(router)
        var group = DealerGroup(as: try loopback.enrolled("signal-1"), limits: loopback.limits, in: loopback.context)
        try group.connect("media-1", to: router.endpoint, server: loopback.control.publicKey, watchedBy: &poller)
        #expect(group.link("media-1")?.state == .connected)
        #expect(group.send(.notice([1]), to: "media-1") == .sent)
        #expect(poller.wait(for: patience) > 0)
        let isReadable = poller.isReadable(token)
        #expect(isReadable)
        let delivery = try next(&router)
        #expect(delivery.peer.worker == "signal-1")
        #expect(router.send(.notice([2]), to: delivery.peer) == .sent)
        #expect(poller.wait(for: patience) > 0)
        #expect(group.receive(from: poller).map(\.message) == [.notice([2])])
    }

    /// From the first message on: nothing is said before a subscriber of the process hears it.
    @Test func aFeedIsHeardFromTheMomentOfConnecting() throws {
        var publisher = try publisher()
        var subscriber = try subscriber(to: publisher, as: loopback.enrolled("signal-1"))
        for byte in UInt8(1)...3 { #expect(publisher.publish([byte]) == .sent) }
        for byte in UInt8(1)...3 { #expect(try next(&subscriber) == [byte]) }
        #expect(publisher.link.established == 1 && subscriber.link.established == 1)
    }

    @Test func aFeedIsNotHeardWithoutAKeyOfTheAllowlist() throws {
        var publisher = try publisher()
        let keys = try CurveKeyPair.generate()
        var subscriber = try subscriber(to: publisher, as: keys)
        var other = try self.subscriber(to: publisher, as: loopback.enrolled("signal-1"))
        #expect(publisher.publish([1]) == .sent)
        #expect(try next(&other) == [1])
        #expect(subscriber.receive() == nil && subscriber.link.state == .refused)
        loopback.allowlist.enrol(keys.publicKey, name: "media-1")
        #expect(eventually { subscriber.receive() == nil && subscriber.link.state == .connected })
        #expect(publisher.publish([2]) == .sent)
        #expect(try next(&subscriber) == [2])
    }

    private func publisher() throws -> FeedPublisher {
        try FeedPublisher(
            listeningOn: "tcp://127.0.0.1:*", as: loopback.control, allowing: loopback.allowlist, limits: loopback.limits, in: loopback.context)
    }

    private func subscriber(to publisher: borrowing FeedPublisher, as keys: CurveKeyPair) throws -> FeedSubscriber {
        try FeedSubscriber(
            to: publisher.endpoint, server: loopback.control.publicKey, as: keys, limits: loopback.limits, in: loopback.context)
    }
}
