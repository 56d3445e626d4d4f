package import ControlPlane
package import Ledger
package import Model
package import Projections

/// What the API stands on: where commands go, and where answers come from.
package struct Platform: Sendable {
    package var submit: @Sendable (AdminRequest) async throws(AdminRejection) -> AdminOutcome
    package var views: Views
    package var log: any EventLog
    package var workers: @Sendable () async -> [WorkerStatus]
    package var bindings: @Sendable (SubscriberID) async -> [Binding]
}
