internal import Foundation
internal import Invoices
package import Ledger
package import Logging
internal import Model
package import Primitives
package import Projections

/// Issues the invoices of sellers, providers and the platform, that have a day of the month for it. Each month that is over is one invoice, also when several went by
/// while nothing ran. That a month is done is said by the debtor's last invoice; a month without anything to bill has none, which is
/// found out once a start.
package final class InvoiceSchedule {
    private let views: Views
    private let log: any EventLog
    private let desk: InvoiceDesk
    private let logger: Logger
    private let submit: @Sendable (AdminRequest) -> Result<AdminOutcome, AdminRejection>
    /// For so long after the end of a month nothing is issued: the month's fees are charged then.
    package static let graceMicroseconds: Int64 = 600_000_000
    /// What failed is tried again after so long.
    private static let pause: Duration = .seconds(60)
    /// When the debtors of a seller were looked at last, and for which boundary.
    private var looked: [ProviderID: (boundary: WallTime, at: WallTime)] = [:]
    /// Up to which boundary a debt was looked at.
    private var done: [Debt: WallTime] = [:]
    /// When a debt whose invoice failed is tried again.
    private var pausedUntil: [Debt: WallTime] = [:]

    package init(
        views: Views, log: any EventLog, desk: InvoiceDesk, logger: Logger,
        submit: @escaping @Sendable (AdminRequest) -> Result<AdminOutcome, AdminRejection>
    ) {
        self.views = views
        self.log = log
        self.desk = desk
        self.logger = logger
        self.submit = submit
    }

    package func pass(at now: WallTime, isStopping: () -> Bool = { false }) {
        let billings = views.read(for: "invoices", logger: logger) { snapshot throws(ViewsError) in try snapshot.billings() }
        for billing in billings ?? [] where billing.invoiceDay > 0 {
            guard let id = ProviderID(seller: billing.providerID), !isStopping() else { continue }
            let zone = views.read(for: "invoices", logger: logger) { snapshot throws(ViewsError) in try snapshot.provider(id)?.timeZone ?? "" }
            guard let zone else { continue }
            let calendar = BillingCalendar(timeZone: zone)
            let boundary = calendar.boundary(day: billing.invoiceDay, atOrBefore: WallTime(microseconds: now.microseconds - Self.graceMicroseconds))
            // Between two billing days nothing is due but what failed, and debtors are many.
            if let last = looked[id], last.boundary == boundary, now < last.at + Self.pause { continue }
            looked[id] = (boundary, now)
            let debts = views.read(for: "invoices", logger: logger) { snapshot throws(ViewsError) in try snapshot.debts(to: id, ofProviders: billing.invoiceProviders) }
            for debt in debts ?? [] where done[debt].map({ $0 < boundary }) ?? true {
                guard !isStopping(), pausedUntil[debt].map({ $0 <= now }) ?? true else { continue }
                catchUp(debt, billing.invoiceDay, calendar, to: boundary, at: now)
            }
        }
    }

    private func catchUp(_ debt: Debt, _ day: UInt32, _ calendar: BillingCalendar, to last: WallTime, at now: WallTime) {
        let begin = views.read(for: "invoices", logger: logger) { snapshot throws(ViewsError) in try desk.begin(debt, before: last, in: snapshot) }
        guard var from = begin else { return }
        while true {
            let boundary = calendar.boundary(day: day, after: from)
            guard boundary <= last else { break }
            do {
                let invoice = try desk.worked { views throws(InvoiceError) in
                    let through: UInt64
                    do throws(ViewsError) { through = try desk.cut(debt, before: boundary, in: views) } catch { throw .views(error) }
                    var random = RandomSource.system
                    return try InvoiceMaker.invoice(
                        of: debt, InvoicePeriod(through: through, from: from, to: boundary, issuedAt: now), id: UUIDv7(at: now, random: &random), in: views)
                }
                _ = try submit(AdminRequest(.issueInvoice(invoice), actor: "invoices", requestID: "schedule")).get()
            } catch InvoiceError.nothingToBill {
                // Nothing is issued, and the next one begins where this would have ended.
            } catch InvoiceError.cutIsBeforeLast {
                // Somebody has issued one by hand that goes further.
            } catch {
                logger.warning("an invoice could not be issued and is tried again", metadata: [debt.debtor.noun: "\(debt.debtor.id)", "reason": "\(error)"])
                pausedUntil[debt] = now + Self.pause
                return
            }
            from = boundary
        }
        done[debt] = last
    }
}

extension ViewQueries where Self: ~Copyable {
    /// What customers, and providers if they are wanted, may owe a seller: a customer in its currency, a provider in each in which it was charged.
    fileprivate func debts(to seller: ProviderID, ofProviders: Bool) throws(ViewsError) -> [Debt] {
        var debts: [Debt] = []
        if seller.value != .platform {
            for customer in try customers(of: seller, limit: .max) {
                if let id = CustomerID(customer.id), let currency = Currency(customer.currency) { debts.append(Debt(.customer(id), currency)) }
            }
        }
        guard ofProviders else { return debts }
        for provider in try providers(under: seller.value == .platform ? nil : seller, limit: .max) {
            guard let id = ProviderID(provider.id) else { continue }
            debts += try payables(of: id).compactMap { Currency($0.account.currency) }.map { Debt(.provider(id), $0) }
        }
        return debts
    }
}
