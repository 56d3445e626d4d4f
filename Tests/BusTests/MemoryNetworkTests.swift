import Bus
import Primitives
import Testing

struct MemoryNetworkTests {
    @Test func frameIsThatOfTheWire() {
        let request = BusMessage(id: RequestID(high: 0x0102_0304_0506_0708, low: 9), body: [1, 2])
        #expect(request.frame == [1, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0, 0, 0, 0, 9, 1, 2])
        #expect(BusMessage.notice([7]).frame == [0, 7])
        #expect(BusMessage(frame: request.frame) == request)
        #expect(BusMessage(frame: [0, 7]) == .notice([7]))
        #expect(BusMessage(frame: [0]) == .notice([]))
        for count in 0..<17 { #expect(BusMessage(frame: Array(request.frame.prefix(count))) == nil) }
        #expect(BusMessage(frame: Array(request.frame.prefix(17)))?.body == [])
        for kind in UInt8(2)...255 { #expect(BusMessage(frame: [kind] + request.frame.dropFirst()) == nil) }
    }

    @Test func callerDecidesWhatArrivesAndWhen() {
        var network = MemoryNetwork()
        #expect(network.send(.notice([1]), from: "a", to: "b") == .unreachable)
        network.connect("b", subscribing: true)
        network.connect("c", subscribing: true)
        for number in 1...3 { #expect(network.send(.notice([UInt8(number)]), from: "a", to: "b") == .sent) }
        network.duplicate(0)
        network.delay(1)
        _ = network.take(0)
        #expect(network.parcels.map { $0.message?.body } == [[3], [1], [2]])
        network.publish([9], from: "a")
        #expect(network.parcels.suffix(2).map(\.destination) == ["b", "c"])
        network.disconnect("b")
        #expect(network.parcels.map(\.destination) == ["c"])
        #expect(network.parcels.map(\.source) == ["a"])
    }

    /// Request table and reply cache over a network that loses, doubles and reorders: each fact is done once.
    @Test(arguments: 1...50)
    func eachFactIsDoneOnceOverABadNetwork(seed: UInt64) throws {
        var random = RandomSource(seed: seed)
        var network = MemoryNetwork()
        network.connect("control")
        network.connect("signal")
        var table = RequestTable<Int>(incarnation: 1)
        var cache = ReplyCache()
        var effects: [RequestTable<Int>.Effect] = []
        var done: [Int: Int] = [:]
        var acknowledged: [Int] = []
        var time = Instant.zero
        for fact in 0..<40 {
            _ = table.submit([UInt8(fact)], to: "control", policy: .fact, context: fact, now: time, into: &effects)
        }
        var steps = 0
        while table.count > 0, steps < 100_000 {
            steps += 1
            for effect in effects {
                guard case .send(let id, let body, let peer) = effect else { continue }
                #expect(network.send(BusMessage(id: id, body: body), from: "signal", to: peer) == .sent)
            }
            effects = []
            if network.parcels.isEmpty {
                time = try #require(table.nextWake)
                table.tick(time, into: &effects)
                continue
            }
            let index = Int.random(in: network.parcels.indices, using: &random)
            switch Int.random(in: 0..<10, using: &random) {
            case 0, 1, 2: _ = network.take(index)
            case 3: network.duplicate(index)
            case 4: network.delay(index)
            default:
                let parcel = network.take(index)
                let message = try #require(parcel.message)
                let id = try #require(message.id)
                if parcel.destination == "control" {
                    switch cache.admit(id, from: parcel.source, now: time) {
                    case .new:
                        done[Int(message.body[0]), default: 0] += 1
                        cache.record(message.body, to: id, from: parcel.source)
                        _ = network.send(message, from: "control", to: parcel.source)
                    case .inProgress: break
                    case .repeated(let answer):
                        _ = network.send(BusMessage(id: id, body: answer), from: "control", to: parcel.source)
                    }
                } else if let fact = table.answer(id, from: parcel.source) {
                    acknowledged.append(fact)
                }
            }
        }
        #expect(acknowledged.sorted() == Array(0..<40), "seed \(seed)")
        #expect(done.count == 40 && done.values.allSatisfy { $0 == 1 }, "seed \(seed)")
    }
}
