import Primitives
import Testing
import UDP

private let hosts: [SocketAddress.Host] = [.v4(0x7F00_0001), .v6(0, 1)]
private let isPermitted = (try? PortSteering(host: hosts[0], places: 1)) != nil
private let reason = Comment("this process may not load programs into the kernel (CAP_BPF, CAP_NET_ADMIN)")

@Test(.enabled(if: isPermitted, reason), arguments: hosts)
func steeredPortsAreReceivedByOneSocketThatTellsThePort(host: SocketAddress.Host) throws {
    let steering = try PortSteering(host: host, places: 2)
    let one = try UDPSocket(binding: SocketAddress(host, port: 0), reportingDestinations: true)
    try steering.put(one, at: 1)
    let first = try UDPSocket(binding: SocketAddress(host, port: 0))
    let second = try UDPSocket(binding: SocketAddress(host, port: 0))
    let phone = try UDPSocket(binding: SocketAddress(host, port: 0))
    steering.steer(first.address.port, to: 1)
    steering.steer(second.address.port, to: 1)
    var batch = DatagramBatch(capacity: 4)
    for (index, socket) in [first.address, second.address, first.address].enumerated() {
        batch.load([UInt8(index)].span, at: index)
        batch.enqueue(index, count: 1, to: socket)
    }
    #expect(batch.flush(over: phone.descriptor) == 0)
    let heard = try receive(3, from: one)
    #expect(heard.map(\.destinationPort) == [first.address.port, second.address.port, first.address.port])
    #expect(heard.allSatisfy { $0.source == phone.address })
    #expect(batch.receive(from: first) == 0)

    // What is let go, and what nobody steered to that place, comes by its own socket.
    steering.release(first.address.port)
    steering.steer(second.address.port, to: 0)
    for (index, socket) in [first.address, second.address].enumerated() { batch.enqueue(index, count: 1, to: socket) }
    #expect(batch.flush(over: phone.descriptor) == 0)
    #expect(try receive(1, from: first).map(\.destinationPort) == [nil])
    #expect(try receive(1, from: second).count == 1)
    #expect(batch.receive(from: one) == 0)
}

@Test(.enabled(if: isPermitted, reason)) func anotherAddressOfTheMachineIsLeftAlone() throws {
    let steering = try PortSteering(host: hosts[0], places: 1)
    let one = try UDPSocket(binding: .loopback(0), reportingDestinations: true)
    try steering.put(one, at: 0)
    let other = try UDPSocket(binding: SocketAddress(.v4(0x7F00_0002), port: 0))
    let phone = try UDPSocket(binding: .loopback(0))
    steering.steer(other.address.port, to: 0)
    var batch = DatagramBatch(capacity: 1)
    batch.enqueue(0, count: 1, to: other.address)
    #expect(batch.flush(over: phone.descriptor) == 0)
    #expect(try receive(1, from: other).count == 1)
    #expect(batch.receive(from: one) == 0)
}

@Test(.enabled(if: isPermitted, reason)) func itEndsWithItsOwner() throws {
    let port = try UDPSocket(binding: .loopback(0))
    let phone = try UDPSocket(binding: .loopback(0))
    let one = try UDPSocket(binding: .loopback(0), reportingDestinations: true)
    do {
        let steering = try PortSteering(host: hosts[0], places: 1)
        try steering.put(one, at: 0)
        steering.steer(port.address.port, to: 0)
    }
    var batch = DatagramBatch(capacity: 1)
    batch.enqueue(0, count: 1, to: port.address)
    #expect(batch.flush(over: phone.descriptor) == 0)
    #expect(try receive(1, from: port).count == 1)
}

/// Every length, odd ones too: the kernel drops what has a wrong sum.
@Test(.enabled(if: isPermitted, reason), arguments: hosts)
func aPacketFromAnyPortArrivesWithASumThatTheKernelTakes(host: SocketAddress.Host) throws {
    let sender = try PortSender(family: host)
    let phone = try UDPSocket(binding: SocketAddress(host, port: 0))
    var batch = DatagramBatch(capacity: 1)
    var random = RandomSource(seed: 7)
    for count in Array(0...64) + [171, 172, 1_400] {
        let payload = random.bytes(count)
        let source = SocketAddress(host, port: UInt16(30_000 + count))
        batch.load(payload.span, at: 0)
        let isQueued = batch.enqueue(0, count: count, from: source, to: phone.address)
        #expect(isQueued)
        #expect(batch.flush(over: sender.descriptor) == 0)
        let heard = try receive(1, from: phone)
        #expect(heard.map(\.source) == [source], "\(count) bytes")
        #expect(heard.map(\.bytes) == [payload])
    }
}

@Test func aPacketHasOneFamily() {
    var batch = DatagramBatch(capacity: 1)
    let isQueued = batch.enqueue(0, count: 4, from: SocketAddress(hosts[0], port: 5), to: SocketAddress(hosts[1], port: 5))
    #expect(isQueued == false)
    #expect(batch.hasQueued == false)
}
