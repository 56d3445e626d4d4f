import Dispute
import Foundation
import Invoices
import Ledger
import Logging
import Model
import OpenSSL
import Primitives
import Projections
import SwiftProtobuf
import Testing

@testable import ControlPlane

/// A town that is asked from a closure which has to be sendable; the test has one thread.
private struct Asked: @unchecked Sendable {
    unowned let town: Town
}

/// What the one above a provider bills: the town's provider its reseller, at 3.5 cents a minute, and the platform both of their lines at 3.
@Suite struct ProviderInvoiceTests {
    private let town: Town
    private var reseller: Reseller
    private let desk: InvoiceDesk
    private let dollars = Currency("USD")!

    init() throws {
        town = try Town()
        reseller = try Reseller(town)
        desk = InvoiceDesk(
            views: town.platform.views, log: town.platform.log,
            store: InvoiceStore(folder: town.platform.directory.path + "/invoices", keys: town.platform.keys))
        try bill(town.provider.id) {
            $0.seller = .with {
                $0.name = "Kages GmbH"
                $0.country = "DE"
                $0.vatNumber = "DE123456788"
                $0.iban = "DE89370400440532013000"
            }
            $0.invoicePrefix = "K-"
            $0.paymentDays = 14
            $0.callList = true
        }
        try change { $0.vatBasisPoints = 2_000 }
    }

    private func bill(_ seller: Data, _ change: (inout Billing) -> Void) throws {
        var billing = try town.platform.read { views throws(ViewsError) in try views.billing(ofSeller: seller) } ?? Billing()
        billing.providerID = seller
        change(&billing)
        try town.platform.admin(.changeBilling(billing))
    }

    private func change(_ change: (inout Provider) -> Void) throws {
        let id = reseller.id
        var provider = try #require(try town.platform.read { views throws(ViewsError) in try views.provider(id) })
        change(&provider)
        try town.platform.admin(.changeProvider(provider, expectedVersion: nil))
    }

    private var debt: Debt { Debt(.provider(reseller.id), dollars) }

    private func draft(_ debt: Debt? = nil, to: WallTime? = nil) throws -> InvoiceIssued {
        let now = town.platform.wall
        return try desk.worked { views throws(InvoiceError) in try desk.draft(of: debt ?? self.debt, to: to, at: now, in: views) }
    }

    private func issue(_ debt: Debt? = nil) throws -> InvoiceIssued { try invoice(try town.platform.admin(.issueInvoice(try draft(debt)))) }

    private func invoice(_ outcome: AdminOutcome) throws -> InvoiceIssued {
        try #require(try town.platform.read { views throws(ViewsError) in try views.invoice(InvoiceID(outcome.id)) })
    }

    private func credit(_ invoice: InvoiceIssued, _ net: Int64?) throws -> InvoiceIssued {
        let now = town.platform.wall
        let note = try desk.worked { views throws(InvoiceError) in
            var random = RandomSource.system
            return try InvoiceMaker.creditNote(of: invoice, net: net, reason: "line was down", issuedAt: now, id: UUIDv7(at: now, random: &random), in: views)
        }
        return try self.invoice(try town.platform.admin(.issueInvoice(note)))
    }

    private func check(_ invoice: InvoiceIssued) throws -> InvoiceCheck {
        try town.platform.views.read { views throws(ViewsError) in
            Result { () throws(InvoiceError) in try InvoiceCheck(of: invoice, in: views) }
        }.get()
    }

    @Test func anInvoiceIsAStretchOfTheDebtAndMovesBothSides() throws {
        for _ in 0..<4 { try reseller.call(1_800) }  // 4.20 dollars
        try reseller.call(30)  // and 3.5 cents
        try town.platform.admin(.adjust(.provider(reseller.id), reseller.amount(-10_000_000), reason: "Set-up"))
        try town.platform.admin(.pay(reseller.id, reseller.amount(1_000_000), reason: "transfer 1"))
        let first = try issue()
        #expect(first.debtor == .provider(reseller.id) && first.providerID == town.provider.id && first.customerID.isEmpty)
        #expect(first.numberText == "K-000001" && first.issuedOn == "2026-11-21" && first.dueOn == "2026-12-05")
        #expect(first.lines.map(\.description_p) == ["Set-up", "Calls to North America"])
        #expect(first.lines.map(\.exactMicros) == [10_000_000, 4_235_000])
        #expect(first.lines.map(\.amountMicros) == [10_000_000, 4_240_000] && first.roundingMicros == 5_000)
        #expect(first.lines[1].calls == 5 && first.lines[1].seconds == 7_260)
        #expect(first.netMicros == 14_240_000 && first.taxMicros == 2_848_000 - 8_000 + 10_000, "\(first.taxMicros)")
        #expect(first.paymentsMicros == 1_000_000 && first.openingMicros == 0 && first.prepaidMicros == 0)
        #expect(first.openingMicros + first.paymentsMicros - first.totalMicros == first.closingMicros)
        #expect(first.buyer.company == "Reseller & Co <GmbH>" && first.buyer.email == "bills@reseller.example")
        #expect(try reseller.owes() == -first.closingMicros)
        #expect(try check(first).faults.isEmpty)
        // In the debtor's books: what it cost, and the VAT that it has to come; in the seller's: what it earned, owes and has to come.
        #expect(try reseller.balance(.providerCost, reseller.provider.id) == -first.netMicros)
        #expect(try reseller.balance(.providerTax, reseller.provider.id) == -first.taxMicros)
        #expect(try reseller.balance(.providerTax, town.provider.id) == first.taxMicros)
        #expect(try reseller.balance(.providerRevenue, town.provider.id) == first.netMicros)
        #expect(try reseller.balance(.providerReceivable, reseller.provider.id) == 1_000_000 - first.totalMicros)
        #expect(try reseller.isBalanced())
        #expect(throws: InvoiceError.nothingToBill) { try draft() }
        let list = try town.platform.views.read { views throws(ViewsError) in
            Result { () throws(InvoiceError) in try InvoiceMaker.calls(of: first, in: views) }
        }.get()
        #expect(list.entries.count == 5 && Data(Hash.sha256(list.csv)) == first.callsSha256)
        #expect(String(decoding: list.csv, as: UTF8.self).contains("North America,1800,1.05,USD"))

        try reseller.call(61)
        let second = try issue()
        #expect(second.number == 2 && second.afterSequence == first.throughSequence && second.lines.map(\.amountMicros) == [70_000])
        #expect(second.openingMicros == first.closingMicros)
        #expect(try reseller.owes() == -second.closingMicros)
        #expect(try check(second).faults.isEmpty && check(first).faults.isEmpty)
        // Paid: nothing is left on either side.
        try town.platform.admin(.pay(reseller.id, reseller.amount(-second.closingMicros), reason: "transfer 2"))
        #expect(try reseller.owes() == 0)
        #expect(try reseller.balance(.providerReceivable, reseller.provider.id) == 0)
        #expect(try reseller.balance(.cash, town.provider.id) == -(first.totalMicros + second.totalMicros))
        #expect(try reseller.isBalanced())
    }

    @Test func numbersAreOneSeriesOfTheSellerForCustomersAndProviders() throws {
        try reseller.call(60)
        try town.platform.admin(.adjust(.customer(CustomerID(town.customer.id)!), reseller.amount(-1_000_000), reason: "Hosted PBX"))
        let (one, other) = (try draft(), try draft(Debt(.customer(CustomerID(town.customer.id)!), dollars)))
        #expect(one.number == 1 && other.number == 1)
        try town.platform.admin(.issueInvoice(one))
        #expect(throws: AdminRejection.self) { try town.platform.admin(.issueInvoice(other)) }
        #expect(try issue(other.debt).number == 2)
        // The platform's own series, in its own name.
        let above = Debt(.provider(ProviderID(town.provider.id)!), dollars)
        #expect(throws: InvoiceError.refused("the provider has no contact, whose name and address stand on the invoice: set its contact_id")) { try draft(above) }
        var kages = town.provider
        kages.contactID = town.contact.id
        try town.platform.admin(.changeProvider(kages, expectedVersion: nil))
        try bill(Data()) {
            $0.seller.name = "Platform AG"
            $0.invoicePrefix = "P-"
        }
        let platforms = try issue(above)
        #expect(platforms.numberText == "P-000001" && platforms.providerID.isEmpty && platforms.timeZone == "UTC" && platforms.netMicros == 30_000)
        #expect(try reseller.balance(.platformRevenue, Data()) == 30_000)
        #expect(try check(platforms).faults.isEmpty)
        #expect(try reseller.isBalanced())
        try town.platform.restart()
        let id = ProviderID(town.provider.id)!
        #expect(try town.platform.read { views throws(ViewsError) in try views.invoices(of: id.value, limit: 10).map(\.invoice.number) } == [1, 2])
        #expect(try town.platform.read { views throws(ViewsError) in try views.invoices(to: .provider(id), limit: 10).map(\.invoice.numberText) } == ["P-000001"])
        #expect(try town.platform.read { views throws(ViewsError) in try views.invoices(of: .platform, limit: 10).count } == 1)
    }

    @Test func theBuyerAccountsForTheVATWhereTheRulesSaySo() throws {
        try bill(town.provider.id) { $0.vatRates = [.with { ($0.country, $0.class, $0.basisPoints) = ("DE", .standard, 1_900) }] }
        try change { $0.vatTreatment = .byCountry }
        try reseller.call(60)
        #expect(try draft().taxes.map(\.category) == ["S"], "without a number it is a consumer")
        var contact = reseller.contact
        contact.vatNumber = "ATU13585627"
        try town.platform.admin(.changeContact(contact, expectedVersion: nil))
        let invoice = try issue()
        #expect(invoice.taxes.map(\.category) == ["AE"] && invoice.taxMicros == 0 && invoice.layout == 2)
        #expect(InvoiceRule.broken(by: invoice).isEmpty, "\(InvoiceRule.broken(by: invoice))")
        #expect(try check(invoice).faults.isEmpty && reseller.isBalanced())
        // Found out again when it is issued: what was worked out before the contact changed is refused.
        try reseller.call(60)
        let stale = try draft()
        contact.vatNumber = ""
        try town.platform.admin(.changeContact(contact, expectedVersion: nil))
        #expect(throws: AdminRejection.self) { try town.platform.admin(.issueInvoice(stale)) }
    }

    @Test func creditNotesGiveBackOnBothSidesAndNoMoreThanThereIs() throws {
        try town.platform.admin(.adjust(.provider(reseller.id), reseller.amount(-100_000_000), reason: "Set-up"))
        let invoice = try issue()
        #expect(invoice.totalMicros == 120_000_000)
        let part = try credit(invoice, 10_000_000)
        #expect(part.numberText == "C-000001" && part.creditedNumber == "K-000001" && part.totalMicros == 12_000_000)
        #expect(part.debtor == invoice.debtor && part.buyer == invoice.buyer)
        #expect(try reseller.owes() == 108_000_000)
        #expect(throws: InvoiceError.self) { try credit(invoice, 95_000_000) }
        let rest = try credit(invoice, nil)
        #expect(part.totalMicros + rest.totalMicros == invoice.totalMicros)
        #expect(InvoiceRule.broken(by: rest).isEmpty)
        for kind in [AccountKind.providerPayable, .providerCost, .providerTax, .providerReceivable] {
            // What was put to its cost by hand, and given back, is nothing in the end.
            #expect(try reseller.balance(kind, reseller.provider.id) == 0, "\(kind)")
        }
        #expect(try reseller.balance(.providerRevenue, town.provider.id) == 0)
        #expect(try reseller.balance(.providerTax, town.provider.id) == 0)
        #expect(try reseller.isBalanced())
        try reseller.call(60)
        #expect(try issue().lines.map(\.description_p) == ["Calls to North America"])
    }

    /// The platform has decks in several currencies; a provider sells in its own.
    @Test func eachCurrencyIsBilledByItself() throws {
        var kages = town.provider
        kages.contactID = town.contact.id
        try town.platform.admin(.changeProvider(kages, expectedVersion: nil))
        try bill(Data()) { $0.seller.name = "Platform AG" }
        try reseller.call(60)
        let deck = try town.create(
            RateDeck.with {
                $0.name = "In euros"
                $0.currency = "EUR"
                $0.decimals = 4
            }, AdminCommand.createRateDeck)
        let entry = RateEntry.with {
            $0.prefix = "1"
            $0.destination = "America"
            $0.perMinuteMicros = 40_000
            $0.firstIncrementSeconds = 60
            $0.nextIncrementSeconds = 60
        }
        try town.platform.admin(
            .publishDeckVersion(
                .with {
                    $0.deckID = deck.id
                    $0.entries = [entry]
                }))
        kages.wholesaleDeckID = deck.id
        try town.platform.admin(.changeProvider(kages, expectedVersion: nil))
        try reseller.call(120)
        let debtor = Debtor.provider(ProviderID(kages.id)!)
        let euros = try issue(Debt(debtor, Currency("EUR")!))
        #expect(euros.currency == "EUR" && euros.netMicros == 80_000 && euros.number == 1)
        let rest = try issue(Debt(debtor, dollars))
        #expect(rest.currency == "USD" && rest.netMicros == 30_000 && rest.number == 2 && rest.afterSequence == 0)
        #expect(try check(euros).faults.isEmpty && check(rest).faults.isEmpty && reseller.isBalanced())
        try town.platform.admin(.pay(ProviderID(kages.id)!, reseller.amount(80_000, "EUR"), reason: "transfer 1"))
        #expect(try town.balance(.providerPayable(ProviderID(kages.id)!, Currency("EUR")!)) == 0)
    }

    @Test func aProviderNeitherIssuesNorCreditsNorMailsWhatItOwes() throws {
        try reseller.call(60)
        let outcome = try town.platform.admin(
            .issueToken(
                .with {
                    $0.name = "own"
                    $0.role = .providerAdmin
                    $0.scopeID = reseller.provider.id
                    $0.secretHash = Data(Hash.sha256(Array("own".utf8)))
                }))
        let own = Authority(token: TokenID(outcome.id))
        let waiting = try draft()
        #expect(throws: AdminRejection.forbidden(reason: "this is outside of the token's scope")) { try town.platform.admin(.issueInvoice(waiting), by: own) }
        let invoice = try issue()
        #expect(throws: AdminRejection.forbidden(reason: "this is outside of the token's scope")) {
            try town.platform.admin(.mailInvoice(InvoiceID(invoice.id)!), by: own)
        }
    }

    @Test func monthsAreBilledByTheCalendarOfWhoIsAbove() throws {
        try bill(town.provider.id) { $0.invoiceDay = 1 }
        var kages = town.provider
        kages.contactID = town.contact.id
        try town.platform.admin(.changeProvider(kages, expectedVersion: nil))
        try bill(Data()) {
            $0.seller.name = "Platform AG"
            $0.seller.country = "CH"
            $0.invoiceDay = 1
        }
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let schedule = InvoiceSchedule(views: town.platform.views, log: town.platform.log, desk: desk, logger: logger) { [asked = Asked(town: town)] request in
            Result { try asked.town.platform.admin(request.command) }.mapError { $0 as? AdminRejection ?? .unavailable(reason: "\($0)") }
        }
        try reseller.call(90)
        schedule.pass(at: town.platform.wall)
        let (below, above) = (Debtor.provider(reseller.id), Debtor.provider(ProviderID(town.provider.id)!))
        func invoices(_ debtor: Debtor) throws -> [InvoiceIssued] {
            try town.platform.read { views throws(ViewsError) in try views.invoices(to: debtor, limit: 100).map(\.invoice) }
        }
        #expect(try invoices(below).isEmpty && invoices(above).isEmpty)
        town.platform.advance(.seconds(20 * 86_400))  // the 11th of December
        for worker in ["s1", "s2"] { _ = try town.platform.hello(worker) }
        try reseller.call(30)
        town.platform.advance(.seconds(31 * 86_400))
        schedule.pass(at: town.platform.wall)
        #expect(try invoices(below).isEmpty && invoices(above).isEmpty, "providers are billed where that is wanted")
        for seller in [town.provider.id, Data()] { try bill(seller) { $0.invoiceProviders = true } }
        town.platform.advance(.seconds(120))
        schedule.pass(at: town.platform.wall)
        schedule.pass(at: town.platform.wall)
        #expect(try invoices(below).map(\.netMicros) == [70_000, 40_000] && invoices(below).map(\.number) == [1, 2])
        #expect(try invoices(above).map(\.netMicros) == [60_000, 30_000] && invoices(above).map(\.number) == [1, 2])
        #expect(try (invoices(below) + invoices(above)).allSatisfy { try check($0).faults.isEmpty })
        #expect(try reseller.isBalanced())
    }

    @Test func itIsPrintedAgainByteForByteUntilItsPersonIsErased() throws {
        try reseller.call(60)
        let invoice = try issue()
        let page = InvoicePage.html(invoice, InvoicePage.builtIn)
        #expect(Data(Hash.sha256(page)) == invoice.htmlSha256 && String(decoding: page, as: UTF8.self).contains("Reseller &amp; Co &lt;GmbH&gt;"))
        try bill(town.provider.id) { $0.seller.name = "Somebody Else" }
        try change { ($0.name, $0.vatBasisPoints) = ("Renamed", 700) }
        var contact = reseller.contact
        contact.city = "Elsewhere"
        try town.platform.admin(.changeContact(contact, expectedVersion: nil))
        let id = InvoiceID(invoice.id)!
        func again() throws -> InvoiceIssued { try #require(try town.platform.read { views throws(ViewsError) in try views.invoice(id) }) }
        #expect(InvoicePage.html(try again(), InvoicePage.builtIn) == page)
        #expect(try check(try again()).faults.isEmpty)
        try town.platform.admin(.eraseSubject(UUIDv7(bytes: contact.id)!, reason: "asked for"))
        let erased = try again()
        #expect(erased.isErasedBuyer && erased.buyer.company.isEmpty && erased.totalMicros == invoice.totalMicros)
        #expect(!String(decoding: InvoicePage.html(erased, InvoicePage.builtIn), as: UTF8.self).contains("Reseller &amp;"))
        #expect(try check(erased).faults.isEmpty)
    }

    @Test func thePackOfAnInvoiceToAProviderProvesItsLinesAndWhereItGoesOn() throws {
        try bill(town.provider.id) { $0.vatRates = [.with { ($0.country, $0.class, $0.basisPoints) = ("DE", .standard, 1_900) }] }
        let key = SigningKey(seed: Array(0..<32))!
        let name = "ledgerline.example/log"
        func pack(_ invoice: InvoiceIssued) throws -> Data {
            try InvoicePackMaker(log: town.platform.log, views: town.platform.views, origin: name, key: key).pack(invoice: InvoiceID(invoice.id)!, at: town.platform.wall)
        }
        func verified(_ file: Data) throws -> (verdict: Verdict, facts: InvoiceFacts) { try InvoicePack(file).verified(with: (name, key.verifyingKey)) }
        func proves(_ verdict: Verdict, _ words: String) -> Bool { verdict.proven.contains { $0.contains(words) } }

        for _ in 0..<3 { try reseller.call(90) }
        try town.platform.admin(.pay(reseller.id, reseller.amount(100_000), reason: "transfer 1"))
        let first = try verified(try pack(try issue()))
        #expect(Set(first.facts.rows.map(\.kind)) == [.call, .payment] && first.facts.rows.filter { $0.kind == .call }.map(\.micros) == [70_000, 70_000, 70_000])
        #expect(proves(first.verdict, "20 % of 0.21 USD are 0.04 USD, by the rate that the provider's record held"))
        #expect(proves(first.verdict, "Calls to North America: 3 movements, 360 s, of 0.21 USD together") && proves(first.verdict, "began with nothing"))

        var contact = reseller.contact
        contact.vatNumber = "ATU13585627"
        try town.platform.admin(.changeContact(contact, expectedVersion: nil))
        try change { $0.vatTreatment = .byCountry }
        try reseller.call(30)
        try town.platform.admin(.adjust(.provider(reseller.id), reseller.amount(-1_000_000), reason: "Set-up"))
        let invoice = try issue()
        let note = try credit(invoice, 500_000)
        let file = try pack(invoice)
        #expect(String(decoding: file, as: UTF8.self).contains(#""format":"ledgerline.dispute.invoice/3""#))
        let (verdict, facts) = try verified(file)
        #expect(Set(facts.rows.map(\.kind)) == [.call, .adjustment, .invoice])
        #expect(proves(verdict, "number 2 of its series") && proves(verdict, "goes on where K-000001 ended") && proves(verdict, "VAT AE: 0 %"))
        #expect(proves(verdict, "the page that was issued, with its buyer") && proves(verdict, "because the seller is in DE and the buyer in AT with a VAT number"))
        #expect(proves(verdict, "credit notes to invoice K-000002: C-000001, 0.50 USD together"))
        #expect(proves(verdict, "the numbers of the calls, times and amounts are those of the list"))
        #expect(proves(try verified(try pack(note)).verdict, "0.50 USD of invoice K-000002"))

        // A bit, and a movement that is left out.
        var flipped = file
        flipped[file.count / 2] ^= 1
        #expect(throws: (any Error).self) { try verified(flipped) }
        var lines = String(decoding: file, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        lines.remove(at: try #require(lines.firstIndex { $0.contains("cdr.recorded") }))
        #expect(throws: (any Error).self) { try verified(Data(lines.joined(separator: "\n").utf8)) }
    }

    @Test func itIsMailedToTheProvidersContactInTheSellersName() throws {
        try bill(town.provider.id) { $0.mailInvoices = true }
        try reseller.call(60)
        let invoice = try issue()
        func letters() throws -> [Letter] {
            let now = town.platform.wall
            return try town.platform.read { views throws(ViewsError) in try views.letters(dueBy: now, isBulk: true, limit: 10).map(\.letter) }
        }
        let letter = try #require(try letters().last)
        #expect(letter.to == "bills@reseller.example" && letter.invoiceID == invoice.id && letter.providerID == town.provider.id)
        #expect(letter.subjectID == reseller.contact.id)
        try change { $0.invoiceMail = .never }
        try reseller.call(60)
        _ = try issue()
        #expect(try letters().count == 1)
        try town.platform.admin(.mailInvoice(InvoiceID(invoice.id)!))
        #expect(try letters().count == 2, "once more, by hand")
    }
}
