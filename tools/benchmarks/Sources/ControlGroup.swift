import ArgumentParser
import ControlPlane
import Foundation
import Ledger
import Model
import Primitives
import Projections
import SwiftProtobuf
import Synchronization

struct ControlGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "control", abstract: "Durable credit reservations and calls through the control plane's core, on a real disk.",
        discussion: "Example: ledgerline-bench control --directory /var/tmp")

    @Option(help: "Where a directory for log and views is made, and removed after; not in memory, or the flushes cost nothing.")
    var directory = FileManager.default.fileExists(atPath: ".build") ? ".build" : "/var/tmp"

    @Option(help: "How long each figure is measured, in seconds.")
    var seconds = 2

    @Option(help: "Customers, each with its own account, for the spread figure.")
    var accounts = 10_000

    @Option(help: "What is measured: calls, hot or spread; all of them if it is not said.")
    var only: String?

    private static let producers = 64

    mutating func run() throws {
        let place = "\(directory)/ledgerline-bench-\(ProcessInfo.processInfo.processIdentifier)"
        for (name, accounts) in [("ledger.reserve_hot", 1), ("ledger.reserve_spread", accounts)] {
            try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(atPath: place) }
            var exchange = try Exchange(directory: place, customers: accounts)
            if accounts == 1, only ?? "calls" == "calls" { try wholeCalls(&exchange) }
            if name.hasSuffix(only ?? "") { try reservations(&exchange, name) }
        }
    }

    /// Money that is set aside for running prepaid calls, one call for each producer and account at least; acknowledged is
    /// what `fdatasync` has returned for. 64 producers, each waiting for its answer, hand over requests as the bus does:
    /// as bytes; what comes while a batch is on its way to the disk is decided meanwhile, and is the next one.
    private func reservations(_ exchange: inout Exchange, _ name: String) throws {
        var calls: [(call: Exchange.Bytes, used: UInt32)] = []
        let count = max(Self.producers, exchange.customers.count)
        for first in stride(from: 0, to: count, by: 500) {
            var requests: [DeskRequest] = []
            for index in first..<min(first + 500, count) {
                let call = exchange.newCall()
                requests.append(exchange.start(call, by: exchange.customers[index % exchange.customers.count]))
                requests.append(exchange.answer(call))
                calls.append((call, 0))
            }
            _ = try exchange.desk(requests)
        }
        let counter = Counter()
        let requests: [[[UInt8]]] = try (0..<Self.producers).map { producer in
            // Each renewal asks for more than the one before, as a running call does.
            let mine = stride(from: producer, to: calls.count, by: Self.producers).map(\.self)
            return try (0..<4_000).map { round in
                let index = mine[round % mine.count]
                calls[index].used += 6
                return try exchange.renew(calls[index].call, used: calls[index].used).serializedBytes()
            }
        }
        let heads = exchange.log.head
        let (elapsed, cpu) = try counter.run(&exchange, requests, threads: 2, for: .seconds(seconds))
        Figure(name: name, value: Double(counter.answered) / elapsed, unit: "reservations/s").print()
        Figure(name: "\(name)_cpu", value: cpu.inMicroseconds / Double(counter.answered), unit: "µs").print()
        Figure(name: "\(name)_p50", value: counter.latency(50), unit: "ms").print()
        Figure(name: "\(name)_p99", value: counter.latency(99), unit: "ms").print()
        guard exchange.log.head - heads >= UInt64(counter.answered) else {
            throw Failure("fewer reservations in the log than were acknowledged")
        }
    }

    /// What the control plane spends on a prepaid call from its start to its record, in batches of 64.
    private func wholeCalls(_ exchange: inout Exchange) throws {
        let line = exchange.customers[0]
        exchange.publish()
        let (logBefore, viewsBefore) = (exchange.log.bytesUsed, exchange.views.bytesUsed)
        var count = 0
        let start = threadCPU()
        let clock = ContinuousClock()
        let end = clock.now + .seconds(seconds)
        while clock.now < end {
            let calls = (0..<Self.producers).map { _ in exchange.newCall() }
            _ = try exchange.desk(calls.map { exchange.start($0, by: line) })
            _ = try exchange.desk(calls.map { exchange.answer($0) })
            _ = try exchange.desk(calls.map { exchange.finish($0) })
            count += calls.count
        }
        Figure(name: "control.call_cpu", value: (threadCPU() - start).inMicroseconds / Double(count), unit: "µs").print()
        exchange.publish()
        let log = Double(exchange.log.bytesUsed - logBefore) / Double(count)
        let views = Double(exchange.views.bytesUsed - viewsBefore) / Double(count)
        Figure(name: "ledger.log_bytes_per_call", value: log, unit: "bytes").print()
        Figure(name: "ledger.bytes_per_call", value: log + views, unit: "bytes").print()
    }
}
