import ArgumentParser
import Bus
import ControlPlane
import Foundation
import Ledger
import Model
import Primitives
import SwiftProtobuf

struct BusGroup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bus", abstract: "Prepaid calls authorised, reserved and made durable over the bus, as a signal worker asks for them.",
        discussion: "Example: ledgerline-bench bus --directory /var/tmp --in-flight 64")

    @Option(help: "Where a data directory is made, and removed after; not in memory, or the flushes cost nothing.")
    var directory = "/var/tmp"

    @Option(help: "How long calls are made, in seconds.")
    var seconds = 3

    @Option(help: "Calls that wait for their plan at any time.")
    var inFlight = 64

    mutating func run() async throws {
        let place = "\(directory)/ledgerline-bench-\(ProcessInfo.processInfo.processIdentifier)"
        defer { try? FileManager.default.removeItem(atPath: place) }
        var configuration = ControlPlaneConfiguration(directory: place)
        configuration.deskEndpoint = "tcp://127.0.0.1:*"
        configuration.feedEndpoint = "tcp://127.0.0.1:*"
        let service = try ControlPlaneService(configuration)
        try service.start()
        defer { service.stop() }
        let lines = try await BusTown(service).lines(inFlight)
        guard let endpoint = service.endpoints?.desk else { throw Failure("no desk") }
        let keys = try CurveKeyPair.generate()
        let worker = Worker.with {
            $0.name = Exchange.worker
            $0.kind = .signal
            $0.curvePublicKey = Data(keys.publicKey.bytes)
        }
        _ = try await service.driver.submit(AdminRequest(.enrollWorker(worker), actor: "bench", requestID: "worker"))
        let before = service.log.head
        let (server, seconds) = (service.busKey, seconds)
        let flush = try flushTimes(in: place)
        let latencies = try await onThread { () throws -> [Duration] in
            var callers = try BusCallers(to: endpoint, server: server, as: keys, lines: lines)
            return try callers.run(for: .seconds(seconds))
        }
        let flushAfter = try flushTimes(in: place)
        guard service.log.head - before >= UInt64(latencies.count) else {
            throw Failure("fewer calls in the log than were answered")
        }
        func at(_ percent: Int) -> Double { latencies[(latencies.count - 1) * percent / 100] / .milliseconds(1) }
        let fdatasync = (flush + flushAfter).sorted()
        Figure(name: "bus.authorise", value: Double(latencies.count) / Double(seconds), unit: "calls/s").print()
        Figure(name: "bus.authorise_p50", value: at(50), unit: "ms").print()
        Figure(name: "bus.authorise_p95", value: at(95), unit: "ms").print()
        Figure(name: "bus.authorise_p99", value: at(99), unit: "ms").print()
        Figure(name: "bus.fdatasync_p95", value: fdatasync[(fdatasync.count - 1) * 95 / 100] / .milliseconds(1), unit: "ms").print()
    }

    /// What the disk alone takes for 4 KiB, before and after: a figure of the machine to lay beside ours.
    private func flushTimes(in directory: String) throws -> [Duration] {
        let descriptor = unsafe open("\(directory)/flush", O_RDWR | O_CREAT | O_TRUNC, 0o600)
        guard descriptor >= 0 else { throw CocoaError(.fileWriteUnknown) }
        defer { close(descriptor) }
        let page = [UInt8](repeating: 7, count: 4_096)
        var times: [Duration] = []
        let clock = ContinuousClock()
        for round in 0..<300 {
            guard unsafe pwrite(descriptor, page, page.count, off_t(round % 64 * page.count)) == page.count else { throw CocoaError(.fileWriteUnknown) }
            let start = clock.now
            guard fdatasync(descriptor) == 0 else { throw CocoaError(.fileWriteUnknown) }
            times.append(clock.now - start)
        }
        // The first ones lay out the file.
        return Array(times.dropFirst(64))
    }

    private func onThread<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
        }
    }
}

/// A provider and its prepaid customers, made by the commands that the API gives.
private struct BusTown {
    private let service: ControlPlaneService

    init(_ service: ControlPlaneService) { self.service = service }

    private func make(_ command: AdminCommand) async throws -> Data {
        Data(try await service.driver.submit(AdminRequest(command, actor: "bench", requestID: UUID().uuidString)).id.bytes)
    }

    func lines(_ count: Int) async throws -> [Exchange.Line] {
        let provider = try await make(
            .createProvider(
                .with {
                    $0.name = "Kages"
                    $0.namespace = "kages.example"
                    $0.currency = "USD"
                }))
        let contact = try await make(
            .createContact(
                .with {
                    $0.providerID = provider
                    $0.name = "Anna"
                }))
        let deck = try await make(
            .createRateDeck(
                .with {
                    $0.providerID = provider
                    $0.name = "Retail"
                    $0.currency = "USD"
                    $0.decimals = 4
                }))
        _ = try await make(
            .publishDeckVersion(
                .with {
                    $0.deckID = deck
                    $0.entries = [
                        .with {
                            $0.prefix = "1"
                            $0.destination = "North America"
                            $0.perMinuteMicros = 10_000
                            $0.firstIncrementSeconds = 60
                            $0.nextIncrementSeconds = 6
                        }
                    ]
                }))
        let dialPlan = try await make(
            .createDialPlan(
                .with {
                    $0.providerID = provider
                    $0.name = "E.164"
                }))
        let carrier = try await make(
            .createCarrier(
                .with {
                    $0.providerID = provider
                    $0.name = "Carrier"
                    $0.gateways = [
                        .with {
                            $0.name = "first"
                            $0.host = "192.0.2.1"
                        }
                    ]
                }))
        let plan = try await make(
            .createServicePlan(
                .with {
                    $0.providerID = provider
                    $0.name = "Prepaid"
                    $0.paymentMode = .prepaid
                    $0.rateDeckID = deck
                    $0.dialPlanID = dialPlan
                    $0.carrierID = carrier
                }))
        var lines: [Exchange.Line] = []
        for number in 0..<count {
            let customer = try await make(
                .createCustomer(
                    .with {
                        $0.providerID = provider
                        $0.contactID = contact
                        $0.servicePlanID = plan
                        $0.name = "Customer \(number)"
                        $0.currency = "USD"
                    }))
            guard let id = CustomerID(customer) else { throw Failure("an id that is none of a customer") }
            let amount = Amount.with {
                $0.micros = 100_000_000_000_000
                $0.currency = "USD"
            }
            _ = try await make(.topUp(id, amount, reason: "cash"))
            let domain = "office-\(number).kages.example"
            let tenant = try await make(
                .createTenant(
                    .with {
                        $0.customerID = customer
                        $0.name = "Office"
                        $0.domain = domain
                        $0.countryCode = "1"
                    }))
            let subscriber = try await make(
                .createSubscriber(
                    .with {
                        $0.tenantID = tenant
                        $0.username = "alice"
                        $0.allowedPrefixes = ["+1"]
                    }, password: Password("correct horse")))
            lines.append(Exchange.Line(customer: [UInt8](customer), domain: domain, subscriber: [UInt8](subscriber)))
        }
        return lines
    }
}
