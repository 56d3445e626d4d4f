import Foundation
import Model
import Primitives

extension Billing: Blank {}
extension SellerParty: Blank {}
extension VATRate: Blank {}
extension VATItem: Blank {}

extension Customer {
    /// nil: none.
    var lowBalanceAlert: Int64? {
        get { hasLowBalanceAlertMicros ? lowBalanceAlertMicros : nil }
        set { if let newValue { lowBalanceAlertMicros = newValue } else { clearLowBalanceAlertMicros() } }
    }
    var spendAlert: Int64? {
        get { hasSpendAlertMicros ? spendAlertMicros : nil }
        set { if let newValue { spendAlertMicros = newValue } else { clearSpendAlertMicros() } }
    }
}

extension Billing {
    var approvalAbove: Int64? {
        get { hasApprovalAboveMicros ? approvalAboveMicros : nil }
        set { if let newValue { approvalAboveMicros = newValue } else { clearApprovalAboveMicros() } }
    }
}

extension Field {
    /// An amount that need not be there.
    static func money(orNull name: String, _ path: Path<Int64?>, _ about: String) -> Field {
        Field(
            name, path, .readWrite, isRequired: false, schema: Schema.orNull(Schema.money), about: about,
            read: { entity, context in entity[keyPath: path].map { context.amount(micros: $0) } ?? .null },
            write: { value, entity, context, pointer, faults in
                guard let money = Money(value, pointer, &faults) else { return }
                if let expected = context.currency, money.currency != expected {
                    return faults.add(pointer.appending("currency"), "must be \(expected)")
                }
                entity[keyPath: path] = money.micros
            })
    }

    /// An object within the object; a change of it changes what it names.
    static func object<Item: Blank>(_ name: String, _ path: Path<Item>, of shape: Shape<Item>, _ about: String) -> Field {
        Field(
            name, path, .readWrite, isRequired: false, schema: Schema.reference(shape.name), about: about,
            read: { entity, context in shape.json(entity[keyPath: path], context) },
            write: { value, entity, context, pointer, faults in
                shape.merge(value, into: &entity[keyPath: path], context, at: pointer, &faults)
            })
    }
}

extension Shape<SellerParty> {
    static let seller = Shape(
        "Seller",
        [
            .text("name", \.name, "As it is registered."), .text("street", \.street, "With the number."),
            .text("postal_code", \.postalCode, max: 16, "Postal code."), .text("city", \.city, "City."),
            .text("country", \.country, max: 2, "ISO 3166-1 code of two letters."),
            .text("vat_number", \.vatNumber, max: 18, "With the country before it."),
            .text("registration", \.registration, "In the register of companies."), .text("email", \.email, "For questions about a bill."),
            .text("phone", \.phone, max: 32, "For questions about a bill."), .text("iban", \.iban, max: 34, "Without spaces."),
            .text("bic", \.bic, max: 11, "Of the bank."), .text("bank", \.bank, "Its name."),
        ])
}

extension Shape<VATRate> {
    static let vatRate = Shape(
        "VATRate",
        [
            .text("country", \.country, isRequired: true, max: 2, "ISO 3166-1 code of two letters."),
            .choice("class", \.class, "standard or reduced."),
            .percent("rate", \.basisPoints, "Percent, such as 19 or 8.1."),
        ])
}

extension Shape<VATItem> {
    static let vatItem = Shape(
        "VATItem",
        [
            .choice("kind", \.kind, "What is sold: calls (and corrections of them), fees, packages, adjustments."),
            .text("name", \.name, "As the line is called: a package, a reason, a plan; empty: all of the kind. Calls are all of one class."),
            .choice("class", \.class, "Its class: standard and reduced have the rate of the country, zero has none, exempt has none for a reason."),
        ])
}

extension Shape<Billing> {
    static let billing = Shape(
        "Billing",
        [
            .reference("provider_id", \.providerID, access: .readOnly, "Whose it is; null: the platform's."),
            .object("seller", \.seller, of: .seller, "Who stands on its invoices."),
            .text("invoice_prefix", \.invoicePrefix, max: 16, "Before the number of an invoice."),
            .text("credit_note_prefix", \.creditNotePrefix, max: 16, "Before the number of a credit note."),
            .integer("invoice_day", \.invoiceDay, 0...28, "Of the month, in the provider's time zone; 0: nothing is issued by itself."),
            .flag("invoice_providers", \.invoiceProviders, "Whether on invoice_day the providers directly below it are billed as well, of what they owe."),
            .integer("payment_days", \.paymentDays, 0...365, "From the date of issue."),
            .text("payment_terms", \.paymentTerms, max: 500, "For people."),
            .text("note", \.note, max: 500, "At the foot of every invoice."),
            .flag("call_list", \.callList, "Whether each call is listed in a file beside the invoice."),
            .text("exemption_reason", \.exemptionReason, max: 500, "Why a customer pays no VAT; on invoices without."),
            .list("vat_rates", \.vatRates, of: .vatRate, max: 200, "Rates of VAT by country and class, for customers whose vat_treatment is by_country or domestic."),
            .list("vat_items", \.vatItems, of: .vatItem, max: 200, "Which class what is sold has; the first that fits decides, what none fits is standard."),
            .flag("mail_invoices", \.mailInvoices, "Whether invoices and credit notes are mailed when they are issued, to customers that do not choose otherwise."),
            .flag("mail_alerts", \.mailAlerts, "Whether a customer gets a mail when its threshold is crossed."),
            .money(orNull: "approval_above", \.approvalAbove, "An adjustment beyond it needs a second person; null: none does."),
            .integer("approval_days", \.approvalDays, 0...90, "For so long a request waits; 0: 7."),
            .text("alert_webhook", \.alertWebhook, max: 512, "An https address to which alerts are posted; empty: they are listed alone."),
            Field(
                "template", \.templateHash, .readWrite, isRequired: false, schema: Schema.orNull(Schema.text(max: 64)),
                about: "Hash of a published template; null: the built-in one.",
                read: { billing, _ in billing.templateHash.isEmpty ? .null : .hex(billing.templateHash) },
                write: { value, billing, _, pointer, faults in
                    guard let text = value.text, let bytes = bytes(hex: text), bytes.count == 32 else {
                        return faults.add(pointer, "must be 64 hexadecimal digits")
                    }
                    billing.templateHash = Data(bytes)
                }),
        ])
}
