import ArgumentParser
import Bus
import Codecs
import Foundation
import Logging
import MediaWorker
import Model
import Primitives
import RTP
import SwiftProtobuf
import Synchronization

/// A whole media worker with open calls, for a load from outside: what tools/lib/relay_bench.py measures. The worker is the production
/// one, with its control thread, its bus and its sweeps; the other ends of its bus are in this process, and idle while packets pass.
struct MediaWorkerUnderLoad: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "media-worker", abstract: "Runs a media worker with open calls on loopback until its input ends.",
        discussion: """
            Writes two lines for each call, for tools/benchmarks/rtp/load.c: the phone's port, ours, the keys that the phone sends and
            receives with in hexadecimal digits or "-", the length of the tag, payload type, step of the timestamp, file of speech or
            "-". Then it prints "ready".

            Example: ledgerline-bench media-worker --calls 400 --kind srtp_rtp --legs legs.txt
            """)

    enum Kind: String, ExpressibleByArgument {
        case rtp, srtpRTP = "srtp_rtp", srtp
    }

    @Option(help: "Calls to open.") var calls = 400
    @Option(help: "rtp, srtp_rtp (SRTP towards callers) or srtp (SRTP with different suites on both sides).") var kind = Kind.rtp
    @Option(help: "Where the legs are written, and beside them what sides of different codecs say.") var legs: String
    @Option(help: "Two codecs, as PCMU,opus: callers speak the first and called sides the second, and each call is converted.") var codecs: String?
    @Option(help: "First of the worker's ports; it takes four for each call. Below those that the system gives out, so that none is taken.") var firstPort: UInt16 = 20_100
    @Option(help: "Threads that relay.") var shards = 1
    @Flag(help: "Packets come by a socket for each port, as where the rights for steering are missing.") var unsteered = false

    mutating func run() throws {
        let last = Int(firstPort) + calls * 4 - 1
        guard calls > 0, last < 65_536 else { throw ValidationError("\(calls) calls do not fit behind port \(firstPort)") }
        var desk = try BenchDesk()
        var configuration = desk.configuration
        configuration.ports = firstPort...UInt16(last)
        configuration.shards = shards
        configuration.steersPorts = !unsteered
        let driver = try MediaDriver(configuration, logger: Logger(label: "media-worker"))
        driver.start()
        try desk.welcome()
        var studio = try BenchStudio(desk, endpoint: driver.studioEndpoint)
        let spoken = try voices()
        var text = ""
        var random = RandomSource.system
        for call in 0..<calls {
            // Eight phones on each side stand for all: the worker tells them apart by its own ports.
            let a = BenchLeg(port: UInt16(10_000 + call % 8), kind == .rtp ? nil : .aesCounterMode128HMACSHA1With80Bits, spoken?.a, &random)
            let b = BenchLeg(port: UInt16(20_000 + call % 8), kind == .srtp ? .aesCounterMode128HMACSHA1With32Bits : nil, spoken?.b, &random)
            let opened = try studio.open(call, a, b, owner: BenchDesk.signaller)
            text += a.line(opened.portA) + b.line(opened.portB)
        }
        try text.write(toFile: legs, atomically: true, encoding: .utf8)
        FileHandle.standardOutput.write(Data("ready\n".utf8))
        let waiting = Mutex<BenchDesk?>(consume desk)
        Thread.detachNewThread {
            guard var desk = waiting.withLock({ $0.take() }) else { return }
            desk.answerUntilEnd()
        }
        while readLine() != nil {}
        driver.stop()
        driver.stop()
    }

    /// What each side says, written to its file.
    private func voices() throws -> (a: BenchVoice, b: BenchVoice)? {
        guard let codecs else { return nil }
        let names = codecs.split(separator: ",").map { $0.lowercased() }
        let found = names.compactMap { name in Codec.allCases.first { $0.name.lowercased() == name && $0.isAvailable } }
        guard names.count == 2, found.count == 2 else { throw ValidationError("\(codecs) are not two codecs of this machine") }
        let voices = try found.map { codec in
            let voice = BenchVoice(codec: codec, file: legs + "." + codec.name)
            let lines = try BenchSpeech.packets(codec).map { $0.hexadecimal + "\n" }
            try lines.joined().write(toFile: voice.file, atomically: true, encoding: .utf8)
            return voice
        }
        return (voices[0], voices[1])
    }
}

/// The codec that a side speaks, and where it reads what it says.
private struct BenchVoice {
    let codec: Codec
    let file: String

    var payloadType: UInt32 { codec.fixedPayloadType.map { UInt32($0) } ?? 97 }
    var format: MediaFormat {
        .with {
            $0.payloadType = payloadType
            $0.heardAs = payloadType
            $0.encoding = codec.name
            $0.clockRate = UInt32(codec.clockRate)
        }
    }
}

/// One phone, as a signal worker tells the media worker of it.
private struct BenchLeg {
    let port: UInt16
    let suite: SRTPSuite?
    let voice: BenchVoice?
    let sending: [UInt8]
    let receiving: [UInt8]

    init(port: UInt16, _ suite: SRTPSuite?, _ voice: BenchVoice?, _ random: inout RandomSource) {
        self.port = port
        self.suite = suite
        self.voice = voice
        sending = random.bytes(30)
        receiving = random.bytes(30)
    }

    var spec: LegSpec {
        .with {
            $0.remote = "127.0.0.1:\(port)"
            if let voice {
                $0.formats = [voice.format]
                $0.converts = true
            }
            guard let suite else { return }
            $0.suite = suite.rawValue
            $0.receiveKey = Data(sending)
            $0.sendKey = Data(receiving)
        }
    }

    func line(_ relayPort: UInt32) -> String {
        let keys = suite == nil ? "- -" : "\(sending.hexadecimal) \(receiving.hexadecimal)"
        let tag = suite.map { $0 == .aesCounterMode128HMACSHA1With32Bits ? 4 : 10 } ?? 0
        let words = voice.map { "\($0.payloadType) \($0.codec.clockRate / 50) \($0.file)" } ?? "8 160 -"
        return "\(port) \(relayPort) \(keys) \(tag) \(words)\n"
    }
}

extension [UInt8] {
    fileprivate var hexadecimal: String { map { byte in String(byte >> 4, radix: 16) + String(byte & 15, radix: 16) }.joined() }
}

/// The control plane's end of the worker's bus: a roster with one signal worker.
private struct BenchDesk: ~Copyable, Sendable {
    static let signaller = "signal"
    let context: BusContext
    let signalKeys: CurveKeyPair
    let configuration: MediaWorkerConfiguration
    private var router: Router
    private let feed: FeedPublisher
    private var poller = Poller()

    init() throws {
        let context = try BusContext()
        let (control, media) = (try CurveKeyPair.generate(), try CurveKeyPair.generate())
        let allowlist = Allowlist(["media": media.publicKey])
        let router = try Router(listeningOn: "tcp://127.0.0.1:*", as: control, allowing: allowlist, in: context)
        let feed = try FeedPublisher(listeningOn: "tcp://127.0.0.1:*", as: control, allowing: allowlist, in: context)
        _ = poller.add(router)
        signalKeys = try CurveKeyPair.generate()
        configuration = MediaWorkerConfiguration(
            worker: "media", keys: media, controlKey: control.publicKey, desk: router.endpoint, feed: feed.endpoint, studio: "tcp://127.0.0.1:*",
            address: .v4(0x7F00_0001))
        self.context = context
        self.router = router
        self.feed = feed
    }

    /// Answers a hello, and waits for a heartbeat: the worker has then taken the roster in.
    mutating func welcome() throws {
        for _ in 0..<10 {
            if try answer() == .heartbeat { return }
            _ = poller.wait(for: .seconds(2))
        }
        throw Failure("the media worker does not greet")
    }

    mutating func answerUntilEnd() {
        while true {
            _ = poller.wait(for: .seconds(60))
            while (try? answer()) ?? .nothing != .nothing {}
        }
    }

    private enum Heard { case nothing, hello, heartbeat, other }

    private mutating func answer() throws -> Heard {
        guard let delivery = router.receive() else { return .nothing }
        var reply = DeskReply()
        let heard: Heard
        switch try DeskRequest(serializedBytes: delivery.message.body).kind {
        case .hello:
            reply.welcome.roster.workers = [
                .with {
                    $0.worker = BenchDesk.signaller
                    $0.kind = .signal
                    $0.curvePublicKey = Data(signalKeys.publicKey.bytes)
                }
            ]
            reply.welcome.heartbeatMs = 1_000
            heard = .hello
        case .heartbeat:
            reply.heartbeat.feedNumber = 0
            heard = .heartbeat
        default: return .other
        }
        _ = router.send(BusMessage(id: delivery.message.id, body: try reply.serializedBytes()), to: delivery.peer)
        return heard
    }
}

/// A signal worker's end.
private struct BenchStudio: ~Copyable {
    private var dealer: Dealer
    private var poller = Poller()
    private let token: Poller.Token

    init(_ desk: borrowing BenchDesk, endpoint: String) throws {
        let dealer = try Dealer(to: endpoint, server: desk.configuration.keys.publicKey, as: desk.signalKeys, in: desk.context)
        token = poller.add(dealer)
        self.dealer = dealer
    }

    mutating func open(_ call: Int, _ a: BenchLeg, _ b: BenchLeg, owner: String) throws -> SessionOpened {
        var request = StudioRequest()
        request.open.sessionID = Data(UUIDv7(high: 0x7000, low: UInt64(call)).bytes)
        request.open.a = a.spec
        request.open.b = b.spec
        request.open.owner = owner
        let reply = try ask(request, RequestID(high: 1, low: UInt64(call)))
        guard case .opened(let opened) = reply.kind else { throw Failure("call \(call) was not opened: \(reply)") }
        return opened
    }

    /// Asked again each second, as signal workers do: a request that finds no connection is dropped.
    private mutating func ask(_ request: StudioRequest, _ id: RequestID) throws -> StudioReply {
        let body: [UInt8] = try request.serializedBytes()
        for _ in 0..<20 {
            poller.watchWriting(token, true)
            while dealer.send(BusMessage(id: id, body: body)) == .full { _ = poller.wait(for: .seconds(1)) }
            poller.watchWriting(token, false)
            repeat {
                while let reply = dealer.receive() {
                    if reply.id == id { return try StudioReply(serializedBytes: reply.body) }
                }
            } while poller.wait(for: .seconds(1)) > 0
        }
        throw Failure("the media worker does not answer")
    }
}
