import Testing

@testable import PhoneNumbers

@Suite struct PhoneNumbersTests {
    @Test(arguments: [
        ("+12092488700", "US"), ("+18085550123", "US"), ("+14165550123", "CA"), ("+18765550123", "JM"), ("+12425550123", "BS"),
        ("+17875550123", "PR"), ("+18095550123", "DO"), ("+442079460123", "GB"), ("+441481250123", "GG"), ("+441624675678", "IM"),
        ("+5511912345678", "BR"), ("+4930123456", "DE"), ("+77172123456", "KZ"), ("+74951234567", "RU"), ("+390612345678", "IT"),
        ("+390669812345", "VA"), ("+4721234567", "NO"), ("+4779123456", "SJ"),
    ])
    func aNumberIsOfOneCountryAlsoWhereACodeIsShared(e164: String, region: String) {
        #expect(PhoneNumbers.facts(of: e164)?.region?.code == region)
    }

    @Test func theUSAIsNotTheCaribbean() {
        let sharing = PhoneNumbers.regions.filter { PhoneNumbers.countryCode(of: $0) == 1 }
        #expect(sharing.count == 25)
        for region in sharing where region.code != "US" {
            guard let example = PhoneNumbers.example(of: .fixedLine, in: region) else {
                Issue.record("no example of \(region)")
                continue
            }
            #expect(example.hasPrefix("+1"))
            #expect(PhoneNumbers.facts(of: example)?.region == region, "\(example) of \(region)")
        }
    }

    @Test func kindsAndLengthsAreTold() throws {
        #expect(PhoneNumbers.facts(of: "+18005550123")?.kind == .tollFree)
        #expect(PhoneNumbers.facts(of: "+19005550123")?.isPremium == true)
        #expect(PhoneNumbers.facts(of: "+491751234567")?.kind == .mobile)
        #expect(PhoneNumbers.facts(of: "+12092488700")?.areaCodeLength == 3)
        #expect(PhoneNumbers.facts(of: "+12092488700")?.isPremium == false)
        let short = try #require(PhoneNumbers.facts(of: "+1209"))
        #expect(!short.isValid)
        #expect(!short.isPossible)
        #expect(short.region == nil)
        // Numbers of no country: +800 is the international freephone.
        #expect(PhoneNumbers.facts(of: "+80012345678")?.region == nil)
    }

    @Test(arguments: ["", "+", "+1", "12092488700", "+99912345678", "+0123", "alice", "+1209abc", "\u{0}\u{0}\u{0}\u{0}"])
    func whatIsNoNumberIsNone(text: String) {
        #expect(PhoneNumbers.facts(of: text)?.region == nil, "\(text)")
    }

    @Test func numbersAreDialledAsTheirCountryDoes() throws {
        #expect(PhoneNumbers.national("+442079460123") == "02079460123")
        #expect(PhoneNumbers.abroad("+442079460123", from: try #require(Region("US"))) == "011442079460123")
        #expect(PhoneNumbers.national("x") == nil)
    }

    @Test func emergencyNumbersAreThoseOfTheCountry() throws {
        let (us, br, gb) = (try #require(Region("US")), try #require(Region("BR")), try #require(Region("GB")))
        #expect(PhoneNumbers.isEmergency("911", in: us))
        #expect(PhoneNumbers.isEmergency("190", in: br))
        #expect(PhoneNumbers.isEmergency("999", in: gb))
        #expect(!PhoneNumbers.isEmergency("999", in: us))
        #expect(!PhoneNumbers.isEmergency("9110", in: us))
        #expect(!PhoneNumbers.isEmergency("", in: us))
    }

    @Test(arguments: [("1", "209", "US"), ("1", "876", "JM"), ("1", "", "US"), ("55", "11", "BR"), ("49", "", "DE"), ("7", "", "RU")])
    func whereACodeIsIsKnown(country: String, area: String, region: String) {
        #expect(PhoneNumbers.region(countryCode: country, areaCode: area)?.code == region)
        #expect(PhoneNumbers.region(countryCode: "999", areaCode: area) == nil)
        #expect(PhoneNumbers.region(countryCode: "", areaCode: area) == nil)
    }

    @Test func regionsAreTwoLettersAndKnown() {
        #expect(PhoneNumbers.regions.count > 200)
        #expect(PhoneNumbers.regions == PhoneNumbers.regions.sorted())
        #expect(Region("us") == nil)
        #expect(Region("USA") == nil)
        #expect(Region("QQ").flatMap { PhoneNumbers.countryCode(of: $0) } == nil)
        #expect(Region("BR").flatMap { PhoneNumbers.countryCode(of: $0) } == 55)
    }

    @Test func aBookAnswersLikeThePlans() {
        var book = NumberBook()
        for _ in 0..<2 {
            for number in ["+12092488700", "+18765550123", "+1", "x"] {
                #expect(book.facts(of: number) == PhoneNumbers.facts(of: number))
            }
        }
    }
}
