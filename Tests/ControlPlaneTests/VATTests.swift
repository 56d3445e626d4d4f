import Foundation
import Invoices
import LMDB
import Ledger
import Model
import OpenSSL
import Primitives
import Projections
import SwiftProtobuf
import Testing

@testable import ControlPlane
@testable import Dispute

/// A seller in Germany with two rates, whose calls are standard, whose handbook is reduced, and whose deposits are exempt.
@Suite struct VATTests {
    private let town: Town
    private let customer: CustomerID
    private let key = SigningKey(seed: Array(0..<32))!
    private let name = "ledgerline.example/log"

    init() throws {
        town = try Town()
        customer = CustomerID(town.customer.id)!
        try bill { _ in }
    }

    private func bill(_ change: (inout Billing) -> Void) throws {
        var billing = Billing()
        billing.providerID = town.provider.id
        (billing.seller.name, billing.seller.country, billing.seller.vatNumber, billing.paymentDays) = ("Kages GmbH", "DE", "DE123456788", 14)
        billing.exemptionReason = "a deposit is no turnover"
        billing.vatRates = [rate("DE", .standard, 1_900), rate("DE", .reduced, 700), rate("AT", .standard, 2_000)]
        billing.vatItems = [
            .with { ($0.kind, $0.name, $0.class) = (.adjustments, "Handbook", .reduced) }, .with { ($0.kind, $0.name, $0.class) = (.adjustments, "Deposit", .exempt) },
        ]
        change(&billing)
        try town.platform.admin(.changeBilling(billing))
    }

    private func rate(_ country: String, _ of: VATClass, _ basisPoints: UInt32) -> VATRate {
        .with { ($0.country, $0.class, $0.basisPoints) = (country, of, basisPoints) }
    }

    private func sell(to country: String, _ number: String = "", _ treatment: VATTreatment = .byCountry) throws {
        town.contact.country = country
        town.contact.vatNumber = number
        try town.platform.admin(.changeContact(town.contact, expectedVersion: nil))
        town.customer.vatTreatment = treatment
        try town.platform.admin(.changeCustomer(town.customer, expectedVersion: nil))
    }

    private func adjust(_ micros: Int64, _ reason: String) throws {
        try town.platform.admin(.adjust(.customer(customer), .with { ($0.micros, $0.currency) = (micros, "USD") }, reason: reason))
    }

    private func goods() throws {
        let call = town.newCall()
        _ = try town.start(call, from: town.alice, to: "2488700")
        _ = try town.answer(call)
        town.platform.run(.seconds(90), beating: ["s1", "s2"])
        _ = try town.finish(call)  // 8 cents
        try adjust(-10_000_000, "Handbook")
        try adjust(-50_000_000, "Deposit")
        try adjust(-100_000_000, "Hosted PBX")
    }

    private func draft() throws -> InvoiceIssued {
        let desk = InvoiceDesk(views: town.platform.views, log: town.platform.log, store: InvoiceStore(folder: town.platform.directory.path + "/invoices", keys: town.platform.keys))
        let now = town.platform.wall
        return try desk.worked { views throws(InvoiceError) in try desk.draft(of: Debt(.customer(customer), Currency("USD")!), to: nil, at: now, in: views) }
    }

    private func issue() throws -> InvoiceIssued { try invoice(town.platform.admin(.issueInvoice(try draft())).id) }

    private func invoice(_ id: UUIDv7) throws -> InvoiceIssued {
        try #require(try town.platform.read { views throws(ViewsError) in try views.invoice(InvoiceID(id)) })
    }

    private func credit(_ original: InvoiceIssued, _ net: Int64?) throws -> InvoiceIssued {
        let now = town.platform.wall
        let note = try town.platform.views.read { views throws(ViewsError) in
            Result { () throws(InvoiceError) in
                var random = RandomSource.system
                return try InvoiceMaker.creditNote(of: original, net: net, reason: "line was down", issuedAt: now, id: UUIDv7(at: now, random: &random), in: views)
            }
        }.get()
        return try invoice(town.platform.admin(.issueInvoice(note)).id)
    }

    private func pack(_ invoice: InvoiceIssued) throws -> Data {
        try InvoicePackMaker(log: town.platform.log, views: town.platform.views, origin: name, key: key)
            .pack(invoice: InvoiceID(invoice.id)!, at: town.platform.wall)
    }

    private func proven(_ invoice: InvoiceIssued) throws -> [String] {
        try InvoicePack(try pack(invoice)).verified(with: (name, key.verifyingKey)).verdict.proven
    }

    private func check(_ invoice: InvoiceIssued) throws -> InvoiceCheck {
        try town.platform.views.read { views throws(ViewsError) in Result { () throws(InvoiceError) in try InvoiceCheck(of: invoice, in: views) } }.get()
    }

    private func parts(_ invoice: InvoiceIssued) -> [String] {
        invoice.taxes.map { "\($0.category) \($0.vatBasisPoints): \(Money.decimal(micros: $0.taxableMicros)) + \(Money.decimal(micros: $0.taxMicros))" }
    }

    @Test func anInvoiceBearsSeveralRatesAndItsPackProvesThem() throws {
        try sell(to: "DE")
        try goods()
        let invoice = try issue()
        #expect(parts(invoice) == ["S 1900: 100.08 + 19.02", "S 700: 10.00 + 0.70", "E 0: 50.00 + 0.00"])
        #expect(invoice.layout == 2 && invoice.vatTreatment == .domestic && invoice.vatCountry == "DE")
        #expect(invoice.totalMicros == 179_800_000)
        #expect(try town.balance(town.account) == invoice.closingMicros && invoice.closingMicros == -179_800_000)
        #expect(try check(invoice).faults.isEmpty && InvoiceRule.broken(by: invoice).isEmpty)
        let proven = try proven(invoice)
        let words = proven.joined(separator: "\n")
        for part in ["VAT S: 19 % of 100.08 USD are 19.02 USD", "VAT S: 7 % of 10.00 USD", "VAT E: 0 % of 50.00 USD", "the rates of DE, because the seller is in DE and the buyer in DE"] {
            #expect(words.contains(part), "\(part) in \(words)")
        }
        // The provider's rates are others later: what was issued stays, and is still proven.
        try bill { $0.vatRates[0].basisPoints = 2_100 }
        #expect(try check(invoice).faults.isEmpty)
        #expect(try self.proven(invoice).dropFirst() == proven.dropFirst())
        let text = String(decoding: try pack(invoice), as: UTF8.self)
        #expect(text.contains(#""format":"ledgerline.dispute.invoice/2""#) && text.contains("billing.changed"))
    }

    @Test func whoBuysDecidesAndThePackShowsWhy() throws {
        try sell(to: "AT", "ATU12345675")
        try goods()
        let reversed = try issue()
        #expect(parts(reversed) == ["AE 0: 160.08 + 0.00"] && InvoiceRule.broken(by: reversed).isEmpty)
        #expect(try proven(reversed).contains { $0.contains("reverse_charge, because the seller is in DE and the buyer in AT with a VAT number") })
        try sell(to: "AT")
        try goods()
        let person = try issue()
        #expect(parts(person) == ["S 2000: 110.08 + 22.02", "E 0: 50.00 + 0.00"])
        try sell(to: "US")
        try adjust(-1_000_000, "Hosted PBX")
        #expect(parts(try issue()) == ["G 0: 1.00 + 0.00"])
        try sell(to: "US", "", .exempt)
        try adjust(-1_000_000, "Hosted PBX")
        #expect(parts(try issue()) == ["E 0: 1.00 + 0.00"])
        // Nothing is billed without a rate.
        try bill { $0.vatRates = [] }
        try sell(to: "DE", "", .domestic)
        try adjust(-1_000_000, "Hosted PBX")
        #expect(throws: InvoiceError.refused("no standard rate of VAT is set for DE: add it to vat_rates of the provider's billing")) { try draft() }
    }

    @Test func aRateThatWasChangedMeanwhileIsNotIssued() throws {
        try sell(to: "DE")
        try goods()
        let old = try draft()
        try bill { $0.vatRates[0].basisPoints = 2_100 }
        #expect(throws: AdminRejection.self) { try town.platform.admin(.issueInvoice(old)) }
        var forged = try draft()
        for index in forged.lines.indices { (forged.lines[index].vatCategory, forged.lines[index].vatBasisPoints) = ("Z", 0) }
        try InvoiceMaker.sum(&forged, rate: InvoiceTax())
        #expect(throws: AdminRejection.invalid("lines", "bear other VAT than the provider's rates")) { try town.platform.admin(.issueInvoice(forged)) }
        #expect(try town.platform.admin(.issueInvoice(try draft())).id != UUIDv7(bytes: old.id))
    }

    @Test func whatIsGivenBackIsGivenBackOfEveryRateAndNeverMoreThanThereWas() throws {
        try sell(to: "DE")
        try goods()
        let invoice = try issue()
        let part = try credit(invoice, 16_008_000)
        #expect(part.netMicros == 16_010_000, "whole cents")
        #expect(part.taxes.map(\.category) == ["S", "S", "E"] && part.taxes.reduce(0) { $0 + $1.taxableMicros } == 16_010_000)
        #expect(try proven(part).contains { $0.contains("are given back") })
        let rest = try credit(invoice, nil)
        #expect(part.netMicros + rest.netMicros == invoice.netMicros)
        #expect((part.totalMicros + rest.totalMicros) <= invoice.totalMicros && (part.totalMicros + rest.totalMicros) > invoice.totalMicros - 30_000)
        #expect(try proven(rest).contains { $0.contains("C-000001, C-000002") })
        #expect(throws: InvoiceError.self) { try credit(invoice, 1_000_000) }
        try goods()
        let second = try issue()
        let whole = try credit(second, nil)
        #expect(whole.lines.map(\.amountMicros) == second.lines.map(\.amountMicros) && whole.taxes == second.taxes && whole.totalMicros == second.totalMicros)
        #expect(try proven(second).contains { $0.contains("credit notes to invoice 000002") })
    }

    /// What an operator who may write any log cannot make true: each change is signed anew, and each is refused by name.
    @Test func anInvoiceThatSaysOtherRatesIsContradicted() throws {
        try sell(to: "AT", "ATU12345675")
        try goods()
        let invoice = try issue()
        let good = try InvoicePack(try pack(invoice))
        try refused(good, "the invoice's VAT is not what that is") { _, event in
            guard case .customerChanged(var changed) = event else { return }
            changed.customer.vatTreatment = .exempt
            event = .customerChanged(changed)
        }
        try refused(good, "are not those that the provider had set") { _, event in
            guard case .invoiceIssued(var issued) = event else { return }
            issued.vatItems = [.with { ($0.kind, $0.class) = (.calls, .exempt) }]
            event = .invoiceIssued(issued)
        }
        try refused(good, "come to other lines") { _, event in
            guard case .invoiceIssued(var issued) = event else { return }
            for index in issued.lines.indices { issued.lines[index].vatCategory = "Z" }
            try? InvoiceMaker.sum(&issued, rate: InvoiceTax())
            event = .invoiceIssued(issued)
        }
    }

    private func refused(_ good: InvoicePack, _ words: String, _ change: (UInt64, inout Event) -> Void) throws {
        let file = try forged(good, change)
        do {
            _ = try InvoicePack(file).verified(with: (name, key.verifyingKey))
            Issue.record("accepted: \(words)")
        } catch {
            #expect("\(error)".contains(words), "\(error)")
        }
    }

    /// The whole log anew with `change`, and the pack of it, signed by the operator.
    private func forged(_ good: InvoicePack, _ change: (UInt64, inout Event) -> Void) throws -> Data {
        let directory = TemporaryDirectory()
        let log = try LMDBEventLog(directory: directory.path + "/ledger", sizeMax: 1 << 26, durability: .none)
        try town.platform.log.read(from: 1) { envelope throws(LedgerError) in
            guard var event = try? Event(storedType: envelope.type, schemaVersion: envelope.schemaVersion, payload: envelope.payload) else {
                throw .damaged(sequence: envelope.sequence)
            }
            change(envelope.sequence, &event)
            let new = NewEvent(stream: envelope.stream, type: event.storedType, schemaVersion: envelope.schemaVersion, payload: event.serialized())
            _ = try log.append([Commit(events: [new], actor: "operator", cause: "", time: envelope.time)])
            return true
        }
        var events: [InvoicePack.ProvenEvent] = []
        for index in good.lines.indices {
            var item = try good.event(index)
            item.envelope = Base64.encode(try #require(try log.bytes(at: item.sequence)))
            events.append(item)
        }
        var head = good.head
        head.checkpoint = Checkpoint(origin: name, size: log.head, root: try log.rootHash(size: log.head)).signed(with: key)
        return try InvoicePack.file(head, events, proof: try log.inclusionProof(of: events.map(\.sequence), size: log.head).map { Base64.encode($0.bytes) }) {
            PackSignature.sign($0, name: name, key)
        }
    }
}
