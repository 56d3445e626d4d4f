import Foundation
import Model
import Primitives
import Projections
import SwiftProtobuf
import Testing

@testable import ControlPlane

/// Who watches a line hears of its calls, its phones and its messages (RFC 6665).
@Suite struct SubscriptionTests {
    private func request(
        _ town: Town, from watcher: Subscriber, to user: String, _ event: String, expires: UInt32 = 300, cseq: UInt32 = 1, callID: String = "watch", isRefresh: Bool = false
    ) -> DeskRequest {
        .with {
            $0.subscribe.subscriberID = watcher.id
            $0.subscribe.event = event
            $0.subscribe.resource = user
            $0.subscribe.domain = town.tenant.domain
            $0.subscribe.dialog.callID = callID
            $0.subscribe.dialog.localTag = "e-1"
            $0.subscribe.dialog.remoteTag = "phone"
            $0.subscribe.dialog.localUri = "<sip:\(user)@\(town.tenant.domain)>"
            $0.subscribe.dialog.remoteUri = "<sip:alice@\(town.tenant.domain)>"
            $0.subscribe.dialog.remoteTarget = "sip:alice@127.0.0.1:5070"
            $0.subscribe.dialog.remoteCseq = cseq
            $0.subscribe.flow.worker = "s1"
            $0.subscribe.flow.listener = "127.0.0.1:5061"
            $0.subscribe.flow.remote = "127.0.0.1:5070"
            $0.subscribe.expiresSeconds = expires
            $0.subscribe.isRefresh = isRefresh
        }
    }

    private let lamps = Counter()

    private func told(_ town: Town) -> [Notify] {
        defer { town.platform.feed = [] }
        return town.platform.feed.compactMap { if case .notify(let order) = $0.kind { order } else { nil } }
    }

    private func text(_ order: Notify) -> String { String(decoding: order.body, as: UTF8.self) }

    @Test func aLampFollowsTheCallsOfItsLine() throws {
        let town = try Town()
        try town.register(town.bob, contact: "sip:bob")
        let first = try town.platform.desk("s1", request(town, from: town.alice, to: "1001", "dialog")).subscribed
        #expect(first.outcome == .ok && first.expiresSeconds == 300)
        #expect(first.notify.subscriptionState == "active;expires=300" && first.notify.contentType == "application/dialog-info+xml")
        #expect(text(first.notify).contains(#"version="0" state="full" entity="sip:bob@acme.kages.example""#) && !text(first.notify).contains("<dialog id"))
        let carol = try town.subscriber("carol", alias: "1002")
        let call = town.newCall()
        _ = try town.start(call, from: carol, to: "1001")
        let early = try #require(told(town).first)
        #expect(early.worker == "s1" && early.dialog.localCseq == first.notify.dialog.localCseq + 1)
        #expect(text(early).contains("<state>early</state>") && text(early).contains(#"direction="recipient""#) && text(early).contains("sip:1002@"), "\(text(early))")
        _ = try town.answer(call)
        #expect(told(town).map { text($0).contains("<state>confirmed</state>") } == [true])
        _ = try town.finish(call)
        let over = told(town)
        #expect(over.map { text($0).contains("<dialog id") } == [false] && over.map(\.dialog.localCseq) == [first.notify.dialog.localCseq + 3])
    }

    /// Reads as often within each other as LMDB has places for readers, so that nobody else can read.
    private func withoutPlaceToRead(_ views: Views, depth: Int = 0, _ body: () throws -> Void) throws {
        guard depth < 5_000 else { throw TestFailure.noAnswer }
        var failure: (any Error)?
        do throws(ViewsError) {
            try views.read { _ throws(ViewsError) in
                do { try withoutPlaceToRead(views, depth: depth + 1, body) } catch { failure = error }
            }
        } catch {
            try body()
        }
        if let failure { throw failure }
    }

    @Test func aLineThatCannotBeReadIsNotToldToBeGoneButToldOfLater() throws {
        let town = try Town()
        let platform = town.platform
        try town.register(town.bob, contact: "sip:bob")
        let carol = try town.subscriber("carol", alias: "1002")
        let first = try platform.desk("s1", request(town, from: town.alice, to: "1001", "dialog")).subscribed
        #expect(first.outcome == .ok)
        _ = told(town)
        let call = town.newCall()
        try withoutPlaceToRead(platform.views) {
            _ = try town.start(call, from: carol, to: "1001")
            #expect(told(town).isEmpty)
            #expect(platform.notes.contains { if case .watchersUntold(lines: 1, _) = $0 { true } else { false } }, "\(platform.notes)")
            platform.run(.seconds(1), beating: ["s1"])
            #expect(told(town).isEmpty)
        }
        platform.notes = []
        platform.run(.seconds(1), beating: ["s1"])
        let early = told(town)
        #expect(early.map { text($0).contains("<state>early</state>") } == [true])
        #expect(early.map(\.subscriptionState).allSatisfy { $0.hasPrefix("active;") })
        #expect(early.map(\.dialog.localCseq) == [first.notify.dialog.localCseq + 1])
        #expect(platform.notes.isEmpty)
        _ = try town.finish(call)
        #expect(told(town).count == 1)
    }

    @Test func aLineThatSendsACallOnHasNothingOfIt() throws {
        let town = try Town()
        var bob = town.bob
        bob.forwards.always = "1000"
        try town.platform.admin(.changeSubscriber(bob, password: nil, expectedVersion: nil))
        let carol = try town.subscriber("carol", alias: "1002")
        _ = try town.platform.desk("s1", request(town, from: carol, to: "1001", "dialog"))
        _ = told(town)
        let (first, second) = (town.newCall(), town.newCall())
        _ = try town.start(first, from: carol, to: "1001")
        var forward = town.startRequest(second, from: bob, to: "2488700")
        forward.startCall.forwardedFrom = first.data
        forward.startCall.forwardKind = .always
        #expect(try town.platform.desk("s1", forward).callPlan.direction == .outbound)
        #expect(told(town).last.map { text($0).contains("<dialog id") } == false)
    }

    @Test func messagesAreToldToTheirOwnLineAlone() throws {
        let town = try Town()
        let mine = try town.platform.desk("s1", request(town, from: town.bob, to: "bob", "message-summary")).subscribed
        #expect(text(mine.notify) == "Messages-Waiting: no\r\nMessage-Account: sip:bob@acme.kages.example\r\nVoice-Message: 0/0 (0/0)\r\n")
        #expect(try town.platform.desk("s1", request(town, from: town.alice, to: "bob", "message-summary", callID: "other")).subscribed.outcome == .forbidden)
        var bob = town.bob
        bob.messages = .with { $0.new = 2; $0.old = 8; $0.urgentNew = 1 }
        try town.platform.admin(.changeSubscriber(bob, password: nil, expectedVersion: nil))
        #expect(told(town).map(text) == ["Messages-Waiting: yes\r\nMessage-Account: sip:bob@acme.kages.example\r\nVoice-Message: 2/8 (1/0)\r\n"])
        // What nobody can tell apart is not told.
        bob.displayName = "Robert"
        try town.platform.admin(.changeSubscriber(bob, password: nil, expectedVersion: nil))
        #expect(told(town).isEmpty)
    }

    @Test func presenceSaysWhetherALineIsThere() throws {
        let town = try Town()
        let first = try town.platform.desk("s1", request(town, from: town.alice, to: "1001", "presence")).subscribed
        #expect(text(first.notify).contains("<basic>closed</basic>"))
        try town.register(town.bob, contact: "sip:bob")
        #expect(told(town).map { text($0).contains("<basic>open</basic>") } == [true])
        _ = try town.start(town.newCall(), from: town.bob, to: "2488700")
        #expect(told(town).map { text($0).contains("<rpid:on-the-phone/>") } == [true])
        town.platform.run(.seconds(200), beating: ["s1", "s2"])
        try town.platform.admin(.clearRegistrations(SubscriberID(town.bob.id)!))
        #expect(told(town).last.map { text($0).contains("<basic>closed</basic>") } == true)
    }

    @Test func whoIsRefusedIsToldWhy() throws {
        let town = try Town()
        func outcome(_ request: DeskRequest) throws -> SubscribeOutcome { try town.platform.desk("s1", request).subscribed.outcome }
        #expect(try outcome(request(town, from: town.alice, to: "1001", "conference")) == .badEvent)
        #expect(try outcome(request(town, from: town.alice, to: "1999", "dialog")) == .unknownResource)
        #expect(try outcome(request(town, from: town.alice, to: "1001", "dialog", expires: 0, isRefresh: true)) == .unknownSubscription)
        #expect(try outcome(request(town, from: town.alice, to: "1001", "dialog", cseq: 5)) == .ok)
        #expect(try outcome(request(town, from: town.alice, to: "1001", "dialog", cseq: 5, isRefresh: true)) == .stale)
        #expect(try outcome(request(town, from: town.bob, to: "1001", "dialog", cseq: 6, isRefresh: true)) == .forbidden)
        for index in 1..<Subscriptions.ofOneMax {
            #expect(try outcome(request(town, from: town.alice, to: "1001", "dialog", callID: "more \(index)")) == .ok)
        }
        #expect(try outcome(request(town, from: town.alice, to: "1001", "dialog", callID: "too many")) == .tooMany)
        #expect(try outcome(request(town, from: town.bob, to: "1001", "dialog", callID: "another's")) == .ok)
    }

    @Test func aSubscriptionEndsWhenItIsNotRefreshedIsLostOrIsTakenBack() throws {
        let town = try Town()
        _ = try town.platform.desk("s1", request(town, from: town.alice, to: "1001", "dialog", expires: 60))
        _ = try town.platform.desk("s1", request(town, from: town.alice, to: "1001", "dialog", callID: "lost"))
        _ = try town.platform.desk("s1", request(town, from: town.alice, to: "1001", "dialog", callID: "back"))
        _ = try town.platform.desk("s1", .with { $0.subscriptionLost.callID = "lost"; $0.subscriptionLost.localTag = "e-1" })
        let last = try town.platform.desk("s1", request(town, from: town.alice, to: "1001", "dialog", expires: 0, cseq: 2, callID: "back", isRefresh: true)).subscribed
        #expect(last.outcome == .ok && last.notify.subscriptionState == "terminated;reason=timeout")
        #expect(town.platform.core.subscriptions.watches.count == 1)
        town.platform.run(.seconds(61), beating: ["s1"])
        #expect(told(town).map(\.subscriptionState) == ["terminated;reason=timeout"])
        #expect(town.platform.core.subscriptions.watches.isEmpty && town.platform.core.lines.watched.isEmpty)
    }

    @Test func aRefreshBringsASubscriptionBackAfterARestart() throws {
        let town = try Town()
        let first = try town.platform.desk("s1", request(town, from: town.alice, to: "1001", "dialog")).subscribed
        town.platform.advance(.seconds(30))
        try town.platform.restart()
        _ = try town.platform.hello("s1")
        let again = try town.platform.desk("s1", request(town, from: town.alice, to: "1001", "dialog", cseq: 2, isRefresh: true)).subscribed
        #expect(again.outcome == .ok && again.notify.dialog.localCseq > first.notify.dialog.localCseq)
    }

    /// A worker greets when it has missed something of the feed: what was told shortly before may have been in that.
    @Test func whatAWorkerMayHaveMissedIsToldOnceMore() throws {
        let town = try Town()
        let platform = town.platform
        let mine = try platform.desk("s1", request(town, from: town.bob, to: "bob", "message-summary")).subscribed
        _ = try platform.desk("s1", request(town, from: town.alice, to: "1001", "presence"))
        func leave(_ count: UInt32) throws {
            var bob = town.bob
            bob.messages = .with { $0.new = count }
            try platform.admin(.changeSubscriber(bob, password: nil, expectedVersion: nil))
        }
        try leave(2)
        let lost = told(town)
        #expect(lost.map(text).map { $0.contains("2/0") } == [true])
        _ = try platform.hello("s1")
        // Not before it has its answer, by which it follows the feed.
        #expect(told(town).isEmpty)
        platform.run(.seconds(1), beating: ["s1"])
        let again = told(town)
        #expect(again.map(text) == lost.map(text))
        #expect(again.map(\.dialog.localCseq) == [mine.notify.dialog.localCseq + 2])
        platform.run(.seconds(1), beating: ["s1"])
        #expect(told(town).isEmpty)
        // What it has had for long is not repeated, nor what others told.
        platform.run(.seconds(30), beating: ["s1", "s2"])
        _ = try platform.hello("s1")
        _ = try platform.hello("s2")
        platform.run(.seconds(2), beating: ["s1", "s2"])
        #expect(told(town).isEmpty)
        // A worker that was not heard for long may have missed what it was told before that.
        try leave(3)
        _ = told(town)
        platform.run(.seconds(60), beating: ["s2"])
        _ = try platform.hello("s1")
        platform.run(.seconds(1), beating: ["s1", "s2"])
        #expect(told(town).map(text).map { $0.contains("3/0") } == [true])
    }

    @Test func aDeadWorkersWatchersAreToldByAnother() throws {
        let town = try Town()
        _ = try town.platform.desk("s1", request(town, from: town.alice, to: "1001", "dialog"))
        town.platform.run(.seconds(10), beating: ["s2"])
        _ = told(town)
        try town.register(town.bob, contact: "sip:bob", worker: "s2")
        _ = try town.start(town.newCall(), from: town.alice, to: "1001", worker: "s2")
        #expect(told(town).map(\.worker) == ["s2"])
    }

    // MARK: - who is where

    /// What a watcher of the line would be told now: state and other side of each dialog.
    private func lamp(_ town: Town, _ line: Subscriber) throws -> [String] {
        lamps.count += 1
        let lamps = lamps.count
        let watcher = try town.subscriber("watcher\(lamps)", alias: "7\(lamps)")
        let document = text(try town.platform.desk("s1", request(town, from: watcher, to: line.username, "dialog", expires: 0, callID: "look \(lamps)")).subscribed.notify)
        return document.components(separatedBy: "<dialog id").dropFirst().map { dialog in
            func value(_ from: String, _ to: String) -> String {
                dialog.components(separatedBy: from).dropFirst().first?.components(separatedBy: to).first ?? ""
            }
            let other = value("sip:", "@")
            return value("direction=\"", "\"") + " " + value("<state>", "</state>") + (other.isEmpty ? "" : " " + other)
        }
    }

    private func office() throws -> (town: Town, carol: Subscriber, dave: Subscriber) {
        let town = try Town()
        let (carol, dave) = (try town.subscriber("carol", alias: "1002"), try town.subscriber("dave", alias: "1003"))
        for line in [town.alice, town.bob, carol, dave] { try town.register(line, contact: "sip:\(line.username)") }
        return (town, carol, dave)
    }

    @Test func whoTransfersIsInTheCallUntilSomebodyElseIs() throws {
        let (town, carol, _) = try office()
        let calls = (0..<3).map { _ in town.newCall() }
        _ = try town.start(calls[0], from: town.alice, to: "1001")
        try town.answer(calls[0], a: town.alice, b: town.bob)
        // Refused at once, and refused by the phone.
        #expect(try town.send(calls[1], on: calls[0], by: town.bob, to: "nobody", .transferred).callRefused.refusal == .unknownNumber)
        #expect(try lamp(town, town.bob) == ["recipient confirmed 1000"])
        #expect(try town.send(calls[2], on: calls[0], by: town.bob, to: "1002", .transferred).callPlan.groups.count == 1)
        #expect(try lamp(town, town.bob) == ["recipient confirmed 1000"])
        #expect(try lamp(town, carol) == ["recipient early 1000"])
        _ = try town.finish(calls[2], cause: .busy)
        #expect(try lamp(town, town.bob) == ["recipient confirmed 1000"])
        #expect(try lamp(town, town.alice) == ["initiator confirmed 1001"])
        #expect(try lamp(town, carol).isEmpty)
    }

    @Test(arguments: [false, true]) func whoHasTransferredIsGoneWhicheverSideItWas(isCaller: Bool) throws {
        let (town, carol, _) = try office()
        let (first, second) = (town.newCall(), town.newCall())
        let (goes, stays) = isCaller ? (town.alice, town.bob) : (town.bob, town.alice)
        _ = try town.platform.desk("s1", request(town, from: carol, to: goes.username, "presence"))
        _ = try town.start(first, from: town.alice, to: "1001")
        try town.answer(first, a: town.alice, b: town.bob)
        _ = try town.send(second, on: first, by: goes, to: "1002", .transferred)
        try town.answer(second, a: nil, b: carol)
        #expect(told(town).map { text($0).contains("on-the-phone") }.last == true)
        try town.move(first, a: isCaller ? nil : town.alice, b: isCaller ? town.bob : nil)
        #expect(told(town).map { text($0).contains("on-the-phone") } == [false])
        for _ in 0..<2 {
            #expect(try lamp(town, goes).isEmpty)
            #expect(try lamp(town, stays) == [isCaller ? "recipient confirmed 1002" : "initiator confirmed 1002"])
            #expect(try lamp(town, carol) == ["recipient confirmed \(stays.aliases[0])"])
            try town.platform.restart()
            _ = try town.platform.hello("s1", calls: [first, second])
        }
        _ = try town.finish(second)
        _ = try town.finish(first)
        #expect(try lamp(town, stays).isEmpty && lamp(town, carol).isEmpty)
    }

    @Test func whoJoinsItsTwoCallsIsInNeither() throws {
        let (town, carol, _) = try office()
        let (first, second) = (town.newCall(), town.newCall())
        _ = try town.start(first, from: town.alice, to: "1001")
        try town.answer(first, a: town.alice, b: town.bob)
        _ = try town.start(second, from: town.alice, to: "1002")
        try town.answer(second, a: town.alice, b: carol)
        #expect(try lamp(town, town.alice) == ["initiator confirmed 1001", "initiator confirmed 1002"])
        try town.move(first, a: nil, b: town.bob)
        try town.move(second, a: nil, b: carol)
        #expect(try lamp(town, town.alice).isEmpty)
        #expect(try lamp(town, town.bob) == ["recipient confirmed"])
        #expect(try lamp(town, carol) == ["recipient confirmed"])
    }

    @Test func whoTakesARingingCallIsInItAndWhoWasCalledIsNot() throws {
        let (town, carol, _) = try office()
        let (first, taking) = (town.newCall(), town.newCall())
        _ = try town.start(first, from: town.alice, to: "1001")
        _ = try town.start(taking, from: carol, to: "*861001")
        #expect(try lamp(town, town.bob) == ["recipient early 1000"])
        try town.answer(first, a: town.alice, b: nil)
        try town.answer(taking, a: carol, b: nil)
        #expect(try lamp(town, town.bob).isEmpty)
        #expect(try lamp(town, carol) == ["initiator confirmed 1000"])
        #expect(try lamp(town, town.alice) == ["initiator confirmed 1002"])
    }

    @Test func whoTakesAnothersPlaceIsInTheCall() throws {
        let (town, carol, dave) = try office()
        let call = town.newCall()
        _ = try town.start(call, from: town.alice, to: "1001")
        try town.answer(call, a: town.alice, b: town.bob)
        _ = try town.platform.desk("s1", request(town, from: carol, to: "1001", "dialog", callID: "bob's"))
        _ = try town.platform.desk("s1", request(town, from: carol, to: "1003", "dialog", callID: "dave's"))
        try town.move(call, a: town.alice, b: dave)
        let news = told(town)
        #expect(Set(news.map { "\($0.dialog.callID) \(text($0).contains("confirmed"))" }) == ["bob's false", "dave's true"])
        #expect(try lamp(town, dave) == ["recipient confirmed 1000"])
        _ = try town.finish(call)
        #expect(told(town).map(\.dialog.callID) == ["dave's"])
    }

    @Test func afterARedirectionThatLedNowhereTheLineRingsAgain() throws {
        let (town, carol, _) = try office()
        let (first, second) = (town.newCall(), town.newCall())
        _ = try town.start(first, from: town.alice, to: "1001")
        _ = try town.send(second, on: first, by: town.bob, to: "1002", .redirected)
        #expect(try lamp(town, town.bob).isEmpty)
        #expect(try lamp(town, carol) == ["recipient early 1000"])
        _ = try town.finish(second, cause: .busy)
        #expect(try lamp(town, town.bob) == ["recipient early 1000"])
    }

    // MARK: - what is not shown

    @Test(arguments: [false, true]) func whoHidesItsNumberIsHiddenFromWatchersToo(isOfCarrier: Bool) throws {
        let (town, carol, dave) = try office()
        _ = try town.platform.desk("s1", request(town, from: carol, to: "1001", "dialog"))
        var call = isOfCarrier ? town.inboundRequest(town.newCall(), to: "2092488701") : town.startRequest(town.newCall(), from: town.alice, to: "1001")
        call.startCall.isAnonymous = true
        let first = CallID(call.startCall.callID)!
        _ = try town.platform.desk("s1", call)
        let early = text(try #require(told(town).last))
        #expect(early.contains(#"<remote><identity display="Anonymous">sip:anonymous@anonymous.invalid</identity></remote>"#), "\(early)")
        #expect(!early.contains("1000") && !early.contains("3105550100"))
        // Also after a restart, by whoever takes the call, and where it is sent on to.
        try town.platform.restart()
        _ = try town.platform.hello("s1", calls: [first])
        #expect(try lamp(town, town.bob) == ["recipient early anonymous"])
        for line in [town.bob, carol, dave] { try town.register(line, contact: "sip:\(line.username)") }
        let taking = town.newCall()
        _ = try town.start(taking, from: carol, to: "*861001")
        #expect(try lamp(town, carol) == ["initiator proceeding anonymous"])
        _ = try town.finish(taking, cause: .cancelled)
        _ = try town.send(town.newCall(), on: first, by: town.bob, to: "1003", .noAnswer)
        #expect(try lamp(town, dave) == ["recipient early anonymous"])
        // Whoever is called hides nothing.
        if !isOfCarrier { #expect(try lamp(town, town.alice) == ["initiator proceeding 1001"]) }
    }

    @Test func whoTakesARingingCallIsHiddenIfItHidesItsNumber() throws {
        let (town, carol, _) = try office()
        for line in [town.bob, carol] { try town.register(line, contact: "sip:\(line.username)") }
        let (call, taking) = (town.newCall(), town.newCall())
        _ = try town.start(call, from: town.alice, to: "1001")
        var request = town.startRequest(taking, from: carol, to: "*861001")
        request.startCall.isAnonymous = true
        _ = try town.platform.desk("s1", request)
        try town.answer(taking, a: carol, b: nil)
        try town.answer(call, a: town.alice, b: nil)
        #expect(try lamp(town, town.alice) == ["initiator confirmed anonymous"])
    }

    /// A line is followed as long as somebody watches it.
    @Test func whatIsWatchedIsFollowedAndNothingElse() throws {
        let (town, carol, dave) = try office()
        func watched() -> Set<SubscriberID> { town.platform.core.lines.watched }
        let (bob, ofDave) = (SubscriberID(town.bob.id)!, SubscriberID(dave.id)!)
        _ = try town.platform.desk("s1", self.request(town, from: carol, to: "1001", "dialog", callID: "1"))
        _ = try town.platform.desk("s1", self.request(town, from: dave, to: "1001", "dialog", callID: "2"))
        _ = try town.platform.desk("s1", self.request(town, from: carol, to: "1003", "presence", callID: "3"))
        #expect(watched() == [bob, ofDave])
        _ = try town.platform.desk("s1", self.request(town, from: carol, to: "1001", "dialog", expires: 0, cseq: 2, callID: "1"))
        #expect(watched() == [bob, ofDave])
        _ = try town.platform.desk("s1", self.request(town, from: dave, to: "1001", "dialog", expires: 0, cseq: 2, callID: "2"))
        #expect(watched() == [ofDave])
        town.platform.run(.seconds(700), beating: ["s1", "s2"])
        #expect(watched().isEmpty && town.platform.core.subscriptions.watches.isEmpty)
    }

    static let users: [(sent: String, shown: String)] = [
        ("a\u{FFFF}b\u{FFFE}", "ab"), ("\u{1}\u{0}x\u{1B}\u{7F}", "x\u{7F}"), ("a<b&\"c>", "a&lt;b&amp;&quot;c&gt;"), ("<\u{338}", "&lt;\u{338}"), ("\u{1F600}", "\u{1F600}"),
        ("\u{FFFF}", ""),
    ]

    @Test(arguments: users.indices) func whatNoDocumentMayHaveIsLeftOut(index: Int) throws {
        let town = try Town()
        let row = Self.users[index]
        try town.register(town.bob, contact: "sip:bob")
        _ = try town.platform.desk("s1", request(town, from: town.alice, to: "1001", "dialog"))
        var call = town.inboundRequest(town.newCall(), to: "2092488701")
        call.startCall.fromUser = row.sent
        _ = try town.platform.desk("s1", call)
        let early = text(try #require(told(town).last))
        #expect(early.contains("<identity>sip:\(row.shown)@acme.kages.example</identity>") == !row.shown.isEmpty, "\(early)")
        #expect(early.contains("<remote>") == !row.shown.isEmpty)
        #expect(early.unicodeScalars.allSatisfy { $0 == "\n" || ($0 >= " " && $0 <= "\u{FFFD}") || $0 >= "\u{10000}" })
    }

    // MARK: - who sees

    @Test func whatIsOfAnotherDomainIsNotTheOwnLineOfThatName() throws {
        let town = try Town()
        _ = try town.neighbour()
        func outcome(_ domain: String) throws -> SubscribeOutcome {
            var asked = request(town, from: town.alice, to: "bob", "dialog", callID: domain)
            asked.subscribe.domain = domain
            return try town.platform.desk("s1", asked).subscribed.outcome
        }
        #expect(try outcome("other.kages.example") == .unknownResource)
        #expect(try outcome("evil.example") == .unknownResource)
        #expect(try outcome("ACME.kages.Example") == .ok)
    }

    /// Carol watches Bob; what she may see changes.
    @Test func whoMayNotSeeAnyMoreIsToldSoAndNothingElse() throws {
        let (town, carol, _) = try office()
        func watch(_ callID: String) throws {
            #expect(try town.platform.desk("s1", request(town, from: carol, to: "1001", "dialog", callID: callID)).subscribed.outcome == .ok)
            _ = told(town)
        }
        func endsAs(_ state: String, _ change: () throws -> Void) throws {
            try change()
            #expect(told(town).map(\.subscriptionState) == [state])
            #expect(town.platform.core.subscriptions.watches.isEmpty && town.platform.core.lines.watched.isEmpty)
            let call = town.newCall()
            _ = try town.start(call, from: town.alice, to: "1001")
            _ = try town.finish(call, cause: .cancelled)
            #expect(told(town).isEmpty)
        }
        let locked = "terminated;reason=probation;retry-after=600"
        try watch("locked")
        try endsAs(locked) { try town.set(carol) { $0.status = .locked } }
        #expect(try town.platform.desk("s1", request(town, from: carol, to: "1001", "dialog", callID: "still")).subscribed.outcome == .forbidden)
        try town.set(carol) { $0.status = .active }
        try watch("password")
        try town.set(carol) { $0.displayName = "Caroline" }
        #expect(told(town).isEmpty)
        try endsAs("terminated;reason=deactivated") {
            try town.platform.admin(.changeSubscriber(carol, password: Password("another horse"), expectedVersion: nil))
        }
        try watch("of a locked tenant")
        var tenant = town.tenant
        tenant.status = .locked
        try endsAs(locked) { try town.platform.admin(.changeTenant(tenant, expectedVersion: nil)) }
        tenant.status = .active
        try town.platform.admin(.changeTenant(tenant, expectedVersion: nil))
        try watch("removed")
        try endsAs("terminated;reason=rejected") { try town.platform.admin(.remove(.subscriber, SubscriberID(carol.id)!.value, expectedVersion: nil)) }
    }

    @Test func whoeverWatchesOfAPartyThatEndsIsToldSoAFewAtATime() throws {
        let town = try Town()
        let watchers = try (0..<250).map { try town.subscriber("w\($0)", alias: "8\($0)") }
        for watcher in watchers { _ = try town.platform.desk("s1", request(town, from: watcher, to: "1001", "presence", callID: watcher.username)) }
        var tenant = town.tenant
        tenant.status = .terminated
        try town.platform.admin(.changeTenant(tenant, expectedVersion: nil))
        town.platform.run(.seconds(1), beating: ["s1", "s2"])
        #expect(told(town).filter { $0.subscriptionState == "terminated;reason=rejected" }.count == 250)
        #expect(town.platform.core.subscriptions.watches.isEmpty)
    }

    @Test func numbersOfNotifiesRiseAcrossARestartAlsoAfterABurst() throws {
        let town = try Town()
        _ = try town.platform.desk("s1", request(town, from: town.bob, to: "bob", "message-summary"))
        for count in 1...60 { try town.set(town.bob) { $0.messages = .with { $0.new = UInt32(count) } } }
        let last = try #require(told(town).last)
        town.platform.advance(.seconds(2))
        try town.platform.restart()
        _ = try town.platform.hello("s1")
        let again = try town.platform.desk("s1", request(town, from: town.bob, to: "bob", "message-summary", cseq: 2, isRefresh: true)).subscribed
        #expect(again.notify.dialog.localCseq > last.dialog.localCseq)
    }
}

private final class Counter {
    var count = 0
}
