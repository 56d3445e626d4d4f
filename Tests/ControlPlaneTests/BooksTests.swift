import Foundation
import Logging
import Model
import Primitives
import Projections
import SwiftProtobuf
import Synchronization
import Testing

@testable import ControlPlane

private func amount(_ micros: Int64, _ currency: String = "USD") -> Amount {
    .with {
        $0.micros = micros
        $0.currency = currency
    }
}

/// A town that is asked from a closure which has to be sendable; the test has one thread.
private struct Asked: @unchecked Sendable {
    unowned let town: Town
}

extension Town {
    fileprivate func submit(_ request: AdminRequest) -> Result<AdminOutcome, AdminRejection> {
        Result { try platform.admin(request.command) }.mapError { $0 as? AdminRejection ?? .unavailable(reason: "\($0)") }
    }

    fileprivate var watch: AccountWatch { 
        let asked = Asked(town: self)
        return AccountWatch(views: platform.views, log: platform.log, logger: Logger(label: "test")) { asked.town.submit($0) }
    }

    fileprivate func alerts() throws -> [AlertState] {
        try platform.read { views throws(ViewsError) in try views.alerts(limit: 100) }
    }
}

@Test func anAlertIsRaisedOncePerCrossing() throws {
    let town = try Town(prepaid: true)
    var customer = try #require(try town.platform.read { views throws(ViewsError) in try views.customer(CustomerID(town.customer.id)!) })
    customer.lowBalanceAlertMicros = 5_000_000
    try town.platform.admin(.changeCustomer(customer, expectedVersion: nil))
    let id = CustomerID(customer.id)!
    let watch = town.watch
    func move(_ micros: Int64) throws {
        try town.platform.admin(.adjust(.customer(id), amount(micros), reason: "test"))
        town.platform.advance(.seconds(1))
        watch.pass(at: town.platform.wall)
        watch.pass(at: town.platform.wall)
    }
    try move(20_000_000)
    #expect(try town.alerts().isEmpty)
    let before = try town.alerts().count
    try move(-30_000_000)
    #expect(try town.alerts().count == before + 1)
    #expect(try town.alerts().last?.raised.kind == .lowBalance)
    try move(-1_000_000)
    #expect(try town.alerts().count == before + 1, "it lasts")
    try move(60_000_000)
    #expect(try town.alerts().last?.clearedAt != 0)
    try move(-60_000_000)
    #expect(try town.alerts().count == before + 2, "armed again")
    customer.clearLowBalanceAlertMicros()
    try town.platform.admin(.changeCustomer(customer, expectedVersion: nil))
    watch.pass(at: town.platform.wall)
    #expect(try town.alerts().allSatisfy { $0.clearedAt != 0 }, "without a threshold nothing lasts")
}

private struct FakeCarrier: AlertCarrier {
    let name = "fake"
    let answers = Counter()
    final class Counter: Sendable {
        let count = Mutex(0)
    }
    let refusals: Int
    func serves(_ billing: Billing?, _ customer: Customer) -> Bool { true }
    func deliver(_ alert: AlertState, _ billing: Billing?, _ customer: Customer) -> AlertDelivery {
        let count = answers.count.withLock { count in
            count += 1
            return count
        }
        return AlertDelivery(isDelivered: count > refusals, detail: count > refusals ? "status 200" : "status 503")
    }
}

@Test(arguments: [0, 2, 99]) func anAlertIsSentAgainUntilItIsTakenOrGivenUp(refusals: Int) throws {
    let town = try Town()
    var customer = try #require(try town.platform.read { views throws(ViewsError) in try views.customer(CustomerID(town.customer.id)!) })
    customer.lowBalanceAlertMicros = 900_000_000_000
    try town.platform.admin(.changeCustomer(customer, expectedVersion: nil))
    town.watch.pass(at: town.platform.wall)
    let carrier = FakeCarrier(refusals: refusals)
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let asked = Asked(town: town)
    let courier = AlertCourier(views: town.platform.views, carriers: [carrier], logger: logger) { asked.town.submit($0) }
    for _ in 0..<10 {
        courier.pass(at: town.platform.wall)
        courier.pass(at: town.platform.wall)
        town.platform.advance(.seconds(20_000))
    }
    let sent = try #require(try town.alerts().first).sent
    #expect(sent.delivered == (refusals < 8))
    #expect(sent.way == "fake" && sent.attempts == UInt32(min(refusals + 1, 8)))
    #expect(carrier.answers.count.withLock { $0 } == min(refusals + 1, 8), "nothing is sent after it was taken or given up")
}

@Test func spendingCountsWithinAMonthAndANewMonthBeginsAnew() throws {
    let town = try Town()
    var customer = try #require(try town.platform.read { views throws(ViewsError) in try views.customer(CustomerID(town.customer.id)!) })
    customer.spendAlertMicros = 0
    try town.platform.admin(.changeCustomer(customer, expectedVersion: nil))
    let watch = town.watch
    watch.pass(at: town.platform.wall)
    watch.pass(at: town.platform.wall)
    #expect(try town.alerts().map(\.raised.period) == ["2026-11"])
    town.platform.advance(.seconds(15 * 86_400))
    watch.pass(at: town.platform.wall)
    #expect(try town.alerts().map(\.raised.period) == ["2026-11", "2026-12"])
    #expect(try town.alerts().first?.clearedAt != 0)
}
