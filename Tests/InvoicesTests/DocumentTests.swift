import Foundation
import Model
import OpenSSL
import Primitives
import SwiftProtobuf
import Testing

@testable import Invoices

/// An invoice with everything on it.
private func sample(_ kind: InvoiceKind = .invoice, language: String = "de") -> InvoiceIssued {
    var invoice = InvoiceIssued()
    invoice.id = Data(repeating: 7, count: 16)
    invoice.kind = kind
    (invoice.number, invoice.numberText) = (42, kind == .creditNote ? "C-000042" : "K-000042")
    (invoice.issuedOn, invoice.dueOn, invoice.timeZone) = ("2026-12-01", "2026-12-15", "Europe/Berlin")
    invoice.periodFrom = WallTime(rfc3339: "2026-10-31T23:00:00Z")!.microseconds
    invoice.periodTo = WallTime(rfc3339: "2026-11-30T23:00:00Z")!.microseconds
    (invoice.afterSequence, invoice.throughSequence) = (17, 10_482)
    (invoice.currency, invoice.decimals, invoice.language, invoice.layout) = ("EUR", 2, language, 1)
    func line(_ kind: InvoiceLineKind, _ text: String, _ calls: UInt64, _ seconds: UInt64, _ cents: Int64) -> InvoiceLine {
        .with {
            $0.kind = kind
            $0.description_p = text
            ($0.calls, $0.seconds, $0.amountMicros, $0.exactMicros) = (calls, seconds, cents * 10_000, cents * 10_000)
        }
    }
    invoice.lines = [
        line(.item, "Hosted PBX <12 seats> & more", 1, 0, 60_00), line(.usage, "Gespräche nach Österreich", 312, 62_600, 71_37),
        line(.correction, "Berichtigung: Preisliste 7", 3, 0, -1_05),
    ]
    invoice.taxes = [
        .with {
            $0.vatBasisPoints = 1_900
            $0.category = "S"
            $0.taxableMicros = 130_320_000
            $0.taxMicros = 24_760_000
        }
    ]
    (invoice.netMicros, invoice.taxMicros, invoice.totalMicros) = (130_320_000, 24_760_000, 155_080_000)
    (invoice.openingMicros, invoice.paymentsMicros, invoice.closingMicros) = (-20_000_000, 20_000_000, -155_080_000)
    invoice.seller = .with {
        ($0.name, $0.street, $0.postalCode, $0.city, $0.country) = ("Kages GmbH", "Torstraße 12", "10119", "Berlin", "DE")
        ($0.vatNumber, $0.registration, $0.email, $0.phone) = ("DE123456789", "HRB 12345 B", "billing@kages.example", "+49 30 5550100")
        ($0.iban, $0.bic, $0.bank) = ("DE89370400440532013000", "COBADEFFXXX", "Commerzbank")
    }
    invoice.buyer = .with {
        ($0.name, $0.company, $0.street, $0.postalCode, $0.city, $0.country) = ("Berta Beispiel", "Acme & Söhne", "Lange Gasse 1", "1010", "Wien", "AT")
        ($0.vatNumber, $0.email, $0.externalID) = ("ATU12345678", "berta@acme.example", "C-1017")
    }
    (invoice.paymentTerms, invoice.note) = ("Zahlbar innerhalb von 14 Tagen ohne Abzug.", "Sitz der Gesellschaft: Berlin")
    if kind == .creditNote { (invoice.creditedNumber, invoice.creditedOn, invoice.reason) = ("K-000040", "2026-11-01", "Leitung gestört") }
    return invoice
}

/// The same with VAT on each line: two rates, and something that is exempt.
private func taxed(_ kind: InvoiceKind = .invoice, language: String = "de") -> InvoiceIssued {
    var invoice = sample(kind, language: language)
    (invoice.layout, invoice.exemptionReason, invoice.vatTreatment, invoice.vatCountry) = (2, "§ 4 Nr. 8 UStG", .domestic, "DE")
    for (index, (category, basisPoints)) in [("S", UInt32(1_900)), ("S", 700), ("E", 0)].enumerated() {
        (invoice.lines[index].vatCategory, invoice.lines[index].vatBasisPoints) = (category, basisPoints)
    }
    try? InvoiceMaker.sum(&invoice, rate: InvoiceTax())
    return invoice
}

/// One with a buyer in another country of the Union.
private func reversed() -> InvoiceIssued {
    var invoice = taxed(language: "en")
    (invoice.vatTreatment, invoice.vatCountry, invoice.exemptionReason) = (.reverseCharge, "", "")
    for index in invoice.lines.indices { (invoice.lines[index].vatCategory, invoice.lines[index].vatBasisPoints) = ("AE", 0) }
    try? InvoiceMaker.sum(&invoice, rate: InvoiceTax())
    return invoice
}

/// One of what is not subject to VAT at all.
private func outside(_ kind: InvoiceKind = .invoice) -> InvoiceIssued {
    var invoice = taxed(kind, language: "en")
    (invoice.vatTreatment, invoice.vatCountry, invoice.exemptionReason) = (.outsideScope, "", "")
    for index in invoice.lines.indices { (invoice.lines[index].vatCategory, invoice.lines[index].vatBasisPoints) = ("O", 0) }
    try? InvoiceMaker.sum(&invoice, rate: InvoiceTax())
    return invoice
}

private func hash(_ bytes: [UInt8]) -> String { hex(Hash.sha256(bytes)) }

/// Invoices were issued by this code. If a hash here changes, they are not printed again as they were: write another layout instead.
@Test func theFirstLayoutPrintsWhatItAlwaysPrinted() {
    #expect(hash(Array(InvoicePage.builtIn.utf8)) == "8f969e15726b0594925eabbd4ee3feeb613d63a30874f9943abf889b76b0fd41")
    #expect(hash(InvoicePage.html(sample(), InvoicePage.builtIn)) == "0d039f3b728e8fce83067a23f35c7332dc6f52d7ece713327a8a9e580eb587e2")
    #expect(hash(InvoicePage.html(sample(.creditNote, language: "en"), InvoicePage.builtIn)) == "62f9a15061559d03ce33423527657707825fb05fbeaad6c18306f62cb632eae0")
    #expect(hash(ElectronicInvoice.xml(sample())) == "1a02ca1980825abe33478deb423e72e6e91d78aefd1d5a6b200d31572aca4196")
    #expect(hash(ElectronicInvoice.xml(sample(.creditNote, language: "en"))) == "b9de789e0b84b82f0b8db74839cca321ae98085ff360b7076aca1bf47ef0de31")
}

@Test func theSecondLayoutPrintsWhatItAlwaysPrinted() {
    #expect(hash(Array(InvoicePage.builtInWithTaxedLines.utf8)) == "8121543fd655bcd3cbd69f6d1bcc9d4c4d91fc3ee0068d06450729b0c55dec3b")
    #expect(hash(InvoicePage.html(taxed(), InvoicePage.builtIn(taxed()))) == "dece7e45e2eea1ce4a60359a4a34f714471bb5fff4c73df087649c4759d8aff0")
    #expect(hash(ElectronicInvoice.xml(taxed())) == "3a89f84f885866df98c6e1c480d7f851d628e140b432555547e127762a83b9f6")
    #expect(hash(ElectronicInvoice.xml(taxed(.creditNote))) == "ab2ff00c1ed3623cc44d097b06932d3716f71f8872c25d98414fd91a7fcd08f9")
    #expect(hash(ElectronicInvoice.xml(reversed())) == "aa1af881777ed83596ed83d11e1a48ee86908fe133d57d348e950939e98d7107")
}

@Test func eachPartOfTheVATStandsOnThePageAndInTheElectronicInvoice() {
    let invoice = taxed()
    #expect(invoice.taxes.map { "\($0.category) \($0.vatBasisPoints) \($0.taxableMicros) \($0.taxMicros)" } == ["S 1900 60000000 11400000", "S 700 71370000 5000000", "E 0 -1050000 0"])
    #expect(invoice.taxMicros == 16_400_000 && invoice.totalMicros == 146_720_000 && InvoiceRule.broken(by: invoice).isEmpty)
    let page = String(decoding: InvoicePage.html(invoice, InvoicePage.builtIn(invoice)), as: UTF8.self)
    for part in ["USt. 19\u{A0}% auf 60,00\u{A0}€", "USt. 7\u{A0}% auf 71,37\u{A0}€", "USt. 0\u{A0}% (E) auf \u{2212}1,05\u{A0}€", "E: § 4 Nr. 8 UStG"] {
        #expect(page.contains(part), "\(part)")
    }
    #expect(!page.contains("{{"))
    let xml = String(decoding: ElectronicInvoice.xml(invoice), as: UTF8.self)
    #expect(xml.split(separator: "<cac:TaxSubtotal>").count == 4 && xml.split(separator: "<cac:ClassifiedTaxCategory>").count == 4)
    let other = reversed()
    #expect(InvoiceRule.broken(by: other).isEmpty && other.taxMicros == 0)
    let text = String(decoding: ElectronicInvoice.xml(other), as: UTF8.self)
    for part in ["<cbc:TaxExemptionReasonCode>VATEX-EU-AE</cbc:TaxExemptionReasonCode>", "<cbc:TaxExemptionReason>Reverse charge</cbc:TaxExemptionReason>", "<cbc:ID>AE</cbc:ID>"] {
        #expect(text.contains(part), "\(part)")
    }
    #expect(String(decoding: InvoicePage.html(other, InvoicePage.builtIn(other)), as: UTF8.self).contains("AE: Reverse charge"))
    var nobody = other
    nobody.buyer.vatNumber = ""
    #expect(InvoiceRule.broken(by: nobody).map(\.id) == ["BR-AE-02"])
}

/// BR-O-02, 03, 05, 09, 10, 11: neither rates nor VAT numbers, and a reason.
@Test func whatIsNotSubjectToVATHasNeitherRateNorNumbers() {
    let invoice = outside()
    #expect(invoice.taxes.map { "\($0.category) \($0.vatBasisPoints) \($0.taxableMicros) \($0.taxMicros)" } == ["O 0 130320000 0"])
    #expect(invoice.totalMicros == invoice.netMicros && InvoiceRule.broken(by: invoice).isEmpty)
    let xml = String(decoding: ElectronicInvoice.xml(invoice), as: UTF8.self)
    for part in ["<cbc:TaxExemptionReasonCode>VATEX-EU-O</cbc:TaxExemptionReasonCode>", "<cbc:TaxExemptionReason>Not subject to VAT</cbc:TaxExemptionReason>", "<cbc:ID>O</cbc:ID>", "HRB 12345 B"] {
        #expect(xml.contains(part), "\(part)")
    }
    for part in ["cbc:Percent", "cac:PartyTaxScheme", "DE123456789", "ATU12345678"] { #expect(!xml.contains(part), "\(part)") }
    let page = String(decoding: InvoicePage.html(invoice, InvoicePage.builtIn(invoice)), as: UTF8.self)
    #expect(page.contains("O: Not subject to VAT") && !page.contains("0\u{A0}%") && !page.contains("{{"))
    var unknown = invoice
    unknown.seller.registration = ""
    #expect(InvoiceRule.broken(by: unknown).map(\.id) == ["BR-CO-26"])
    var mixed = invoice
    (mixed.lines[0].vatCategory, mixed.lines[0].vatBasisPoints) = ("S", 1_900)
    try? InvoiceMaker.sum(&mixed, rate: InvoiceTax())
    #expect(InvoiceRule.broken(by: mixed).map(\.id) == ["BR-O-11"])
}

@Test func anInvoiceIsTheSameAfterItHasBeenInTheLog() throws {
    let invoice = sample()
    let stored = try InvoiceIssued(serializedBytes: try invoice.serializedBytes() as [UInt8])
    #expect(InvoicePage.html(stored, InvoicePage.builtIn) == InvoicePage.html(invoice, InvoicePage.builtIn))
    #expect(ElectronicInvoice.xml(stored) == ElectronicInvoice.xml(invoice))
}

@Test func thePageSaysEverythingThatAnInvoiceHasToSay() {
    let text = String(decoding: InvoicePage.html(sample(), InvoicePage.builtIn), as: UTF8.self)
    for part in [
        "Rechnung", "K-000042", "01.12.2026", "15.12.2026", "01.11.2026", "30.11.2026", "Kages GmbH", "DE123456789", "Acme &amp; Söhne", "ATU12345678",
        "Hosted PBX &lt;12 seats&gt; &amp; more", "17:23:20", "71,37\u{A0}€", "\u{2212}1,05\u{A0}€", "USt. 19\u{A0}% auf 130,32\u{A0}€", "24,76\u{A0}€",
        "155,08\u{A0}€", "DE89\u{A0}3704", "Zahlbar innerhalb",
    ] { #expect(text.contains(part), "\(part)") }
    #expect(!text.contains("{{"))
}

@Test func whatAnInvoiceLacksForThePublicRulesIsNamed() {
    #expect(InvoiceRule.broken(by: sample()).isEmpty)
    #expect(InvoiceRule.broken(by: sample(.creditNote)).isEmpty)
    func broken(_ change: (inout InvoiceIssued) -> Void) -> [String] {
        var invoice = sample()
        change(&invoice)
        return InvoiceRule.broken(by: invoice).map(\.id)
    }
    #expect(broken { $0.seller.country = "" } == ["BR-09"])
    #expect(broken { $0.buyer.country = "" } == ["BR-11"])
    #expect(broken { $0.seller.vatNumber = "" } == ["BR-S-02"])
    #expect(broken { $0.lines[0].amountMicros += 10_000 } == ["BR-CO-10"])
    #expect(broken { $0.taxes[0].taxMicros += 10_000 }.contains("BR-CO-17"))
    #expect(broken { ($0.dueOn, $0.paymentTerms) = ("", "") } == ["BR-CO-25"])
    #expect(broken { $0.taxes[0] = .with { ($0.category, $0.taxableMicros) = ("E", 130_320_000) } }.contains("BR-E-10"))
}

/// Well-formed, whatever somebody typed in. The schemas of OASIS and the rules of CEN are asked by hand: docs/invoices.md.
@Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/xmllint"))) func theElectronicInvoiceIsWellFormedWhateverSomebodyTypedIn() async throws {
    var invoice = sample()
    invoice.buyer.company = "</cbc:Name>\u{1}\u{FFFF}\"'<&>\u{1F4DE}"
    let folder = NSTemporaryDirectory() + "ledgerline-ubl-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    for (index, xml) in [ElectronicInvoice.xml(invoice), ElectronicInvoice.xml(sample(.creditNote)), ElectronicInvoice.xml(taxed()), ElectronicInvoice.xml(taxed(.creditNote)), ElectronicInvoice.xml(reversed()), ElectronicInvoice.xml(outside()), ElectronicInvoice.xml(outside(.creditNote))].enumerated() {
        let path = "\(folder)/\(index).xml"
        try Data(xml).write(to: URL(fileURLWithPath: path))
        let status = await withCheckedContinuation { (continuation: CheckedContinuation<Int32, Never>) in
            Thread.detachNewThread {
                let process = Process()
                process.executableURL = URL(fileURLWithPath: "/usr/bin/xmllint")
                process.arguments = ["--noout", "--nonet", path]
                try? process.run()
                process.waitUntilExit()
                continuation.resume(returning: process.terminationStatus)
            }
        }
        #expect(status == 0)
        if let kept = ProcessInfo.processInfo.environment["LEDGERLINE_KEEP_UBL"] { try Data(xml).write(to: URL(fileURLWithPath: "\(kept)/\(index).xml")) }
    }
    if let kept = ProcessInfo.processInfo.environment["LEDGERLINE_KEEP_UBL"] {
        try Data(ElectronicInvoice.xml(sample())).write(to: URL(fileURLWithPath: kept + "/sample.xml"))
        for language in ["de", "en", "fr"] {
            try Data(InvoicePage.html(sample(language: language), InvoicePage.builtIn)).write(to: URL(fileURLWithPath: "\(kept)/\(language).html"))
        }
        try Data(InvoicePage.html(sample(.creditNote, language: "en"), InvoicePage.builtIn)).write(to: URL(fileURLWithPath: kept + "/note.html"))
        try Data(InvoicePage.html(taxed(), InvoicePage.builtIn(taxed()))).write(to: URL(fileURLWithPath: kept + "/taxed.html"))
    }
}
