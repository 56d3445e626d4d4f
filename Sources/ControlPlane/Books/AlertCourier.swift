internal import Foundation
package import Logging
internal import Model
package import Primitives
package import Projections
internal import SwiftProtobuf

/// Takes alerts to where they are to go, again and again with longer pauses, and records how it ended. What was tried so far is
/// forgotten with the process: a restarted one begins anew, and nothing is lost.
package final class AlertCourier {
    package static let attemptsMax: UInt32 = 8
    private let views: Views
    private let carriers: [any AlertCarrier]
    private let logger: Logger
    private let submit: @Sendable (AdminRequest) -> Result<AdminOutcome, AdminRejection>
    private var attempts: [AlertID: (count: UInt32, next: WallTime)] = [:]

    package init(
        views: Views, carriers: [any AlertCarrier], logger: Logger,
        submit: @escaping @Sendable (AdminRequest) -> Result<AdminOutcome, AdminRejection>
    ) {
        self.views = views
        self.carriers = carriers
        self.logger = logger
        self.submit = submit
    }

    /// 1 s, 4 s, 16 s … about an hour and a half in all.
    package static func pause(after attempts: UInt32) -> Duration { .seconds(1 << (2 * Int64(min(attempts, 7) - 1))) }

    package func pass(at now: WallTime) {
        let waiting = views.read(for: "alerts", logger: logger) { snapshot throws(ViewsError) in try snapshot.unsentAlerts(limit: 100) }
        for alert in waiting ?? [] {
            guard let id = AlertID(alert.raised.id), attempts[id].map({ $0.next <= now }) ?? true else { continue }
            deliver(alert, id, at: now)
        }
    }

    private func deliver(_ alert: AlertState, _ id: AlertID, at now: WallTime) {
        let known = views.read(for: "alerts", logger: logger) { snapshot throws(ViewsError) -> (Billing?, Customer?) in
            var customer: Customer?
            if let id = CustomerID(alert.raised.customerID) { customer = try snapshot.customer(id) }
            let provider = ProviderID(alert.raised.providerID)
            return (try provider.map { id throws(ViewsError) in try snapshot.billing(of: id) } ?? nil, customer)
        }
        guard let (billing, customer) = known else { return }
        let count = (attempts[id]?.count ?? 0) + 1
        guard let customer, let carrier = carriers.first(where: { $0.serves(billing, customer) }) else {
            if customer != nil, billing?.mailAlerts == true {
                return record(id, way: "mail", AlertDelivery(isDelivered: true, detail: "left to the mail, whose letter says what became of it"), attempts: 0)
            }
            // Nobody is to be told: the alert is listed, and that is all.
            return record(id, way: "none", AlertDelivery(isDelivered: false, detail: "no way to deliver is set"), attempts: 0)
        }
        let delivery = carrier.deliver(alert, billing, customer)
        guard delivery.isDelivered || count >= Self.attemptsMax else {
            attempts[id] = (count, now + Self.pause(after: count))
            logger.warning("an alert was not taken and is sent again", metadata: ["alert": "\(id)", "attempts": "\(count)", "reason": "\(delivery.detail)"])
            return
        }
        record(id, way: carrier.name, delivery, attempts: count)
    }

    private func record(_ id: AlertID, way: String, _ delivery: AlertDelivery, attempts count: UInt32) {
        var sent = AlertSent()
        sent.id = id.data
        sent.way = way
        sent.delivered = delivery.isDelivered
        sent.attempts = count
        sent.detail = String(delivery.detail.prefix(200))
        _ = submit(AdminRequest(.recordAlertSent(sent), actor: "alerts", requestID: "delivery"))
        attempts[id] = nil
    }
}
