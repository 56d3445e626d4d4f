import Foundation
import Invoices
import Model
import Primitives
import Projections
import SwiftProtobuf

/// Thresholds of customers: a fact when one is crossed, a fact when the customer is on the good side again, nothing in between.
enum AlertDecider {
    /// Decided by what the account stands at when it is decided.
    static func watchBalance<State: ViewQueries & ~Copyable>(
        _ id: CustomerID, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        guard let customer = try state.customer(id) else { throw AdminRejection.notFound("customer", id.description) }
        let threshold = customer.hasLowBalanceAlertMicros ? customer.lowBalanceAlertMicros : nil
        let value = try state.available(.customer(customer))
        try watch(customer, .lowBalance, threshold, value, isCrossed: { value < $0 }, period: "", in: state, &decision)
        return id.value
    }

    /// - Parameters:
    ///   - spent: in the month, by who has added it up.
    ///   - period: the month by the customer's clock: 2026-11.
    static func watchSpend<State: ViewQueries & ~Copyable>(
        _ id: CustomerID, spent: Int64, period: String, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        guard let customer = try state.customer(id) else { throw AdminRejection.notFound("customer", id.description) }
        let threshold = customer.hasSpendAlertMicros ? customer.spendAlertMicros : nil
        try watch(customer, .spend, threshold, spent, isCrossed: { spent >= $0 }, period: period, in: state, &decision)
        return id.value
    }

    private static func watch<State: ViewQueries & ~Copyable>(
        _ customer: Customer, _ kind: AlertKind, _ threshold: Int64?, _ value: Int64, isCrossed: (Int64) -> Bool, period: String,
        in state: borrowing State, _ decision: inout Decision
    ) throws {
        guard let id = CustomerID(customer.id) else { return }
        let open = try state.openAlert(of: id, kind)
        if let open, let alert = AlertID(open.raised.id) {
            let lasts = threshold.map(isCrossed) ?? false
            // Of spending, a month that is over is over.
            if lasts, open.raised.period == period { return }
            decision.record(
                .alertCleared(
                    .with {
                        $0.id = open.raised.id
                        $0.customerID = customer.id
                        $0.kind = kind
                    }), in: alert.value)
        }
        guard let threshold, isCrossed(threshold) else { return }
        let alert = decision.newID()
        var raised = AlertRaised()
        raised.id = Data(alert.bytes)
        raised.customerID = customer.id
        raised.providerID = customer.providerID
        raised.kind = kind
        raised.threshold = amount(threshold, customer)
        raised.value = amount(value, customer)
        raised.period = period
        decision.record(.alertRaised(raised), in: alert)
        guard try state.billing(ofSeller: customer.providerID)?.mailAlerts == true, let id = CustomerID(customer.id) else { return }
        if let buyer = try Buyer(.customer(id), in: state) { LetterDecider.tell(of: raised, id, buyer, &decision) }
    }

    /// Once: who delivers has tried for as long as it wants to.
    static func sent<State: ViewQueries & ~Copyable>(
        _ sent: AlertSent, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        let id = try Checks.existingID(sent.id)
        guard let alert = try state.alert(AlertID(id)) else { throw AdminRejection.notFound("alert", id.description) }
        guard !alert.hasSent else { throw AdminRejection.inUse(reason: "the alert was delivered before") }
        decision.record(.alertSent(sent), in: id)
        return id
    }

    private static func amount(_ micros: Int64, _ customer: Customer) -> Amount {
        .with {
            $0.micros = micros
            $0.currency = customer.currency
        }
    }
}
