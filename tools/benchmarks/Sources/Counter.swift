import ArgumentParser
import ControlPlane
import Foundation
import Model
import Primitives
import SwiftProtobuf
import Synchronization

/// Producers on threads of their own, each with one request on its way, and one thread that decides what has come.
final class Counter {
    private(set) var answered = 0
    private var latencies: [Duration] = []

    /// - Parameter requests: those of each producer, encoded, in their order.
    /// - Returns: seconds that it took.
    func run(_ exchange: inout Exchange, _ requests: [[[UInt8]]], for limit: Duration) throws -> Double {
        let desk = Desk(producers: requests.count)
        let clock = ContinuousClock()
        let start = clock.now
        let end = start + limit
        let group = DispatchGroup()
        let measured = Mutex<[Duration]>([])
        for (producer, mine) in requests.enumerated() {
            group.enter()
            Thread.detachNewThread {
                var latencies: [Duration] = []
                latencies.reserveCapacity(mine.count)
                for request in mine where clock.now < end {
                    let handed = clock.now
                    guard desk.ask(request, producer) else { break }
                    latencies.append(clock.now - handed)
                }
                desk.leave()
                measured.withLock { $0 += latencies }
                group.leave()
            }
        }
        var failure: (any Error)?
        while let batch = desk.take() {
            do {
                let replies = try exchange.desk(batch.map { try DeskRequest(serializedBytes: $0.bytes) })
                for reply in replies { use(try reply.serializedBytes() as [UInt8]) }
            } catch {
                failure = failure ?? error
                desk.close()
            }
            desk.answer(batch.map(\.producer))
        }
        let elapsed = (clock.now - start) / .seconds(1)
        group.wait()
        if let failure { throw failure }
        latencies = measured.withLock { $0.sorted() }
        answered = latencies.count
        guard answered > 0 else { throw CleanExit.message("nothing was acknowledged") }
        return elapsed
    }

    /// In milliseconds.
    func latency(_ percent: Int) -> Double { latencies[(latencies.count - 1) * percent / 100] / .milliseconds(1) }
}

/// Where producers wait for the one that decides.
private final class Desk: Sendable {
    struct Asked {
        let bytes: [UInt8]
        let producer: Int
    }

    private struct State {
        var asked: [Asked] = []
        var producers: Int
        var isClosed = false
    }

    private let state: Mutex<State>
    private let arrived = DispatchSemaphore(value: 0)
    private let answers: [DispatchSemaphore]

    init(producers: Int) {
        state = Mutex(State(producers: producers))
        answers = (0..<producers).map { _ in DispatchSemaphore(value: 0) }
    }

    /// Returns when it is answered; false when nobody answers any more.
    func ask(_ bytes: [UInt8], _ producer: Int) -> Bool {
        let (isOpen, isFirst) = state.withLock { state in
            guard !state.isClosed else { return (false, false) }
            state.asked.append(Asked(bytes: bytes, producer: producer))
            return (true, state.asked.count == 1)
        }
        guard isOpen else { return false }
        if isFirst { arrived.signal() }
        answers[producer].wait()
        return true
    }

    func leave() {
        state.withLock { $0.producers -= 1 }
        arrived.signal()
    }

    func close() { state.withLock { $0.isClosed = true } }

    /// Waits for requests; nil when all producers have left.
    func take() -> [Asked]? {
        while true {
            let (asked, isOver) = state.withLock { state in
                defer { state.asked = [] }
                return (state.asked, state.producers == 0)
            }
            if !asked.isEmpty { return asked }
            if isOver { return nil }
            arrived.wait()
        }
    }

    func answer(_ producers: [Int]) { for producer in producers { answers[producer].signal() } }
}
