import Bus
import Primitives
import Testing

/// libzmq does not connect again after a refusal or a protocol error: the ring does.
struct HealingTests {
    @Test func subscriberThatIsEnrolledLaterHearsTheFeed() throws {
        let loopback = try Loopback()
        let keys = try CurveKeyPair.generate()
        var publisher = try FeedPublisher(
            listeningOn: "tcp://127.0.0.1:*", as: loopback.control, allowing: loopback.allowlist,
            limits: loopback.limits, in: loopback.context)
        var subscriber = try FeedSubscriber(
            to: publisher.endpoint, server: loopback.control.publicKey, as: keys, limits: loopback.limits,
            in: loopback.context)
        #expect(eventually { subscriber.link.state == .refused })
        loopback.allowlist.enrol(keys.publicKey, name: "media-1")
        var poller = Poller()
        let token = poller.add(subscriber)
        let deadline = now() + patience
        var body: [UInt8]?
        while body == nil, now() < deadline {
            #expect(publisher.publish([1]) == .sent)
            _ = poller.wait(for: .milliseconds(5))
            if poller.isReadable(token) { body = subscriber.receive() }
        }
        #expect(body == [1])
        // What the link is said to be follows by a way of its own.
        #expect(eventually { subscriber.link.state == .connected })
    }

    @Test func pollerAloneBringsAPeerOfAGroupBack() throws {
        let loopback = try Loopback()
        let keys = try CurveKeyPair.generate()
        let router = try loopback.router()
        var poller = Poller()
        var group = DealerGroup(as: keys, limits: loopback.limits, in: loopback.context)
        try group.connect("media-1", to: router.endpoint, server: loopback.control.publicKey, watchedBy: &poller)
        #expect(eventually { router.link.refused > 0 })
        loopback.allowlist.enrol(keys.publicKey, name: "signal-1")
        group.watchWriting("media-1", true, by: &poller)
        #expect(poller.wait(for: patience) == 1)
        #expect(group.isWritable("media-1", in: poller) == true)
        let deadline = now() + patience
        while group.link("media-1")?.state != .connected, now() < deadline { linger() }
        #expect(group.link("media-1")?.state == .connected)
    }

    @Test func strangersAreCountedAndDoNotDisturb() throws {
        let loopback = try Loopback()
        var router = try loopback.router()
        // Not ZeroMQ at all; a ZMTP 3.0 greeting with the NULL mechanism (RFC 23); one that stops in the middle; and
        // one that goes on with a HELLO that nobody sealed (RFC 26).
        func greeting(_ mechanism: String) -> [UInt8] {
            let start: [UInt8] = [0xFF, 0, 0, 0, 0, 0, 0, 0, 0, 0x7F, 3, 0] + Array(mechanism.utf8)
            return start + [UInt8](repeating: 0, count: 64 - start.count)
        }
        let hello: [UInt8] = [4, 200, 5] + Array("HELLO".utf8) + [UInt8](repeating: 7, count: 194)
        let words: [[UInt8]] = [
            Array("INVITE sip:102@example.com SIP/2.0\r\n\r\n".utf8), greeting("NULL"),
            Array(greeting("CURVE")[..<20]), greeting("CURVE") + hello,
        ]
        let strangers = try words.map { words in
            let stranger = try Stranger(connectingTo: router.endpoint)
            stranger.say(words)
            return stranger
        }
        #expect(eventually { router.link.failed >= 2 })
        var dealer = try loopback.dealer(to: router.endpoint, as: loopback.enrolled("signal-1"))
        #expect(deliver(.notice([1]), over: &dealer) == .sent)
        #expect(try next(&router).message == .notice([1]))
        #expect(eventually { router.link.established == 1 })
        withExtendedLifetime(strangers) {}
    }

    @Test func aRefusedDealerTriesAgainAndAgain() throws {
        let loopback = try Loopback()
        let router = try loopback.router()
        for _ in 0..<20 {
            var dealer = try loopback.dealer(to: router.endpoint, as: .generate())
            let deadline = now() + patience
            while dealer.link.refused < 2, now() < deadline {
                #expect(dealer.send(.notice([1])) == .full)
                linger()
            }
            #expect(dealer.link.refused == 2)
        }
        #expect(loopback.allowlist.refusals >= 40)
    }
}
