import Bus
import Primitives
import Testing

/// Dealer and router with their request table and reply cache, over real sockets.
struct RequestOverSocketsTests {
    @Test func requestSurvivesItsServerAndIsAnsweredOnce() throws {
        let loopback = try Loopback()
        let keys = try loopback.enrolled("signal-1")
        var table = RequestTable<String>(incarnation: 1)
        var effects: [RequestTable<String>.Effect] = []
        var cache = ReplyCache()
        var done: [[UInt8]] = []
        var answers: [String] = []

        let made = try loopback.router()
        let endpoint = made.endpoint
        var first: Router? = made
        var dealer = try loopback.dealer(to: endpoint, as: keys)
        let policy = RequestPolicy(deadline: nil, resend: .milliseconds(20), resendMax: .milliseconds(40))
        _ = table.submit([42], to: "control", policy: policy, context: "fact", now: now(), into: &effects)

        // The first server takes the request and dies without a word.
        let deadline = now() + patience
        var isTaken = false
        while !isTaken, now() < deadline {
            perform(&effects, &table, &dealer)
            table.tick(now(), into: &effects)
            isTaken = first!.receive() != nil
            linger()
        }
        #expect(isTaken)
        first = nil

        // The second one does the work, and answers each repetition with the same words.
        var second = try loopback.routerAgain(on: endpoint)
        while answers.isEmpty, now() < deadline {
            perform(&effects, &table, &dealer)
            table.tick(now(), into: &effects)
            while let delivery = second.receive() {
                guard let id = delivery.message.id else { continue }
                switch cache.admit(id, from: delivery.peer.worker, now: now()) {
                case .new:
                    done.append(delivery.message.body)
                    cache.record([UInt8(done.count)], to: id, from: delivery.peer.worker)
                // The first answer is lost: only the repetition is answered.
                case .inProgress: break
                case .repeated(let answer):
                    #expect(second.send(BusMessage(id: id, body: answer), to: delivery.peer) == .sent)
                }
            }
            while let message = dealer.receive() {
                if let id = message.id, let context = table.answer(id, from: "control") { answers.append(context) }
            }
            linger()
        }
        #expect(answers == ["fact"])
        #expect(done == [[42]])
        #expect(table.count == 0)
        #expect(table.nextWake == nil)
    }

    private func perform(
        _ effects: inout [RequestTable<String>.Effect], _ table: inout RequestTable<String>, _ dealer: inout Dealer
    ) {
        for effect in effects {
            switch effect {
            case .send(let id, let body, _):
                if dealer.send(BusMessage(id: id, body: body)) != .sent { table.notSent(id) }
            case .expired(let id, _): Issue.record("request \(id) without a deadline expired")
            }
        }
        effects = []
    }

    @Test func answerGoesToTheConnectionThatAsked() throws {
        let loopback = try Loopback()
        let keys = try loopback.enrolled("signal-1")
        var router = try loopback.router()
        var first = try loopback.dealer(to: router.endpoint, as: keys)
        var second = try loopback.dealer(to: router.endpoint, as: keys)
        #expect(deliver(.notice([1]), over: &first) == .sent)
        let fromFirst = try next(&router)
        #expect(deliver(.notice([2]), over: &second) == .sent)
        let fromSecond = try next(&router)
        #expect(fromFirst.peer != fromSecond.peer)
        #expect(router.send(.notice([3]), to: fromFirst.peer) == .sent)
        #expect(router.send(.notice([4]), to: "signal-1") == .sent)
        #expect(try next(&first) == .notice([3]))
        #expect(try next(&second) == .notice([4]))
    }

    @Test func peerThatLeftIsUnreachable() throws {
        let loopback = try Loopback()
        var router = try loopback.router()
        var dealer: Dealer? = try loopback.dealer(to: router.endpoint, as: loopback.enrolled("signal-1"))
        #expect(deliver(.notice([1]), over: &dealer!) == .sent)
        let peer = try next(&router).peer
        dealer = nil
        var outcome = SendOutcome.sent
        let deadline = now() + patience
        while outcome == .sent, now() < deadline {
            outcome = router.send(.notice([2]), to: peer)
            linger()
        }
        #expect(outcome == .unreachable)
        #expect(router.send(.notice([2]), to: "signal-1") == .unreachable)
    }

    @Test func nothingIsQueuedForAServerThatIsNotThere() throws {
        let loopback = try Loopback()
        let gone = try loopback.router()
        let endpoint = gone.endpoint
        _ = consume gone
        var dealer = try loopback.dealer(to: endpoint, as: loopback.enrolled("signal-1"))
        #expect(dealer.send(.notice([1])) == .full)

        var poller = Poller()
        let token = poller.add(dealer)
        poller.watchWriting(token, true)
        #expect(poller.wait(for: .zero) == 0)
        var again = try loopback.routerAgain(on: endpoint)
        #expect(poller.wait(for: patience) == 1)
        #expect(poller.isWritable(token) == true)
        #expect(dealer.send(.notice([2])) == .sent)
        #expect(try next(&again).message == .notice([2]))
    }
}
