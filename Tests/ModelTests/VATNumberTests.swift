import Model
import Testing

/// Numbers made at random, told apart by another implementation (python-stdnum 2.2): behind each country those that it takes, then those that
/// one changed digit has made wrong.
@Suite struct VATNumberTests {
    @Test(arguments: [
        ("AT", "U39099603 U08246281 U12154728", "U08246181 U08246251 U04246281"),
        ("BE", "0472487394 0815732980 0642351618", "0442487394 0472487384 0472487392"),
        ("DE", "526941998 179890087 320139860", "526940998 526991998 179990087"),
        ("DK", "31056551 91723808 46813340", "46817340 46113340 45813340"),
        ("EE", "653063135 717723670 953117477", "653043135 653163135 656063135"),
        ("EL", "162560952 424610610 434108269", "162560957 162560953 162560452"),
        ("ES", "65467450C 39552536B 29079960W X2384382H X3302243H X7592577R B82412800 B32576282 B60406758 K4529826E K6527100E K1412786B", "65467650C 65467470C 65367450C X2584382H X2384389H X2383382H B82462800 B12412800 B82419800 K4529726E K4529026E K2527100E"),
        ("FI", "93751822 39748040 73895992", "93751802 94751822 73751822"),
        ("FR", "26185286333 96167039460 66287593669", "26189286333 28185286333 25185286333"),
        ("HR", "42899341404 50255355606 54993300918", "42899341304 42899341444 42899341400"),
        ("HU", "95784391 65049642 91909107", "95704391 65049442 65045642"),
        ("IE", "1197726L 2594197I 8835307E 2997558TF 8055347GN 3365273NN", "1157726L 1177726L 2590197I 2997598TF 2997578TF 2997553TF"),
        ("IT", "41154980407 87935430121 57337210280", "41154980402 41154940407 41152980407"),
        ("LU", "34149805 69665249 97648364", "94149805 34149809 37149805"),
        ("MT", "37399379 35035186 32159766", "39399379 37399349 37309379"),
        ("NL", "730967542B35 459184283B35 767863756B07", "730967572B35 730067542B35 730937542B35"),
        ("PL", "6300815258 4880230199 1372002935", "6300815254 6300865258 6300915258"),
        ("PT", "309491177 834987333 643529551", "306491177 309391177 509491177"),
        ("RO", "21378131 35914477 28806537 185740 910626 580315", "23378131 35964477 35914437 185743 135740 510626"),
        ("SE", "831079077201 711637201701 279062415501", "831079077701 831079077601"),
        ("SI", "96215259 33122431 44658419", "94215259 96215759 96215359"),
        ("SK", "8444186762 4947585797 9532786670", "8404186762 5444186762 8440186762")
    ] as [(country: String, valid: String, wrong: String)])
    func checkDigitsTellASlipOfThePen(country: String, valid: String, wrong: String) {
        for number in valid.split(separator: " ") {
            #expect(VATNumber.fault(country + number, country: "") == nil, "\(country)\(number)")
            #expect(VATNumber.fault(country + number, country: country == "EL" ? "GR" : country) == nil)
        }
        for number in wrong.split(separator: " ") {
            #expect(VATNumber.fault(country + number, country: "") == "its check digits do not fit: is it mistyped?", "\(country)\(number)")
        }
    }

    @Test func shapesAreLookedAtFirst() {
        #expect(VATNumber.fault("DE12345678", country: "DE")?.hasPrefix("must look like DE999999999") == true)
        #expect(VATNumber.fault("ATU39099603", country: "DE") == "must begin with DE, the contact's country")
        // A country whose rule is not known here, and one that is not of the Union.
        #expect(VATNumber.fault("LV12345678901", country: "LV") == nil)
        #expect(VATNumber.fault("CHE123456789", country: "CH") == nil)
    }
}
