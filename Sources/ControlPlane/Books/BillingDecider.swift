import Foundation
import Invoices
package import Model
import OpenSSL
package import Primitives
import Projections
import SwiftProtobuf

/// How a provider, or the platform, bills: its particulars on paper, numbers, schedule, templates.
package enum BillingDecider {
    static let templateBytesMax = 128 << 10

    static func change<State: ViewQueries & ~Copyable>(
        _ billing: Billing, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        let id = try seller(billing.providerID, in: state)
        let seller = billing.seller
        let texts: [(String, String)] = [
            ("name", seller.name), ("street", seller.street), ("postal_code", seller.postalCode), ("city", seller.city),
            ("registration", seller.registration), ("email", seller.email), ("phone", seller.phone), ("bank", seller.bank),
        ]
        for (field, text) in texts { try Checks.shortText(text, field: "seller/" + field) }
        guard seller.country.isEmpty || isLetters(seller.country, 2...2) else {
            throw AdminRejection.invalid("seller/country", "must be an ISO 3166-1 code of two letters, such as DE")
        }
        let before = try state.billing(of: id)?.seller
        let isNew = seller.vatNumber != before?.vatNumber || seller.country != before?.country
        if isNew, !seller.vatNumber.isEmpty, let fault = VATNumber.fault(seller.vatNumber, country: seller.country) {
            throw AdminRejection.invalid("seller/vat_number", fault)
        }
        guard seller.iban.isEmpty || isIBAN(seller.iban) else { throw AdminRejection.invalid("seller/iban", "is no IBAN: its check digits do not fit") }
        guard seller.bic.isEmpty || [8, 11].contains(seller.bic.utf8.count), seller.bic.utf8.allSatisfy(isUpperOrDigit) else {
            throw AdminRejection.invalid("seller/bic", "must be 8 or 11 letters and digits")
        }
        for (field, text) in [("invoice_prefix", billing.invoicePrefix), ("credit_note_prefix", billing.creditNotePrefix)] {
            guard text.utf8.count <= 16, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
                throw AdminRejection.invalid(field, "at most 16 printable characters without spaces")
            }
        }
        guard billing.invoiceDay <= 28 else {
            throw AdminRejection.invalid("invoice_day", "must be 1 to 28, so that every month has it; 0: nothing by itself")
        }
        guard billing.paymentDays <= 365 else { throw AdminRejection.invalid("payment_days", "at most 365") }
        for (field, text) in [("payment_terms", billing.paymentTerms), ("note", billing.note), ("exemption_reason", billing.exemptionReason)] {
            guard text.count <= 500 else { throw AdminRejection.invalid(field, "at most 500 characters") }
        }
        guard !billing.hasApprovalAboveMicros || billing.approvalAboveMicros >= 0 else {
            throw AdminRejection.invalid("approval_above", "must not be negative")
        }
        guard billing.approvalDays <= AdjustmentDecider.daysMax else {
            throw AdminRejection.invalid("approval_days", "at most \(AdjustmentDecider.daysMax)")
        }
        if !billing.templateHash.isEmpty {
            guard let template = try state.invoiceTemplate(hash: billing.templateHash), template.providerID == billing.providerID else {
                throw AdminRejection.unknownReference("template", hex(Array(billing.templateHash)))
            }
        }
        if !billing.alertWebhook.isEmpty {
            guard billing.alertWebhook.utf8.count <= 512, let url = URL(string: billing.alertWebhook), let host = url.host, !host.isEmpty,
                url.scheme == "https" || (url.scheme == "http" && isLoopback(host)), url.user == nil
            else {
                throw AdminRejection.invalid("alert_webhook", "must be an https address without a password in it")
            }
        }
        if billing.providerID.isEmpty, !billing.alertWebhook.isEmpty || billing.mailAlerts {
            throw AdminRejection.invalid(billing.mailAlerts ? "mail_alerts" : "alert_webhook", "alerts are of customers, and the platform has none")
        }
        try checkVAT(billing)
        // A schedule that begins by itself issues documents: they must say whose they are.
        if billing.invoiceDay > 0 {
            guard !seller.name.isEmpty, !seller.country.isEmpty else {
                throw AdminRejection.invalid("invoice_day", "needs the seller's name and country first")
            }
        }
        decision.record(.billingChanged(.with { $0.billing = billing }), in: stream(of: id))
        return id.value
    }

    /// Nothing said is the platform.
    private static func seller<State: ViewQueries & ~Copyable>(_ id: Data, in state: borrowing State) throws -> ProviderID {
        guard !id.isEmpty else { return ProviderID(.platform) }
        _ = try Ownership.provider(id, in: state)
        return ProviderID(try Checks.reference(id, field: "provider_id"))
    }

    private static func checkVAT(_ billing: Billing) throws {
        guard billing.vatRates.count <= 200 else { throw AdminRejection.invalid("vat_rates", "at most 200") }
        var seen: Set<[String]> = []
        for (index, rate) in billing.vatRates.enumerated() {
            let place = "vat_rates/\(index)"
            guard isLetters(rate.country, 2...2) else { throw AdminRejection.invalid(place + "/country", "must be an ISO 3166-1 code of two letters, such as DE") }
            guard rate.class == .standard || rate.class == .reduced else {
                throw AdminRejection.invalid(place + "/class", "must be standard or reduced: the others have no rate")
            }
            guard rate.basisPoints > 0, rate.basisPoints <= 10_000 else { throw AdminRejection.invalid(place + "/rate", "must be more than 0 and at most 100 percent") }
            guard seen.insert([rate.country, rate.class.literal]).inserted else {
                throw AdminRejection.invalid(place, "\(rate.country) has a \(rate.class.literal) rate already")
            }
        }
        guard billing.vatItems.count <= 200 else { throw AdminRejection.invalid("vat_items", "at most 200") }
        for (index, item) in billing.vatItems.enumerated() {
            try Checks.recognised(item.kind.isRecognised, field: "vat_items/\(index)/kind")
            try Checks.recognised(item.class.isRecognised, field: "vat_items/\(index)/class")
            try Checks.shortText(item.name, field: "vat_items/\(index)/name")
            // A correction names no destination.
            guard item.kind != .calls || item.name.isEmpty else { throw AdminRejection.invalid("vat_items/\(index)/name", "calls are all of one class: leave the name out") }
        }
    }

    static func publish<State: ViewQueries & ~Copyable>(
        _ template: InvoiceTemplatePublished, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        var template = template
        let id = try seller(template.providerID, in: state)
        guard !template.html.isEmpty, template.html.utf8.count <= templateBytesMax else {
            throw AdminRejection.invalid("html", "must have 1 to \(templateBytesMax) bytes")
        }
        do throws(TemplateError) {
            _ = try Template(template.html)
        } catch {
            throw AdminRejection.invalid("html", error.description)
        }
        template.hash = Data(Hash.sha256(Array(template.html.utf8)))
        if try state.invoiceTemplate(hash: template.hash) == nil {
            decision.record(.invoiceTemplatePublished(template), in: stream(of: id))
        }
        return id.value
    }

    /// Its own, so that what a provider is and how it bills change under versions of their own.
    package static func stream(of provider: ProviderID) -> UUIDv7 { InvoiceMaker.billingStream(of: provider) }

    private static func isLetters(_ text: String, _ count: ClosedRange<Int>) -> Bool {
        count.contains(text.utf8.count) && text.utf8.allSatisfy { (0x41...0x5A).contains($0) }
    }

    private static func isUpperOrDigit(_ byte: UInt8) -> Bool { (0x41...0x5A).contains(byte) || (0x30...0x39).contains(byte) }

    private static func isLoopback(_ host: String) -> Bool { host == "localhost" || host.hasPrefix("127.") || host == "::1" || host == "[::1]" }

    /// ISO 13616: the number with its head behind, letters as two digits, leaves 1 when divided by 97.
    private static func isIBAN(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard (15...34).contains(bytes.count), bytes.allSatisfy(isUpperOrDigit) else { return false }
        var rest = 0
        for byte in bytes[4...] + bytes[..<4] {
            if byte >= 0x41 { rest = (rest * 100 + Int(byte) - 55) % 97 } else { rest = (rest * 10 + Int(byte) - 48) % 97 }
        }
        return rest == 1
    }
}
