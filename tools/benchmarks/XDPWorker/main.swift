// A shard of the media worker with calls between two addresses, for the benchmark of packets over interfaces.
//
// usage: xdp-worker CALLS HOST A B INTERFACES MODE    (INTERFACES: names, a comma between, or `off`; MODE: `generic`, `native`, `auto`)
//
// Says `ready`, and at the end of its input how many packets came and how many of them passed by XDP.
import Foundation
import Logging
import MediaWorker
import Model
import Primitives
import Synchronization
import UDP
import XDP

guard CommandLine.arguments.count == 7, let calls = Int(CommandLine.arguments[1]), let host = SocketAddress.Host(CommandLine.arguments[2]),
    let a = SocketAddress.Host(CommandLine.arguments[3]), let b = SocketAddress.Host(CommandLine.arguments[4])
else {
    print("usage: xdp-worker CALLS HOST A B INTERFACES MODE")
    exit(64)
}
LoggingSystem.bootstrap { label in StreamLogHandler.standardError(label: label) }
let names = CommandLine.arguments[5]
let ports: ClosedRange<UInt16> = 30_000...UInt16(30_000 + calls * 4 - 1)
let tables = KernelShortcuts.tables(
    names == "off" ? .never : .interfaces(names.split(separator: ",").map { String($0) }), host: host, ports: ports,
    mode: ForwardingProgram.Mode(rawValue: CommandLine.arguments[6]), logger: Logger(label: "xdp-worker"))

final class Answers: Sendable {
    private let list = Mutex<[ShardAnswer]>([])
    private let arrived = DispatchSemaphore(value: 0)

    func put(_ answer: ShardAnswer) {
        list.withLock { $0.append(answer) }
        arrived.signal()
    }

    func next() -> ShardAnswer {
        arrived.wait()
        return list.withLock { $0.removeFirst() }
    }
}

func id(_ number: Int) -> MediaSessionID { MediaSessionID(UUIDv7(high: 0x7000, low: UInt64(number))) }

do {
    let answers = Answers()
    let shard = try RelayShard(ports: ports, rules: SourceRules(), shortcuts: tables) { answers.put($0) }
    for call in 0..<calls {
        let port = UInt16(30_000 + call * 4)
        let phone = UInt16(10_000 + call * 2)
        shard.order(
            .open(
                id(call), portA: port, portB: port + 2, a: LegSetup(remote: SocketAddress(a, port: phone)), b: LegSetup(remote: SocketAddress(b, port: phone)),
                try SessionSockets(host: host, portA: port, portB: port + 2)))
    }
    Thread.detachNewThread { shard.run() }
    FileHandle.standardOutput.write(Data("ready\n".utf8))
    while readLine() != nil {}
    var (came, passed): (UInt64, UInt64) = (0, 0)
    for call in 0..<calls {
        shard.order(.query(id(call)))
        guard case .reported(let report) = answers.next() else { exit(1) }
        came += report.a.packetsIn + report.b.packetsIn
        passed += report.a.packetsPassed + report.b.packetsPassed
    }
    print("{\"came\": \(came), \"passed\": \(passed)}")
} catch {
    print("\(error)")
    exit(1)
}
