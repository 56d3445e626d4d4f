internal import Invoices
package import Ledger
package import Logging
internal import Model
package import Primitives
package import Projections

/// Looks at customers with thresholds and asks for a decision where one was crossed. Between two looks nothing is noticed: an account
/// that falls below and is topped up within a second raises no alert.
package final class AccountWatch {
    private let views: Views
    private let log: any EventLog
    private let logger: Logger
    private let submit: @Sendable (AdminRequest) -> Result<AdminOutcome, AdminRejection>
    /// What was added up so far, so that a month's movements are read once.
    private var spending: [CustomerID: Spending] = [:]

    private struct Spending {
        var month: String
        var sequence: UInt64
        var index: UInt32
        var micros: Int64
    }

    package init(
        views: Views, log: any EventLog, logger: Logger, submit: @escaping @Sendable (AdminRequest) -> Result<AdminOutcome, AdminRejection>
    ) {
        self.views = views
        self.log = log
        self.logger = logger
        self.submit = submit
    }

    package func pass(at now: WallTime) {
        let commands = views.read(for: "thresholds", logger: logger) { snapshot throws(ViewsError) in try due(in: snapshot, at: now) }
        for command in commands ?? [] {
            // Looked at again in a second.
            if case .failure(let reason) = submit(AdminRequest(command, actor: "alerts", requestID: "thresholds")) {
                logger.warning("an alert could not be raised", metadata: ["reason": "\(reason)"])
            }
        }
    }

    private func due(in views: borrowing ViewSnapshot, at now: WallTime) throws(ViewsError) -> [AdminCommand] {
        var commands: [AdminCommand] = []
        for id in try views.watchedCustomers() {
            guard let customer = try views.customer(id), let currency = Currency(customer.currency) else { continue }
            let account = AccountRef.customer(id, currency)
            let low = try views.openAlert(of: id, .lowBalance)
            let isLow = customer.hasLowBalanceAlertMicros ? try views.available(account) < customer.lowBalanceAlertMicros : false
            if isLow != (low != nil) { commands.append(.watchBalance(id)) }
            let open = try views.openAlert(of: id, .spend)
            guard customer.hasSpendAlertMicros || open != nil else { continue }
            let zone = try customer.timeZone.isEmpty ? ProviderID(customer.providerID).flatMap { id throws(ViewsError) in try views.provider(id)?.timeZone } ?? "" : customer.timeZone
            let spent = try spent(id, account, BillingCalendar(timeZone: zone), at: now, in: views)
            let isOver = customer.hasSpendAlertMicros && spent.micros >= customer.spendAlertMicros
            if isOver != (open != nil) || (open.map { $0.raised.period != spent.month } ?? false) {
                commands.append(.watchSpend(id, spent: spent.micros, period: spent.month))
            }
        }
        return commands
    }

    private func spent(
        _ id: CustomerID, _ account: AccountRef, _ calendar: BillingCalendar, at now: WallTime, in views: borrowing ViewSnapshot
    ) throws(ViewsError) -> Spending {
        let month = calendar.month(of: now)
        var sum: Spending
        if let known = spending[id], known.month == month {
            sum = known
        } else {
            let start = calendar.boundary(day: 1, atOrBefore: now)
            do throws(LedgerError) {
                let before = try log.sequence(asOf: WallTime(microseconds: start.microseconds - 1))
                sum = Spending(month: month, sequence: before, index: .max, micros: 0)
            } catch {
                throw .log(error)
            }
        }
        while true {
            let page = try views.postings(of: account, after: (sum.sequence, sum.index), limit: 500)
            for posting in page {
                (sum.sequence, sum.index) = (posting.sequence, posting.index)
                if posting.kind.isCharge { sum.micros &-= posting.amountMicros }
            }
            guard page.count == 500 else { break }
        }
        spending[id] = sum
        return sum
    }
}

extension JournalKind {
    /// Whether it counts as spending: not what was paid in, put right by hand, or added by a document.
    fileprivate var isCharge: Bool {
        switch self {
        case .topUp, .voucher, .adjustment, .payment, .invoice, .creditNote: false
        case .call, .rerating, .fee, .package, .UNRECOGNIZED: true
        }
    }
}
