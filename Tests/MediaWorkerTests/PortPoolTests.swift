import MediaWorker
import Testing

@Test(
    arguments: [
        (30_000...30_003, [30_000, 30_002]), (30_001...30_004, [30_002]), (30_000...30_000, []),
        (30_000...30_001, [30_000]),
        (30_001...30_002, []), (65_532...65_535, [65_532, 65_534]),
    ] as [(ClosedRange<UInt16>, [UInt16])])
func onlyWholePairsAreHandedOut(ports: ClosedRange<UInt16>, expected: [UInt16]) {
    var pool = PortPool(ports: ports)
    #expect(pool.total == expected.count)
    var taken: [UInt16] = []
    while let port = pool.take() { taken.append(port) }
    #expect(taken == expected)
    #expect(pool.count == 0)
}

@Test func aPortThatComesBackIsTheLastToGo() {
    var pool = PortPool(ports: 30_000...30_009)
    let first = pool.take()
    pool.give(back: first!)
    for expected in [30_002, 30_004, 30_006, 30_008, 30_000] as [UInt16] { #expect(pool.take() == expected) }
    #expect(pool.take() == nil)
}

@Test func aHundredRoundsKeepEveryPort() {
    var pool = PortPool(ports: 30_000...30_199)
    for _ in 0..<100 {
        let taken = (0..<70).compactMap { _ in pool.take() }
        #expect(Set(taken).count == 70)
        for port in taken { pool.give(back: port) }
    }
    #expect(pool.count == 100)
}
