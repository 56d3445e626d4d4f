import Foundation
import Model
import SwiftProtobuf
import Testing

@testable import Invoices

private let billing = Billing.with {
    $0.seller.country = "DE"
    $0.vatRates = [rate("DE", .standard, 1_900), rate("DE", .reduced, 700), rate("AT", .standard, 2_000), rate("US", .standard, 500)]
    $0.vatItems = [
        .with { ($0.kind, $0.name, $0.class) = (.packages, "E-book bundle", .reduced) }, .with { ($0.kind, $0.name, $0.class) = (.fees, "Basic", .zero) },
        .with { ($0.kind, $0.class) = (.adjustments, .exempt) },
    ]
}

private func rate(_ country: String, _ of: VATClass, _ basisPoints: UInt32) -> VATRate {
    .with { ($0.country, $0.class, $0.basisPoints) = (country, of, basisPoints) }
}

private func buyer(_ country: String, _ number: String = "") -> BuyerParty { .with { ($0.country, $0.vatNumber) = (country, number) } }

private func found(_ buyer: BuyerParty, seller: String = "DE") -> String {
    let rules = VATRules(.byCountry, seller: .with { $0.country = seller }, buyer: buyer, billing)
    return rules.map { "\($0.treatment.literal) \($0.country)" } ?? "own rate"
}

@Test func whoPaysWhichVATFollowsFromBothCountriesAndTheVATNumber() {
    #expect(found(buyer("DE")) == "domestic DE")
    #expect(found(buyer("DE", "DE123456788")) == "domestic DE")
    #expect(found(buyer("")) == "domestic DE")
    // A business of another country of the Union.
    #expect(found(buyer("AT", "ATU12345675")) == "reverse_charge ")
    #expect(found(buyer("GR", "EL123456783")) == "reverse_charge ")
    // A number of another shape, or of another country, makes nobody a business.
    #expect(found(buyer("AT", "ATU1234567")) == "domestic AT")
    #expect(found(buyer("AT", "ATU12345678")) == "domestic AT")
    #expect(found(buyer("AT", "FR12123456789")) == "domestic AT")
    // People pay what is paid where they are, if that is set, else what is paid here.
    #expect(found(buyer("AT")) == "domestic AT")
    #expect(found(buyer("FR")) == "domestic DE")
    // Outside of the Union, unless a rate is set for the country.
    #expect(found(buyer("CH")) == "export ")
    #expect(found(buyer("CH", "CHE123456789")) == "export ")
    #expect(found(buyer("US")) == "domestic US")
    #expect(found(buyer("AT", "ATU12345675"), seller: "CH") == "domestic AT")
    #expect(found(buyer("FR"), seller: "CH") == "export ")
    #expect(VATRules(.ownRate, seller: billing.seller, buyer: buyer("AT", "ATU12345675"), billing) == nil)
}

@Test func whatIsSoldHasAClassAndTheClassARate() {
    func tax(_ rules: VATRules?, _ kind: JournalKind, _ name: String) -> String {
        guard let tax = rules?.tax(on: kind, named: name) else { return "none" }
        return "\(tax.category) \(tax.vatBasisPoints)"
    }
    let here = VATRules(.domestic, seller: billing.seller, buyer: BuyerParty(), billing)
    #expect(tax(here, .call, "Calls to Austria") == "S 1900" && tax(here, .rerating, "deck 7") == "S 1900")
    #expect(tax(here, .package, "E-book bundle") == "S 700" && tax(here, .package, "Weekend") == "S 1900")
    #expect(tax(here, .fee, "Basic, 2026-11") == "Z 0" && tax(here, .fee, "Basically, 2026-11") == "S 1900")
    #expect(tax(here, .adjustment, "Deposit") == "E 0")
    // Austria has no reduced rate here: the standard one is paid.
    let there = VATRules(.byCountry, seller: billing.seller, buyer: buyer("AT"), billing)
    #expect(tax(there, .package, "E-book bundle") == "S 2000" && tax(there, .fee, "Basic, 2026-11") == "Z 0")
    for (treatment, wanted) in [(VATTreatment.reverseCharge, "AE 0"), (.exempt, "E 0"), (.zero, "Z 0"), (.export, "G 0"), (.outsideScope, "O 0")] {
        #expect(tax(VATRules(treatment, seller: billing.seller, buyer: BuyerParty(), billing), .package, "E-book bundle") == wanted)
    }
    #expect(here?.missing == nil)
    #expect(VATRules(.domestic, seller: .with { $0.country = "FR" }, buyer: BuyerParty(), billing)?.missing == "FR")
}
