public import Foundation
public import Model
public import Primitives
import Subjects

// Money beside calls: what waits for a second person, vouchers, alerts.
extension ViewQueries where Self: ~Copyable {
    /// nil: nothing was ever said.
    public func billing(of provider: ProviderID) throws(ViewsError) -> Billing? {
        try message(Billing.self, Key(provider.value), in: .billing)
    }

    /// - Parameter seller: a provider's id; empty: the platform.
    public func billing(ofSeller seller: Data) throws(ViewsError) -> Billing? {
        guard let id = ProviderID(seller: seller) else { return nil }
        return try billing(of: id)
    }

    /// What a provider owes the one above it, an account to each currency that was ever moved.
    public func payables(of provider: ProviderID) throws(ViewsError) -> [AccountState] {
        let prefix = Key([UInt8(truncatingIfNeeded: AccountKind.providerPayable.rawValue)]).adding(provider.value)
        return try messages(AccountState.self, in: .accounts, prefix: prefix, limit: .max)
    }

    public func billings() throws(ViewsError) -> [Billing] { try messages(Billing.self, in: .billing, limit: .max) }

    public func adjustment(_ id: AdjustmentID) throws(ViewsError) -> AdjustmentState? {
        try message(AdjustmentState.self, Key(id.value), in: .adjustments)
    }

    /// The oldest first.
    public func adjustments(after: AdjustmentID? = nil, limit: Int) throws(ViewsError) -> [AdjustmentState] {
        try messages(AdjustmentState.self, in: .adjustments, after: after.map { Key($0.value) }, limit: limit)
    }

    /// - Parameter code: its keyed hash.
    public func voucher(code: Data) throws(ViewsError) -> VoucherState? {
        try message(VoucherState.self, Key(Array(code)), in: .vouchers)
    }

    public func voucherBatch(_ id: VoucherBatchID) throws(ViewsError) -> VoucherBatch? {
        try message(VoucherBatch.self, Key(id.value), in: .voucherBatches)
    }

    public func voucherBatches(after: VoucherBatchID? = nil, limit: Int) throws(ViewsError) -> [VoucherBatch] {
        try messages(VoucherBatch.self, in: .voucherBatches, after: after.map { Key($0.value) }, limit: limit)
    }

    /// When the customer last tried codes that are none, the oldest first.
    public func voucherMisses(of customer: CustomerID) throws(ViewsError) -> [Int64] {
        try message(VoucherMisses.self, Key(customer.value), in: .voucherMisses)?.at ?? []
    }

    public func alert(_ id: AlertID) throws(ViewsError) -> AlertState? {
        try message(AlertState.self, Key(id.value), in: .alerts)
    }

    /// The oldest first.
    public func alerts(after: AlertID? = nil, limit: Int) throws(ViewsError) -> [AlertState] {
        try messages(AlertState.self, in: .alerts, after: after.map { Key($0.value) }, limit: limit)
    }

    /// The alert of the kind that lasts; nil: none does.
    public func openAlert(of customer: CustomerID, _ kind: AlertKind) throws(ViewsError) -> AlertState? {
        let key = Key(customer.value).adding(UInt32(truncatingIfNeeded: kind.rawValue))
        guard let id = try value(key, in: .openAlerts).flatMap({ UUIDv7(bytes: $0) }) else { return nil }
        return try alert(AlertID(id))
    }

    /// Customers with a threshold.
    public func watchedCustomers() throws(ViewsError) -> [CustomerID] {
        try page(.alertThresholds, limit: .max).compactMap { UUIDv7(bytes: $0.key.bytes).map(CustomerID.init) }
    }

    /// Alerts that wait to be delivered, the oldest first.
    public func unsentAlerts(limit: Int) throws(ViewsError) -> [AlertState] {
        var found: [AlertState] = []
        for (key, _) in try page(.unsentAlerts, limit: limit) {
            if let state = try message(AlertState.self, key, in: .alerts) { found.append(state) }
        }
        return found
    }
}

// Invoices.
extension ViewQueries where Self: ~Copyable {
    public func invoiceTemplate(hash: Data) throws(ViewsError) -> InvoiceTemplatePublished? {
        try message(InvoiceTemplatePublished.self, Key(Array(hash)), in: .invoiceTemplates)
    }

    /// One more than the last of the provider's series.
    public func nextInvoiceNumber(of provider: ProviderID, _ kind: InvoiceKind) throws(ViewsError) -> UInt64 {
        let key = Key(provider.value).adding(UInt32(truncatingIfNeeded: kind.rawValue))
        return try (number(key, in: .invoiceSeries) ?? 0) + 1
    }

    /// Where the last invoice on a debt ended; nil: there is none.
    public func invoiceHead(of debt: Debt) throws(ViewsError) -> InvoiceHead? {
        try message(InvoiceHead.self, .invoiceHead(debt.debtor, debt.currency.code), in: .invoiceHeads)
    }

    public func invoiceBalance(_ id: InvoiceID) throws(ViewsError) -> InvoiceBalance? {
        try message(InvoiceBalance.self, Key(id.value), in: .invoiceBalances)
    }

    public func invoicePrint(_ id: InvoiceID, _ format: String) throws(ViewsError) -> InvoicePrinted? {
        try message(InvoicePrinted.self, Key(id.value).adding(text: format), in: .invoicePrints)
    }

    public func invoice(_ id: InvoiceID) throws(ViewsError) -> InvoiceIssued? {
        guard let sequence = try invoiceSequence(id) else { return nil }
        return try invoice(at: sequence)
    }

    public func invoiceSequence(_ id: InvoiceID) throws(ViewsError) -> UInt64? { try number(Key(id.value), in: .invoices) }

    public func invoice(of provider: ProviderID, _ kind: InvoiceKind, number: UInt64) throws(ViewsError) -> InvoiceIssued? {
        let key = Key(provider.value).adding(UInt32(truncatingIfNeeded: kind.rawValue)).adding(number)
        guard let sequence = try self.number(key, in: .invoicesByNumber) else { return nil }
        return try invoice(at: sequence)
    }

    /// Of a seller or to a customer, the oldest first, each with its sequence.
    public func invoices(
        of owner: UUIDv7, after sequence: UInt64 = 0, limit: Int
    ) throws(ViewsError) -> [(sequence: UInt64, invoice: InvoiceIssued)] {
        try invoices(owner, in: .invoicesByOwner, after: sequence, limit: limit)
    }

    /// To a debtor, the oldest first.
    public func invoices(
        to debtor: Debtor, after sequence: UInt64 = 0, limit: Int
    ) throws(ViewsError) -> [(sequence: UInt64, invoice: InvoiceIssued)] {
        switch debtor {
        case .customer(let id): try invoices(id.value, in: .invoicesByOwner, after: sequence, limit: limit)
        case .provider(let id): try invoices(id.value, in: .invoicesToProviders, after: sequence, limit: limit)
        }
    }

    private func invoices(
        _ owner: UUIDv7, in table: Table, after sequence: UInt64, limit: Int
    ) throws(ViewsError) -> [(sequence: UInt64, invoice: InvoiceIssued)] {
        let prefix = Key(owner)
        var found: [(sequence: UInt64, invoice: InvoiceIssued)] = []
        for (key, _) in try page(table, prefix: prefix, after: prefix.adding(sequence), limit: limit) {
            var reader = KeyReader(key.bytes)
            reader.skip(16)
            guard let sequence = reader.number64() else { throw .unreadable(table: table) }
            found.append((sequence, try invoice(at: sequence)))
        }
        return found
    }

    private func invoice(at sequence: UInt64) throws(ViewsError) -> InvoiceIssued {
        var invoice = try decoded(InvoiceIssued.self, try fact(at: sequence).payload, of: .invoices)
        guard let keys else { return invoice }
        do {
            try keys.open(&invoice, of: invoice.id)
        } catch {
            throw .personal(error)
        }
        return invoice
    }
}

extension Key {
    /// A customer has one currency.
    static func invoiceHead(_ debtor: Debtor, _ currency: String) -> Key {
        switch debtor {
        case .customer(let id): Key(id.value)
        case .provider(let id): Key(id.value).adding(text: currency)
        }
    }
}

extension ID where Entity == Provider {
    /// Under which the views keep what is of a seller: the platform has an id there, as it has none in the log.
    public init?(seller: Data) {
        if seller.isEmpty { self.init(.platform) } else { self.init(seller) }
    }

    /// As the log has it.
    public var seller: Data { value == .platform ? Data() : data }
}
