import Reconciliation
import Testing

/// How carriers write numbers, times, durations and amounts.
@Suite struct ReadingTests {
    private func slice(_ text: String) -> ArraySlice<UInt8> { Array(text.utf8)[...] }

    @Test(arguments: [
        ("+49 30 1234567", nil, "+49301234567"), ("0049301234567", nil, "+49301234567"), ("49301234567", nil, "+49301234567"),
        ("030 1234567", "49", "+49301234567"), ("(030) 123-4567", "+49", "+49301234567"), ("030 1234567", nil, "0301234567"),
        ("12095550100", "1", "+12095550100"), ("2095550100", "1", "+12095550100"), ("011493012345", "1", "+493012345"),
        ("sip:+12095550100@carrier.example;user=phone", nil, "+12095550100"), ("tel:+12095550100", nil, "+12095550100"), ("'+4930", nil, "+4930"),
        ("anonymous", nil, ""), ("", nil, ""), ("0000", nil, ""), ("1234567890123456789", nil, ""),
    ] as [(String, String?, String)])
    func aNumberIsReadInTheFormsThatCarriersUse(text: String, country: String?, expected: String) {
        let key = NumberReader(country: country).key(slice(text))
        #expect(key?.description ?? "" == (expected == "0301234567" ? "0301234567" : expected))
    }

    @Test func aTechnicalPrefixIsTakenOff() {
        #expect(NumberReader(strip: "7777#").key(slice("7777#4930123"))?.description == "+4930123")
        #expect(NumberKey(e164: "+4930123") == NumberReader().key(slice("004930123")))
        #expect(NumberKey(e164: "+0123") == nil)
    }

    /// 2026-11-21T08:04:16Z.
    private static let moment: Int64 = 1_795_248_256_000_000

    @Test(arguments: [
        ("2026-11-21T08:04:16Z", DateOrder.dmy, true), ("2026-11-21T09:04:16+01:00", .dmy, true), ("2026-11-21 08:04:16", .dmy, false),
        ("2026/11/21 08:04:16", .mdy, false), ("20261121080416", .dmy, false), ("20261121 080416", .dmy, false), ("20261121T080416Z", .dmy, true),
        ("21/11/2026 08:04:16", .dmy, false), ("21.11.2026 08:04:16", .dmy, false), ("21-11-26 08:04:16", .dmy, false),
        ("11/21/2026 08:04:16", .mdy, false), ("11/21/2026 8:04:16 AM", .mdy, false), ("21-Nov-2026 08:04:16", .dmy, false),
        ("Sat Nov 21, 2026 8:04:16 am", .mdy, false), ("1795248256", .dmy, true), ("1795248256000", .dmy, true), ("1795248256.000", .dmy, true),
        ("1795248256000000", .dmy, true), ("2026-11-21 03:04:16 -0500", .dmy, true),
    ] as [(String, DateOrder, Bool)])
    func aTimeIsReadInTheFormsThatCarriersUse(text: String, order: DateOrder, hasZone: Bool) {
        let reading = TimeReader(order: order).read(slice(text))
        #expect(reading?.microseconds == Self.moment, "\(text)")
        #expect(reading?.hasZone == hasZone)
    }

    @Test(arguments: ["", "total", "21/11/2026", "2026-02-29 00:00:00", "31/04/2026 10:00", "2026-11-21 24:00:00", "12:00:00", "2026-11-21 13:00 PM", "123", "99999999999999999999"])
    func whatIsNoTimeIsRefused(text: String) {
        #expect(TimeReader(order: .dmy).read(slice(text)) == nil)
    }

    @Test func fractionsOfSecondsAreKept() {
        #expect(TimeReader(order: .dmy).read(slice("2026-11-21 08:04:16.25"))?.microseconds == Self.moment + 250_000)
        #expect(TimeReader(order: .dmy).read(slice("2026-11-21 08:04:16,123456789"))?.microseconds == Self.moment + 123_456)
        #expect(TimeReader(order: .dmy).read(slice("1795248256.5"))?.microseconds == Self.moment + 500_000)
    }

    @Test func dayAndMonthAreToldApartByTheColumn() {
        func order(_ texts: [String]) -> DateOrder {
            var detector = DateOrderDetector()
            for text in texts { detector.see(slice(text)) }
            return detector.order
        }
        #expect(order(["01/02/2026 10:00", "13/02/2026 10:00"]) == .dmy)
        #expect(order(["01/02/2026 10:00", "02/13/2026 10:00"]) == .mdy)
        #expect(order(["01/02/2026 10:00", "05/02/2026 10:00", "11/02/2026 10:00"]) == .dmy)
        #expect(order(["02/01/2026 10:00", "02/05/2026 10:00", "02/11/2026 10:00"]) == .mdy)
        #expect(order(["Nov 3 2026 10:00"]) == .mdy)
        #expect(order(["2026-11-03 10:00"]) == .dmy)
    }

    @Test(arguments: [
        ("65", DurationUnit.seconds, 65_000), ("65.4", .seconds, 65_400), ("65,4", .seconds, 65_400), ("65.000000000", .seconds, 65_000), ("1:05", .seconds, 65_000),
        ("00:01:05", .seconds, 65_000), ("01:01:05", .seconds, 3_665_000), ("1.5", .minutes, 90_000), ("65400", .milliseconds, 65_400), ("65s", .seconds, 65_000),
        ("0", .seconds, 0), ("", .seconds, nil), ("-5", .seconds, nil), ("1:2:3:4", .seconds, nil), ("abc", .seconds, nil), (":05", .seconds, nil),
    ] as [(String, DurationUnit, Int64?)])
    func aDurationIsReadInTheFormsThatCarriersUse(text: String, unit: DurationUnit, expected: Int64?) {
        #expect(DurationReader(unit: unit).read(slice(text)) == expected, "\(text)")
    }

    @Test(arguments: [
        ("0.0123", false, 12_300, 4), ("0,0123", true, 12_300, 4), ("1.234,50", true, 1_234_500_000, 2), ("1,234.50", false, 1_234_500_000, 2),
        ("€ 12.50", false, 12_500_000, 2), ("12.50 EUR", false, 12_500_000, 2), ("-3", false, -3_000_000, 0), ("(3.00)", false, -3_000_000, 2),
        ("0.00123456", false, 1_235, 8), ("0.00123449", false, 1_234, 8), ("", false, nil, 0), ("n/a", false, nil, 0), ("1.2.3", false, nil, 0),
    ] as [(String, Bool, Int64?, Int)])
    func anAmountIsReadInTheFormsThatCarriersUse(text: String, comma: Bool, micros: Int64?, decimals: Int) {
        let reading = AmountReader(hasDecimalComma: comma).read(slice(text))
        #expect(reading?.micros == micros, "\(text)")
        if micros != nil { #expect(reading?.decimals == decimals) }
    }

    @Test func theDecimalCommaIsFoundOut() {
        func comma(_ texts: [String]) -> Bool {
            var detector = DecimalCommaDetector()
            for text in texts { detector.see(slice(text)) }
            return detector.hasDecimalComma
        }
        #expect(comma(["0,0123", "1,5"]))
        #expect(comma(["0,012", "0,450"]))
        #expect(comma(["1.234,50"]))
        #expect(!comma(["1,234.50", "0.50"]))
        #expect(!comma(["0.0123", "12"]))
    }
}
