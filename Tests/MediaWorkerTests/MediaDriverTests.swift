import Bus
import Foundation
import Logging
import MediaWorker
import Model
import Primitives
import RTP
import SwiftProtobuf
import Testing
import UDP

/// The other ends of a media worker's bus, on this thread: the control plane's desk and feed, and one signal worker.
private struct Surroundings: ~Copyable {
    let controlKeys: CurveKeyPair
    let signalKeys: CurveKeyPair
    let mediaKeys: CurveKeyPair
    let context: BusContext
    var desk: Router
    var feed: FeedPublisher
    var poller = Poller()
    let deskToken: Poller.Token
    private var requests: UInt64 = 0

    init() throws {
        let context = try BusContext()
        let (control, signal, media) = (
            try CurveKeyPair.generate(), try CurveKeyPair.generate(), try CurveKeyPair.generate()
        )
        let allowlist = Allowlist(["media1": media.publicKey])
        let desk = try Router(listeningOn: "tcp://127.0.0.1:*", as: control, allowing: allowlist, in: context)
        let feed = try FeedPublisher(listeningOn: "tcp://127.0.0.1:*", as: control, allowing: allowlist, in: context)
        deskToken = poller.add(desk)
        (controlKeys, signalKeys, mediaKeys) = (control, signal, media)
        self.context = context
        self.desk = desk
        self.feed = feed
    }

    func configuration(studio: String = "tcp://127.0.0.1:*", ports: ClosedRange<UInt16>) -> MediaWorkerConfiguration {
        var configuration = MediaWorkerConfiguration(
            worker: "media1", keys: mediaKeys, controlKey: controlKeys.publicKey, desk: desk.endpoint,
            feed: feed.endpoint,
            studio: studio, address: .v4(0x7F00_0001))
        configuration.ports = ports
        return configuration
    }

    /// The next word of the media worker to the desk.
    mutating func hear() throws -> (Router.Delivery, DeskRequest) {
        while true {
            if let delivery = desk.receive() {
                return (delivery, try DeskRequest(serializedBytes: delivery.message.body))
            }
            guard poller.wait(for: .seconds(60)) > 0 else { throw NothingHeard() }
        }
    }

    mutating func answer(_ delivery: Router.Delivery, _ reply: DeskReply) throws {
        let body: [UInt8] = try reply.serializedBytes()
        let outcome = desk.send(BusMessage(id: delivery.message.id, body: body), to: delivery.peer)
        #expect(outcome == .sent)
    }

    /// Waits for the hello, and answers with a roster that holds the signal worker.
    mutating func welcome() throws -> Hello {
        let (delivery, request) = try hear()
        var reply = DeskReply()
        var entry = RosterEntry()
        entry.worker = "signal1"
        entry.kind = .signal
        entry.curvePublicKey = Data(signalKeys.publicKey.bytes)
        reply.welcome.roster.workers = [entry]
        reply.welcome.heartbeatMs = 20
        try answer(delivery, reply)
        return request.hello
    }

    /// Waits for a heartbeat: the roster before it has then been taken in.
    mutating func heartbeat() throws -> Heartbeat {
        while true {
            let (delivery, request) = try hear()
            var reply = DeskReply()
            reply.heartbeat.feedNumber = 0
            try answer(delivery, reply)
            if case .heartbeat(let heartbeat) = request.kind { return heartbeat }
        }
    }
}

/// A signal worker's side of the studio.
private struct Studio: ~Copyable {
    var dealer: Dealer
    var poller = Poller()
    private let token: Poller.Token
    private var requests: UInt64 = 0

    init(_ surroundings: borrowing Surroundings, endpoint: String, keys: CurveKeyPair) throws {
        let dealer = try Dealer(
            to: endpoint, server: surroundings.mediaKeys.publicKey, as: keys, in: surroundings.context)
        token = poller.add(dealer)
        self.dealer = dealer
    }

    /// Asked again each second, as signal workers do: a request or reply that finds no room is dropped (docs/wire/bus.md).
    mutating func ask(_ request: StudioRequest) throws -> StudioReply {
        requests += 1
        let id = RequestID(high: 1, low: requests)
        let body: [UInt8] = try request.serializedBytes()
        for _ in 0..<20 {
            // Not connected yet: the poller says when it is.
            poller.watchWriting(token, true)
            while dealer.send(BusMessage(id: id, body: body)) == .full {
                guard poller.wait(for: .seconds(60)) > 0 else { throw NothingHeard() }
            }
            poller.watchWriting(token, false)
            repeat {
                while let reply = dealer.receive() {
                    if reply.id == id { return try StudioReply(serializedBytes: reply.body) }
                }
            } while poller.wait(for: .seconds(1)) > 0
        }
        throw NothingHeard()
    }
}

private let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

private func freePorts() -> ClosedRange<UInt16> {
    let base = FreePorts.next(16)
    return base...base + 15
}

private func legs(_ number: UInt64, a: String, b: String) -> StudioRequest {
    var request = StudioRequest()
    request.open.sessionID = sessionID(number).data
    request.open.a.remote = a
    request.open.b.remote = b
    request.open.owner = "signal1"
    return request
}

private func closing(_ number: UInt64) -> StudioRequest {
    var request = StudioRequest()
    request.close.sessionID = sessionID(number).data
    return request
}

@Test func aCallIsRelayedByAWholeWorker() async throws {
    var surroundings = try Surroundings()
    let driver = try MediaDriver(surroundings.configuration(ports: freePorts()), logger: quiet)
    driver.start()
    let hello = try surroundings.welcome()
    #expect(hello.worker == "media1")
    #expect(hello.kind == .media)
    #expect(hello.busEndpoint == driver.studioEndpoint)
    #expect(hello.listeners == ["127.0.0.1"])
    #expect(hello.incarnation.count == 16)
    #expect(try surroundings.heartbeat().calls == 0)

    var studio = try Studio(surroundings, endpoint: driver.studioEndpoint, keys: surroundings.signalKeys)
    var alice = try Phone()
    var bob = try Phone()
    let request = legs(1, a: alice.address.description, b: bob.address.description)
    let opened = try studio.ask(request)
    #expect(opened.opened.address == "127.0.0.1")
    #expect(try studio.ask(request) == opened)
    let packet = rtpPacket(sequence: 1)
    alice.send(packet, to: UInt16(opened.opened.portA))
    let toBob = try bob.receive()
    #expect(toBob.packet == packet)
    #expect(toBob.from == UInt16(opened.opened.portB))
    bob.send(packet, to: UInt16(opened.opened.portB))
    #expect(try alice.receive().packet == packet)

    var query = StudioRequest()
    query.query.sessionID = sessionID(1).data
    #expect(try studio.ask(query).report.report.a.packetsIn == 1)
    let closed = try studio.ask(closing(1)).closed.report
    #expect(closed.mediaWorker == "media1")
    #expect(closed.b.packetsIn == 1)
    #expect(closed.b.packetsOut == 1)
    #expect(closed.a.lastPacketAt > 0)
    #expect(try studio.ask(closing(1)).closed.report == closed)

    driver.stop()
    try await driver.ended()
}

@Test func aWorkerWhoseStudioPortIsTakenSaysSo() throws {
    let surroundings = try Surroundings()
    let ports = freePorts()
    let first = try MediaDriver(surroundings.configuration(ports: ports), logger: quiet)
    #expect(throws: MediaWorkerError.bus(.addressInUse(endpoint: first.studioEndpoint))) {
        _ = try MediaDriver(surroundings.configuration(studio: first.studioEndpoint, ports: ports), logger: quiet)
    }
}

@Test func aWorkerThatCannotRelaySaysWhy() throws {
    let surroundings = try Surroundings()
    var foreign = surroundings.configuration(ports: 30_000...30_999)
    foreign.address = .v4(0xC000_0201)
    #expect(throws: MediaWorkerError.media(.addressNotLocal(SocketAddress(foreign.address, port: 0)))) {
        _ = try MediaDriver(foreign, logger: quiet)
    }
    #expect(throws: MediaWorkerError.tooFewPorts(30_001...30_004)) {
        _ = try MediaDriver(surroundings.configuration(ports: 30_001...30_004), logger: quiet)
    }
    var idle = surroundings.configuration(ports: 30_000...30_999)
    idle.shards = 0
    #expect(throws: MediaWorkerError.noShards) { _ = try MediaDriver(idle, logger: quiet) }
}

@Test func drainingWaitsForTheLastCallAndRefusesNewOnes() async throws {
    var surroundings = try Surroundings()
    var configuration = surroundings.configuration(ports: freePorts())
    configuration.drainLimit = .seconds(600)
    configuration.shards = 2
    let driver = try MediaDriver(configuration, logger: quiet)
    driver.start()
    _ = try surroundings.welcome()
    _ = try surroundings.heartbeat()
    var studio = try Studio(surroundings, endpoint: driver.studioEndpoint, keys: surroundings.signalKeys)
    for number in 1...2 as ClosedRange<UInt64> {
        #expect(try studio.ask(legs(number, a: "", b: "")).opened.portA > 0)
    }
    driver.stop()
    // The stop travels by its own path: ask until it has arrived.
    var refused = StudioErrorCode.noPorts
    for number in 10...10_000 as ClosedRange<UInt64> where refused != .draining {
        let reply = try studio.ask(legs(number, a: "", b: ""))
        if case .opened = reply.kind { _ = try studio.ask(closing(number)) } else { refused = reply.error.code }
    }
    #expect(refused == .draining)
    _ = try studio.ask(closing(1))
    _ = try studio.ask(closing(2))
    try await driver.ended()
}

@Test func aSecondStopDoesNotWait() async throws {
    var surroundings = try Surroundings()
    var configuration = surroundings.configuration(ports: freePorts())
    configuration.drainLimit = .seconds(600)
    let driver = try MediaDriver(configuration, logger: quiet)
    driver.start()
    _ = try surroundings.welcome()
    _ = try surroundings.heartbeat()
    var studio = try Studio(surroundings, endpoint: driver.studioEndpoint, keys: surroundings.signalKeys)
    _ = try studio.ask(legs(1, a: "", b: ""))
    driver.stop()
    driver.stop()
    try await driver.ended()
}
