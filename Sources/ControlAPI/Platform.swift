package import Bus
package import ControlPlane
package import Ledger
package import Model
package import OpenSSL
package import Projections

/// What the API stands on: where commands go, and where answers come from.
package struct Platform: Sendable {
    package var submit: @Sendable (AdminRequest) async throws(AdminRejection) -> AdminOutcome
    package var workers: @Sendable () async -> [WorkerStatus]
    package var bindings: @Sendable (SubscriberID) async -> [Binding]
    package var views: Views
    package var log: any EventLog
    /// Names the log in checkpoints.
    package var origin: String
    package var signingKey: SigningKey
    /// What a worker must know the control plane by, and where it finds it.
    package var busKey: CurvePublicKey
    package var endpoints: @Sendable () -> (desk: String, feed: String)?
    let counters = RequestCounters()

    package init(_ service: ControlPlaneService) {
        let driver = service.driver
        submit = { request async throws(AdminRejection) in try await driver.submit(request) }
        workers = { await driver.workers() }
        bindings = { subscriber in await driver.bindings(of: subscriber) }
        views = service.views
        log = service.log
        origin = service.configuration.platform
        signingKey = service.signingKey
        busKey = service.busKey
        endpoints = { service.endpoints }
    }
}
