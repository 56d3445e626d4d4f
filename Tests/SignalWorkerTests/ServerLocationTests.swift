import DNS
import Primitives
import SIP
import Testing

@testable import SignalWorker

/// RFC 3263 over a zone in memory.
@Suite struct ServerLocationTests {
    private let zone: [DNSQuestion: DNSAnswer] = [
        DNSQuestion("plain.test", .naptr): .absent(seconds: 30), DNSQuestion("_sip._udp.plain.test", .srv): .absent(seconds: 30),
        DNSQuestion("plain.test", .a): .records([.address(SocketAddress.Host("192.0.2.1")!)], seconds: 60),
        DNSQuestion("two.test", .naptr): .absent(seconds: 30),
        DNSQuestion("_sip._udp.two.test", .srv): .records(
            [
                .server(priority: 20, weight: 0, port: 5062, target: "b.test"), .server(priority: 10, weight: 1, port: 5060, target: "a.test"),
                .server(priority: 10, weight: 2, port: 5061, target: "a.test"),
            ], seconds: 60),
        DNSQuestion("a.test", .a): .records([.address(SocketAddress.Host("192.0.2.10")!)], seconds: 60),
        DNSQuestion("b.test", .a): .records([.address(SocketAddress.Host("192.0.2.20")!)], seconds: 60),
        DNSQuestion("pointed.test", .naptr): .records(
            [
                .pointer(order: 10, preference: 10, flags: "s", service: "SIPS+D2T", replacement: "_sips._tcp.pointed.test"),
                .pointer(order: 20, preference: 10, flags: "s", service: "SIP+D2U", replacement: "_sip._udp.two.test"),
            ], seconds: 60),
        DNSQuestion("secure.test", .naptr): .records(
            [.pointer(order: 10, preference: 10, flags: "s", service: "SIPS+D2T", replacement: "_sips._tcp.secure.test")], seconds: 60),
        DNSQuestion("nothing.test", .naptr): .absent(seconds: 30),
        DNSQuestion("_sip._udp.nothing.test", .srv): .records([.server(priority: 0, weight: 0, port: 0, target: "")], seconds: 60),
        DNSQuestion("dead.test", .naptr): .failed(reason: "timeout"), DNSQuestion("_sip._udp.dead.test", .srv): .failed(reason: "timeout"),
        DNSQuestion("dead.test", .a): .failed(reason: "timeout"),
    ]

    private func locate(_ host: String, port: UInt16? = nil) -> ServerLocation {
        ServerLocator(known: { zone[$0] }, addressType: .a).locate(host, port: port)
    }

    private func target(_ address: String, _ priority: UInt16 = 0, _ weight: UInt16 = 0) -> ServerTarget {
        ServerTarget(address: SocketAddress(address)!, priority: priority, weight: weight)
    }

    @Test func aLiteralAndAPortNeedNoServiceRecords() {
        #expect(locate("192.0.2.7") == .targets([target("192.0.2.7:5060")]))
        #expect(locate("two.test", port: 5099) == .needs([DNSQuestion("two.test", .a)]))
        #expect(locate("a.test", port: 5099) == .targets([target("192.0.2.10:5099")]))
    }

    @Test func withoutServiceRecordsTheHostItselfIsAsked() {
        #expect(locate("plain.test") == .targets([target("192.0.2.1:5060")]))
    }

    @Test func serviceRecordsSayPortPriorityAndWeight() {
        let expected = [target("192.0.2.20:5062", 20), target("192.0.2.10:5060", 10, 1), target("192.0.2.10:5061", 10, 2)]
        #expect(locate("two.test") == .targets(expected))
        #expect(locate("pointed.test") == .targets(expected))
        // Who has only what we do not speak is not reached by what it did not name.
        #expect(locate("secure.test") == .failed(reason: "secure.test has no SIP over UDP"))
        #expect(locate("nothing.test") == .failed(reason: "none of the servers of nothing.test has an address"))
        #expect(locate("dead.test") == .failed(reason: "dead.test: timeout"))
    }

    @Test func whatIsNotKnownYetIsAskedTogether() {
        #expect(locate("new.test") == .needs([DNSQuestion("new.test", .naptr), DNSQuestion("_sip._udp.new.test", .srv), DNSQuestion("new.test", .a)]))
    }

    @Test func lowerPrioritiesComeFirstAndWeightsShare() {
        guard case .targets(let targets) = locate("two.test") else {
            Issue.record("not located")
            return
        }
        var random = RandomSource(seed: 5)
        var first: [UInt16: Int] = [:]
        for _ in 0..<3_000 {
            let order = ServerLocator.ordered(targets, &random)
            #expect(order.last == target("192.0.2.20:5062", 20))
            first[order[0].address.port, default: 0] += 1
        }
        #expect((850...1_150).contains(first[5060] ?? 0), "seed 5: \(first)")
    }

    // MARK: the cache

    @Test func anAnswerIsAskedForOnceAndAgainWhenItsTimeIsOver() {
        var cache = NameCache(addressType: .a)
        let question = DNSQuestion("a.test", .a)
        var asked: [DNSQuestion] = []
        #expect(cache.locate("a.test", port: 5060, now: .zero, ask: &asked) == .needs([question]))
        _ = cache.locate("a.test", port: 5060, now: .zero, ask: &asked)
        #expect(asked == [question])
        cache.take(.records([.address(SocketAddress.Host("192.0.2.10")!)], seconds: 60), to: question, now: .zero)
        let known = ServerLocation.targets([target("192.0.2.10:5060")])
        asked = []
        #expect(cache.locate("a.test", port: 5060, now: .zero + .seconds(59), ask: &asked) == known)
        #expect(asked.isEmpty)
        // What is too old is asked for again, and serves meanwhile; also when DNS is silent.
        #expect(cache.locate("a.test", port: 5060, now: .zero + .seconds(61), ask: &asked) == known)
        #expect(asked == [question])
        cache.take(.failed(reason: "timeout"), to: question, now: .zero + .seconds(65))
        asked = []
        #expect(cache.locate("a.test", port: 5060, now: .zero + .seconds(69), ask: &asked) == known)
        #expect(asked.isEmpty)
        #expect(cache.locate("a.test", port: 5060, now: .zero + .seconds(71), ask: &asked) == known)
        #expect(asked == [question])
        // A name that is gone is gone.
        cache.take(.absent(seconds: 30), to: question, now: .zero + .seconds(72))
        #expect(cache.locate("a.test", port: 5060, now: .zero + .seconds(73), ask: &asked) == .failed(reason: "a.test has no address in DNS"))
    }

    /// Most names have no NAPTR, and one of several servers may be one that DNS knows nothing of: nobody waits for that again and again.
    @Test(arguments: [DNSAnswer.absent(seconds: 30), .failed(reason: "timeout")])
    func whatDNSDoesNotHaveIsAskedAgainBesideWhatItHas(nothing: DNSAnswer) {
        var cache = NameCache(addressType: .a)
        let pointers = DNSQuestion("a.test", .naptr)
        var asked: [DNSQuestion] = []
        _ = cache.locate("a.test", port: nil, now: .zero, ask: &asked)
        cache.take(nothing, to: pointers, now: .zero)
        cache.take(.records([.server(priority: 10, weight: 0, port: 5060, target: "one.test"), .server(priority: 20, weight: 0, port: 5060, target: "two.test")], seconds: 300), to: DNSQuestion("_sip._udp.a.test", .srv), now: .zero)
        cache.take(.records([.address(SocketAddress.Host("192.0.2.10")!)], seconds: 300), to: DNSQuestion("one.test", .a), now: .zero)
        cache.take(nothing, to: DNSQuestion("two.test", .a), now: .zero)
        let known = ServerLocation.targets([target("192.0.2.10:5060", 10)])
        #expect(cache.locate("a.test", port: nil, now: .zero, ask: &asked) == known)
        for second in Int64(1)...200 {
            asked = []
            #expect(cache.locate("a.test", port: nil, now: .zero + .seconds(second), ask: &asked) == known)
            // DNS answers every other time, three seconds later.
            for question in asked where second % 2 == 0 { cache.take(.failed(reason: "timeout"), to: question, now: .zero + .seconds(second + 3)) }
        }
        #expect(!asked.contains(DNSQuestion("one.test", .a)))
    }

    @Test func aServerThatDidNotAnswerIsTriedAfterTheOthersForAWhile() {
        var cache = NameCache(addressType: .a)
        var random = RandomSource(seed: 1)
        let targets = [target("192.0.2.1:5060", 10), target("192.0.2.2:5060", 20)]
        let first = SocketAddress("192.0.2.1:5060")!
        cache.penalise(first, now: .zero)
        #expect(cache.sorted(targets, now: .zero + .seconds(29), &random).last == first)
        #expect(cache.sorted(targets, now: .zero + .seconds(31), &random).first == first)
        cache.penalise(first, now: .zero + .seconds(31))
        cache.forgive(first)
        #expect(cache.sorted(targets, now: .zero + .seconds(32), &random).first == first)
    }
}
