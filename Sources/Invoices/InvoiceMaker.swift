import Foundation
package import Model
import OpenSSL
package import Primitives
package import Projections
import SwiftProtobuf

/// Works invoices and credit notes out of a snapshot: everything but that nothing came in between, which only the sequencer can say.
///
/// An invoice is a stretch of the debtor's account, a customer's or what a provider owes the one above it: every movement behind the last invoice's cut up to this one's. So each movement
/// is on exactly one invoice, late ones on the next, and a correction of an old charge on that of the time when it was corrected.
package enum InvoiceMaker {
    /// Version of the code that writes the documents. Layouts stay as they are once something was issued by them: 1 where the customer pays
    /// one rate of VAT, 2 where each line bears its own.
    package static func layout(hasTaxedLines: Bool) -> UInt32 { hasTaxedLines ? 2 : 1 }

    /// The stream in the log of how a provider bills, and of its templates.
    package static func billingStream(of provider: ProviderID) -> UUIDv7 {
        let digest = Hash.sha256(Array("ledgerline billing ".utf8) + provider.value.bytes)
        guard let id = UUIDv7(bytes: digest[0..<16]) else { preconditionFailure("SHA-256 has 32 bytes") }
        return id
    }

    /// - Parameter id: of the new invoice.
    package static func invoice<State: ViewQueries & ~Copyable>(
        of debt: Debt, _ period: InvoicePeriod, id: UUIDv7, in views: borrowing State
    ) throws(InvoiceError) -> InvoiceIssued {
        let parties = try Parties(debt, in: views)
        if case .provider = debt.debtor, parties.buyer.contactID.isEmpty {
            throw .refused("the provider has no contact, whose name and address stand on the invoice: set its contact_id")
        }
        if let country = parties.rules?.missing {
            throw .refused("no standard rate of VAT is set for \(country.isEmpty ? "the seller's country" : country): add it to vat_rates of the provider's billing")
        }
        let after = try onViews { () throws(ViewsError) in try views.invoiceHead(of: debt)?.throughSequence ?? 0 }
        guard period.through >= after else { throw .cutIsBeforeLast(after) }
        let tally = try onViews { () throws(ViewsError) in
            try InvoiceTally(
                of: debt.account, after: after, through: period.through, keepsCalls: parties.billing.callList, language: parties.language, rules: parties.rules, in: views)
        }
        var invoice = parties.blank(id, .invoice, issuedAt: period.issuedAt)
        invoice.periodFrom = period.from.microseconds
        invoice.periodTo = period.to.microseconds
        invoice.afterSequence = after
        invoice.throughSequence = period.through
        try fill(&invoice, from: tally, rate: parties.rate, isPrepaid: parties.buyer.isPrepaid)
        guard !invoice.lines.isEmpty else { throw .nothingToBill }
        if parties.billing.callList, !tally.calls.isEmpty {
            invoice.calls = UInt64(tally.calls.count)
            let list = CallList(tally.calls, currency: invoice.currency, timeZone: invoice.timeZone)
            invoice.callsSha256 = Data(Hash.sha256(list.csv))
        }
        return try numbered(invoice, parties, in: views)
    }

    /// - Parameter net: how much of the invoice's net sum; nil: all that is left.
    package static func creditNote<State: ViewQueries & ~Copyable>(
        of original: InvoiceIssued, net: Int64?, reason: String, issuedAt: WallTime, id: UUIDv7, in views: borrowing State
    ) throws(InvoiceError) -> InvoiceIssued {
        guard let debt = original.debt, let originalID = InvoiceID(original.id), original.kind == .invoice else { throw .noInvoice }
        let parties = try Parties(debt, in: views)
        let balance = try onViews { () throws(ViewsError) in try views.invoiceBalance(originalID) } ?? InvoiceBalance()
        let left = balance.totalMicros - balance.creditedMicros
        var note = parties.blank(id, .creditNote, issuedAt: issuedAt)
        (note.seller, note.buyer, note.language) = (original.seller, original.buyer, original.language)
        note.buyerContactID = original.buyerContactID
        note.layout = original.layout
        (note.vatTreatment, note.vatCountry, note.vatRates, note.vatItems) = (original.vatTreatment, original.vatCountry, original.vatRates, original.vatItems)
        note.exemptionReason = original.exemptionReason
        note.creditedID = original.id
        note.creditedNumber = original.numberText
        note.creditedOn = original.issuedOn
        note.reason = reason
        note.periodFrom = original.periodFrom
        note.periodTo = original.periodTo
        note.throughSequence = views.applied
        if net == nil, balance.creditedMicros == 0 {
            // All of it: the same lines.
            note.lines = original.lines
            for index in note.lines.indices { note.lines[index].exactMicros = note.lines[index].amountMicros }
        } else if original.hasTaxedLines {
            note.lines = try parts(of: original, net: net, left: left, reason, in: views)
        } else {
            let rate = original.taxes.first?.vatBasisPoints ?? 0
            note.lines = [creditLine(reason, net.map { InvoiceAmounts.rounded($0, note.decimals) } ?? Self.net(ofTotal: left, rate, note.decimals))]
        }
        try sum(&note, rate: original.taxes.first ?? parties.rate)
        guard note.totalMicros > 0, note.totalMicros <= left else {
            throw .creditTooLarge(left: "\(Money.decimal(micros: max(0, left))) \(note.currency)")
        }
        note.dueOn = note.issuedOn
        let account = try onViews { () throws(ViewsError) in debt.account.debtorsView(try views.balance(debt.account)) }
        note.openingMicros = account
        note.closingMicros = account + note.totalMicros
        return try numbered(note, parties, in: views)
    }

    /// The net sum that comes to a total with VAT.
    private static func net(ofTotal total: Int64, _ rate: UInt32, _ decimals: UInt32) -> Int64 {
        var net = InvoiceAmounts.rounded(Int64(clamping: Int128(total) * 10_000 / Int128(10_000 + rate)), decimals)
        let unit = InvoiceAmounts.unit(decimals)
        while net > 0, net + InvoiceAmounts.tax(on: net, basisPoints: rate, decimals) > total { net -= unit }
        return net
    }

    /// Lines, VAT, sums and the account, out of the movements: what follows from them and from nothing else.
    ///
    /// - Parameter rate: rate and category of VAT.
    package static func fill(
        _ invoice: inout InvoiceIssued, from tally: InvoiceTally, rate: InvoiceTax, isPrepaid: Bool
    ) throws(InvoiceError) {
        guard tally.isCountable, invoice.decimals <= 6 else { throw .overflow }
        invoice.lines = tally.lines(decimals: invoice.decimals)
        try sum(&invoice, rate: rate)
        invoice.prepaidMicros = isPrepaid ? max(0, invoice.totalMicros) : 0
        invoice.openingMicros = tally.opening + tally.documents
        invoice.paymentsMicros = tally.payments
        invoice.closingMicros = tally.closing - invoice.roundingMicros - invoice.taxMicros
    }

    /// VAT and sums of the lines that are there. VAT is rounded once for each part of the breakdown.
    ///
    /// - Parameter rate: of all lines, where they bear none of their own.
    package static func sum(_ invoice: inout InvoiceIssued, rate: InvoiceTax) throws(InvoiceError) {
        let net = invoice.lines.reduce(Int128(0)) { $0 + Int128($1.amountMicros) }
        let exact = invoice.lines.reduce(Int128(0)) { $0 + Int128($1.exactMicros) }
        let moved = invoice.lines.reduce(Int128(0)) { $0 + Int128($1.amountMicros.magnitude) }
        var taxes = [rate]
        if invoice.hasTaxedLines {
            taxes = []
            for line in invoice.lines where !taxes.contains(where: { $0.isAlike(line.tax) }) { taxes.append(line.tax) }
            let order = ["S", "Z", "E", "AE", "G", "O"]
            func rank(_ tax: InvoiceTax) -> (Int, Int64) { (order.firstIndex(of: tax.category) ?? order.count, -Int64(tax.vatBasisPoints)) }
            taxes.sort { rank($0) < rank($1) }
        }
        guard moved < 1 << 60, net.magnitude < 1 << 60, exact.magnitude < 1 << 60, taxes.allSatisfy({ $0.vatBasisPoints <= 10_000 }), invoice.decimals <= 6 else {
            throw .overflow
        }
        for index in taxes.indices {
            let part = invoice.hasTaxedLines ? invoice.lines.filter { taxes[index].isAlike($0.tax) } : invoice.lines
            let taxable = part.reduce(Int128(0)) { $0 + Int128($1.amountMicros) }
            taxes[index].taxableMicros = Int64(taxable)
            taxes[index].taxMicros = InvoiceAmounts.tax(on: Int64(taxable), basisPoints: taxes[index].vatBasisPoints, invoice.decimals)
        }
        invoice.taxes = taxes
        invoice.netMicros = Int64(net)
        invoice.taxMicros = taxes.reduce(0) { $0 + $1.taxMicros }
        invoice.totalMicros = invoice.netMicros + invoice.taxMicros
        invoice.roundingMicros = Int64(net - exact)
    }

    private static func creditLine(_ reason: String, _ amount: Int64, _ tax: InvoiceTax? = nil) -> InvoiceLine {
        var line = InvoiceLine()
        line.kind = .correction
        line.description_p = reason
        line.calls = 1
        line.amountMicros = amount
        line.exactMicros = amount
        if let tax { (line.vatCategory, line.vatBasisPoints) = (tax.category, tax.vatBasisPoints) }
        return line
    }

    /// A part of an invoice with several parts of VAT is a part of each of them, by what is left of it.
    private static func parts<State: ViewQueries & ~Copyable>(
        of original: InvoiceIssued, net: Int64?, left: Int64, _ reason: String, in views: borrowing State
    ) throws(InvoiceError) -> [InvoiceLine] {
        var rests = original.taxes
        for (_, note) in try onViews({ () throws(ViewsError) in try views.creditNotes(of: original) }) {
            for tax in note.taxes { for index in rests.indices where rests[index].isAlike(tax) { rests[index].taxableMicros -= tax.taxableMicros } }
        }
        rests.removeAll { $0.taxableMicros <= 0 }
        let rest = rests.reduce(Int128(0)) { $0 + Int128($1.taxableMicros) }
        let wanted = min(net.map { Int128(InvoiceAmounts.rounded($0, original.decimals)) } ?? rest, rest)
        guard rest > 0, wanted > 0 else { throw .creditTooLarge(left: "\(Money.decimal(micros: max(0, left))) \(original.currency)") }
        if let net, Int128(net) > rest { throw .creditTooLarge(left: "\(Money.decimal(micros: Int64(rest))) \(original.currency) without VAT") }
        var amounts = InvoiceAmounts.apportioned(rests.map { Int64(Int128($0.taxableMicros) * wanted / rest) }, original.decimals)
        // What the shares were cut by goes to the first, as far as there is something left of it.
        for index in amounts.indices {
            let missing = Int64(wanted) - amounts.reduce(0, +)
            amounts[index] += max(min(missing, rests[index].taxableMicros - amounts[index]), -amounts[index])
        }
        // VAT is rounded for each note: the last one must not give back more than there is.
        let unit = InvoiceAmounts.unit(original.decimals)
        func total() -> Int64 {
            zip(rests, amounts).reduce(0) { $0 + $1.1 + InvoiceAmounts.tax(on: $1.1, basisPoints: $1.0.vatBasisPoints, original.decimals) }
        }
        while net == nil, total() > left, let largest = amounts.indices.max(by: { amounts[$0] < amounts[$1] }), amounts[largest] > 0 { amounts[largest] -= unit }
        return zip(rests, amounts).filter { $0.1 > 0 }.map { creditLine(reason, $0.1, $0.0) }
    }

    /// With the next number of its series, and the hashes of what is printed.
    private static func numbered<State: ViewQueries & ~Copyable>(
        _ draft: InvoiceIssued, _ parties: Parties, in views: borrowing State
    ) throws(InvoiceError) -> InvoiceIssued {
        var invoice = draft
        invoice.number = try onViews { () throws(ViewsError) in try views.nextInvoiceNumber(of: parties.seller, invoice.kind) }
        let digits = String(invoice.number)
        let prefix = invoice.kind == .creditNote ? parties.billing.creditNotePrefix : parties.billing.invoicePrefix
        let zeros = String(repeating: "0", count: max(0, 6 - digits.count))
        invoice.numberText = (prefix.isEmpty && invoice.kind == .creditNote ? "C-" : prefix) + zeros + digits
        let template = try InvoicePage.template(of: invoice, in: views)
        invoice.htmlSha256 = Data(Hash.sha256(InvoicePage.html(invoice, template)))
        if invoice.decimals <= 2 { invoice.ublSha256 = Data(Hash.sha256(ElectronicInvoice.xml(invoice))) }
        return invoice
    }

    /// The calls of an invoice that was issued, out of the log as it is now.
    package static func calls<State: ViewQueries & ~Copyable>(
        of invoice: InvoiceIssued, in views: borrowing State
    ) throws(InvoiceError) -> CallList {
        guard let debt = invoice.debt else { throw .noInvoice }
        let tally = try onViews { () throws(ViewsError) in
            try InvoiceTally(
                of: debt.account, after: invoice.afterSequence, through: invoice.throughSequence, keepsCalls: true,
                language: invoice.language, in: views)
        }
        return tally.callList(of: invoice)
    }
}

/// Who bills whom, by what terms, as it is when the invoice is worked out.
private struct Parties {
    let debt: Debt
    let buyer: Buyer
    let seller: ProviderID
    let billing: Billing
    let language: String
    private let sellerName: String
    private let timeZone: String
    /// By which lines bear VAT; nil: the buyer's own rate is on all of them.
    let rules: VATRules?

    init<State: ViewQueries & ~Copyable>(_ debt: Debt, in views: borrowing State) throws(InvoiceError) {
        guard let buyer = try onViews({ () throws(ViewsError) in try Buyer(debt.debtor, in: views) }), let seller = ProviderID(seller: buyer.seller),
            buyer.currency.map({ $0 == debt.currency.code }) ?? true
        else { throw .noDebtor(debt.debtor) }
        self.debt = debt
        self.buyer = buyer
        self.seller = seller
        // The platform has none of its own.
        let provider = try onViews { () throws(ViewsError) in try views.provider(seller) } ?? Provider()
        (sellerName, timeZone) = (provider.name, provider.timeZone.isEmpty ? "UTC" : provider.timeZone)
        billing = try onViews { () throws(ViewsError) in try views.billing(of: seller) } ?? Billing()
        language = buyer.language.isEmpty ? provider.language : buyer.language
        rules = VATRules(buyer.vatTreatment, seller: billing.seller, buyer: buyer.party, billing)
    }

    var rate: InvoiceTax {
        var tax = InvoiceTax()
        tax.vatBasisPoints = buyer.vatBasisPoints
        // UNCL 5305: standard, exempt with a reason, zero.
        tax.category = buyer.vatBasisPoints > 0 ? "S" : billing.exemptionReason.isEmpty ? "Z" : "E"
        return tax
    }

    func blank(_ id: UUIDv7, _ kind: InvoiceKind, issuedAt: WallTime) -> InvoiceIssued {
        let calendar = BillingCalendar(timeZone: timeZone)
        var invoice = InvoiceIssued()
        invoice.id = Data(id.bytes)
        invoice.providerID = buyer.seller
        invoice.debtor = debt.debtor
        invoice.buyerContactID = buyer.contactID
        invoice.kind = kind
        invoice.issuedOn = calendar.day(of: issuedAt)
        invoice.dueOn = calendar.day(of: issuedAt, plus: billing.paymentDays)
        invoice.timeZone = timeZone
        invoice.currency = debt.currency.code
        invoice.decimals = Currency.decimals(of: debt.currency.code)
        invoice.seller = billing.seller
        if invoice.seller.name.isEmpty { invoice.seller.name = sellerName }
        invoice.buyer = buyer.party
        invoice.paymentTerms = billing.paymentTerms
        invoice.note = billing.note
        if buyer.vatBasisPoints == 0 || rules != nil { invoice.exemptionReason = billing.exemptionReason }
        rules?.write(to: &invoice)
        invoice.language = InvoiceWords(language: language).language
        invoice.layout = InvoiceMaker.layout(hasTaxedLines: rules != nil)
        invoice.templateHash = billing.templateHash
        return invoice
    }
}

extension ViewQueries where Self: ~Copyable {
    /// What was given back of an invoice, the oldest first.
    package func creditNotes(of invoice: InvoiceIssued) throws(ViewsError) -> [(sequence: UInt64, note: InvoiceIssued)] {
        guard let debtor = invoice.debtor else { return [] }
        var (found, after): ([(sequence: UInt64, note: InvoiceIssued)], UInt64) = ([], 0)
        while true {
            let page = try invoices(to: debtor, after: after, limit: 200)
            for (sequence, other) in page where other.kind == .creditNote && other.creditedID == invoice.id { found.append((sequence, other)) }
            guard page.count == 200, let last = page.last else { return found }
            after = last.sequence
        }
    }
}
