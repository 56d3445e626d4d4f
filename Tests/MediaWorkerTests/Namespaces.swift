import Foundation
import Glibc
import Namespaces
import Primitives
import Synchronization
import Testing
import UDP
import XDP

/// Three network namespaces: alice's and bob's, and between them the worker's with an interface towards each. Removed with the object.
final class Estate: Sendable {
    /// Why there can be none here; nil: there can.
    static let hindrance: String? = {
        guard getuid() == 0 else { return "only root makes network namespaces" }
        guard FileManager.default.fileExists(atPath: "/usr/sbin/ip") || FileManager.default.fileExists(atPath: "/sbin/ip") else { return "iproute2 is not installed" }
        do throws(XDPError) {
            _ = try ForwardingProgram(flows: 8)
            return nil
        } catch {
            return error.description
        }
    }()

    private static let made = Atomic<Int>(0)
    let worker: String
    let alice: String
    let bob: String

    static let workerHost = SocketAddress.Host("10.9.0.1")!
    static let aliceHost = SocketAddress.Host("10.9.1.2")!
    static let bobHost = SocketAddress.Host("10.9.2.2")!
    static let workerHost6 = SocketAddress.Host("fd09::1")!
    static let aliceHost6 = SocketAddress.Host("fd09:1::2")!
    static let bobHost6 = SocketAddress.Host("fd09:2::2")!

    init() throws {
        let name = "ll\(getpid())x\(Estate.made.add(1, ordering: .relaxed).newValue)"
        (worker, alice, bob) = (name + "w", name + "a", name + "b")
        for space in [worker, alice, bob] {
            try ip("netns add \(space)")
            try ip("-n \(space) link set lo up")
        }
        try ip("-n \(worker) addr add 10.9.0.1/32 dev lo")
        try ip("-n \(worker) addr add fd09::1/128 dev lo nodad")
        for (number, space, ours, theirs) in [(1, alice, "wa", "pa"), (2, bob, "wb", "pb")] {
            try ip("-n \(worker) link add \(ours) type veth peer name \(theirs) netns \(space)")
            try ip("-n \(worker) addr add 10.9.\(number).1/24 dev \(ours)")
            try ip("-n \(worker) addr add fd09:\(number)::1/64 dev \(ours) nodad")
            try ip("-n \(space) addr add 10.9.\(number).2/24 dev \(theirs)")
            try ip("-n \(space) addr add fd09:\(number)::2/64 dev \(theirs) nodad")
            try ip("-n \(worker) link set \(ours) up")
            try ip("-n \(space) link set \(theirs) up")
            try ip("-n \(space) route add default via 10.9.\(number).1")
            try ip("-n \(space) route add default via fd09:\(number)::1")
        }
    }

    deinit {
        for space in [worker, alice, bob] { _ = try? ip("netns del \(space)") }
    }

    @discardableResult
    func ip(_ words: String) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["ip"] + words.split(separator: " ").map { String($0) }
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure(words: "ip \(words): \(text)") }
        return text
    }

    struct Failure: Error { let words: String }

    /// Runs something on a thread of its own in a namespace, and waits for it.
    func inside<Result: Sendable>(_ space: String, _ body: @escaping @Sendable () throws -> Result) throws -> Result {
        let result = Mutex<Swift.Result<Result, any Error>?>(nil)
        let done = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            let outcome = Swift.Result { () throws -> Result in
                guard namespaces_enter(space) == 0 else { throw Failure(words: "setns \(space): \(String(cString: strerror(errno)))") }
                return try body()
            }
            result.withLock { $0 = outcome }
            done.signal()
        }
        done.wait()
        return try result.withLock { try $0!.get() }
    }
}

/// A phone in a namespace. Its socket stays there, whichever thread uses it.
final class DistantPhone: Sendable {
    private let socket: UDPSocket
    let address: SocketAddress

    init(_ estate: Estate, _ space: String, _ host: SocketAddress.Host) throws {
        let made = try estate.inside(space) { Made(try UDPSocket(binding: SocketAddress(host, port: 0), receiveBufferBytes: 1 << 22)) }
        socket = made.take()
        address = socket.address
    }

    private final class Made: Sendable {
        private let socket: Mutex<UDPSocket?>
        init(_ socket: consuming UDPSocket) { self.socket = Mutex(socket) }
        func take() -> UDPSocket { socket.withLock { $0.take()! } }
    }

    func send(_ packet: [UInt8], to destination: SocketAddress) {
        var batch = DatagramBatch(capacity: 1)
        batch.load(packet.span, at: 0)
        batch.enqueue(0, count: packet.count, to: destination)
        #expect(batch.flush(over: socket.descriptor) == 0)
    }

    /// So many packets or some more, or what came within a minute.
    func receive(_ count: Int) throws -> [(from: SocketAddress, packet: [UInt8])] {
        var queue = try ReadinessQueue(capacity: 1)
        try queue.add(socket.descriptor, tag: 0)
        var batch = DatagramBatch(capacity: 32)
        var received: [(from: SocketAddress, packet: [UInt8])] = []
        while received.count < count, queue.wait(timeoutMilliseconds: 60_000) == 1 {
            for index in 0..<batch.receive(from: socket) {
                let bytes = batch.count(at: index)
                received.append((batch.source(at: index)!, batch.withBytes(at: index) { span in span.withUnsafeBytes { Array($0[..<bytes]) } }))
            }
        }
        return received
    }

    /// What has come, or else the next packet.
    func receiveSome() throws -> [[UInt8]] {
        let received = try receive(1).map(\.packet)
        guard !received.isEmpty else { throw NothingHeard() }
        return received
    }

    /// What waits, without waiting.
    func waiting() -> Int {
        var batch = DatagramBatch(capacity: 32)
        return batch.receive(from: socket)
    }
}
