import Primitives
import Testing
import UDP

/// The discard service, at an address of the loopback network that nobody else names: a port that was free a moment ago may be another
/// test's by now.
private let closed = SocketAddress(.v4(0x7F4D_0001), port: 9)

@Test func datagramsComeAndGoInBatchesWithTheirSources() throws {
    let near = try UDPSocket(binding: .loopback(0))
    let far = try UDPSocket(binding: .loopback(0))
    var batch = DatagramBatch(capacity: 8)
    for index in 0..<8 {
        let payload = Array(repeating: UInt8(index), count: 100 + index)
        batch.load(payload.span, at: index)
        batch.enqueue(index, count: payload.count, to: far.address)
    }
    #expect(batch.flush(over: near.descriptor) == 0)

    let heard = try receive(8, from: far)
    #expect(heard.map(\.bytes) == (0..<8).map { Array(repeating: UInt8($0), count: 100 + $0) })
    #expect(heard.allSatisfy { $0.source == near.address && !$0.isTruncated })
    #expect(batch.receive(from: far) == 0)
}

@Test func aDatagramLongerThanABufferIsMarked() throws {
    let near = try UDPSocket(binding: .loopback(0))
    let far = try UDPSocket(binding: .loopback(0))
    var long = DatagramBatch(capacity: 1, datagramBytesMax: 3_000)
    long.enqueue(0, count: 3_000, to: far.address)
    #expect(long.flush(over: near.descriptor) == 0)
    #expect(try receive(1, from: far).map(\.isTruncated) == [true])
}

@Test func aRefusedDatagramDoesNotHoldUpTheOthers() throws {
    let near = try UDPSocket(binding: .loopback(0))
    let far = try UDPSocket(binding: .loopback(0))
    var batch = DatagramBatch(capacity: 3)
    batch.enqueue(0, count: 4, to: far.address)
    batch.enqueue(1, count: 4, to: SocketAddress(.v6(0, 1), port: 9))  // wrong family for this socket
    batch.enqueue(2, count: 4, to: far.address)
    #expect(batch.flush(over: near.descriptor) == 1)
    #expect(try receive(2, from: far).count == 2)
}

@Test func addressesOfBothFamiliesSurviveTheSystemsForm() throws {
    let near = try UDPSocket(binding: SocketAddress(.v6(0, 1), port: 0))
    let far = try UDPSocket(binding: SocketAddress(.v6(0, 1), port: 0))
    #expect(near.address.host == .v6(0, 1))
    var batch = DatagramBatch(capacity: 1)
    batch.enqueue(0, count: 1, to: far.address)
    #expect(batch.flush(over: near.descriptor) == 0)
    #expect(try receive(1, from: far).map(\.source) == [near.address])
}

@Test func aTakenPortSaysWhichOne() throws {
    let first = try UDPSocket(binding: .loopback(0))
    let address = first.address
    #expect(throws: SocketError.addressInUse(address)) { _ = try UDPSocket(binding: address) }
    #expect(first.address.port != 0)
}

@Test func anAddressThatIsNotOursIsNamed() {
    let foreign = SocketAddress(.v4(0xC000_0201), port: 0)  // RFC 5737: no machine has it
    #expect(throws: SocketError.addressNotLocal(foreign)) { _ = try UDPSocket(binding: foreign) }
}

@Test func readinessNamesTheSocketByItsTagAndAWakeUpInterruptsAWait() throws {
    let near = try UDPSocket(binding: .loopback(0))
    let far = try UDPSocket(binding: .loopback(0))
    let wakeUp = try WakeUp()
    var queue = try ReadinessQueue(capacity: 4)
    try queue.add(far.descriptor, tag: 7)
    try queue.add(wakeUp.descriptor, tag: .max)
    #expect(queue.wait(timeoutMilliseconds: 0) == 0)
    wakeUp.signal()
    #expect(queue.wait(timeoutMilliseconds: nil) == 1)
    #expect(queue.tag(at: 0) == .max)
    wakeUp.clear()
    var batch = DatagramBatch(capacity: 1)
    batch.enqueue(0, count: 1, to: far.address)
    #expect(batch.flush(over: near.descriptor) == 0)
    #expect(queue.wait(timeoutMilliseconds: nil) == 1)
    #expect(queue.tag(at: 0) == 7)
}

@Test func aPortThatNobodyListensOnIsReported() throws {
    let near = try UDPSocket(binding: .loopback(0), reportingErrors: true)
    #expect(near.takeUnreachable() == nil)
    var batch = DatagramBatch(capacity: 1)
    batch.enqueue(0, count: 4, to: closed)
    #expect(batch.flush(over: near.descriptor) == 0)
    var queue = try ReadinessQueue(capacity: 1)
    try queue.add(near.descriptor, tag: 0)
    let isReported = queue.wait(timeoutMilliseconds: 60_000) == 1
    #expect(isReported)
    #expect(near.takeUnreachable() == closed)
    #expect(near.takeUnreachable() == nil)
}

@Test func aReportDoesNotCostAnotherDatagram() throws {
    let near = try UDPSocket(binding: .loopback(0), reportingErrors: true)
    let far = try UDPSocket(binding: .loopback(0))
    var batch = DatagramBatch(capacity: 3)
    batch.enqueue(0, count: 4, to: closed)
    batch.enqueue(1, count: 4, to: far.address)
    batch.enqueue(2, count: 4, to: far.address)
    #expect(batch.flush(over: near.descriptor) == 0)
    #expect(try receive(2, from: far).count == 2)
}
