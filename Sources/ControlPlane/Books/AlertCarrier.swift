package import Model

/// A way in which alerts leave: an HTTP webhook now, others beside it. What is tried again, and when it is given up, is the courier's.
package protocol AlertCarrier: Sendable {
    /// Stands in the fact of the delivery: `webhook`.
    var name: String { get }
    /// Whether it has somewhere to deliver this to.
    func serves(_ billing: Billing?, _ customer: Customer) -> Bool
    /// Waits for the other side. On a thread of its own.
    func deliver(_ alert: AlertState, _ billing: Billing?, _ customer: Customer) -> AlertDelivery
}

package struct AlertDelivery: Equatable, Sendable {
    package var isDelivered: Bool
    /// What the other side said; no secrets.
    package var detail: String

    package init(isDelivered: Bool, detail: String) {
        self.isDelivered = isDelivered
        self.detail = detail
    }
}
