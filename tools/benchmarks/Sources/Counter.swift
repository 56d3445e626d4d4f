import ArgumentParser
import ControlPlane
import Foundation
import Model
import Primitives
import SwiftProtobuf
import Synchronization

/// Producers, each with one request on its way, and one thread that decides what has come.
final class Counter {
    private(set) var answered = 0
    private var latencies: [Duration] = []

    /// - Parameters:
    ///   - requests: those of each producer, encoded, in their order.
    ///   - threads: that the producers share, as the clients of `pgbench` do.
    /// - Returns: seconds that it took, and processor time of the thread that decided.
    func run(
        _ exchange: inout Exchange, _ requests: [[[UInt8]]], threads: Int, for limit: Duration
    ) throws -> (elapsed: Double, cpu: Duration) {
        let desk = Desk(threads: threads)
        let clock = ContinuousClock()
        let start = clock.now
        let end = start + limit
        let group = DispatchGroup()
        let measured = Mutex<[Duration]>([])
        for thread in 0..<threads {
            group.enter()
            let mine = stride(from: thread, to: requests.count, by: threads).map { Asker(producer: $0, requests: requests[$0]) }
            Thread.detachNewThread {
                let latencies = desk.ask(on: thread, mine, until: end)
                measured.withLock { $0 += latencies }
                group.leave()
            }
        }
        let cpu = threadCPU()
        let appender = try exchange.appendOnThread { desk.ring() }
        var failure: (any Error)?
        do {
            while let asked = desk.take() { try exchange.turn(asked, answer: desk.answer) }
            try exchange.turn(nil, answer: desk.answer)
        } catch {
            failure = error
            desk.close()
        }
        let spent = threadCPU() - cpu
        let elapsed = (clock.now - start) / .seconds(1)
        appender.stop()
        group.wait()
        if let failure { throw failure }
        latencies = measured.withLock { $0.sorted() }
        answered = latencies.count
        guard answered > 0 else { throw Failure("nothing was acknowledged") }
        return (elapsed, spent)
    }

    /// In milliseconds.
    func latency(_ percent: Int) -> Double { latencies[(latencies.count - 1) * percent / 100] / .milliseconds(1) }
}

/// What a producer asks.
struct Asked {
    let bytes: [UInt8]
    let producer: Int
}

/// A producer: its next request leaves when the one before is answered.
private struct Asker {
    let producer: Int
    let requests: [[UInt8]]
    var next = 0
    var askedAt: ContinuousClock.Instant?
}

/// Between the producers and the one that decides.
private final class Desk: Sendable {
    private struct State {
        var asked: [Asked] = []
        var answers: [[Int]]
        var threads: Int
        var isClosed = false
    }

    private let state: Mutex<State>
    private let bell = DispatchSemaphore(value: 0)
    private let answered: [DispatchSemaphore]

    init(threads: Int) {
        state = Mutex(State(answers: Array(repeating: [], count: threads), threads: threads))
        answered = (0..<threads).map { _ in DispatchSemaphore(value: 0) }
    }

    /// Asks for these producers until the end, or until nobody answers any more; how long each answer took.
    func ask(on thread: Int, _ askers: [Asker], until end: ContinuousClock.Instant) -> [Duration] {
        let clock = ContinuousClock()
        let count = answered.count
        var askers = askers
        var latencies: [Duration] = []
        var ready = askers.map(\.producer)
        var waiting = 0
        while true {
            let now = clock.now
            var asked: [Asked] = []
            for producer in ready {
                let index = producer / count
                if let before = askers[index].askedAt {
                    latencies.append(now - before)
                    waiting -= 1
                }
                guard now < end, askers[index].next < askers[index].requests.count else { continue }
                asked.append(Asked(bytes: askers[index].requests[askers[index].next], producer: producer))
                askers[index].next += 1
                askers[index].askedAt = now
                waiting += 1
            }
            let (isOpen, isFirst) = state.withLock { state in
                let isFirst = state.asked.isEmpty && !asked.isEmpty
                if !state.isClosed { state.asked += asked }
                if waiting == 0 { state.threads -= 1 }
                return (!state.isClosed, isFirst)
            }
            if isFirst || waiting == 0 { ring() }
            guard isOpen, waiting > 0 else { return latencies }
            answered[thread].wait()
            ready = state.withLock { state in
                defer { state.answers[thread] = [] }
                return state.answers[thread]
            }
        }
    }

    func ring() { bell.signal() }

    /// Whoever waits is let go.
    func close() {
        state.withLock { $0.isClosed = true }
        for thread in answered { thread.signal() }
    }

    /// Waits until the bell rings; nil when all producers have left.
    func take() -> [Asked]? {
        bell.wait()
        return state.withLock { state in
            defer { state.asked = [] }
            return state.asked.isEmpty && state.threads == 0 ? nil : state.asked
        }
    }

    func answer(_ producers: [Int]) {
        guard !producers.isEmpty else { return }
        let first = state.withLock { state in
            var first: [Int] = []
            for producer in producers {
                let thread = producer % answered.count
                if state.answers[thread].isEmpty { first.append(thread) }
                state.answers[thread].append(producer)
            }
            return first
        }
        for thread in first { answered[thread].signal() }
    }
}
