package import Model

/// The one thread that decides: it takes requests from the bus and from `submit`, hands them to `ControlCore`
/// in batches and carries out what comes back.
package final class ControlDriver: Sendable {
    init() {}

    /// Returns when the command is durable. Cancelling the task does not take the command back.
    package func submit(_ request: AdminRequest) async throws(AdminRejection) -> AdminOutcome {
        throw .unavailable(reason: "the control plane is not running")
    }

    /// Every enrolled worker, by name.
    package func workers() async -> [WorkerStatus] { [] }

    /// The contacts by which a subscriber is reached now.
    package func bindings(of subscriber: SubscriberID) async -> [Binding] { [] }
}
