import Bus
import Primitives
import Testing

struct HandshakeTests {
    @Test func enrolledKeyIsHeardUnderItsName() throws {
        let loopback = try Loopback()
        var router = try loopback.router()
        var dealer = try loopback.dealer(to: router.endpoint, as: loopback.enrolled("signal-1"))
        let request = BusMessage(id: RequestID(high: 1, low: 2), body: [3, 4])
        #expect(deliver(request, over: &dealer) == .sent)
        let delivery = try next(&router)
        #expect(delivery.peer.worker == "signal-1")
        #expect(delivery.message == request)
        #expect(router.send(BusMessage(id: request.id, body: [5]), to: delivery.peer) == .sent)
        #expect(try next(&dealer) == BusMessage(id: request.id, body: [5]))
        #expect(router.send(.notice([6]), to: "signal-1") == .sent)
        #expect(try next(&dealer) == .notice([6]))
        #expect(eventually { dealer.link.state == .connected })
        #expect(loopback.allowlist.refusals == 0)
    }

    @Test func unknownKeyIsRefusedAndCounted() throws {
        let loopback = try Loopback()
        var router = try loopback.router()
        let stranger = try CurveKeyPair.generate()
        var dealer = try loopback.dealer(to: router.endpoint, as: stranger)
        #expect(eventually { loopback.allowlist.refusals > 0 })
        #expect(eventually { router.link.refused > 0 })
        #expect(eventually { dealer.link.state == .refused })
        #expect(dealer.send(.notice([1])) == .full)
        #expect(router.receive() == nil)
        let refusals = loopback.allowlist.takeRefusals()
        #expect(refusals.first?.key == stranger.publicKey)
        #expect(refusals.first?.address == "127.0.0.1")
        #expect(router.link.established == 0)
    }

    @Test func refusedKeyGetsInOnceItIsEnrolled() throws {
        let loopback = try Loopback()
        var router = try loopback.router()
        let keys = try CurveKeyPair.generate()
        var dealer = try loopback.dealer(to: router.endpoint, as: keys)
        #expect(eventually { loopback.allowlist.refusals > 0 })
        loopback.allowlist.enrol(keys.publicKey, name: "media-1")
        #expect(deliver(.notice([1]), over: &dealer) == .sent)
        #expect(try next(&router).peer.worker == "media-1")
    }

    @Test func revokedKeyIsNotHeardAnyMoreAndRefusedOnReconnect() throws {
        let loopback = try Loopback()
        var router = try loopback.router()
        let keys = try loopback.enrolled("signal-1")
        var dealer = try loopback.dealer(to: router.endpoint, as: keys)
        #expect(deliver(.notice([1]), over: &dealer) == .sent)
        _ = try next(&router)

        loopback.allowlist.revoke(name: "signal-1")
        #expect(dealer.send(.notice([2])) == .sent)
        let deadline = now() + patience
        while router.fromRevoked == 0, now() < deadline {
            #expect(router.receive() == nil)
            linger()
        }
        #expect(router.fromRevoked == 1)

        dealer = try loopback.dealer(to: router.endpoint, as: keys)
        #expect(eventually { loopback.allowlist.refusals > 0 })
        #expect(dealer.send(.notice([3])) == .full)
    }

    @Test func aNameHasOneKey() throws {
        let loopback = try Loopback()
        var router = try loopback.router()
        var old = try loopback.dealer(to: router.endpoint, as: loopback.enrolled("signal-1"))
        #expect(deliver(.notice([1]), over: &old) == .sent)
        _ = try next(&router)
        var new = try loopback.dealer(to: router.endpoint, as: loopback.enrolled("signal-1"))
        #expect(old.send(.notice([2])) == .sent)
        #expect(deliver(.notice([3]), over: &new) == .sent)
        #expect(try next(&router).message == .notice([3]))
        // The message of the replaced key may be still to come: it is never heard.
        let deadline = now() + patience
        while router.fromRevoked == 0, now() < deadline {
            #expect(router.receive() == nil)
            linger()
        }
        #expect(router.fromRevoked == 1)
    }

    @Test func eachListeningSocketHasItsOwnAllowlist() throws {
        let loopback = try Loopback()
        var desk = try loopback.router()
        let keys = try loopback.enrolled("signal-1")
        let studio = try Router(
            listeningOn: "tcp://127.0.0.1:*", as: loopback.control,
            allowing: Allowlist(["other": .init(bytes: Array(repeating: 7, count: 32))!]),
            in: loopback.context)
        var toDesk = try loopback.dealer(to: desk.endpoint, as: keys)
        let toStudio = try loopback.dealer(to: studio.endpoint, as: keys)
        #expect(deliver(.notice([1]), over: &toDesk) == .sent)
        #expect(try next(&desk).peer.worker == "signal-1")
        #expect(eventually { toStudio.link.state == .refused })
    }

    @Test func serverWithAnotherKeyIsNotTrusted() throws {
        let loopback = try Loopback()
        let router = try loopback.router()
        let keys = try loopback.enrolled("signal-1")
        var dealer = try Dealer(
            to: router.endpoint, server: CurveKeyPair.generate().publicKey, as: keys, limits: loopback.limits,
            in: loopback.context)
        #expect(eventually { router.link.failed > 0 })
        #expect(dealer.send(.notice([1])) == .full)
        #expect(dealer.link.established == 0)
    }

    @Test func aNameCannotBeTakenByItsRoute() throws {
        let loopback = try Loopback()
        var router = try loopback.router()
        var first = try loopback.dealer(to: router.endpoint, as: loopback.enrolled("signal-1"))
        var second = try loopback.dealer(to: router.endpoint, as: loopback.enrolled("signal-2"))
        #expect(deliver(.notice([1]), over: &first) == .sent)
        #expect(try next(&router).peer.worker == "signal-1")
        #expect(deliver(.notice([2]), over: &second) == .sent)
        #expect(try next(&router).peer.worker == "signal-2")
        #expect(router.send(.notice([3]), to: "signal-1") == .sent)
        #expect(try next(&first) == .notice([3]))
        #expect(router.send(.notice([4]), to: "nobody") == .unreachable)
    }
}
