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

/// Calls of the town on paper: 4 cents a minute, in whole minutes.
@Suite struct InvoiceTests {
    private let town: Town
    private let customer: CustomerID
    private let desk: InvoiceDesk

    init() throws {
        town = try Town()
        customer = CustomerID(town.customer.id)!
        desk = InvoiceDesk(
            views: town.platform.views, log: town.platform.log,
            store: InvoiceStore(folder: town.platform.directory.path + "/invoices", keys: town.platform.keys))
        var contact = town.contact
        (contact.company, contact.street, contact.postalCode, contact.city, contact.country) = ("Acme & Sons <Ltd>", "1 Main St", "95202", "Stockton", "US")
        try town.platform.admin(.changeContact(contact, expectedVersion: nil))
        var changed = town.customer
        changed.vatBasisPoints = 1_900
        changed.contactID = town.contact.id
        try town.platform.admin(.changeCustomer(changed, expectedVersion: nil))
        try bill {
            $0.seller = .with {
                $0.name = "Kages Inc"
                $0.country = "DE"
                $0.vatNumber = "DE123456788"
                $0.iban = "DE89370400440532013000"
            }
            $0.invoicePrefix = "K-"
            $0.paymentDays = 14
            $0.callList = true
        }
    }

    private func bill(_ change: (inout Billing) -> Void) throws {
        let provider = ProviderID(town.provider.id)!
        var billing = try town.platform.read { views throws(ViewsError) in try views.billing(of: provider) } ?? Billing()
        billing.providerID = town.provider.id
        change(&billing)
        try town.platform.admin(.changeBilling(billing))
    }

    private func call(_ seconds: Int) throws {
        let call = town.newCall()
        _ = try town.start(call, from: town.alice, to: "2488700")
        _ = try town.answer(call)
        town.platform.run(.seconds(seconds), beating: ["s1", "s2"])
        _ = try town.finish(call)
        town.platform.advance(.seconds(10))
        for worker in ["s1", "s2"] { _ = try town.platform.desk(worker, .with { $0.heartbeat.calls = 0 }) }
    }

    private func adjust(_ micros: Int64, _ reason: String) throws {
        try town.platform.admin(.adjust(.customer(customer), amount(micros), reason: reason))
    }

    private func amount(_ micros: Int64) -> Amount {
        .with {
            $0.micros = micros
            $0.currency = "USD"
        }
    }

    private func draft(to: WallTime? = nil) throws -> InvoiceIssued {
        let now = town.platform.wall
        return try desk.worked { views throws(InvoiceError) in try desk.draft(of: Debt(.customer(customer), Currency("USD")!), to: to, at: now, in: views) }
    }

    private func issue(to: WallTime? = nil) throws -> InvoiceIssued {
        try invoice(try town.platform.admin(.issueInvoice(try draft(to: to))))
    }

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

    private func page(_ invoice: InvoiceIssued) -> [UInt8] { InvoicePage.html(invoice, InvoicePage.builtIn) }

    @Test func anInvoiceIsAStretchOfTheAccountAndTheNextGoesOnWhereItEnded() throws {
        try call(90)  // 8 cents
        try call(30)  // 4 cents
        try adjust(-10_000_000, "Hosted PBX")
        try town.topUp(5_000_000)
        let first = try issue()
        #expect(first.lines.map(\.description_p) == ["Hosted PBX", "Calls to North America"])
        #expect(first.lines.map(\.amountMicros) == [10_000_000, 120_000])
        #expect(first.lines[1].calls == 2 && first.lines[1].seconds == 180)
        #expect(first.netMicros == 10_120_000 && first.taxMicros == 1_920_000 && first.totalMicros == 12_040_000)
        #expect(first.numberText == "K-000001" && first.issuedOn == "2026-11-21" && first.dueOn == "2026-12-05")
        #expect(first.openingMicros + first.paymentsMicros - first.totalMicros == first.closingMicros)
        #expect(try town.balance(town.account) == first.closingMicros)
        #expect(try check(first).faults.isEmpty)
        // Nothing new: VAT of the first is no movement to bill.
        #expect(throws: InvoiceError.nothingToBill) { try draft() }
        try call(61)
        let second = try issue()
        #expect(second.number == 2 && second.afterSequence == first.throughSequence && second.lines.map(\.amountMicros) == [80_000])
        #expect(second.openingMicros == first.closingMicros)
        #expect(try town.balance(town.account) == second.closingMicros)
        #expect(try check(second).faults.isEmpty && check(first).faults.isEmpty)
        let sums = try town.platform.read { views throws(ViewsError) in try views.trialBalance() }
        #expect(sums.allSatisfy { $0.micros == 0 })
    }

    @Test func twoInvoicesThatWereWorkedOutAtOnceAreNotBothIssued() throws {
        try call(30)
        let (one, other) = (try draft(), try draft())
        try town.platform.admin(.issueInvoice(one))
        #expect(throws: AdminRejection.self) { try town.platform.admin(.issueInvoice(other)) }
        try call(30)
        var forged = try draft()
        forged.lines[0].amountMicros += 10_000
        #expect(throws: AdminRejection.self) { try town.platform.admin(.issueInvoice(forged)) }
        forged = try draft()
        forged.number = 7
        #expect(throws: AdminRejection.self) { try town.platform.admin(.issueInvoice(forged)) }
        #expect(try issue().number == 2, "what was refused has used no number")
    }

    @Test func partsOfACentAreRoundedOnceAndTheAccountAgreesWithThePaper() throws {
        for (micros, reason) in [(-3_333, "a"), (-3_333, "b"), (-3_335, "c"), (-1, "d")] { try adjust(Int64(micros), reason) }
        let invoice = try issue()
        #expect(invoice.netMicros == 10_000 && invoice.lines.filter { $0.amountMicros == 10_000 }.map(\.description_p) == ["c"])
        #expect(invoice.roundingMicros == -2)
        #expect(try town.balance(town.account) == invoice.closingMicros && invoice.closingMicros % 10_000 == 0)
    }

    @Test func theSamePageIsPrintedAfterEverythingAroundItHasChanged() throws {
        try call(90)
        let invoice = try issue()
        let before = page(invoice)
        #expect(Data(Hash.sha256(before)) == invoice.htmlSha256)
        #expect(String(decoding: before, as: UTF8.self).contains("Acme &amp; Sons &lt;Ltd&gt;"))
        try bill { $0.seller.name = "Somebody Else" }
        var renamed = town.customer
        renamed.name = "Other"
        renamed.vatBasisPoints = 700
        try town.platform.admin(.changeCustomer(renamed, expectedVersion: nil))
        var contact = town.contact
        contact.city = "Elsewhere"
        try town.platform.admin(.changeContact(contact, expectedVersion: nil))
        try call(400)
        let again = try #require(try town.platform.read { views throws(ViewsError) in try views.invoice(InvoiceID(invoice.id)!) })
        #expect(page(again) == before)
        #expect(ElectronicInvoice.xml(again) == ElectronicInvoice.xml(invoice))
        #expect(try check(again).faults.isEmpty)
    }

    @Test func whoIsErasedIsOnNoInvoiceAnyMoreAndItsSumsStay() throws {
        try call(90)
        let invoice = try issue()
        let head = town.platform.head
        let stored = try #require(try town.platform.log.bytes(at: head))
        #expect(!String(decoding: stored, as: UTF8.self).contains("Acme"))
        try town.platform.admin(.eraseSubject(customer.value, reason: "asked for"))
        town.platform.run(.seconds(2), beating: ["s1", "s2"])
        let after = try #require(try town.platform.read { views throws(ViewsError) in try views.invoice(InvoiceID(invoice.id)!) })
        #expect(after.isErasedBuyer && after.totalMicros == invoice.totalMicros)
        let text = String(decoding: page(after), as: UTF8.self)
        #expect(!text.contains("Acme") && text.contains("[erased]"))
        let check = try check(after)
        #expect(check.faults.isEmpty && check.remarks.contains { $0.contains("erased") })
    }

    @Test func aCreditNoteGivesBackWhatIsLeftAndNoMore() throws {
        try adjust(-100_000_000, "Hosted PBX")
        let invoice = try issue()
        let first = try credit(invoice, 10_000_000)
        #expect(first.numberText == "C-000001" && first.creditedNumber == "K-000001" && first.totalMicros == 11_900_000)
        #expect(try town.balance(town.account) == -119_000_000 + 11_900_000)
        #expect(throws: InvoiceError.self) { try credit(invoice, 95_000_000) }
        let rest = try credit(invoice, nil)
        #expect(rest.number == 2 && first.totalMicros + rest.totalMicros == invoice.totalMicros)
        #expect(try town.balance(town.account) == 0)
        #expect(throws: InvoiceError.self) { try credit(invoice, nil) }
        #expect(InvoiceRule.broken(by: rest).isEmpty)
        // What was given back is no item of the next invoice.
        try call(30)
        #expect(try issue().lines.map(\.description_p) == ["Calls to North America"])
        let sums = try town.platform.read { views throws(ViewsError) in try views.trialBalance() }
        #expect(sums.allSatisfy { $0.micros == 0 })
    }

    @Test func monthsThatWentByWhileNothingRanAreBilledOneByOne() throws {
        try bill { $0.invoiceDay = 1 }
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let schedule = InvoiceSchedule(views: town.platform.views, log: town.platform.log, desk: desk, logger: logger) { [asked = Asked(town: town)] request in
            Result { try asked.town.platform.admin(request.command) }.mapError { $0 as? AdminRejection ?? .unavailable(reason: "\($0)") }
        }
        try call(90)
        schedule.pass(at: town.platform.wall)
        #expect(try invoices().isEmpty)
        town.platform.advance(.seconds(20 * 86_400))  // the 11th of December
        for worker in ["s1", "s2"] { _ = try town.platform.hello(worker) }
        try call(30)
        town.platform.advance(.seconds(62 * 86_400))  // the 11th of February: nothing happened in January
        schedule.pass(at: town.platform.wall)
        schedule.pass(at: town.platform.wall)
        let issued = try invoices()
        #expect(issued.map(\.number) == [1, 2] && issued.map(\.netMicros) == [80_000, 40_000])
        #expect(issued.map { WallTime(microseconds: $0.periodTo).rfc3339.prefix(10) } == ["2026-12-01", "2027-01-01"])
        #expect(try issued.allSatisfy { try check($0).faults.isEmpty })
    }

    private func invoices() throws -> [InvoiceIssued] {
        try town.platform.read { views throws(ViewsError) in try views.invoices(of: customer.value, limit: 100).map(\.invoice) }
    }

    @Test(.enabled(if: FileManager.default.fileExists(atPath: "/usr/share/doc/weasyprint"))) func theFileThatWasMadeFirstIsTheOneThatIsGiven() async throws {
        try call(90)
        let invoice = try issue()
        let desk = desk
        func pdf(_ invoice: InvoiceIssued) async throws -> InvoiceDesk.Print {
            try await withCheckedContinuation { continuation in
                Thread.detachNewThread { continuation.resume(returning: Result { () throws(InvoiceError) in try desk.pdf(of: invoice) }) }
            }.get()
        }
        let first = try await pdf(invoice)
        #expect(first.bytes.starts(with: Array("%PDF-".utf8)) && first.tool.hasPrefix("WeasyPrint "))
        try town.platform.admin(.recordInvoicePrint(try #require(first.fact)))
        let second = try await pdf(invoice)
        #expect(second.bytes == first.bytes && second.isOriginal && second.fact == nil)
        // Without the file that was kept, the same version of the tool makes the same bytes.
        try FileManager.default.removeItem(atPath: town.platform.directory.path + "/invoices")
        let third = try await pdf(invoice)
        #expect(third.bytes == first.bytes && third.isOriginal)
    }
}
