import Bus
import Foundation
import Logging
import Model
import Primitives
import SIP
import SwiftProtobuf
import Testing
import UDP

@testable import SignalWorker

/// The driver over loopback: real sockets, CURVE, and a desk that answers as the ladders' does.
@Suite struct SignalDriverTests {
    @Test func aPhoneRegistersOverRealSockets() async throws {
        let control = try DeskOverLoopback()
        let directory = try OutboxTests.directory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let driver = try SignalDriver(control.configuration(stateDirectory: directory), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        async let ended: Void = driver.run()

        let isGreeted = await control.serve { $0.greeted != nil }
        #expect(isGreeted)
        let worker = try #require(control.greeted?.listeners.first.flatMap { SocketAddress($0) })
        var phone = try PhoneOverLoopback("alice", calling: worker)
        try phone.say(["REGISTER"])
        let isAnswered = await control.serve { _ in phone.listen() }
        #expect(isAnswered)
        #expect(phone.answer?.status == 200)
        #expect(phone.answer?.headers["X-Ledgerline-Position"] == "71")
        #expect(control.bound.count == 1)

        driver.stop()
        driver.stop()
        try await ended
    }

    @Test func aTakenPortIsNamed() async throws {
        let control = try DeskOverLoopback()
        let directory = try OutboxTests.directory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let taken = try UDPSocket(binding: .loopback(0))
        var configuration = control.configuration(stateDirectory: directory)
        configuration.listeners = [taken.address]
        let driver = try SignalDriver(configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        await #expect(throws: SignalWorkerError.listener(.addressInUse(taken.address))) { try await driver.run() }
    }

    @Test func aWorkerWithoutAnAddressIsRefused() throws {
        let control = try DeskOverLoopback()
        var configuration = control.configuration(stateDirectory: "/nowhere")
        configuration.listeners = []
        #expect(throws: SignalWorkerError.noListener) {
            _ = try SignalDriver(configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        }
    }
}

/// The desk's sockets, served by the test itself.
private final class DeskOverLoopback {
    private let keys: CurveKeyPair
    private let workerKeys: CurveKeyPair
    private var router: Router
    private let feed: FeedPublisher
    private var poller = Poller()
    private var desk: FakeDesk
    private(set) var greeted: Hello?
    /// Requests to bind a contact; one that is asked again, because the answer took long, counts once.
    private(set) var bound: Set<RequestID> = []

    init() throws {
        let context = try BusContext()
        let allowlist = Allowlist()
        keys = try CurveKeyPair.generate()
        workerKeys = try CurveKeyPair.generate()
        allowlist.enrol(workerKeys.publicKey, name: "w1")
        router = try Router(listeningOn: "tcp://127.0.0.1:*", as: keys, allowing: allowlist, in: context)
        feed = try FeedPublisher(listeningOn: "tcp://127.0.0.1:*", as: keys, allowing: allowlist, in: context)
        desk = FakeDesk(try Ladder(""))
        _ = poller.add(router)
    }

    func configuration(stateDirectory: String) -> SignalWorkerConfiguration {
        SignalWorkerConfiguration(
            worker: "w1", keys: workerKeys, controlKey: keys.publicKey, desk: router.endpoint, feed: feed.endpoint,
            relay: "tcp://127.0.0.1:*", listeners: [.loopback(0)], cluster: nil, stateDirectory: stateDirectory)
    }

    /// Answers until the condition holds.
    /// - Returns: false when it does not within a time that nobody needs.
    func serve(until isDone: (DeskOverLoopback) -> Bool) async -> Bool {
        for _ in 0..<2_000 {
            if isDone(self) { return true }
            // Until it has greeted, the worker's task may be waiting for this very thread; afterwards it waits for answers, and not for long.
            if greeted == nil { await Task.yield() }
            _ = poller.wait(for: .milliseconds(10))
            while let delivery = router.receive() { answer(delivery) }
        }
        return isDone(self)
    }

    private func answer(_ delivery: Router.Delivery) {
        guard let id = delivery.message.id, let request = try? DeskRequest(serializedBytes: delivery.message.body) else { return }
        if case .hello(let hello) = request.kind { greeted = hello }
        if case .bind = request.kind { bound.insert(id) }
        guard let reply = desk.answer(request, from: delivery.peer.worker), let bytes: [UInt8] = try? reply.serializedBytes() else {
            return
        }
        _ = router.send(BusMessage(id: id, body: bytes), to: delivery.peer)
    }
}

/// A ladder's phone with a socket.
private struct PhoneOverLoopback: ~Copyable {
    private let socket: UDPSocket
    private let worker: SocketAddress
    private var phone: FakePhone
    private(set) var answer: SIPMessage?

    init(_ name: String, calling worker: SocketAddress) throws {
        socket = try UDPSocket(binding: .loopback(0))
        self.worker = worker
        phone = FakePhone(name, socket.address)
    }

    mutating func say(_ words: [String]) throws { send(try phone.say(words).bytes) }

    private func send(_ bytes: [UInt8]) {
        var batch = DatagramBatch(capacity: 1)
        batch.load(bytes.span, at: 0)
        batch.enqueue(0, count: bytes.count, to: worker)
        _ = batch.flush(over: socket.descriptor)
    }

    /// Takes what has come, and answers challenges.
    /// - Returns: whether the last request has its final answer.
    mutating func listen() -> Bool {
        var batch = DatagramBatch(capacity: 8)
        for index in 0..<batch.receive(from: socket) {
            let count = batch.count(at: index)
            let bytes = batch.withBytes(at: index) { span in (0..<count).map { span.bytes.unsafeLoad(fromByteOffset: $0, as: UInt8.self) } }
            guard let message = try? SIPMessage(parsing: bytes) else { continue }
            if let more = phone.hear(message, by: worker, answersChallenges: true) {
                for bytes in more { send(bytes) }
            } else if message.isFinal {
                answer = message
            }
        }
        return answer != nil
    }
}
