import Bus
import Glibc
import Primitives
import Testing

struct PollerTests {
    @Test func wakerWakesAPollerOnAnotherThread() throws {
        let waker = try Waker()
        var poller = Poller()
        let token = poller.add(waker)
        #expect(poller.wait(for: .zero) == 0)
        Thread.run { waker.wake() }
        #expect(poller.wait(for: patience) == 1)
        #expect(poller.isReadable(token) == true)
        #expect(poller.wait(for: .zero) == 0)
        #expect(poller.isReadable(token) == false)
    }

    @Test func descriptorWakesThePollerUntilItIsRead() throws {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        defer { for end in ends { close(end) } }
        var poller = Poller()
        let token = poller.add(descriptor: ends[0])
        #expect(poller.wait(for: .zero) == 0)
        var byte: UInt8 = 1
        #expect(write(ends[1], &byte, 1) == 1)
        #expect(poller.wait(for: patience) == 1)
        #expect(poller.wait(for: patience) == 1)
        #expect(poller.isReadable(token) == true)
        #expect(read(ends[0], &byte, 1) == 1)
        #expect(poller.wait(for: .zero) == 0)
        poller.remove(token)
        #expect(write(ends[1], &byte, 1) == 1)
        #expect(poller.wait(for: .zero) == 0)
    }

    @Test func anErrorIsToldFromSomethingToRead() throws {
        var (whole, broken): ([Int32], [Int32]) = ([0, 0], [0, 0])
        try #require(pipe(&whole) == 0)
        try #require(pipe(&broken) == 0)
        defer { for end in whole + [broken[1]] { close(end) } }
        var poller = Poller()
        let (reader, writer) = (poller.add(descriptor: whole[0]), poller.add(descriptor: broken[1]))
        var byte: UInt8 = 1
        #expect(write(whole[1], &byte, 1) == 1)
        // Nobody is there to read any more: pipe(7), EPOLLERR.
        close(broken[0])
        #expect(poller.wait(for: patience) == 2)
        #expect(poller.isReadable(reader) && !poller.hasError(reader))
        #expect(poller.isReadable(writer) && poller.hasError(writer))
    }

    @Test func socketIsReadableUntilItIsDrained() throws {
        let loopback = try Loopback()
        var router = try loopback.router()
        var dealer = try loopback.dealer(to: router.endpoint, as: loopback.enrolled("signal-1"))
        var poller = Poller()
        let waker = try Waker()
        let wake = poller.add(waker)
        let token = poller.add(router)
        #expect(deliver(.notice([1]), over: &dealer) == .sent)
        #expect(deliver(.notice([2]), over: &dealer) == .sent)
        #expect(poller.wait(for: patience) == 1)
        #expect(poller.isReadable(token) == true)
        #expect(poller.isReadable(wake) == false)
        #expect(router.receive() != nil)
        #expect(poller.wait(for: patience) == 1)
        #expect(router.receive() != nil)
        #expect(router.receive() == nil)
        #expect(poller.wait(for: .zero) == 0)
    }

    @Test func closedSocketIsNotWatchedAnyMore() throws {
        let loopback = try Loopback()
        var router: Router? = try loopback.router()
        var poller = Poller()
        let token = poller.add(router!)
        router = nil
        #expect(poller.wait(for: .zero) == 0)
        #expect(poller.isReadable(token) == false)
        _ = consume router
    }

    @Test func deadlineThatHasPassedDoesNotWait() {
        var poller = Poller()
        #expect(poller.wait(until: Instant(nanoseconds: 5), now: Instant(nanoseconds: 9)) == 0)
    }

    @Test func groupReceivesFromEachOfItsPeers() throws {
        let loopback = try Loopback()
        let keys = try loopback.enrolled("signal-1")
        var first = try loopback.router()
        var second = try loopback.router()
        var poller = Poller()
        var group = DealerGroup(as: keys, limits: loopback.limits, in: loopback.context)
        let server = loopback.control.publicKey
        try group.connect("media-2", to: second.endpoint, server: server, watchedBy: &poller)
        try group.connect("media-1", to: first.endpoint, server: server, watchedBy: &poller)
        try group.connect("media-1", to: first.endpoint, server: server, watchedBy: &poller)
        #expect(group.peers == ["media-1", "media-2"])
        #expect(group.send(.notice([1]), to: "media-3") == .unreachable)
        let deadline = now() + patience
        for peer in group.peers {
            while group.send(.notice([1]), to: peer) != .sent, now() < deadline { linger() }
        }
        let firstPeer = try next(&first).peer
        let secondPeer = try next(&second).peer
        #expect(second.send(.notice([22]), to: secondPeer) == .sent)
        #expect(first.send(.notice([11]), to: firstPeer) == .sent)
        var received: [String] = []
        while received.count < 2, now() < deadline {
            _ = poller.wait(for: patience)
            received += group.receive(from: poller).map { "\($0.peer) \($0.message.body)" }
        }
        #expect(received.sorted() == ["media-1 [11]", "media-2 [22]"])
        group.disconnect("media-2", watchedBy: &poller)
        #expect(group.peers == ["media-1"])
        #expect(group.send(.notice([1]), to: "media-2") == .unreachable)
    }
}

/// A thread for one closure.
private enum Thread {
    private final class Work {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    static func run(_ body: @escaping @Sendable () -> Void) {
        var thread = pthread_t()
        let work = Unmanaged.passRetained(Work(body))
        let status = pthread_create(
            &thread, nil,
            {
                Unmanaged<Work>.fromOpaque($0!).takeRetainedValue().body()
                return nil
            }, work.toOpaque())
        precondition(status == 0)
        pthread_detach(thread)
    }
}
