internal import Dispatch
internal import Foundation
package import Ledger
package import Logging
internal import Model
package import Primitives
package import Projections
internal import Synchronization

/// What the books need at a time: thresholds looked at, requests that nobody decided forgotten, alerts delivered, invoices issued. On threads of their own,
/// so that a slow receiver holds up nothing else. What is true is in the log; a restarted process catches up.
package final class BooksService: Sendable {
    private let views: Views
    private let log: any EventLog
    private let logger: Logger
    private let carriers: [any AlertCarrier]
    package let desk: InvoiceDesk
    private let submit: @Sendable (AdminRequest) -> Result<AdminOutcome, AdminRejection>
    private let isStopping = Mutex(false)
    private let wakers = [DispatchSemaphore(value: 0), DispatchSemaphore(value: 0), DispatchSemaphore(value: 0)]
    private let threads = Mutex<[DriverThread]>([])

    package init(
        views: Views, log: any EventLog, desk: InvoiceDesk, carriers: [any AlertCarrier], logger: Logger,
        submit: @escaping @Sendable (AdminRequest) -> Result<AdminOutcome, AdminRejection>
    ) {
        self.views = views
        self.log = log
        self.carriers = carriers
        self.desk = desk
        self.logger = logger
        self.submit = submit
    }

    func start() throws(ControlPlaneError) {
        let keeper = try DriverThread("accounts") { [self] in
            let watch = AccountWatch(views: views, log: log, logger: logger, submit: submit)
            every(second: wakers[0]) { now in
                watch.pass(at: now)
                expireAdjustments(at: now)
            }
        }
        let courier = try DriverThread("alerts") { [self] in
            let courier = AlertCourier(views: views, carriers: carriers, logger: logger, submit: submit)
            every(second: wakers[1]) { courier.pass(at: $0) }
        }
        let issuer = try DriverThread("invoices") { [self] in
            // What was due while nothing ran is charged first.
            _ = wakers[2].wait(timeout: .now() + 30)
            let schedule = InvoiceSchedule(views: views, log: log, desk: desk, logger: logger, submit: submit)
            every(second: wakers[2]) { now in schedule.pass(at: now) { isStopping.withLock { $0 } } }
        }
        threads.withLock { $0 = [keeper, courier, issuer] }
    }

    func stop() {
        isStopping.withLock { $0 = true }
        for waker in wakers { waker.signal() }
        let started = threads.withLock { threads in
            defer { threads = [] }
            return threads
        }
        for thread in started { thread.join() }
    }

    private func every(second waker: DispatchSemaphore, _ body: (WallTime) -> Void) {
        while !isStopping.withLock({ $0 }) {
            body(.now)
            _ = waker.wait(timeout: .now() + 1)
        }
    }

    package func expireAdjustments(at now: WallTime) {
        let due = views.read(for: "adjustments", logger: logger) { snapshot throws(ViewsError) in try snapshot.adjustments(limit: .max) }
        for state in due ?? [] where !state.hasDecided && state.requested.expiresAt <= now.microseconds {
            guard let id = AdjustmentID(state.requested.id) else { continue }
            if case .failure(let reason) = submit(AdminRequest(.expireAdjustment(id), actor: "books", requestID: "expiry")) {
                logger.warning("an adjustment could not be closed and is tried again", metadata: ["adjustment": "\(id)", "reason": "\(reason)"])
            }
        }
    }
}
